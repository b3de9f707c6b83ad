"""What the admin API says besides servers and breakers (see answers): requests, history, models of the fleet, events, and the program itself.

`time` is Unix seconds; names that end in Time are RFC 3339 in UTC. Durations in seconds, sizes in bytes.
"""

from typing import Literal

from msgspec import Struct

from orchestrator.admin.answers import BreakerCounts, LoadedModelAnswer

# Why a request counts as failed. clientGone and cancelled are nobody's fault and no part of error rates.
Failure = Literal["clientError", "rateLimited", "serverError", "timeout", "truncated", "clientGone", "cancelled"]
Phase = Literal["queued", "waiting", "answering"]
Level = Literal["info", "warning", "error"]
EventKind = Literal["started", "serverAdded", "serverChanged", "serverRemoved", "serverStatus", "breaker", "requestCancelled", "modelLoaded", "modelUnloaded"]


class AttemptAnswer(Struct, rename="camel"):
    """One try on one server. startedSeconds, endedSeconds: since the request came. outcome: as in a server's `outcomes`."""

    server: str
    outcome: str
    reason: str
    started_seconds: float
    ended_seconds: float


class RequestAnswer(Struct, rename="camel", kw_only=True):
    """A request that has ended. id: as in `X-Request-Id`. path: without its query. client: its address.

    outcome: as in a server's `outcomes`, or the code of a refusal. failure: null for a success.
    server: that answered, or was being asked when the request ended. attempts: all of them, the one that answered last.
    queuedSeconds: when the server of the last attempt had a slot for it; connectedSeconds: when the request was sent there; firstEventSeconds: when
    its first useful event was there (of a plain answer: the whole); all since the request came, null where it never got there.
    """

    id: str
    time: float
    client: str
    dialect: str
    operation: str
    path: str
    model: str
    stream: bool
    server: str
    outcome: str
    failure: Failure | None
    status: int
    reason: str
    attempts: list[AttemptAnswer]
    queued_seconds: float | None
    connected_seconds: float | None
    first_event_seconds: float | None
    duration_seconds: float
    prompt_tokens: int | None
    completion_tokens: int | None


class Header(Struct):
    """value: null where it may hold a secret."""

    name: str
    value: str | None


class RequestDetail(RequestAnswer, rename="camel", kw_only=True):
    """headers: of the client's request; null where they were too large to keep, or too many requests came at once."""

    headers: list[Header] | None


class InFlightAnswer(Struct, rename="camel", kw_only=True):
    """A request under way. phase: queued (waits for a slot, or to ask again), waiting (for a server's first event), answering. server: "" while queued.

    idleSeconds: since the server last sent something, null before the answer began. attempts: servers asked so far.
    """

    id: str
    time: float
    client: str
    dialect: str
    operation: str
    path: str
    model: str
    stream: bool
    server: str
    phase: Phase
    attempts: int
    age_seconds: float
    idle_seconds: float | None


class RequestsAnswer(Struct, rename="camel"):
    """requests: newest first. total: how many ended since the start, kept or not."""

    requests: list[RequestAnswer]
    in_flight: list[InFlightAnswer]
    total: int


class CancelAnswer(Struct):
    """How many requests in flight bore the id (a client may use one id for several)."""

    cancelled: int


class PointAnswer(Struct, rename="camel", kw_only=True):
    """What happened in one interval, which ended at `time`. Counts are of the whole interval, not per second.

    errors: per failure. firstTokenP50Seconds: of streams, null if none began. inFlight, queued, servers, serversUp: at its end; serversUp: healthy
    or degraded. inFlightByServer: without those that have none, the busiest 30. recentFirstToken...: of streams of the last 10 s, in the `metrics` event only.
    """

    time: float
    step_seconds: int
    requests: int
    errors: dict[str, int]
    first_token_p50_seconds: float | None
    first_token_p95_seconds: float | None
    prompt_tokens: int
    completion_tokens: int
    in_flight: int
    queued: int
    servers: int
    servers_up: int
    in_flight_by_server: dict[str, int]
    recent_first_token_p50_seconds: float | None = None
    recent_first_token_p95_seconds: float | None = None


class CheckAnswer(Struct, rename="camel"):
    """One probe of a server. status: of the server after it. seconds: of its fastest answer, null if there was none."""

    time: float
    status: str
    reason: str
    seconds: float | None


class HistoryAnswer(Struct, rename="camel"):
    """points: oldest first. checks: the last 30 of each server by its id, oldest first."""

    points: list[PointAnswer]
    checks: dict[str, list[CheckAnswer]]


class ServerHistoryAnswer(Struct, rename="camel"):
    """checks: of the last two hours at the usual interval, oldest first."""

    server: str
    checks: list[CheckAnswer]


class EventAnswer(Struct, rename="camel", kw_only=True):
    """Something that happened. number: rises. server, model: what it is about, if it is."""

    number: int
    time: float
    kind: EventKind
    level: Level
    server: str | None
    model: str | None
    message: str


class ActivityAnswer(Struct):
    """Newest first."""

    events: list[EventAnswer]


class ModelOnServer(Struct, rename="camel", omit_defaults=True):
    """Which protocols list the model there, whether it is in memory, whether the server's allow and deny lists keep requests from it."""

    ollama: bool = False
    openai: bool = False
    loaded: bool = False
    denied: bool = False


class WhereNow(Struct, rename="camel"):
    """Where a request would go now: to the one of `servers`, or one of several that are equal. waits: they are full, it would wait.

    reason: why it would be refused, "" if it would not; then servers is empty.
    """

    servers: list[str]
    waits: bool
    reason: str


class FleetModel(Struct, rename="camel", kw_only=True):
    """A model of the fleet. size, parameters, quantisation, contextLength: as a server reported them, null or "" if none did.

    sameEverywhere: false where servers list it with different digests. servers: by id. ollama, openai: null where no server has it in that protocol.
    """

    name: str
    size: int | None
    parameters: str
    quantisation: str
    context_length: int | None
    same_everywhere: bool
    servers: dict[str, ModelOnServer]
    ollama: WhereNow | None
    openai: WhereNow | None


class FleetModelsAnswer(Struct):
    models: list[FleetModel]


class EndpointAnswer(Struct, rename="camel"):
    """One request of a trial probe. status: null if nothing answered. says: what was found or what was wrong, in words."""

    path: str
    ok: bool
    status: int | None
    seconds: float | None
    says: str


class ConnectionAnswer(Struct, rename="camel", kw_only=True):
    """What a probe of a server that is not registered found; as in a server's answer. seconds: of the whole probe."""

    endpoints: list[EndpointAnswer]
    status: str
    status_reason: str
    supports_ollama: bool
    supports_v1: bool
    kind: str
    version: str
    models: list[str]
    v1_models: list[str]
    loaded_models: list[str]
    seconds: float


class DatabaseAnswer(Struct, rename="camel"):
    """location: path of the file. schema: the migration that it is at."""

    kind: str
    location: str
    size: int | None
    schema: str


class Link(Struct):
    label: str
    url: str


class AboutAnswer(Struct, rename="camel", kw_only=True):
    """The program. build: changes with every other build of the program or of the UI. addresses: where it listens. access: how the admin API is guarded."""

    version: str
    build: str
    python: str
    started_time: str
    uptime_seconds: float
    addresses: list[str]
    data_dir: str
    database: DatabaseAnswer
    access: Literal["token", "local"]
    policy: str
    variable_prefix: str
    links: list[Link]


class SessionAnswer(Struct, rename="camel"):
    """required: a token is set. signedIn: this request may use the admin API. expiresTime: of the session, null without one."""

    required: bool
    signed_in: bool
    expires_time: str | None


# Events of `GET /api/events`, by their names.


class Hello(Struct):
    """First on every connection. build: as in AboutAnswer. time: of the orchestrator's clock. resumed: what was missed follows; else fetch anew."""

    build: str
    time: float
    resumed: bool


class ServerState(Struct, rename="camel", kw_only=True):
    """The part of a server's answer that changes by itself. checkSeconds: of the last check, as in CheckAnswer."""

    id: str
    status: str
    status_reason: str
    healthy: bool
    draining: bool
    enabled: bool
    supports_ollama: bool
    supports_v1: bool
    kind: str
    version: str
    in_flight: int
    last_response_time: float | None
    last_check_time: str | None
    loaded_models: list[LoadedModelAnswer]
    breakers: BreakerCounts
    outcomes: dict[str, int]
    check_seconds: float | None = None


class ServerRemoved(Struct):
    id: str


class ModelsChanged(Struct):
    """The lists of models or what is loaded changed on this server."""

    server: str


class RequestRows(Struct):
    """requests: newest first. dropped: how many more ended since the last batch."""

    requests: list[RequestAnswer]
    dropped: int


class InFlightRows(Struct, rename="camel"):
    """The oldest 200, and how many there are."""

    in_flight: list[InFlightAnswer]
    total: int


class Changed(Struct):
    """Something was configured anew: fetch it again."""

    what: Literal["servers"]


class Resync(Struct):
    """Events were missed: fetch everything anew."""
