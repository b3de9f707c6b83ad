"""The shapes of lists that servers answer with, read without trusting any of it. Entries stay the bytes that came."""

from collections.abc import Iterable
from itertools import islice

import msgspec
from msgspec import Raw, Struct

from orchestrator.upstream.control import Failure, Reply

MAX_MODELS = 10_000
NULLS = (b"null", b'""')

_value: msgspec.json.Decoder[dict[str, Raw] | list[Raw]] = msgspec.json.Decoder(dict[str, Raw] | list[Raw])
_entries = msgspec.json.Decoder(list[Raw])


class Entry(Struct):
    """The members of a list entry that are looked at; each may be of any type, or absent."""

    raw: Raw = Raw(b"")
    id: Raw = Raw(b"")
    name: Raw = Raw(b"")
    model: Raw = Raw(b"")
    size: Raw = Raw(b"")
    size_vram: Raw = Raw(b"")
    modified_at: Raw = Raw(b"")
    expires_at: Raw = Raw(b"")
    context_length: Raw = Raw(b"")
    owned_by: Raw = Raw(b"")


_entry = msgspec.json.Decoder(Entry)


def members(reply: Reply) -> dict[str, Raw]:
    """The members of an answer that is a JSON object in UTF-8, else none. An `error` that says nothing is left out."""
    value = _decoded(reply)
    if not isinstance(value, dict):
        return {}
    return {name: raw for name, raw in value.items() if name != "error" or bytes(raw) not in NULLS}


def v1_entries(reply: Reply) -> list[Entry] | None:
    """Of an object with `data` or else `models`, or of a bare array. None if it is none of these, or says `error`."""
    value = _decoded(reply)
    if isinstance(value, list):
        return _parsed(value)
    found = members(reply)
    if "error" in found:
        return None
    data = entries(found.get("data"))
    return data if data is not None else entries(found.get("models"))


def entries(raw: Raw | None) -> list[Entry] | None:
    """The objects in a JSON array; none in null, which stands for an empty array. None if it is neither."""
    if raw is None:
        return None
    if bytes(raw) == b"null":
        return []
    try:
        return _parsed(_entries.decode(raw))
    except (ValueError, RecursionError):
        return None


def text(raw: Raw | None) -> str:
    """A JSON string; "" for anything else."""
    try:
        return msgspec.json.decode(raw, type=str) if raw is not None and bytes(raw) else ""
    except ValueError:
        return ""


def whole(raw: Raw) -> int | None:
    """A whole number of at most 64 bits; None for anything else."""
    try:
        return msgspec.json.decode(raw, type=int) if bytes(raw) else None
    except ValueError:
        return None


def _decoded(reply: Reply) -> dict[str, Raw] | list[Raw] | None:
    if isinstance(reply, Failure):
        return None
    try:
        reply.body.decode()  # entries are relayed unread, and the decoder does not look into them
        return _value.decode(reply.body)
    except (ValueError, RecursionError):
        return None


def _parsed(raws: Iterable[Raw]) -> list[Entry]:
    return [_with_raw(raw) for raw in islice(raws, MAX_MODELS) if bytes(memoryview(raw)[:1]) == b"{"]


def _with_raw(raw: Raw) -> Entry:
    """A copy, since a Raw keeps the whole body alive that it was decoded from."""
    kept = raw.copy()
    entry = _entry.decode(kept)
    entry.raw = kept
    return entry
