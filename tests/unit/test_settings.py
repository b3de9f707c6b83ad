"""Settings: their sources, their errors, and the file that shows them all."""

import json
import tomllib
from pathlib import Path

import msgspec
import pytest

from orchestrator import settings
from orchestrator.errors import ConfigError
from orchestrator.settings import Settings, help_of, load

SHIPPED = Path(__file__).parents[2] / "config" / "orchestrator.toml"
HEAD = """\
# Settings of the orchestrator. Each is shown with its default; remove the # in front of a name to change it.
# The environment (ORCHESTRATOR_ and the name in capitals) goes before this file, and the command line before both.
"""


def expected_file() -> str:
    return HEAD + "".join(f"\n# {help_of(f.name)}\n# {f.name} = {json.dumps(default_of(f))}\n" for f in msgspec.structs.fields(Settings))


def default_of(field: msgspec.structs.FieldInfo) -> object:
    return field.default_factory() if field.default is msgspec.NODEFAULT else field.default


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A working folder without a settings file."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_shipped_file_shows_every_setting_with_its_help_and_default():
    assert SHIPPED.read_text("utf-8") == expected_file()


def test_shipped_file_without_comment_marks_is_the_defaults():
    lines = [line.removeprefix("# ") for line in SHIPPED.read_text("utf-8").splitlines() if line.startswith("# ") and " = " in line]
    assert msgspec.convert(tomllib.loads("\n".join(lines)), Settings) == Settings()


def test_shipped_file_changes_nothing():
    assert load(SHIPPED, {}) == Settings()


def test_flags_go_before_the_environment_and_that_before_the_file(elsewhere):
    file = elsewhere / "my.toml"
    file.write_text('port = 1\nhost = "127.0.0.9"\nlog_level = "error"\n')
    environment = {"ORCHESTRATOR_PORT": "2", "ORCHESTRATOR_HOST": "127.0.0.2", "PATH": "/bin"}
    found = load(file, environment, {"port": 3, "host": None})
    assert (found.port, found.host, found.log_level) == (3, "127.0.0.2", "error")


def test_file_in_the_working_folder_is_read_by_itself(elsewhere):
    (elsewhere / "config").mkdir()
    (elsewhere / "config" / "orchestrator.toml").write_text("port = 7\n")
    assert load(environment={}).port == 7


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("prot = 1", "unknown setting prot"),
        ('port = "1"', "port: Expected `int`"),
        ("port = 70000", "port: Expected `int` <= 65535"),
        ('log_level = "loud"', "log_level: Invalid enum value 'loud'"),
        ("port = ", "not valid TOML"),
    ],
)
def test_wrong_file_is_refused_naming_file_and_key(elsewhere, text, words):
    (elsewhere / "my.toml").write_text(text)
    with pytest.raises(ConfigError, match=r"my\.toml") as caught:
        load(Path("my.toml"), {})
    assert words in str(caught.value)


def test_absent_file_is_refused_when_it_was_asked_for(elsewhere):
    with pytest.raises(ConfigError, match=r"my\.toml: No such file"):
        load(Path("my.toml"), {})


@pytest.mark.parametrize(("name", "value"), [("ORCHESTRATOR_PROT", "1"), ("ORCHESTRATOR_PORT", "many"), ("ORCHESTRATOR_PROBE_INTERVAL_SECONDS", "0")])
def test_wrong_environment_is_refused_naming_the_variable(elsewhere, name, value):
    with pytest.raises(ConfigError, match=name):
        load(environment={name: value})


def test_origins_are_a_comma_list_in_the_environment(elsewhere):
    assert load(environment={"ORCHESTRATOR_ORIGINS": "http://a, http://b,"}).origins == ["http://a", "http://b"]


def test_database_is_in_the_data_folder_unless_named(elsewhere):
    assert Settings(data_dir="d").resolved_database_url == f"sqlite+aiosqlite:///{elsewhere}/d/orchestrator.db"
    assert Settings(database_url="sqlite:///x").resolved_database_url == "sqlite:///x"


def test_secrets_are_masked_for_people():
    shown = Settings(admin_token="canary-a", secret_key="canary-b").redacted()
    assert "canary" not in str(shown)
    assert shown["admin_token"] == "***REDACTED***"
    assert Settings().redacted()["admin_token"] == ""


def test_every_setting_has_a_help_sentence():
    assert all(help_of(name).endswith(".") for name in Settings.__struct_fields__)
    assert settings.PREFIX == "ORCHESTRATOR_"
