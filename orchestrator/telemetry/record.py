"""What is kept of each request when it has ended."""

from msgspec import Struct


class AttemptRecord(Struct, rename="camel"):
    """One try on one server: how it ended, in seconds since the request came."""

    server: str
    outcome: str
    reason: str
    seconds: float


class RequestRecord(Struct, rename="camel", omit_defaults=True):
    """One request. time: Unix seconds, UTC. Durations in seconds; tokens as the server counted them, None is unknown."""

    time: float
    request_id: str
    dialect: str
    operation: str
    model: str = ""
    stream: bool = False
    server: str = ""
    outcome: str = ""
    status: int = 0
    reason: str = ""
    attempts: list[AttemptRecord] = []
    first_event_seconds: float | None = None
    duration_seconds: float = 0.0
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
