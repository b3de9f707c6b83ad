"""What a server reported of a model in its lists. An entry may be anything, so nothing of it is taken at its word."""

from typing import Any

import msgspec

from orchestrator.fleet.specs import ListedModel

LENGTHS = ("max_model_len", "context_length", "max_context_length", "context_window")

_members = msgspec.json.Decoder(dict[str, Any])


def members(model: ListedModel) -> dict[str, Any]:
    """The entry, empty if it is no object."""
    try:
        return _members.decode(model.raw)
    except msgspec.DecodeError:
        return {}


def inner(raw: dict[str, Any], name: str) -> dict[str, Any]:
    """A member that is an object, else an empty one."""
    found = raw.get(name)
    return found if isinstance(found, dict) else {}


def size(raw: dict[str, Any]) -> int | None:
    """Bytes: of Ollama, or in llama.cpp's `meta`."""
    return _first(raw.get("size"), inner(raw, "meta").get("size"))


def digest(raw: dict[str, Any]) -> str:
    return text(raw.get("digest"))


def parameters(raw: dict[str, Any]) -> str:
    """As Ollama writes it, such as `8.0B`."""
    said = text(inner(raw, "details").get("parameter_size"))
    count = whole(inner(raw, "meta").get("n_params"))
    return said or ("" if not count else f"{count / 1e9:.1f}B" if count >= 1e9 else f"{count / 1e6:.2f}M")


def quantisation(raw: dict[str, Any]) -> str:
    return text(inner(raw, "details").get("quantization_level"))


def context_length(raw: dict[str, Any]) -> int | None:
    """Tokens."""
    return _first(*(raw.get(name) for name in LENGTHS), inner(raw, "details").get("context_length"), inner(raw, "meta").get("n_ctx"))


def whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _first(*values: object) -> int | None:
    return next((found for found in map(whole, values) if found is not None), None)
