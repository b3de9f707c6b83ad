"""The wheel runs without the source tree."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator import __version__
from tests.integration.serving import Serving

ROOT = Path(__file__).parents[2]


def run(*command, cwd, **environment):
    return subprocess.run(
        [sys.executable, *command], cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120, check=True
    ).stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder that the wheel was installed into; what it depends on comes from this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    quiet = ("--quiet", "--disable-pip-version-check", "--no-deps")
    run("-m", "pip", "wheel", *quiet, "--no-build-isolation", "-w", str(folder), str(ROOT), cwd=folder)
    (wheel,) = folder.glob("*.whl")
    run("-m", "pip", "install", *quiet, "--target", str(folder / "site"), str(wheel), cwd=folder)
    return folder / "site"


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
