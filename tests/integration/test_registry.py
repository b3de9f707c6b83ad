"""The registry of a real process: restarts, kill -9 under writes, a database that is locked or gone."""

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing

from tests.integration.serving import Serving

ROUNDS = 3
WRITES = 12


def register_until_dead(serving, prefix, acknowledged, enough):
    """Registers one server after the other until the process is gone; notes each that was acknowledged."""
    number = 0
    while True:
        number += 1
        name = f"{prefix}-{number}"
        try:
            status, _ = serving.ask("POST", "/api/servers?probe=false", {"id": name, "url": f"http://{name}", "apiKey": "canary"}, timeout=10)
        except (OSError, ValueError):
            return
        if status == 201:
            acknowledged.append(name)
        if len(acknowledged) >= WRITES:
            enough.set()


def test_registry_is_intact_after_kill_9_under_writes(tmp_path):
    expected = set()
    for turn in range(ROUNDS):
        acknowledged, enough = [], threading.Event()
        with Serving(tmp_path) as serving:
            assert expected <= {server["id"] for server in serving.ask("GET", "/api/servers")[1]}
            writers = [threading.Thread(target=register_until_dead, args=(serving, f"{turn}-{one}", acknowledged, enough)) for one in range(2)]
            for writer in writers:
                writer.start()
            assert enough.wait(60)
            serving.kill()
            for writer in writers:
                writer.join()
        expected |= set(acknowledged)
    with Serving(tmp_path) as serving:
        servers = {server["id"]: server for server in serving.ask("GET", "/api/servers")[1]}
        assert expected <= servers.keys()
        assert {server["apiKey"] for server in servers.values()} == {"***REDACTED***"}
        assert not any("decrypted" in server["statusReason"] for server in servers.values())
        assert serving.ask("DELETE", f"/api/servers/{acknowledged[0]}") == (204, None)
    with closing(sqlite3.connect(tmp_path / "data" / "orchestrator.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_everything_registered_holds_over_a_restart_and_nothing_secret_is_readable(tmp_path):
    body = {"id": "a", "url": "http://127.0.0.1:9", "apiKey": "canary-key", "headers": {"X-A": "canary-header"}, "weight": 2, "tags": ["t"]}
    with Serving(tmp_path, {"ORCHESTRATOR_LOG_LEVEL": "debug"}) as serving:
        status, added = serving.ask("POST", "/api/servers", body)
        assert (status, added["healthy"], added["status"]) == (201, False, "down")
        assert serving.ask("POST", "/api/servers/a/drain")[0] == 200
        assert serving.ask("PATCH", "/api/servers/a", {"apiKey": 5})[0] == 400
    with Serving(tmp_path) as serving:
        status, found = serving.ask("GET", "/api/servers/a")
        assert {name: found[name] for name in ("url", "apiKey", "headers", "weight", "tags", "status")} == {
            "url": "http://127.0.0.1:9",
            "apiKey": "***REDACTED***",
            "headers": {"X-A": "***REDACTED***"},
            "weight": 2.0,
            "tags": ["t"],
            "status": "draining",
        }
    for file in (file for file in tmp_path.rglob("*") if file.is_file()):
        assert b"canary" not in file.read_bytes(), file
    assert stat.S_IMODE((tmp_path / "data" / "secret.key").stat().st_mode) == 0o600


def test_lost_key_file_is_a_config_error_of_that_server_alone(tmp_path):
    with Serving(tmp_path) as serving:
        serving.ask("POST", "/api/servers?probe=false", {"id": "plain", "url": "http://127.0.0.1:9", "apiKey": "canary"})
        serving.ask("POST", "/api/servers?probe=false", {"id": "open", "url": "http://127.0.0.1:10"})
    (tmp_path / "data" / "secret.key").unlink()
    with Serving(tmp_path) as serving:
        found = serving.ask("GET", "/api/servers/plain")[1]
        assert (found["status"], "cannot be decrypted" in found["statusReason"]) == ("configError", True)
        assert serving.ask("GET", "/api/servers/open")[1]["status"] != "configError"


def test_locked_then_removed_database_refuses_writes_and_answers_reads(tmp_path):
    with Serving(tmp_path) as serving:
        assert serving.ask("POST", "/api/servers?probe=false", {"id": "a", "url": "http://127.0.0.1:9"})[0] == 201
        path = tmp_path / "data" / "orchestrator.db"
        with closing(sqlite3.connect(path)) as other:
            other.execute("BEGIN EXCLUSIVE")
            status, answer = serving.ask("POST", "/api/servers?probe=false", {"id": "b", "url": "http://b"}, timeout=20)
            assert (status, answer["error"]["code"]) == (503, "database_unavailable")
            assert serving.ask("GET", "/api/servers/a")[0] == 200
        assert serving.ask("POST", "/api/servers?probe=false", {"id": "b", "url": "http://b"})[0] == 201
        for file in path.parent.glob("orchestrator.db*"):
            file.unlink()
        assert serving.ask("PATCH", "/api/servers/a", {"weight": 2}, timeout=20)[0] == 503
        assert [server["id"] for server in serving.ask("GET", "/api/servers")[1]] == ["a", "b"]
        assert not path.exists()


def test_token_is_wanted_where_one_is_set(tmp_path):
    with Serving(tmp_path, {"ORCHESTRATOR_ADMIN_TOKEN": "canary", "ORCHESTRATOR_HOST": "127.0.0.1"}) as serving:
        status, answer = serving.ask("GET", "/api/servers")
        assert (status, answer["error"]["code"]) == (401, "unauthorized")
        assert serving.ask("GET", "/api/servers", headers={"Authorization": "Bearer canary"})[0] == 200
    assert "canary" not in serving.log.read_text()


def test_rebinding_and_foreign_pages_are_refused_over_the_wire(tmp_path):
    with Serving(tmp_path) as serving:
        for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"X-Forwarded-For": "127.0.0.1"}):
            status, answer = serving.ask("GET", "/api/servers", headers=headers)
            assert (status, answer["error"]["code"]) == (403, "forbidden")


def test_newer_database_is_refused_at_the_start_in_one_line(tmp_path):
    with Serving(tmp_path):
        pass
    with closing(sqlite3.connect(tmp_path / "data" / "orchestrator.db")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    environment = {**os.environ, "ORCHESTRATOR_DATA_DIR": str(tmp_path / "data")}
    done = subprocess.run(
        [sys.executable, "-m", "orchestrator", "serve", "--port", "0"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert "made by a newer version" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_servers_are_administered_from_the_command_line(tmp_path):
    with Serving(tmp_path) as serving:

        def run(*arguments):
            command = [sys.executable, "-m", "orchestrator", "servers", *arguments, "--url", serving.base]
            done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
            return done.returncode, done.stdout + done.stderr

        status, told = run("add", "a", "http://127.0.0.1:9/v1", "--api-key", "env:GONE", "--header", "X-A=v", "--weight", "2")
        assert (status, "configError" in told, "environment variable GONE is not set" in told) == (0, True, True)
        assert run("add", "a", "http://other")[0] == 1
        assert "http://127.0.0.1:9 " in run("list")[1]
        assert run("check", "a")[0] == 1
        assert run("remove", "a") == (0, "a removed\n")
        assert run("remove", "a") == (1, "orchestrator: no server has the id 'a'\n")
