"""What is found wrong before anything listens, and what the serving process does without."""

import subprocess
import sys

import pytest

from orchestrator import app
from orchestrator.errors import ConfigError
from orchestrator.settings import Settings


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_loopback_needs_no_token(host):
    app.check_access(Settings(host=host))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.168.1.5", "fleet.example"])
def test_other_addresses_need_a_token_and_the_error_says_how(host):
    with pytest.raises(ConfigError, match="set ORCHESTRATOR_ADMIN_TOKEN"):
        app.check_access(Settings(host=host))
    app.check_access(Settings(host=host, admin_token="secret"))


@pytest.mark.parametrize("token", ["can ary", "canary\n", "canaryé"])
def test_token_that_no_header_carries_is_refused_and_not_quoted(token):
    with pytest.raises(ConfigError, match="admin_token") as caught:
        app.check_access(Settings(admin_token=token))
    assert "canary" not in str(caught.value)


def test_check_makes_nothing(tmp_path):
    app.check(Settings(data_dir=str(tmp_path / "data")))
    assert list(tmp_path.iterdir()) == []


def test_prepare_makes_key_and_database_and_may_be_repeated(tmp_path):
    settings = Settings(data_dir=str(tmp_path / "data"))
    app.prepare(settings)
    key = (tmp_path / "data" / "secret.key").read_bytes()
    app.prepare(settings)
    assert (tmp_path / "data" / "secret.key").read_bytes() == key
    assert (tmp_path / "data" / "orchestrator.db").is_file()


def test_prepare_refuses_before_it_makes_anything(tmp_path):
    with pytest.raises(ConfigError):
        app.prepare(Settings(data_dir=str(tmp_path / "data"), host="0.0.0.0"))
    with pytest.raises(ConfigError, match="postgresql"):
        app.prepare(Settings(data_dir=str(tmp_path / "data"), database_url="postgresql://u:canary@h/d"))
    assert list(tmp_path.iterdir()) == []


def test_serving_imports_no_migration_library():
    code = "import orchestrator.app, sys; sys.exit('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_second_process_on_the_same_folder_is_refused(tmp_path):
    with app.alone(tmp_path), pytest.raises(ConfigError, match="another orchestrator"), app.alone(tmp_path):
        pass
    with app.alone(tmp_path):
        pass
