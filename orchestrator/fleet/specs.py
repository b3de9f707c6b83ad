"""The desired state of the fleet as the registry has it, and what probes learned and observed. All frozen."""

from typing import Literal

import msgspec
from msgspec import Struct

ServerType = Literal["auto", "ollama", "openai"]


class Secret:
    """A key or header value: plain text, or a reference `env:NAME` that is resolved when it is sent. Never prints itself."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    @property
    def variable(self) -> str | None:
        """NAME of `env:NAME`, None for a plain secret."""
        return self._text[4:] if self._text.startswith("env:") else None

    def reveal(self) -> str:
        """The stored text: the secret itself or its reference."""
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return f"Secret({self._text!r})" if self.variable is not None else "Secret(***)"


class ListedModel(Struct, frozen=True):
    """One entry of a server's model list.

    name: as the server lists it. modified_time: RFC 3339 text of `/api/tags`, "" if unknown. raw: the entry's JSON as reported.
    """

    name: str
    modified_time: str = ""
    raw: msgspec.Raw = msgspec.Raw(b"{}")


class LoadedModel(Struct, frozen=True, rename="camel"):
    """One entry of `/api/ps`. Sizes in bytes, times as the server wrote them; raw: the entry's JSON as reported."""

    name: str
    size: int = 0
    size_vram: int = 0
    expires_at: str = ""
    context_length: int | None = None
    raw: msgspec.Raw = msgspec.Raw(b"{}")


class Learned(Struct, frozen=True):
    """What a server is, as far as probes found out; stored when it changes so that a restart routes at once.

    models come from `/api/tags` (empty unless supports_ollama), v1_models from `/v1/models`.
    """

    kind: str = ""
    version: str = ""
    supports_ollama: bool = False
    supports_v1: bool = False
    models: tuple[ListedModel, ...] = ()
    v1_models: tuple[ListedModel, ...] = ()


class ServerSpec(Struct, frozen=True, kw_only=True):
    """One registered server. None in a timeout means the fleet's default; max_concurrency None means no limit.

    fault: why the stored row cannot be used (a key that no longer decrypts), else None; shown as `configError`.
    """

    id: str
    url: str
    name: str = ""
    type: ServerType = "auto"
    api_key: Secret | None = None
    headers: dict[str, Secret] = {}
    max_concurrency: int | None = None
    priority: int = 0
    weight: float = 1.0
    tags: tuple[str, ...] = ()
    enabled: bool = True
    draining: bool = False
    models_allow: tuple[str, ...] = ()
    models_deny: tuple[str, ...] = ()
    verify_tls: bool = True
    connect_timeout_seconds: float | None = None
    first_event_timeout_seconds: float | None = None
    answer_timeout_seconds: float | None = None
    idle_timeout_seconds: float | None = None
    fault: str | None = None
    learned: Learned = Learned()


class FleetSpec(Struct, frozen=True):
    """Every registered server, in the order of registration."""

    servers: tuple[ServerSpec, ...] = ()


ProbeStatus = Literal["healthy", "down", "warming", "configError", "rateLimited"]


class Observation(Struct, frozen=True, kw_only=True):
    """The outcome of one probe.

    learned: what to believe from now on; None keeps what was believed (nothing answered).
    loaded: `/api/ps`, None where it was not answered. reason: words for a person, without secrets.
    timed_out: no answer within the deadline (not held against a server whose tokens flow).
    """

    status: ProbeStatus
    reason: str = ""
    learned: Learned | None = None
    loaded: tuple[LoadedModel, ...] | None = None
    retry_after_seconds: float | None = None
    response_seconds: float | None = None
    timed_out: bool = False
