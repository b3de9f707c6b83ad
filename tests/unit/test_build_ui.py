"""When the admin UI is built, and what is said where it cannot be."""

import os
import shutil
import subprocess
import sys
import threading

import pytest

from tests.fakes.npm import Npm, source_tree, without_npm

BOTH = ["ci --no-audit", "run build"]


@pytest.fixture
def npm(tmp_path):
    return Npm(tmp_path)


@pytest.fixture
def tree(tmp_path):
    return source_tree(tmp_path / "tree")


def build(tree, path, *arguments, **environment):
    """The exit status, and what was said."""
    command = [sys.executable, str(tree / "frontend" / "build_ui.py"), *arguments]
    done = subprocess.run(command, env={**os.environ, "PATH": path, **environment}, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def test_it_is_built_once(tree, npm):
    assert build(tree, npm.path)[0] == 0
    assert npm.calls() == BOTH
    assert (tree / "orchestrator" / "ui" / "index.html").is_file()
    assert build(tree, npm.path) == (0, "")
    assert npm.calls() == []


@pytest.mark.parametrize(
    ("name", "content"), [("src/main.tsx", "let a = 2"), ("src/new.tsx", ""), ("vite.config.ts", ""), ("public/favicon.svg", "<svg/>"), ("src/main.tsx", None)]
)
def test_again_when_a_source_changed_and_then_without_installing(tree, npm, name, content):
    build(tree, npm.path)
    npm.calls()
    path = tree / "frontend" / name
    path.parent.mkdir(exist_ok=True)
    path.unlink() if content is None else path.write_text(content)
    assert build(tree, npm.path)[0] == 0
    assert npm.calls() == ["run build"]


@pytest.mark.parametrize("name", ["node_modules/x/index.js", "build.py", "src/__pycache__/x.pyc", "coverage/index.html"])
def test_not_when_something_else_changed(tree, npm, name):
    build(tree, npm.path)
    npm.calls()
    path = tree / "frontend" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("changed")
    os.utime(tree / "frontend" / "src" / "main.tsx")
    assert build(tree, npm.path) == (0, "")
    assert npm.calls() == []


@pytest.mark.parametrize("name", ["package-lock.json", "package.json"])
def test_packages_are_installed_anew_when_the_lock_changed(tree, npm, name):
    build(tree, npm.path)
    npm.calls()
    (tree / "frontend" / name).write_text('{"a": 1}')
    assert build(tree, npm.path)[0] == 0
    assert npm.calls() == BOTH


def test_a_ui_that_was_removed_or_built_by_hand_is_built(tree, npm):
    build(tree, npm.path)
    npm.calls()
    (tree / "orchestrator" / "ui" / ".sources").unlink()
    build(tree, npm.path)
    (tree / "orchestrator" / "ui" / "index.html").unlink()
    build(tree, npm.path)
    assert npm.calls() == ["run build"] * 2


def test_without_npm_it_says_so_in_one_line(tree):
    status, said = build(tree, without_npm())
    assert (status, said.count("\n")) == (3, 1)
    assert "npm is not there" in said
    assert "runs without it" in said


def test_without_npm_one_that_is_built_already_is_fine(tree, npm):
    build(tree, npm.path)
    assert build(tree, without_npm()) == (0, "")


def test_without_npm_an_older_one_stays(tree, npm):
    build(tree, npm.path)
    (tree / "frontend" / "src" / "main.tsx").write_text("let a = 2")
    status, said = build(tree, without_npm())
    assert (status, "the one that is there stays" in said) == (3, True)
    assert (tree / "orchestrator" / "ui" / "index.html").is_file()


def test_packages_are_installed_for_whom_needs_them_alone(tree, npm):
    build(tree, npm.path)
    npm.calls()
    shutil.rmtree(tree / "frontend" / "node_modules")
    assert build(tree, npm.path) == (0, "")
    assert build(tree, npm.path, "--packages")[0] == 0
    assert build(tree, npm.path, "--packages") == (0, "")
    assert npm.calls() == BOTH[:1]
    assert build(tree, without_npm(), "--packages")[0] == 3


def test_when_npm_fails_it_says_what_npm_said_and_tries_again_next_time(tree, npm):
    status, said = build(tree, npm.path, FAKE_NPM="fails")
    assert (status, "npm error: canary" in said, "npm ci --no-audit --no-fund failed" in said) == (1, True, True)
    npm.calls()
    assert build(tree, npm.path)[0] == 0
    assert npm.calls() == BOTH


def test_two_at_once_build_one_after_the_other_and_once(tree, npm):
    results = []
    threads = [threading.Thread(target=lambda: results.append(build(tree, npm.path)[0])) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [0, 0, 0]
    assert npm.calls() == BOTH
