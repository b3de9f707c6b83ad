"""The lists that clients see: the fleet's models as one server would list them. Entries stay the bytes that a server reported."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

import msgspec
from msgspec import Raw

from orchestrator.clock import Clock
from orchestrator.fleet.fleet import Fleet
from orchestrator.fleet.names import allowed, fold
from orchestrator.fleet.server import Server
from orchestrator.fleet.specs import ListedModel
from orchestrator.upstream.kinds import OLLAMA

NO_VERSION = "0.0.0"
VERSION = re.compile(r"v?(\d{1,9}(?:\.\d{1,9})*)(-[0-9A-Za-z.-]+)?")

_members = msgspec.json.Decoder(dict[str, Raw])


class Lists:
    """The bytes of each list, made anew when the fleet or the set of servers that take requests has changed."""

    def __init__(self, fleet: Fleet, clock: Clock) -> None:
        self._fleet = fleet
        self._clock = clock
        self._key: tuple[object, ...] = ()
        self._made: dict[str, bytes] = {}

    def tags(self) -> bytes:
        """`GET /api/tags`."""
        servers = self._fresh()
        if "tags" not in self._made:
            self._made["tags"] = tags(servers)
        return self._made["tags"]

    def loaded(self) -> bytes:
        """`GET /api/ps`."""
        servers = self._fresh()
        if "ps" not in self._made:
            self._made["ps"] = loaded(servers)
        return self._made["ps"]

    def version(self) -> bytes:
        """`GET /api/version`."""
        servers = self._fresh()
        if "version" not in self._made:
            self._made["version"] = version(servers, self._fleet.servers.values())
        return self._made["version"]

    def v1_models(self) -> bytes:
        """`GET /v1/models`."""
        servers = self._fresh()
        if "v1" not in self._made:
            self._made["v1"] = v1_models(servers)
        return self._made["v1"]

    def v1_model(self, asked: str) -> bytes | None:
        """`GET /v1/models/{id}`; None if no server that takes requests has it."""
        now = self._clock.now()
        found = self._fleet.find("v1", asked)
        hosts = [host for host in found[1] if host.server.routable(now)] if found is not None else []
        if not hosts:
            return None
        host = next((host for host in hosts if host.any_spelling), hosts[0])
        entry = next((entry for entry in host.server.learned.v1_models if entry.name == host.name), None)
        if entry is None:
            return None
        return v1_entry(entry, host.server.learned.kind, asked if host.any_spelling else None) + b"\n"

    def _fresh(self) -> list[Server]:
        """The servers that take requests; forgets the lists that were made of others."""
        now = self._clock.now()
        servers = [server for server in self._fleet.servers.values() if server.routable(now)]
        key = (self._fleet.version, *(server.id for server in servers))
        if key != self._key:
            self._key = key
            self._made.clear()
        return servers


def tags(servers: Sequence[Server]) -> bytes:
    """`{"models": [...]}`: one entry per model, of two the one modified last; newest first, to the second as Ollama sorts."""
    found: dict[str, tuple[int, Raw]] = {}
    for server in servers:
        if server.learned.supports_ollama:
            for model in _allowed(server, server.learned.models):
                _keep_latest(found, model.name, model.modified_time, model.raw)
    return _models(found)


def loaded(servers: Sequence[Server]) -> bytes:
    """`{"models": [...]}`: what is in memory anywhere, also if past its expiry; of two entries of a model the one that stays longer; longest first."""
    found: dict[str, tuple[int, Raw]] = {}
    for server in servers:
        if server.learned.supports_ollama:
            for model in server.loaded:
                if allowed(model.name, server.spec.models_allow, server.spec.models_deny):
                    _keep_latest(found, model.name, model.expires_at, model.raw)
    return _models(found)


def version(servers: Iterable[Server], others: Iterable[Server] = ()) -> bytes:
    """`{"version": "..."}`: the lowest of the Ollamas among the servers, else among the others, so that no client expects more than all of them have.

    Only numbers with dots and an optional `-suffix` are passed on, since clients take them apart.
    """
    for some in (servers, others):
        known = [match for server in some if server.learned.supports_ollama and (match := VERSION.fullmatch(server.learned.version))]
        if known:
            return msgspec.json.encode({"version": min(known, key=_rank).group().removeprefix("v")})
    return msgspec.json.encode({"version": NO_VERSION})


def v1_models(servers: Sequence[Server]) -> bytes:
    """`{"object": "list", "data": [...]}`: one entry per model, that of the server registered first, in the order of registration and report."""
    found: dict[str, bytes] = {}
    for server in servers:
        if server.learned.supports_v1:
            for model in _allowed(server, server.learned.v1_models):
                key = fold(model.name)
                if key not in found:
                    found[key] = v1_entry(model, server.learned.kind)
    return b'{"object":"list","data":[' + b",".join(found.values()) + b"]}\n"


def v1_entry(model: ListedModel, kind: str, shown_id: str | None = None) -> bytes:
    """The entry as reported, with the members that clients insist on where it lacks them. shown_id: replaces its id (Ollama echoes what was asked)."""
    members: dict[str, object] = dict(_members.decode(model.raw))
    wanted = {"id": model.name, "object": "model", "created": 0, "owned_by": "library" if kind == OLLAMA else kind}
    missing = {name: value for name, value in wanted.items() if name not in members or members[name] == Raw(b"null")}
    if shown_id is not None and shown_id != model.name:
        missing["id"] = shown_id
    if not missing:
        return bytes(model.raw)
    return msgspec.json.encode(members | missing)


def _allowed(server: Server, models: Iterable[ListedModel]) -> Iterator[ListedModel]:
    spec = server.spec
    return (model for model in models if allowed(model.name, spec.models_allow, spec.models_deny))


def _keep_latest(found: dict[str, tuple[int, Raw]], name: str, time: str, raw: Raw) -> None:
    key, second = fold(name), _second(time)
    before = found.get(key)
    if before is None or second > before[0]:
        found[key] = (second, raw)


def _models(found: dict[str, tuple[int, Raw]]) -> bytes:
    ordered = sorted(found.values(), key=lambda pair: -pair[0])
    return b'{"models":[' + b",".join(bytes(raw) for _, raw in ordered) + b"]}"


def _second(text: str) -> int:
    """RFC 3339 text as a Unix time in whole seconds; what cannot be read comes last."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return -(1 << 62)
    return int((time if time.tzinfo is not None else time.replace(tzinfo=UTC)).timestamp() // 1)


def _rank(match: re.Match[str]) -> tuple[tuple[int, ...], int]:
    """A release counts as later than its candidates."""
    return tuple(int(part) for part in match[1].split(".")), 0 if match[2] else 1
