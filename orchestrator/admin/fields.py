"""From a body to a ServerSpec: what the types of the body alone cannot check."""

import re
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import UNSET
from msgspec.structs import fields as struct_fields

from orchestrator.admin.bodies import ServerBody
from orchestrator.admin.errors import AdminError, invalid
from orchestrator.fleet.specs import Secret, ServerSpec
from orchestrator.upstream.address import normalise

MASK = "***REDACTED***"
ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}")
SECRET = re.compile(r"[\t\x20-\x7e]+")
REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*")
# Those of one connection, and those that the orchestrator writes itself from the request at hand.
RESERVED_HEADERS = frozenset(
    [
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "host",
        "content-length",
        "content-type",
        "content-encoding",
        "accept-encoding",
        "expect",
    ]
)
DEFAULTS: dict[str, Any] = {
    f.name: f.default if f.default is not msgspec.NODEFAULT else f.default_factory() if f.default_factory is not msgspec.NODEFAULT else None
    for f in struct_fields(ServerSpec)
}


def new_spec(body: ServerBody) -> ServerSpec:
    """The spec of a server to be registered. Raises AdminError that names the member."""
    for field, value in (("id", body.id), ("url", body.url)):
        if value is UNSET:
            raise AdminError(400, "missing_field", f"{field}: is required", field)
    return ServerSpec(**_values(body, None))


def trial_spec(body: ServerBody, before: ServerSpec | None) -> ServerSpec:
    """The spec of a server that is only tried. before: the registered one whose secrets a mask stands for. Raises AdminError that names the member."""
    if body.url is UNSET:
        raise AdminError(400, "missing_field", "url: is required", "url")
    return ServerSpec(**{"id": "test", **_values(body, before)})


def changed_spec(body: ServerBody, before: ServerSpec) -> ServerSpec:
    """The spec after a PATCH: members that are absent or masked stay. Raises AdminError that names the member."""
    if body.id not in (UNSET, before.id):
        raise invalid("id", "cannot be changed; add a server under the new id and delete this one")
    return msgspec.structs.replace(before, **_values(body, before))


def _values(body: ServerBody, before: ServerSpec | None) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for info in struct_fields(ServerBody):
        given = getattr(body, info.name)
        if given is UNSET:
            continue
        try:
            values[info.name] = _value(info.name, given, before)
        except ValueError as error:
            raise invalid(info.encode_name, str(error)) from None
    return values


def _value(name: str, given: Any, before: ServerSpec | None) -> Any:
    if given is None:
        return DEFAULTS[name]
    if name == "api_key":
        return _secret(given, before.api_key if before else None)
    if name == "headers":
        return _headers(given, before.headers if before else {})
    check = CHECKS.get(name)
    return check(given) if check else given


def _secret(text: str, before: Secret | None) -> Secret:
    """The secret; the mask stands for the one before. Raises ValueError whose text does not hold it."""
    if text == MASK:
        if before is None:
            raise ValueError(f"{MASK} stands for a stored value, and none is stored")
        return before
    if text.startswith("env:") and not REFERENCE.fullmatch(text):
        raise ValueError("env: must be followed by the name of an environment variable, such as env:OPENAI_API_KEY")
    if not SECRET.fullmatch(text) or text != text.strip():
        raise ValueError("holds characters that no header can carry")
    return Secret(text)


def _headers(given: dict[str, str | None], before: dict[str, Secret]) -> dict[str, Secret]:
    """The map replaces the one before; in it the mask keeps a header's value and null leaves the header out."""
    stored = {name.lower(): secret for name, secret in before.items()}
    headers: dict[str, Secret] = {}
    for name, value in given.items():
        if not HEADER_NAME.fullmatch(name):
            raise ValueError(f"{name[:50]!r} is not a header name")
        if name.lower() in RESERVED_HEADERS:
            raise ValueError(f"{name} cannot be set, it belongs to each request or connection")
        if name.lower() in {other.lower() for other in headers}:
            raise ValueError(f"{name} is given twice")
        if value is not None:
            try:
                headers[name] = _secret(value, stored.get(name.lower()))
            except ValueError as error:
                raise ValueError(f"{name} {error}") from None
    return headers


def _id(text: str) -> str:
    if not ID.fullmatch(text) or text in (".", ".."):
        raise ValueError("must be 1 to 64 of the characters A-Z a-z 0-9 . _ -")
    return text


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("holds control characters")
    return text


def _names(texts: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_printable(text) for text in texts))


CHECKS: dict[str, Callable[[Any], Any]] = {
    "id": _id,
    "url": normalise,
    "name": _printable,
    "tags": _names,
    "models_allow": _names,
    "models_deny": _names,
}
