"""Streams of events: where records end, what an event means, and how a stream ended.

framing: `sse` or `ndjson`, by content type.
style: whose events they are: `ollama`, `openai` (chat and completions), `responses`, `messages` (Anthropic), `opaque`.
"""

import re
from collections.abc import Iterable
from enum import Enum
from typing import Any

import msgspec
from msgspec import Struct


class Event(Enum):
    NOTHING = "nothing"  # roles, pings, bookkeeping: still to be retried elsewhere
    USEFUL = "useful"  # content, thinking, a tool call, a refusal
    FINISH = "finish"  # the reason why it ends; the end itself is to follow
    DONE = "done"  # the end
    ERROR = "error"


class End(Enum):
    """How a stream stood when its last bytes came."""

    COMPLETE = "complete"
    FINISHED = "finished"  # a finish reason, but not the end record
    ERROR = "error"
    OPEN = "open"


END_RECORD = {"openai": b"data: [DONE]\n\n", "messages": b'event: message_stop\ndata: {"type":"message_stop"}\n\n'}
_BLANK_LINES = (b"\n\n", b"\n\r\n", b"\r\r")


class _Choice(Struct):
    index: int = 0
    finish_reason: str | None = None


class _Chunk(Struct):
    choices: list[_Choice] | None = None


_json = msgspec.json.Decoder()
_choices = msgspec.json.Decoder(_Chunk)


def framing(content_type: bytes) -> str:
    media = content_type.split(b";", 1)[0].strip().lower()
    return {b"text/event-stream": "sse", b"application/x-ndjson": "ndjson", b"application/ndjson": "ndjson", b"application/jsonl": "ndjson"}.get(media, "")


def guess(data: bytes) -> str:
    """The framing of a stream that does not say what it is, from its first bytes; "" if they look like no stream."""
    start = data.lstrip()
    if start.startswith((b"data:", b"event:", b": ")):
        return "sse"
    first, newline, _ = start.partition(b"\n")
    return "ndjson" if newline and first.startswith(b"{") and b'"done"' in first and is_whole(first) else ""


def boundary(data: bytes, framing: str) -> int:
    """Offset behind the last complete record, 0 if there is none."""
    if framing == "ndjson":
        return data.rfind(b"\n") + 1
    best = 0
    for blank_line in _BLANK_LINES if b"\r" in data else _BLANK_LINES[:1]:
        at = data.rfind(blank_line)
        if at >= 0:
            best = max(best, at + len(blank_line))
    return best


def payloads(data: bytes, framing: str) -> list[bytes]:
    """The payload of each record in `data`, comments and blank records left out. A cut last record is given as it is."""
    if framing == "ndjson":
        return [line for line in (raw.strip() for raw in data.split(b"\n")) if line]
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    found = []
    for record in data.split(b"\n\n"):
        lines = [line[5:].removeprefix(b" ") for line in record.split(b"\n") if line.startswith(b"data:")]
        if lines:
            found.append(b"\n".join(lines))
        elif record.startswith(b"error:"):  # older llama.cpp
            found.append(b'{"error":%b}' % record[6:].strip())
    return found


def classify(style: str, payload: bytes) -> Event:
    """What one event means. Text that is no JSON object counts as useful: it is not ours to hold back."""
    if payload.strip() == b"[DONE]":
        return Event.DONE
    try:
        value = _json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Event.USEFUL
    if not isinstance(value, dict):
        return Event.USEFUL
    if value.get("error"):
        return Event.ERROR
    reader = _READERS.get(style)
    return reader(value) if reader else Event.USEFUL


def _ollama(value: dict[str, Any]) -> Event:
    if value.get("done"):
        return Event.DONE
    message = value.get("message")
    texts = message if isinstance(message, dict) else value
    useful = any(texts.get(key) for key in ("content", "thinking", "tool_calls", "response", "images"))
    return Event.USEFUL if useful or not ({"message", "response"} & value.keys()) else Event.NOTHING


def _openai(value: dict[str, Any]) -> Event:
    listed = value.get("choices")
    choices = [choice for choice in listed if isinstance(choice, dict)] if isinstance(listed, list) else []
    if any(choice.get("finish_reason") for choice in choices):
        return Event.FINISH
    for choice in choices:
        delta = choice.get("delta")
        if choice.get("text") or (isinstance(delta, dict) and any(part for key, part in delta.items() if key != "role")):
            return Event.USEFUL
    return Event.NOTHING


def _responses(value: dict[str, Any]) -> Event:
    kind = str(value.get("type", ""))
    if kind in ("error", "response.failed"):
        return Event.ERROR
    if kind in ("response.completed", "response.incomplete"):
        return Event.DONE
    return Event.NOTHING if kind in ("response.created", "response.in_progress", "response.queued") else Event.USEFUL


def _messages(value: dict[str, Any]) -> Event:
    kind = str(value.get("type", ""))
    if kind == "message_stop":
        return Event.DONE
    if kind == "message_delta":
        delta = value.get("delta")
        return Event.FINISH if isinstance(delta, dict) and delta.get("stop_reason") else Event.NOTHING
    return Event.ERROR if kind == "error" else Event.NOTHING if kind in ("message_start", "ping") else Event.USEFUL


_READERS = {"ollama": _ollama, "openai": _openai, "responses": _responses, "messages": _messages}


def is_whole(payload: bytes) -> bool:
    """The payload is not cut short: JSON, or the end mark."""
    try:
        _json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return payload.strip() == b"[DONE]"
    return True


def first_telling(style: str, found: Iterable[bytes]) -> tuple[Event, bytes]:
    """The first event that is more than bookkeeping, and its payload."""
    for payload in found:
        event = classify(style, payload)
        if event is not Event.NOTHING:
            return event, payload
    return Event.NOTHING, b""


def finished(found: Iterable[bytes]) -> set[int]:
    """Which of several answers (`choices[].index`) were given their finish reason in these events."""
    indexes: set[int] = set()
    for payload in found:
        try:
            chunk = _choices.decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        indexes |= {choice.index for choice in chunk.choices or () if choice.finish_reason}
    return indexes


_COUNTS = re.compile(rb'"(prompt_tokens|completion_tokens|input_tokens|output_tokens|prompt_eval_count|eval_count)"\s*:\s*(\d{1,9})(?![\d.eE])')
_WHERE_COUNTS_BEGIN = (b'"usage"', b'"prompt_eval_count"', b'"eval_count"')


def usage(tail: bytes) -> tuple[int | None, int | None]:
    """(prompt tokens, completion tokens) as the server counted them, from the last bytes of an answer; None is unknown."""
    prompt = completion = None
    for begin in _WHERE_COUNTS_BEGIN:  # found first, so that the expression need not try every quote of the text
        at = tail.rfind(begin)
        if at >= 0:
            break
    else:
        return None, None
    for name, count in _COUNTS.findall(tail, at):
        if name in (b"prompt_tokens", b"input_tokens", b"prompt_eval_count"):
            prompt = int(count)
        else:
            completion = int(count)
    return prompt, completion
