"""Secrets at rest, and the key that they are sealed with."""

import stat

import pytest
from cryptography.fernet import Fernet

from orchestrator.errors import ConfigError
from orchestrator.fleet.specs import Secret
from orchestrator.settings import Settings
from orchestrator.store.secrets import Sealed, Secrets, find_key, open_secrets


def test_plain_secret_comes_back_and_is_not_readable_in_between(secrets):
    stored = secrets.seal(Secret("canary"))
    assert "canary" not in stored
    assert secrets.open(stored) == Secret("canary")


def test_reference_is_stored_as_it_is(secrets):
    assert secrets.seal(Secret("env:NAME")) == "env:NAME"
    assert secrets.open("env:NAME").variable == "NAME"


def test_secret_that_looks_like_a_sealed_one_is_sealed_all_the_same(secrets):
    assert secrets.open(secrets.seal(Secret("fernet:abc"))) == Secret("fernet:abc")


@pytest.mark.parametrize("stored", ["fernet:", "fernet:abc", "fernet:ä", "something"])
def test_what_the_key_does_not_open_stays_sealed(secrets, stored):
    found = secrets.open(stored)
    assert isinstance(found, Sealed)
    assert found.variable is None
    assert secrets.seal(found) == stored


def test_sealed_secret_survives_being_stored_under_another_key(secrets):
    stored = secrets.seal(Secret("canary"))
    other = Secrets(Fernet(Fernet.generate_key()))
    assert secrets.open(other.seal(other.open(stored))) == Secret("canary")


def test_key_file_is_made_once_for_the_owner_only(tmp_path):
    settings = Settings(data_dir=str(tmp_path / "new"))
    assert find_key(settings) is None
    stored = open_secrets(settings).seal(Secret("canary"))
    assert open_secrets(settings).open(stored) == Secret("canary")
    file = tmp_path / "new" / "secret.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [path.name for path in file.parent.iterdir()] == ["secret.key"]


def test_key_of_the_settings_needs_no_file(tmp_path):
    key = Fernet.generate_key().decode()
    settings = Settings(data_dir=str(tmp_path / "new"), secret_key=key)
    assert open_secrets(settings).open(f"fernet:{Fernet(key).encrypt(b'x').decode()}") == Secret("x")
    assert not (tmp_path / "new").exists()


def test_bad_key_in_the_settings_is_named_and_not_quoted():
    with pytest.raises(ConfigError, match="secret_key") as caught:
        open_secrets(Settings(secret_key="canary"))
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"canary\n", b"\xff\xfe"])
def test_damaged_key_file_is_named_and_not_quoted(tmp_path, content):
    (tmp_path / "secret.key").write_bytes(content)
    with pytest.raises(ConfigError, match=r"secret\.key") as caught:
        open_secrets(Settings(data_dir=str(tmp_path)))
    assert "canary" not in str(caught.value)


def test_data_folder_that_cannot_be_made_is_a_config_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"secret\.key"):
        open_secrets(Settings(data_dir=str(tmp_path / "file" / "below")))


def test_a_key_file_that_others_can_read_is_closed_to_them(tmp_path, caplog):
    open_secrets(Settings(data_dir=str(tmp_path)))
    path = tmp_path / "secret.key"
    path.chmod(0o644)
    open_secrets(Settings(data_dir=str(tmp_path)))
    assert path.stat().st_mode & 0o777 == 0o600
    assert "other users" in caplog.text
