"""The command line: help, one-line errors, exit statuses."""

import io
import json
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from orchestrator import __version__
from orchestrator.cli import main

NEWEST = max(path.name[:4] for path in (Path(__file__).parents[2] / "migrations" / "versions").glob("0*.py"))
COMMANDS = [
    [],
    ["serve"],
    ["migrate"],
    ["servers"],
    ["servers", "list"],
    ["servers", "add"],
    ["servers", "remove"],
    ["servers", "check"],
    ["config"],
    ["config", "check"],
    ["config", "show"],
]
SERVER = {
    "id": "a",
    "url": "http://a",
    "status": "healthy",
    "kind": "ollama",
    "models": ["m"],
    "v1Models": ["m", "n"],
    "inFlight": 1,
    "statusReason": "fine",
    "healthy": True,
}


@contextmanager
def admin_api(status=200, answer=None):
    """An HTTP server that gives one answer to everything; yields its URL and what it was asked."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked.append((self.command, self.path, json.loads(body) if body else None, self.headers.get("Authorization")))
            raw = b"" if answer is None else json.dumps(answer).encode()
            self.send_response(status)
            if status in (301, 302):
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_DELETE = handle_any

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ORCHESTRATOR_ADMIN_TOKEN", raising=False)
    return tmp_path


def status_of(*arguments):
    """The exit status, also where argparse ends by itself."""
    try:
        return main(arguments)
    except SystemExit as end:
        return end.code or 0


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command, capsys):
    assert status_of(*command, "--help") == 0
    told = capsys.readouterr().out
    assert told.startswith(f"usage: {' '.join(['orchestrator', *command])}")
    assert "==SUPPRESS==" not in told


def test_version_is_told(capsys):
    assert status_of("--version") == 0
    assert capsys.readouterr().out == f"orchestrator {__version__}\n"


def test_module_is_the_command():
    done = subprocess.run([sys.executable, "-m", "orchestrator", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"orchestrator {__version__}\n"


def test_help_imports_nothing_heavy():
    heavy = "{'sqlalchemy', 'uvicorn', 'aiohttp', 'alembic', 'msgspec'}"
    code = f"import sys; from orchestrator.cli import parser; parser().format_help(); sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["serve", "--nonsense"],
        ["serve", "--port", "many"],
        ["serve", "--port", "70000"],
        ["serve", "--config", "gone.toml"],
        ["migrate", "--database-url", "redis://x"],
        ["servers"],
        ["servers", "add", "a"],
        ["servers", "add", "a", "http://a", "--header", "x"],
        ["servers", "list", "--url", "ftp://x"],
        ["serve", "--host", "0.0.0.0"],
    ],
)
def test_wrong_usage_or_configuration_is_one_line_and_status_2(arguments, capsys):
    assert status_of(*arguments) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == 1
    assert told.err.startswith("orchestrator")


def test_bind_beyond_loopback_without_token_says_what_to_do(capsys):
    assert status_of("config", "check", "--host", "0.0.0.0") == 2
    assert "set ORCHESTRATOR_ADMIN_TOKEN" in capsys.readouterr().err


def test_config_check_changes_nothing(elsewhere, capsys):
    assert status_of("config", "check") == 0
    assert capsys.readouterr().out == "the settings are fine\n"
    assert list(elsewhere.iterdir()) == []


def test_config_show_masks_secrets(monkeypatch, capsys):
    monkeypatch.setenv("ORCHESTRATOR_ADMIN_TOKEN", "canary")
    assert status_of("config", "show", "--port", "7") == 0
    told = capsys.readouterr().out
    assert "port = 7\n" in told
    assert 'admin_token = "***REDACTED***"\n' in told
    assert "canary" not in told


def test_migrate_makes_the_database(elsewhere, capsys):
    assert status_of("migrate", "--data-dir", "d") == 0
    assert capsys.readouterr().out == f"{elsewhere}/d/orchestrator.db: upgraded to revision {NEWEST}\n"
    assert status_of("migrate", "--data-dir", "d") == 0
    assert f"is at revision {NEWEST}" in capsys.readouterr().out


def test_servers_are_listed_as_a_table(capsys):
    with admin_api(200, [SERVER]) as (url, asked):
        assert status_of("servers", "list", "--url", url) == 0
    assert capsys.readouterr().out == "ID  URL       STATUS   KIND    MODELS  IN FLIGHT  WHY\na   http://a  healthy  ollama  2       1          fine\n"
    assert asked == [("GET", "/api/servers", None, None)]


def test_servers_are_listed_as_json(capsys):
    with admin_api(200, [SERVER]) as (url, _):
        assert status_of("servers", "list", "--json", "--url", url) == 0
    assert json.loads(capsys.readouterr().out) == [SERVER]


def test_every_flag_of_add_becomes_a_member():
    flags = "--name N --type ollama --api-key env:K --header A=b=c --header B=d --max-concurrency 2 --priority 1 --weight 1.5"
    flags += " --tag t --tag u --allow m* --deny x --no-verify-tls --no-probe"
    with admin_api(201, SERVER) as (url, asked):
        assert status_of("servers", "add", "a", "http://a", *flags.split(), "--url", url) == 0
    assert asked == [
        (
            "POST",
            "/api/servers?probe=false",
            {
                "id": "a",
                "url": "http://a",
                "name": "N",
                "type": "ollama",
                "apiKey": "env:K",
                "headers": {"A": "b=c", "B": "d"},
                "maxConcurrency": 2,
                "priority": 1,
                "weight": 1.5,
                "tags": ["t", "u"],
                "modelsAllow": ["m*"],
                "modelsDeny": ["x"],
                "verifyTls": False,
            },
            None,
        ),
    ]


def test_key_can_be_read_from_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("canary\n"))
    with admin_api(201, SERVER) as (url, asked):
        assert status_of("servers", "add", "a", "http://a", "--api-key", "-", "--url", url) == 0
    assert asked[0][2] == {"id": "a", "url": "http://a", "apiKey": "canary"}


def test_token_of_the_environment_is_sent(monkeypatch):
    monkeypatch.setenv("ORCHESTRATOR_ADMIN_TOKEN", "canary")
    with admin_api(204) as (url, asked):
        assert status_of("servers", "remove", "a/b", "--url", url + "/") == 0
    assert asked == [("DELETE", "/api/servers/a%2Fb", None, "Bearer canary")]


def test_redirects_are_not_followed_with_the_token(monkeypatch, capsys):
    monkeypatch.setenv("ORCHESTRATOR_ADMIN_TOKEN", "canary")
    with admin_api(302) as (url, asked):
        assert status_of("servers", "list", "--url", url) == 1
    assert len(asked) == 1
    assert "302" in capsys.readouterr().err


@pytest.mark.parametrize(("healthy", "status"), [(True, 0), (False, 1)])
def test_check_fails_when_a_server_is_not_healthy(healthy, status):
    server = {**SERVER, "healthy": healthy}
    with admin_api(200, server) as (url, asked):
        assert status_of("servers", "check", "a", "--url", url) == status
    with admin_api(200, [SERVER, server]) as (url, more):
        assert status_of("servers", "check", "--url", url) == status
    assert [one[:2] for one in asked + more] == [("POST", "/api/servers/a/check"), ("POST", "/api/health-check")]


def test_error_of_the_admin_api_is_told_in_its_words(capsys):
    with admin_api(409, {"error": {"code": "id_taken", "message": "id: taken", "field": "id"}}) as (url, _):
        assert status_of("servers", "add", "a", "http://a", "--url", url) == 1
    assert capsys.readouterr().err == "orchestrator: id: taken\n"


def test_orchestrator_that_is_not_there_is_told(capsys):
    with admin_api() as (url, _):
        pass
    assert status_of("servers", "list", "--url", url) == 1
    assert capsys.readouterr().err == f"orchestrator: no orchestrator answers at {url}: [Errno 111] Connection refused\n"
