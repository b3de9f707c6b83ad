"""What the admin API says of servers, models and breakers. Durations in seconds and sizes in bytes unless said otherwise; times are RFC 3339 in UTC."""

from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from orchestrator.admin import reported
from orchestrator.admin.fields import MASK
from orchestrator.fleet.breaker import Breaker, State
from orchestrator.fleet.names import allowed, fold
from orchestrator.fleet.outcome import Outcome
from orchestrator.fleet.server import Server
from orchestrator.fleet.specs import ListedModel, Secret, ServerType


class LoadedModelAnswer(Struct, rename="camel"):
    """expires_at: as the server wrote it, "" if it did not. context_length: tokens."""

    name: str
    size: int
    size_vram: int
    expires_at: str
    context_length: int | None


class BreakerCounts(Struct, rename="camel"):
    """How many breakers of a server, its own among them, are in each state."""

    closed: int
    open: int
    half_open: int


class ServerAnswer(Struct, rename="camel", kw_only=True):
    """A server: what was registered, and what it is now. last_response_time: milliseconds."""

    id: str
    url: str
    name: str
    type: ServerType
    api_key: str | None
    headers: dict[str, str]
    max_concurrency: int | None
    priority: int
    weight: float
    tags: tuple[str, ...]
    enabled: bool
    models_allow: tuple[str, ...]
    models_deny: tuple[str, ...]
    verify_tls: bool
    connect_timeout_seconds: float | None
    first_event_timeout_seconds: float | None
    answer_timeout_seconds: float | None
    idle_timeout_seconds: float | None
    draining: bool
    healthy: bool
    status: str
    status_reason: str
    supports_ollama: bool
    supports_v1: bool
    kind: str
    version: str
    models: list[str]
    v1_models: list[str]
    loaded_models: list[LoadedModelAnswer]
    in_flight: int
    last_response_time: float | None
    last_check_time: str | None
    breakers: BreakerCounts
    outcomes: dict[str, int]


class ModelAnswer(Struct, rename="camel", kw_only=True):
    """A model of `/api/tags`. allowed: by modelsAllow and modelsDeny. details: as reported."""

    name: str
    modified: str
    size: int | None
    digest: str
    details: dict[str, Any] | None
    loaded: bool
    allowed: bool


class V1ModelAnswer(Struct, rename="camel", kw_only=True):
    """A model of `/v1/models`. created: Unix seconds. context_length: tokens."""

    name: str
    created: int | None
    owned_by: str
    context_length: int | None
    loaded: bool
    allowed: bool


class ModelsAnswer(Struct, rename="camel"):
    models: list[ModelAnswer]
    v1_models: list[V1ModelAnswer]


class BreakerAnswer(Struct, rename="camel", kw_only=True):
    """model: null for the breaker of the server itself. next_try_seconds: until a request may try it again, null unless it is open by itself."""

    server: str
    model: str | None
    state: State
    forced: bool
    reason: str
    requests: int
    failures: int
    consecutive_failures: int
    changed_seconds_ago: float
    next_try_seconds: float | None


def server_answer(server: Server, now: float) -> ServerAnswer:
    spec, learned = server.spec, server.learned
    status, reason = server.status(now)
    seconds = server.last_response_seconds if server.last_response_seconds is not None else server.probe_response_seconds
    same = {name: getattr(spec, name) for name in ServerAnswer.__struct_fields__ if name in type(spec).__struct_fields__ and name not in ("api_key", "headers")}
    return ServerAnswer(
        **same,
        api_key=None if spec.api_key is None else masked(spec.api_key),
        headers={name: masked(secret) for name, secret in spec.headers.items()},
        healthy=server.health == "healthy" and spec.fault is None,
        status=status,
        status_reason=reason,
        supports_ollama=learned.supports_ollama,
        supports_v1=learned.supports_v1,
        kind=learned.kind,
        version=learned.version,
        models=[model.name for model in learned.models],
        v1_models=[model.name for model in learned.v1_models],
        loaded_models=[LoadedModelAnswer(m.name, m.size, m.size_vram, m.expires_at, m.context_length) for m in server.loaded],
        in_flight=server.in_flight,
        last_response_time=None if seconds is None else round(seconds * 1000, 3),
        last_check_time=None if server.last_check_time is None else rfc3339(server.last_check_time),
        breakers=_counts(server),
        outcomes={camel(outcome.label): server.outcomes[outcome.label] for outcome in Outcome},
    )


def masked(secret: Secret) -> str:
    return MASK if secret.variable is None else f"env:{secret.variable}"


def models_answer(server: Server) -> ModelsAnswer:
    return ModelsAnswer([_model(server, model) for model in server.learned.models], [_v1_model(server, model) for model in server.learned.v1_models])


def breaker_answers(server: Server, now: float) -> list[BreakerAnswer]:
    """The server's own breaker, then one for each model that was asked for, by its name as listed."""
    listed = {fold(model.name): model.name for model in (*server.learned.v1_models, *server.learned.models)}
    models = [breaker_answer(server.id, listed.get(key, key), breaker, now) for key, breaker in sorted(server.breakers.items())]
    return [breaker_answer(server.id, None, server.breaker, now), *models]


def breaker_answer(server_id: str, model: str | None, breaker: Breaker, now: float) -> BreakerAnswer:
    requests, failures = breaker.counts(now)
    waits = breaker.state is State.OPEN and not breaker.forced
    return BreakerAnswer(
        server=server_id,
        model=model,
        state=breaker.state,
        forced=breaker.forced,
        reason=breaker.reason,
        requests=requests,
        failures=failures,
        consecutive_failures=breaker.failures,
        changed_seconds_ago=round(max(0.0, now - breaker.changed_at), 3),
        next_try_seconds=round(max(0.0, breaker.retry_at - now), 3) if waits else None,
    )


def _counts(server: Server) -> BreakerCounts:
    states = [server.breaker.state, *(breaker.state for breaker in server.breakers.values())]
    return BreakerCounts(states.count(State.CLOSED), states.count(State.OPEN), states.count(State.HALF_OPEN))


def _model(server: Server, model: ListedModel) -> ModelAnswer:
    raw = reported.members(model)
    return ModelAnswer(
        name=model.name,
        modified=model.modified_time,
        size=reported.whole(raw.get("size")),
        digest=reported.digest(raw),
        details=raw["details"] if isinstance(raw.get("details"), dict) else None,
        **_state(server, model),
    )


def _v1_model(server: Server, model: ListedModel) -> V1ModelAnswer:
    raw = reported.members(model)
    return V1ModelAnswer(
        name=model.name,
        created=reported.whole(raw.get("created")),
        owned_by=reported.text(raw.get("owned_by")),
        context_length=reported.context_length(raw),
        **_state(server, model),
    )


def _state(server: Server, model: ListedModel) -> dict[str, bool]:
    return {"loaded": fold(model.name) in server.resident, "allowed": allowed(model.name, server.spec.models_allow, server.spec.models_deny)}


def camel(label: str) -> str:
    """`client_gone` -> `clientGone`."""
    first, *rest = label.split("_")
    return first + "".join(word.capitalize() for word in rest)


def rfc3339(time: datetime) -> str:
    """As every time of the admin API is written."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
