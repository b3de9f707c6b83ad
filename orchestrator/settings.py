"""The table of settings. Defaults < config file < environment < command line; each with its help."""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import msgspec
from msgspec import Meta, Struct

from orchestrator.errors import ConfigError

PREFIX = "ORCHESTRATOR_"
DEFAULT_FILE = Path("config/orchestrator.toml")


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every setting. Names ending in _seconds and _bytes carry their unit."""

    host: Annotated[str, Meta(description="Address to listen on. Anything but loopback needs admin_token.", min_length=1)] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="Port to listen on; 0 takes a free one.")] = 5100
    data_dir: Annotated[str, Meta(description="Folder of the database and of the key file.", min_length=1)] = "./data"
    database_url: Annotated[str, Meta(description="SQLAlchemy URL; empty means a SQLite file in data_dir.")] = ""
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="How much is logged: debug, info (one line a request), warning or error.")
    ] = "info"
    admin_token: Annotated[str, Meta(description="Bearer token that the admin API wants. Set it in the environment rather than in a file.")] = ""
    secret_key: Annotated[
        str, Meta(description="Fernet key that encrypts upstream keys at rest; empty means the file secret.key in data_dir, made on first start.")
    ] = ""
    origins: Annotated[
        list[str], Meta(description="Web origins allowed on the client surface besides Ollama's own defaults; `*` allows all. Comma list in the environment.")
    ] = []
    policy: Annotated[
        Literal["least-in-flight", "round-robin", "weighted-random", "random"],
        Meta(description="How one of several able servers of the same priority is chosen: least-in-flight, round-robin, weighted-random or random."),
    ] = "least-in-flight"
    probe_interval_seconds: Annotated[float, Meta(gt=0, le=3600, description="Time between probes of a server.")] = 10.0
    probe_timeout_seconds: Annotated[float, Meta(gt=0, le=300, description="Deadline of each request of a probe.")] = 5.0
    connect_timeout_seconds: Annotated[float, Meta(gt=0, le=300, description="Deadline of connecting to a server.")] = 5.0
    first_event_timeout_seconds: Annotated[float, Meta(gt=0, le=86400, description="Until the first token of a stream, on servers that are not Ollama.")] = 60.0
    ollama_first_event_timeout_seconds: Annotated[
        float, Meta(gt=0, le=86400, description="Until the first token of a stream on Ollama servers, which may have to load the model.")
    ] = 300.0
    answer_timeout_seconds: Annotated[float, Meta(gt=0, le=86400, description="Until a plain (not streamed) answer is whole.")] = 600.0
    idle_timeout_seconds: Annotated[float, Meta(gt=0, le=86400, description="Between two reads of a stream.")] = 60.0
    commit_timeout_seconds: Annotated[float, Meta(gt=0, le=86400, description="For waiting and all attempts together, until something can be answered.")] = (
        600.0
    )
    max_attempts: Annotated[int, Meta(ge=1, le=20, description="Servers asked at most for one request.")] = 4
    retry_budget: Annotated[
        float, Meta(ge=0, le=1, description="Share of the requests in flight that may be repeats of requests that had reached a server.")
    ] = 0.2
    queue_size: Annotated[int, Meta(ge=0, le=100000, description="Requests that may wait for a slot, per model.")] = 100
    queue_timeout_seconds: Annotated[float, Meta(gt=0, le=86400, description="How long a request may wait for a slot.")] = 60.0
    max_body_bytes: Annotated[int, Meta(ge=1024, description="Largest request body, also after decompression.")] = 64 * 1024 * 1024
    max_header_bytes: Annotated[int, Meta(ge=1024, le=1 << 20, description="Largest request head.")] = 65536
    max_connections: Annotated[int, Meta(ge=1, le=1_000_000, description="Client connections at a time.")] = 10000
    header_timeout_seconds: Annotated[float, Meta(gt=0, le=3600, description="For a request head to arrive.")] = 30.0
    body_timeout_seconds: Annotated[float, Meta(gt=0, le=3600, description="Between two reads of a request body.")] = 60.0
    send_timeout_seconds: Annotated[float, Meta(gt=0, le=3600, description="For a client that does not read what it asked for.")] = 60.0
    keepalive_timeout_seconds: Annotated[float, Meta(gt=0, le=3600, description="For an idle client connection.")] = 75.0
    shutdown_grace_seconds: Annotated[float, Meta(ge=0, le=3600, description="For streams to finish after SIGTERM; then they end with an error.")] = 30.0

    @property
    def resolved_database_url(self) -> str:
        return self.database_url or f"sqlite+aiosqlite:///{Path(self.data_dir).resolve()}/orchestrator.db"

    def redacted(self) -> dict[str, Any]:
        """For people: secrets masked."""
        shown: dict[str, Any] = msgspec.structs.asdict(self)
        for name in ("admin_token", "secret_key"):
            shown[name] = "***REDACTED***" if shown[name] else ""
        shown["database_url"] = re.sub(r"(://[^:/@]*):[^@/]*@", r"\1:***@", self.database_url)
        return shown


def help_of(name: str) -> str:
    """The help text of a setting."""
    hint = get_type_hints(Settings, include_extras=True)[name]
    return str(next(meta.description for meta in hint.__metadata__ if isinstance(meta, Meta) and meta.description))


def load(config: Path | None = None, environment: Mapping[str, str] = os.environ, flags: Mapping[str, Any] | None = None) -> Settings:
    """Settings from all their sources. Raises ConfigError that names the key and where it came from.

    config: a TOML file that must exist; without it config/orchestrator.toml is read if it is there.
    """
    merged: dict[str, Any] = {}
    path = config or (DEFAULT_FILE if DEFAULT_FILE.is_file() else None)
    if path is not None:
        merged |= _checked(_read(path), str(path))
    merged |= _checked(_from_environment(environment), "the environment", PREFIX, strict=False)
    merged |= _checked({name: value for name, value in (flags or {}).items() if value is not None}, "the command line")
    return msgspec.convert(merged, Settings)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for variable, text in environment.items():
        if variable.startswith(PREFIX):
            name = variable[len(PREFIX) :].lower()
            found[name] = [part.strip() for part in text.split(",") if part.strip()] if name == "origins" else text
    return found


def _checked(values: dict[str, Any], source: str, prefix: str = "", *, strict: bool = True) -> dict[str, Any]:
    """The values in their types. strict=False reads numbers from text, as the environment needs it."""
    hints = get_type_hints(Settings, include_extras=True)
    checked: dict[str, Any] = {}
    for name, value in values.items():
        shown = prefix + name.upper() if prefix else name
        if name not in hints:
            raise ConfigError(f"{source}: unknown setting {shown}")
        try:
            checked[name] = msgspec.convert(value, hints[name], strict=strict)
        except msgspec.ValidationError as error:
            raise ConfigError(f"{source}: {shown}: {error}") from None
    return checked
