"""What is kept of each request when it has ended."""

from msgspec import Struct


class AttemptRecord(Struct, rename="camel"):
    """One try on one server that failed: how, and when it began and ended, in seconds since the request came."""

    server: str
    outcome: str
    reason: str
    seconds: float
    started_seconds: float = 0.0


class RequestRecord(Struct, rename="camel", omit_defaults=True):
    """One request. time: Unix seconds, UTC. Durations in seconds since it came; tokens as the server counted them, None is unknown.

    path: without its query. client: its address. server: whose answer the client got, or who was being asked when the request ended.
    queued, connected: when that server had a slot, and when it was sent the request; None where it came to neither, or a failure was passed on.
    """

    time: float
    request_id: str
    dialect: str
    operation: str
    path: str = ""
    client: str = ""
    model: str = ""
    stream: bool = False
    server: str = ""
    outcome: str = ""
    status: int = 0
    reason: str = ""
    attempts: list[AttemptRecord] = []
    queued_seconds: float | None = None
    connected_seconds: float | None = None
    first_event_seconds: float | None = None
    duration_seconds: float = 0.0
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
