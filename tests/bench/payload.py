"""The requests of the benchmark and the only right answers to them: both sides build the same bytes from a request's number."""

import json
from functools import cache
from typing import Any

MODEL = "mock-model:latest"
CHUNKS = 200  # as many tokens as a short answer has
PLACE = b"########"
PATHS = {"openai": b"/v1/chat/completions", "ollama": b"/api/chat"}
DIALECTS = {path: dialect for dialect, path in PATHS.items()}
QUESTION = "Explain in two sentences why the sky is blue, and then why it turns red when the sun goes down behind the hills. " * 8
STAMP = "2026-01-02T03:04:05.123456789Z"
SDK_HEADERS = (
    b"Accept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\nAuthorization: Bearer sk-none\r\nAccept: application/json\r\n"
    b"Content-Type: application/json\r\nUser-Agent: OpenAI/Python 2.54.0\r\nX-Stainless-Lang: python\r\nX-Stainless-Package-Version: 2.54.0\r\n"
    b"X-Stainless-OS: Linux\r\nX-Stainless-Arch: x64\r\nX-Stainless-Runtime: CPython\r\nX-Stainless-Runtime-Version: 3.11.7\r\n"
    b"X-Stainless-Async: false\r\nx-stainless-retry-count: 0\r\nx-stainless-read-timeout: 600\r\n"
)


def request(dialect: str, number: int, *, stream: bool, pace_ms: int) -> bytes:
    """One chat request of about 1.2 kB of body, as an SDK sends it. The pace between chunks travels as the seed, the number as the user."""
    return _request(dialect, stream, pace_ms).replace(PLACE, b"%08d" % number)


def plain(dialect: str, number: int) -> bytes:
    """The body of the plain answer to that request."""
    return _plain(dialect).replace(PLACE, b"%08d" % number)


def records(dialect: str, number: int) -> list[bytes]:
    """The records of the streamed answer to that request: one per chunk; the last has the end in it."""
    return [record.replace(PLACE, b"%08d" % number) for record in _records(dialect)]


@cache
def _request(dialect: str, stream: bool, pace_ms: int) -> bytes:
    messages = [{"role": "system", "content": "You are a helpful assistant."}, {"role": "user", "content": QUESTION}]
    body: dict[str, Any] = {"messages": messages, "model": MODEL, "stream": stream, "user": PLACE.decode(), "temperature": 0.7, "seed": pace_ms}
    raw = json.dumps(body, separators=(",", ":")).encode()
    start = b"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\n" % PATHS[dialect]
    return start + SDK_HEADERS + b"Content-Length: %d\r\n\r\n" % len(raw) + raw


@cache
def _plain(dialect: str) -> bytes:
    text = "Because air scatters short waves more than long ones. " * 12
    message = {"role": "assistant", "content": text}
    value: dict[str, Any] = {"id": f"chatcmpl-{PLACE.decode()}", "object": "chat.completion", "created": 1767323045, "model": MODEL}
    value |= {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": _usage()}
    if dialect == "ollama":
        value = {
            "model": MODEL,
            "created_at": STAMP,
            "message": {**message, "content": text + PLACE.decode()},
            "done": True,
            "done_reason": "stop",
            **_metrics(),
        }
    return _json(value)


@cache
def _records(dialect: str) -> list[bytes]:
    if dialect == "ollama":
        made = [_line(f" word{i}-{PLACE.decode()}", {"done": False}) for i in range(CHUNKS - 1)]
        return [*made, _line("", {"done": True, "done_reason": "stop", **_metrics()})]
    made = [_event({"choices": [{"index": 0, "delta": {"content": f" word{i}"}, "finish_reason": None}]}) for i in range(CHUNKS - 1)]
    finish = _event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    return [*made, finish + _event({"choices": [], "usage": _usage()}) + b"data: [DONE]\n\n"]


def _line(text: str, more: dict[str, Any]) -> bytes:
    return _json({"model": MODEL, "created_at": STAMP, "message": {"role": "assistant", "content": text}, **more}) + b"\n"


def _event(more: dict[str, Any]) -> bytes:
    start = {"id": f"chatcmpl-{PLACE.decode()}", "object": "chat.completion.chunk", "created": 1767323045, "model": MODEL, "system_fingerprint": "fp_mock"}
    return b"data: " + _json({**start, **more}) + b"\n\n"


def _metrics() -> dict[str, int]:
    return {
        "total_duration": 1500000000, "load_duration": 20000000, "prompt_eval_count": 57, "prompt_eval_duration": 130000000, "eval_count": CHUNKS,
        "eval_duration": 1300000000,
    }  # fmt: skip


def _usage() -> dict[str, int]:
    return {"prompt_tokens": 57, "completion_tokens": CHUNKS, "total_tokens": 57 + CHUNKS}


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
