"""The wheel runs without the source tree, and has the admin UI wherever that could be built."""

import os
import subprocess
import sys
import tarfile
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import pytest

from orchestrator import __version__
from tests.fakes.npm import Npm, source_tree, without_npm
from tests.integration.serving import Serving

ROOT = Path(__file__).parents[2]


def run(*command, cwd, **environment):
    return subprocess.run(
        [sys.executable, *command], cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120, check=True
    ).stdout


def build(tree, *targets, path=None, **environment):
    """The files that are made from a source tree; without npm where no path is given. What pip does without a network."""
    given = {"PATH": path or without_npm(), "CI": "", "ORCHESTRATOR_UI": "", **environment}
    run("-m", "hatchling", "build", *(word for target in targets for word in ("-t", target)), cwd=tree, **given)
    return [next((tree / "dist").glob({"wheel": "*.whl", "sdist": "*.tar.gz"}[target])) for target in targets]


def names(path):
    """Files in a wheel or sdist, below its first folder."""
    if path.suffix == ".whl":
        return set(zipfile.ZipFile(path).namelist())
    with tarfile.open(path) as archive:
        return {name.partition("/")[2] for name in archive.getnames()}


def ui_in(path):
    return {name for name in names(path) if name.startswith("orchestrator/ui/")}


UI = {"orchestrator/ui/index.html", "orchestrator/ui/assets/a-1.js", "orchestrator/ui/assets/a-1.js.gz"}
QUIET = ("--quiet", "--disable-pip-version-check", "--no-deps")


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return source_tree(tmp_path_factory.mktemp("source") / "tree")


@pytest.fixture(scope="module")
def made(tree, tmp_path_factory):
    """A wheel and an sdist from a tree in which npm builds a small UI."""
    npm = Npm(tmp_path_factory.mktemp("npm"))
    found = build(tree, "wheel", "sdist", path=npm.path, CI="true")
    assert npm.calls() == ["ci --no-audit", "run build"]
    return found


@pytest.fixture(scope="module")
def installed(made, tmp_path_factory):
    """The folder that the wheel was installed into; what it depends on comes from this environment."""
    folder = tmp_path_factory.mktemp("installed")
    run("-m", "pip", "install", *QUIET, "--target", str(folder), str(made[0]), cwd=folder)
    return folder


def test_wheel_holds_migrations_and_the_settings_file_and_no_tests(installed):
    assert (installed / "orchestrator" / "_migrations" / "versions" / "0001_servers.py").is_file()
    assert (installed / "orchestrator" / "_config" / "orchestrator.toml").read_bytes() == (ROOT / "config" / "orchestrator.toml").read_bytes()
    assert not (installed / "tests").exists()
    assert (installed / "bin" / "orchestrator").is_file()


def test_commands_of_the_wheel_work_elsewhere(installed, tmp_path):
    def orchestrator(*arguments):
        return run("-m", "orchestrator", *arguments, cwd=tmp_path, PYTHONPATH=str(installed), ORCHESTRATOR_DATA_DIR=str(tmp_path / "data"))

    assert run("-c", "import orchestrator; print(orchestrator.__file__)", cwd=tmp_path, PYTHONPATH=str(installed)).startswith(str(installed))
    assert orchestrator("--version") == f"orchestrator {__version__}\n"
    assert orchestrator("config", "check") == "the settings are fine\n"
    assert "upgraded to revision" in orchestrator("migrate")
    assert "is at revision" in orchestrator("migrate")


def test_wheel_serves_and_makes_its_database_by_itself(installed, tmp_path):
    with Serving(tmp_path, {"PYTHONPATH": str(installed)}) as serving:
        assert serving.ask("GET", "/api/servers") == (200, [])


def page(serving, path):
    """(status, text, headers) as a browser gets it."""
    request = urllib.request.Request(serving.base + path, headers={"Accept": "text/html,*/*;q=0.8"})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, response.read().decode(), response.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(), error.headers


def test_wheel_serves_the_ui(installed, tmp_path):
    with Serving(tmp_path, {"PYTHONPATH": str(installed), "PATH": without_npm()}) as serving:
        status, text, headers = page(serving, "/")
        nonce = text.partition('content="')[2].partition('"')[0]
        assert (status, f"'nonce-{nonce}'" in headers["Content-Security-Policy"], len(nonce) > 20) == (200, True, True)
        assert page(serving, "/ui/assets/a-1.js")[:2] == (200, "let a = 1")
        assert serving.ask("GET", "/api/about")[1]["addresses"] == [serving.base]


def test_wheel_and_sdist_carry_the_ui_and_nothing_it_was_made_with(made):
    for path in made:
        assert ui_in(path) == UI
        assert not any("node_modules" in name for name in names(path))
    assert {"hatch_build.py", "frontend/build_ui.py", "frontend/package-lock.json", "frontend/src/main.tsx"} <= names(made[1])


def test_sdist_becomes_the_same_wheel_without_node(made, tmp_path):
    with tarfile.open(made[1]) as archive:
        archive.extractall(tmp_path, filter="data")
    (unpacked,) = tmp_path.iterdir()
    (wheel,) = build(unpacked, "wheel")
    assert wheel.read_bytes() == made[0].read_bytes()


def test_without_npm_a_wheel_is_made_that_serves_and_says_how_to_build_the_ui(tmp_path):
    tree = source_tree(tmp_path / "tree")
    command = ("-m", "pip", "install", *QUIET, "--no-build-isolation", "--target", str(tmp_path / "site"), str(tree))
    run(*command, cwd=tmp_path, PATH=without_npm(), CI="")
    assert not (tmp_path / "site" / "orchestrator" / "ui").exists()
    with Serving(tmp_path, {"PYTHONPATH": str(tmp_path / "site")}) as serving:
        status, text, _ = page(serving, "/")
        assert (status, "<code>make ui</code>" in text) == (503, True)
        assert serving.ask("GET", "/api/servers") == (200, [])
        assert "the admin UI is not built" in serving.log.read_text()  # pip shows nothing of what a build says


def test_without_npm_the_build_warns_and_in_ci_it_fails(tmp_path):
    tree = source_tree(tmp_path / "tree")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel"]
    for ci, fails in (("", False), ("true", True)):
        environment = {**os.environ, "PATH": without_npm(), "CI": ci, "ORCHESTRATOR_UI": ""}
        done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode != 0, "npm is not there" in done.stdout + done.stderr) == (fails, True)


def test_the_ui_can_be_left_out(tree, made, tmp_path):
    for path in build(tree, "wheel", "sdist", ORCHESTRATOR_UI="skip"):
        assert ui_in(path) == set()


def test_an_editable_install_never_runs_npm(tmp_path):
    tree, npm = source_tree(tmp_path / "tree"), Npm(tmp_path)
    code = "import hatch_build; hatch_build.UiHook('.', {}, None, None, '', 'wheel').initialize('editable', {})"
    run("-c", code, cwd=tree, PATH=npm.path, CI="true")
    assert npm.calls() == []
