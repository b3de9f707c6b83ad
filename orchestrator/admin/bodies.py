"""The request bodies of the admin API, and how one is read."""

import asyncio
import re
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.requests import Request

from orchestrator.admin.errors import AdminError
from orchestrator.fleet.specs import ServerType

MAX_BODY_BYTES = 1 << 20
BODY_TIMEOUT_SECONDS = 30.0
FIELD = re.compile(r" - at `\$\.(\w+)")
UNKNOWN_FIELD = re.compile(r"unknown field `([^`]*)`")
MISSING_FIELD = re.compile(r"missing required field `([^`]*)`")

Text = Annotated[str, Meta(max_length=200)]
SecretText = Annotated[str, Meta(min_length=1, max_length=8192)]
Globs = Annotated[list[Annotated[str, Meta(min_length=1, max_length=200)]], Meta(max_length=1000)]
Seconds = Annotated[float, Meta(gt=0, le=86400)]


class ServerBody(Struct, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """A server as a client writes it; null means the default. Durations in seconds."""

    id: str | UnsetType = UNSET
    url: Annotated[str, Meta(min_length=1, max_length=2048)] | UnsetType = UNSET
    name: Text | UnsetType | None = UNSET
    type: ServerType | UnsetType | None = UNSET
    api_key: SecretText | UnsetType | None = UNSET
    headers: Annotated[dict[str, SecretText | None], Meta(max_length=50)] | UnsetType | None = UNSET
    max_concurrency: Annotated[int, Meta(ge=1, le=1_000_000)] | UnsetType | None = UNSET
    priority: Annotated[int, Meta(ge=-1_000_000, le=1_000_000)] | UnsetType | None = UNSET
    weight: Annotated[float, Meta(gt=0, le=1_000_000)] | UnsetType | None = UNSET
    tags: Annotated[list[Annotated[str, Meta(min_length=1, max_length=100)]], Meta(max_length=100)] | UnsetType | None = UNSET
    enabled: bool | UnsetType | None = UNSET
    models_allow: Globs | UnsetType | None = UNSET
    models_deny: Globs | UnsetType | None = UNSET
    verify_tls: bool | UnsetType | None = UNSET
    connect_timeout_seconds: Seconds | UnsetType | None = UNSET
    first_event_timeout_seconds: Seconds | UnsetType | None = UNSET
    answer_timeout_seconds: Seconds | UnsetType | None = UNSET
    idle_timeout_seconds: Seconds | UnsetType | None = UNSET


class ServerPatch(ServerBody, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """A change of a server. What an answer adds is accepted and ignored, so that an answer can be sent back."""

    draining: Any = UNSET
    healthy: Any = UNSET
    status: Any = UNSET
    status_reason: Any = UNSET
    supports_ollama: Any = UNSET
    supports_v1: Any = UNSET
    kind: Any = UNSET
    version: Any = UNSET
    models: Any = UNSET
    v1_models: Any = UNSET
    loaded_models: Any = UNSET
    in_flight: Any = UNSET
    last_response_time: Any = UNSET
    last_check_time: Any = UNSET
    breakers: Any = UNSET
    outcomes: Any = UNSET


T = TypeVar("T")


async def read(request: Request, shape: type[T]) -> T:
    """The body as this shape. Raises AdminError: 415, 413, 408, or 400 that names the member at fault."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise AdminError(415, "unsupported_media_type", "the body must be JSON, sent with Content-Type: application/json")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise AdminError(415, "unsupported_media_type", "the body must not be compressed")
    try:
        async with asyncio.timeout(BODY_TIMEOUT_SECONDS):
            body = await _bounded(request)
    except TimeoutError:
        raise AdminError(408, "body_timeout", f"the body did not arrive within {BODY_TIMEOUT_SECONDS:g} s") from None
    return decode(body, shape)


async def _bounded(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY_BYTES:
            raise AdminError(413, "body_too_large", f"the body is larger than {MAX_BODY_BYTES} bytes", headers={"Connection": "close"})
    return bytes(body)


def decode(body: bytes, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        text = str(error)
        if unknown := UNKNOWN_FIELD.search(text):
            raise AdminError(400, "unknown_field", f"unknown member {unknown[1][:100]}", unknown[1][:100]) from None
        if missing := MISSING_FIELD.search(text):
            raise AdminError(400, "missing_field", f"{missing[1]}: is required", missing[1]) from None
        found = FIELD.search(text)
        words = text.partition(" - at `")[0].replace("`", "")
        raise AdminError(400, "invalid_value", f"{found[1]}: {words}" if found else words, found[1] if found else None) from None
    except UnicodeDecodeError:  # whose position counts from the start of the text that it is in
        raise AdminError(400, "invalid_json", "the body is not valid JSON: it is not UTF-8") from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise AdminError(400, "invalid_json", f"the body is not valid JSON: {error}") from None
