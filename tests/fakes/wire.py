"""Bytes of HTTP answers as Ollama and OpenAI-compatible servers send them, for scripts of a ScriptedServer.

Every builder gives a list of pieces, one per write of the real server (the head, then one chunk per record), so that a test may stop, cut or
break an answer between any two of them: `[*ollama_begin(["a", "b"]), reset]`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

NDJSON = "application/x-ndjson"
SSE = "text/event-stream"
JSON = "application/json; charset=utf-8"
LAST_CHUNK = b"0\r\n\r\n"
DONE = b"data: [DONE]\n\n"
MALFORMED_CHUNK = b"ZZ\r\nthis is no chunk\r\n"
REASONS = {200: "OK", 201: "Created", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 429: "Too Many Requests"}
REASONS |= {500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable"}
CREATED_TIME = "2026-01-02T03:04:05.123456789Z"
CREATED = 1767323045
METRICS = {"total_duration": 1500000000, "load_duration": 20000000, "prompt_eval_count": 57, "prompt_eval_duration": 130000000}


# ---- HTTP


def head(status: int = 200, content_type: str = JSON, headers: Mapping[str, str] | None = None) -> bytes:
    """A head with exactly these headers and the content type; the caller adds Content-Length or Transfer-Encoding if the answer has one."""
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}", f"Content-Type: {content_type}", *(f"{k}: {v}" for k, v in (headers or {}).items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def chunk(data: bytes) -> bytes:
    """The data in the framing of chunked transfer coding."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def plain(body: bytes, status: int = 200, content_type: str = JSON, headers: Mapping[str, str] | None = None) -> list[bytes]:
    """A whole answer with Content-Length in one piece."""
    return [head(status, content_type, {**(headers or {}), "Content-Length": str(len(body))}) + body]


def chunked(bodies: Iterable[bytes], content_type: str, status: int = 200, headers: Mapping[str, str] | None = None) -> list[bytes]:
    """The head and one chunk per body, without the last chunk: add LAST_CHUNK for a clean end."""
    return [head(status, content_type, {**(headers or {}), "Transfer-Encoding": "chunked"}), *(chunk(body) for body in bodies)]


def answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> list[bytes]:
    """Any JSON value as a whole answer."""
    return plain(packed(value), status, headers=headers)


def packed(value: Any) -> bytes:
    """JSON without spaces, as servers write it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


# ---- Ollama


def ollama_record(content: str, *, model: str = "m", **more: Any) -> bytes:
    """One NDJSON record of a chat stream."""
    return packed({"model": model, "created_at": CREATED_TIME, "message": {"role": "assistant", "content": content}, "done": False, **more}) + b"\n"


def ollama_done(count: int, *, model: str = "m") -> bytes:
    """The last NDJSON record of a chat stream of `count` tokens, with metrics."""
    return ollama_record("", model=model, done=True, done_reason="stop", **METRICS, eval_count=count, eval_duration=100000000)


def ollama_begin(tokens: Sequence[str], *, model: str = "m") -> list[bytes]:
    """Head and tokens of a chat stream that is still open."""
    return chunked([ollama_record(token, model=model) for token in tokens], NDJSON)


def ollama_chat(tokens: Sequence[str], *, model: str = "m", done: bool = True) -> list[bytes]:
    """A whole /api/chat stream. done=False leaves out the done record but ends the HTTP message cleanly: a truncated answer."""
    end = [chunk(ollama_done(len(tokens), model=model))] if done else []
    return [*ollama_begin(tokens, model=model), *end, LAST_CHUNK]


def ollama_generate(tokens: Sequence[str], *, model: str = "m") -> list[bytes]:
    """A whole /api/generate stream."""
    start = {"model": model, "created_at": CREATED_TIME}
    records = [packed({**start, "response": token, "done": False}) + b"\n" for token in tokens]
    last = {**start, "response": "", "done": True, "done_reason": "stop", "context": [1, 2], **METRICS, "eval_count": len(tokens), "eval_duration": 1}
    return [*chunked([*records, packed(last) + b"\n"], NDJSON), LAST_CHUNK]


def ollama_plain(text: str, *, model: str = "m") -> list[bytes]:
    """A whole /api/chat answer with stream false."""
    message = {"role": "assistant", "content": text}
    start = {"model": model, "created_at": CREATED_TIME, "message": message, "done": True, "done_reason": "stop"}
    return answer({**start, **METRICS, "eval_count": len(text.split()), "eval_duration": 100000000})


def ollama_error(status: int, text: str, headers: Mapping[str, str] | None = None) -> list[bytes]:
    """An error as Ollama answers it."""
    return answer({"error": text}, status, headers)


def ollama_error_record(text: str) -> bytes:
    """The chunk by which Ollama ends a stream that broke."""
    return chunk(packed({"error": text}) + b"\n")


# ---- OpenAI


def openai_event(delta: Mapping[str, Any], *, model: str = "m", finish: str | None = None) -> bytes:
    """One SSE event of a chat stream."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return _event({**_chunk_start(model), "choices": [choice]})


def openai_usage(count: int, *, model: str = "m") -> bytes:
    """The SSE event that carries usage."""
    usage = {"prompt_tokens": 57, "completion_tokens": count, "total_tokens": 57 + count}
    return _event({**_chunk_start(model), "choices": [], "usage": usage})


def openai_begin(tokens: Sequence[str], *, model: str = "m") -> list[bytes]:
    """Head, role and tokens of a chat stream that is still open."""
    events = [openai_event({"role": "assistant", "content": ""}, model=model), *(openai_event({"content": token}, model=model) for token in tokens)]
    return chunked(events, SSE)


def openai_sse(tokens: Sequence[str], *, model: str = "m", done: bool = True, finish: bool = True, usage: bool = False) -> list[bytes]:
    """A whole /v1/chat/completions stream. done=False leaves out [DONE], finish=False the finish reason; the HTTP message ends cleanly in any case."""
    end = [openai_event({}, model=model, finish="stop")] if finish else []
    end += [openai_usage(len(tokens), model=model)] if usage else []
    end += [DONE] if done else []
    return [*openai_begin(tokens, model=model), *(chunk(event) for event in end), LAST_CHUNK]


def openai_plain(text: str, *, model: str = "m") -> list[bytes]:
    """A whole /v1/chat/completions answer without streaming."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    count = len(text.split())
    usage = {"prompt_tokens": 57, "completion_tokens": count, "total_tokens": 57 + count}
    return answer({"id": "chatcmpl-7", "object": "chat.completion", "created": CREATED, "model": model, "choices": [choice], "usage": usage})


def openai_error(status: int, message: str, *, code: str | None = None, kind: str = "api_error", headers: Mapping[str, str] | None = None) -> list[bytes]:
    """An error as OpenAI-compatible servers answer it."""
    return answer({"error": {"message": message, "type": kind, "param": None, "code": code}}, status, headers)


def openai_error_event(message: str) -> bytes:
    """The chunk of an error inside a stream."""
    return chunk(_event({"error": {"message": message, "type": "api_error", "param": None, "code": None}}))


def _chunk_start(model: str) -> dict[str, Any]:
    return {"id": "chatcmpl-7", "object": "chat.completion.chunk", "created": CREATED, "model": model}


def _event(value: Any) -> bytes:
    return b"data: " + packed(value) + b"\n\n"


# ---- what a prober asks


def tags(models: Sequence[str]) -> list[bytes]:
    """GET /api/tags."""
    details = {"parent_model": "", "format": "gguf", "family": "llama", "families": ["llama"], "parameter_size": "1.5M", "quantization_level": "F32"}
    entry = {"modified_at": "2026-01-02T03:04:05Z", "size": 5936478, "digest": "ab" * 32, "details": details, "capabilities": ["completion"]}
    return answer({"models": [{"name": name, "model": name, **entry} for name in models]})


def loaded(models: Sequence[str]) -> list[bytes]:
    """GET /api/ps."""
    entry = {"size": 5936256, "digest": "ab" * 32, "details": {}, "expires_at": "2099-01-02T03:04:05Z", "size_vram": 5936256, "context_length": 4096}
    return answer({"models": [{"name": name, "model": name, **entry} for name in models]})


def v1_models(models: Sequence[str]) -> list[bytes]:
    """GET /v1/models."""
    return answer({"object": "list", "data": [{"id": name, "object": "model", "created": CREATED, "owned_by": "library"} for name in models]})
