"""The routing facts of one request: read once from its path and body, then never looked up again."""

import re
from json import JSONDecodeError, JSONDecoder, dumps
from typing import Any, Literal

import msgspec
from msgspec import Raw, Struct

from orchestrator.errors import Refusal
from orchestrator.protocol import multipart
from orchestrator.protocol.errors import Dialect
from orchestrator.protocol.multipart import Form
from orchestrator.protocol.splice import replace_member

Family = Literal["ollama", "v1"]
Intent = Literal["infer", "load", "unload"]


class Route(Struct, frozen=True):
    """One inference path. style: how its stream is read (see protocol.events). light: costs a server next to nothing, never waits for a slot.
    streams: its answer may be a stream.

    empty: the member whose absence, beside keep_alive, asks to load or unload the model (Ollama).
    """

    path: str
    dialect: Dialect
    family: Family
    operation: str
    style: str
    light: bool = False
    streams: bool = True
    empty: str = ""


class Envelope(Struct):
    """What routing needs to know of a request. `body` goes out as it came unless the model's name must change."""

    route: Route
    body: bytes
    model: str
    stream: bool
    intent: Intent = "infer"
    choices: int = 1
    form: Form | None = None


class _OpenAIView(Struct):
    model: str | None = None
    stream: bool | None = None
    n: int | None = None
    prompt: Raw = Raw(b"")


class _OllamaView(Struct):
    model: str | None = None
    name: str | None = None
    stream: bool | None = None
    keep_alive: Raw = Raw(b"")
    prompt: Raw = Raw(b"")
    messages: Raw = Raw(b"")
    input: Raw = Raw(b"")


_openai = msgspec.json.Decoder(_OpenAIView)
_ollama = msgspec.json.Decoder(_OllamaView)
_EMPTY = re.compile(rb'(null|""|\[[ \t\r\n]*\])?')
# Zero in any spelling of JSON or of Go's durations: 0, -0.0, 0e3, "0", "0s", "-0m0.0s".
_ZERO = re.compile(rb'-?0(\.0+)?([eE][-+]?\d+)?|"[-+]?[0.hmnsu\xb5\xc2\xbc\xce]*0[0.hmnsu\xb5\xc2\xbc\xce]*"')
_MAX_NAME = 512
_SHORT = 64


def read(route: Route, body: bytes, content_type: bytes = b"") -> Envelope:
    """Decode what routing needs. Raises Refusal with the words that a server of this dialect would use."""
    if not body:
        raise Refusal(400, "invalid_request", "missing request body" if route.dialect == "ollama" else "EOF")
    if route.style == "opaque" and content_type.lower().startswith(b"multipart/"):
        form = multipart.read(content_type, body)
        if not form.model or len(form.model) > _MAX_NAME:
            raise no_model(route)
        return Envelope(route, body, form.model, form.stream, form=form)
    if route.dialect == "ollama":
        view, body = _view(_ollama, _OllamaView, body)
        model = view.model or view.name or _model_in_any_case(body)
        envelope = Envelope(route, body, model, view.stream is not False and route.streams, _intent(route, view))
    else:
        view, body = _view(_openai, _OpenAIView, body)
        envelope = Envelope(route, body, view.model or "", view.stream is True and route.streams, "infer", (view.n or 1) * _prompts(bytes(view.prompt)))
    if not envelope.model or len(envelope.model) > _MAX_NAME:
        raise no_model(route)
    return envelope


def _model_in_any_case(body: bytes) -> str:
    """Ollama's JSON knows no case in keys."""
    members = msgspec.json.decode(body)
    return next((value for key, value in members.items() if key.lower() in ("model", "name") and isinstance(value, str) and value), "")


def no_model(route: Route) -> Refusal:
    if route.operation in ("generate", "embed"):  # Ollama looks up the empty name on these
        return Refusal(404, "model_not_found", "model '' not found")
    if route.style == "opaque":
        return Refusal(404, "not_found", f"there is no {route.path}, or its body lacks the model that says where it goes")
    return Refusal(400, "invalid_request", "model is required")


def unknown_model(route: Route, model: str) -> Refusal:
    """Nobody has it: 404 exactly, with the words of each Ollama endpoint; clients pull on it."""
    message = f"model '{model}' not found"
    if route.dialect == "ollama" and route.operation in ("embed", "embeddings"):
        message = f'model "{model}" not found, try pulling it first'
    elif route.operation == "show":
        if any(part in ("", ".", "..") for part in model.split("/")):
            return Refusal(400, "invalid_request", "invalid model name")
        message = f"model '{model if ':' in model.rsplit('/', 1)[-1] else model + ':latest'}' not found"
    return Refusal(404, "model_not_found", message)


def with_model(envelope: Envelope, name: str) -> bytes:
    """The body to send to a server that knows the model by this name; the client's own bytes where that is how it asked."""
    if name == envelope.model:
        return envelope.body
    if envelope.form is not None:
        return envelope.body[: envelope.form.start] + name.encode() + envelope.body[envelope.form.end :]
    return replace_member(envelope.body, "model", msgspec.json.encode(name))


def _intent(route: Route, view: _OllamaView) -> Intent:
    """A request without prompt loads the model, with keep_alive 0 it unloads it."""
    if not route.empty:
        return "infer"
    if not _EMPTY.fullmatch(memoryview(getattr(view, route.empty))[:_SHORT]):
        return "infer"
    return "unload" if _ZERO.fullmatch(memoryview(view.keep_alive)[:_SHORT]) else "load"


def _prompts(prompt: bytes) -> int:
    """Completions answer each of several prompts; a list of numbers is one prompt in tokens."""
    if not prompt.startswith(b"["):
        return 1
    first = prompt[1:_SHORT].lstrip()[:1]
    return len(msgspec.json.decode(prompt, type=list[Raw])) if first in (b'"', b"[") else 1


def _view(decoder: Any, struct: Any, body: bytes) -> tuple[Any, bytes]:
    """The view, and the body as it will be sent on (trailing bytes after the JSON value are cut off, as Go ignores them)."""
    try:
        try:
            return decoder.decode(body), body
        except msgspec.ValidationError:
            members, _ = _first_value(body)
            return _lenient(struct, members), body
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        members, cut = _first_value(body)
        if len(cut) == len(body.strip()):  # it is not what follows that is wrong: half an emoji (servers take it), NaN (they say so)
            return _lenient(struct, members), cut
        return _view(decoder, struct, cut)


def _first_value(body: bytes) -> tuple[Any, bytes]:
    """The JSON value that the body begins with, read as leniently as any server does, and its bytes."""
    try:
        text = body.decode("utf-8")
        start = len(text) - len(text.lstrip(" \t\r\n"))
        value, end = JSONDecoder().raw_decode(text, start)
    except (JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(400, "invalid_json", _json_words(error)) from None
    return value, text[start:end].encode()


def _lenient(struct: Any, members: Any) -> Any:
    """A member of the wrong type is the server's to judge, except `model`, which decides where to go."""
    if not isinstance(members, dict):
        raise Refusal(400, "invalid_request", "the body must be a JSON object")
    for key in ("model", "name"):
        if not _is_name(members.get(key)) and key in struct.__struct_fields__:
            raise Refusal(400, "invalid_request", f"{key} must be a string")
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(struct):
        if field.name in members:
            value = members[field.name]
            try:
                found[field.name] = Raw(dumps(value).encode()) if field.type is Raw else msgspec.convert(value, field.type)
            except msgspec.ValidationError:
                continue
    return struct(**found)


def _is_name(value: object) -> bool:
    """Text that can be sent as UTF-8, or nothing."""
    return value is None or (isinstance(value, str) and not any("\ud800" <= character <= "\udfff" for character in value))


def _json_words(error: Exception) -> str:
    if isinstance(error, JSONDecodeError):
        if error.pos >= len(error.doc.rstrip()):
            return "unexpected EOF"
        return f"invalid character {error.doc[error.pos]!r} at offset {error.pos} of the JSON body"
    return "the body is not valid JSON"
