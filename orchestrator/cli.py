"""The command line. Heavy modules are imported by the command that needs them."""

import argparse
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

from orchestrator import __version__
from orchestrator.errors import ConfigError, OrchestratorError

REQUEST_TIMEOUT_SECONDS = 120.0
FAILED, USAGE = 1, 2


class CommandFailed(OrchestratorError):
    """The command could not do what was asked."""


class Parser(argparse.ArgumentParser):
    """Tells what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"{self.prog}: {message} (try {self.prog} --help)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """The exit status: 0 done, 1 failed, 2 wrong usage or configuration."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["demo"]:
        from orchestrator.demo import tour

        return tour.main(arguments[1:])
    options = parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except ConfigError as error:
        return _complain(error, USAGE)
    except OrchestratorError as error:
        return _complain(error, FAILED)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter complains as it flushes
        return FAILED


def _complain(error: Exception, status: int) -> int:
    print(f"orchestrator: {error}", file=sys.stderr)
    return status


def parser() -> Parser:
    top = Parser(prog="orchestrator", description="One URL in front of every LLM server: Ollama and OpenAI-compatible, with failover.")
    top.add_argument("--version", action="version", version=f"orchestrator {__version__}")
    commands = top.add_subparsers(required=True, metavar="COMMAND", title="commands")
    _add_local(commands)
    _add_servers(commands)
    return top


def _add_local(commands: Any) -> None:
    serve = commands.add_parser("serve", help="run the orchestrator", description="Run the orchestrator until Ctrl-C. Upgrades its database if need be.")
    _add_settings(serve)
    serve.set_defaults(run=run_serve)
    commands.add_parser("demo", help="show it at work in front of three emulated servers", add_help=False)
    migrate = commands.add_parser(
        "migrate", help="create or upgrade the database", description="Create or upgrade the database. `serve` does this by itself at its start."
    )
    _add_settings(migrate)
    migrate.set_defaults(run=run_migrate)
    config = commands.add_parser("config", help="check or show the settings", description="Look at the settings, from all their sources.")
    which = config.add_subparsers(required=True, metavar="COMMAND", title="commands")
    for name, words, run in (
        ("check", "say whether the orchestrator could start with these settings", run_config_check),
        ("show", "print every setting with its value; secrets are masked", run_config_show),
    ):
        one = which.add_parser(name, help=words, description=f"{words[0].upper()}{words[1:]}.")
        _add_settings(one)
        one.set_defaults(run=run)


def _add_settings(command: argparse.ArgumentParser) -> None:
    """Flags of the common settings; every other setting has a place in the file and in the environment."""
    command.add_argument("--config", type=Path, metavar="FILE", help="settings file (default: config/orchestrator.toml if it is there)")
    command.add_argument("--host", help="address to listen on (default 127.0.0.1); others than loopback need ORCHESTRATOR_ADMIN_TOKEN")
    command.add_argument("--port", type=int, help="port to listen on (default 5100); 0 takes a free one")
    command.add_argument("--data-dir", metavar="FOLDER", help="folder of the database and the key file (default ./data)")
    command.add_argument("--database-url", metavar="URL", help="database as SQLAlchemy URL (default: a SQLite file in the data folder)")
    command.add_argument("--log-level", choices=("debug", "info", "warning", "error"), help="how much is logged (default info)")


def _add_servers(commands: Any) -> None:
    servers = commands.add_parser(
        "servers",
        help="list, add, remove or check servers of a running orchestrator",
        description="Administer a running orchestrator over its REST API. Where it wants a token, set ORCHESTRATOR_ADMIN_TOKEN.",
    )
    which = servers.add_subparsers(required=True, metavar="COMMAND", title="commands")
    listing = which.add_parser("list", help="print the registered servers", description="Print the registered servers and how they are.")
    listing.set_defaults(run=run_list)
    add = which.add_parser("add", help="register a server", description="Register a server, probe it, and print what was found.")
    _add_server_members(add)
    add.set_defaults(run=run_add)
    remove = which.add_parser("remove", help="remove a server", description="Remove a server. Its requests in flight are finished.")
    remove.add_argument("id", help="id of the server")
    remove.set_defaults(run=run_remove)
    check = which.add_parser("check", help="probe servers now", description="Probe now and print what was found. Status 1 if a server is not healthy.")
    check.add_argument("id", nargs="?", help="id of the server (default: all servers)")
    check.set_defaults(run=run_check)
    for command in (listing, add, remove, check):
        command.add_argument("--url", dest="base", metavar="URL", help="of the orchestrator (default: as the settings say, http://127.0.0.1:5100)")
    for command in (listing, add, check):
        command.add_argument("--json", action="store_true", help="print the answer as JSON")


def _add_server_members(add: argparse.ArgumentParser) -> None:
    add.add_argument("id", help="a name of your choice, of letters, digits and . _ -")
    add.add_argument("server_url", metavar="server-url", help="base URL, such as http://localhost:11434")
    add.add_argument("--name", help="name for people")
    add.add_argument("--type", choices=("auto", "ollama", "openai"), help="what it speaks (default auto: found out)")
    add.add_argument(
        "--api-key", metavar="KEY", help="env:NAME (the variable is read where the orchestrator runs), - to read the key from standard input, or the key"
    )
    add.add_argument("--header", action="append", metavar="NAME=VALUE", help="extra header to send; VALUE may be env:NAME; may be repeated")
    add.add_argument("--max-concurrency", type=int, metavar="N", help="requests at a time (default: no limit)")
    add.add_argument("--priority", type=int, metavar="N", help="tier; lower ones are used first (default 0)")
    add.add_argument("--weight", type=float, metavar="W", help="share of the requests within its tier (default 1)")
    add.add_argument("--tag", action="append", metavar="TAG", help="tag; may be repeated")
    add.add_argument("--allow", action="append", metavar="GLOB", help="only models that match; may be repeated")
    add.add_argument("--deny", action="append", metavar="GLOB", help="no models that match; may be repeated")
    add.add_argument("--no-verify-tls", action="store_true", help="accept any certificate")
    add.add_argument("--no-probe", action="store_true", help="register without probing")


def _settings(options: argparse.Namespace) -> Any:
    from orchestrator.settings import load

    names = ("host", "port", "data_dir", "database_url", "log_level")
    return load(options.config, flags={name: getattr(options, name) for name in names})


def run_serve(options: argparse.Namespace) -> int:
    from orchestrator.app import serve

    return serve(_settings(options))


def run_migrate(options: argparse.Namespace) -> int:
    from orchestrator.store import migrate
    from orchestrator.store.engine import sqlite_path

    path = sqlite_path(_settings(options).resolved_database_url)
    print(f"{path}: {'upgraded to' if migrate.upgrade(path) else 'is at'} revision {migrate.revision(path)}")
    return 0


def run_config_check(options: argparse.Namespace) -> int:
    from orchestrator.app import check

    check(_settings(options))
    print("the settings are fine")
    return 0


def run_config_show(options: argparse.Namespace) -> int:
    for name, value in _settings(options).redacted().items():
        print(f"{name} = {json.dumps(value)}")
    return 0


def run_list(options: argparse.Namespace) -> int:
    return _print_servers(options, ask(options.base, "GET", "/api/servers"))


def run_add(options: argparse.Namespace) -> int:
    key = sys.stdin.readline().strip() if options.api_key == "-" else options.api_key
    members = {
        "id": options.id,
        "url": options.server_url,
        "name": options.name,
        "type": options.type,
        "apiKey": key,
        "headers": _header_map(options.header),
        "maxConcurrency": options.max_concurrency,
        "priority": options.priority,
        "weight": options.weight,
        "tags": options.tag,
        "modelsAllow": options.allow,
        "modelsDeny": options.deny,
        "verifyTls": False if options.no_verify_tls else None,
    }
    body = {name: value for name, value in members.items() if value is not None}
    return _print_servers(options, ask(options.base, "POST", f"/api/servers{'?probe=false' if options.no_probe else ''}", body))


def run_remove(options: argparse.Namespace) -> int:
    ask(options.base, "DELETE", f"/api/servers/{quote(options.id, safe='')}")
    print(f"{options.id} removed")
    return 0


def run_check(options: argparse.Namespace) -> int:
    path = "/api/health-check" if options.id is None else f"/api/servers/{quote(options.id, safe='')}/check"
    answer = ask(options.base, "POST", path)
    _print_servers(options, answer)
    return 0 if all(server["healthy"] for server in _listed(answer)) else FAILED


def _header_map(given: list[str] | None) -> dict[str, str] | None:
    if given is None:
        return None
    pairs = [text.partition("=") for text in given]
    if not all(name and mark for name, mark, _ in pairs):
        raise ConfigError("--header: must be NAME=VALUE")
    return {name: value for name, _, value in pairs}


def _listed(answer: Any) -> list[dict[str, Any]]:
    return answer if isinstance(answer, list) else [answer]


def _print_servers(options: argparse.Namespace, answer: Any) -> int:
    if options.json:
        print(json.dumps(answer, indent=2))
        return 0
    rows = [("ID", "URL", "STATUS", "KIND", "MODELS", "IN FLIGHT", "WHY")]
    for server in _listed(answer):
        models = len({*server["models"], *server["v1Models"]})
        rows.append((server["id"], server["url"], server["status"], server["kind"] or "-", str(models), str(server["inFlight"]), server["statusReason"]))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    return 0


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """The token goes to the given address and to no other."""

    def redirect_request(self, *_arguments: object) -> None:
        return None


def ask(base: str | None, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """The JSON answer of the admin API, {} if there is none. Raises CommandFailed with what the orchestrator said, ConfigError on a bad URL."""
    if base is None:
        from orchestrator.settings import load

        settings = load()
        host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104
        base = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
    if not base.startswith(("http://", "https://")):
        raise ConfigError("--url: must start with http:// or https://")
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if token := os.environ.get("ORCHESTRATOR_ADMIN_TOKEN"):
        headers["Authorization"] = f"Bearer {token}"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects())
    try:
        request = urllib.request.Request(base.rstrip("/") + path, json.dumps(body).encode() if body is not None else None, headers, method=method)  # noqa: S310
        with opener.open(request, timeout=REQUEST_TIMEOUT_SECONDS) as response:
            return _json(response.read())
    except urllib.error.HTTPError as error:
        with error:
            said = _json(error.read())
        told = said.get("error") if isinstance(said, dict) else None
        raise CommandFailed(told["message"] if isinstance(told, dict) else f"{base} answered {error.code}") from None
    except (OSError, ValueError) as error:
        raise CommandFailed(f"no orchestrator answers at {base}: {getattr(error, 'reason', error)}") from None


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw or b"{}")
    except ValueError:
        return {}
