"""The OpenAI protocol over an emulated server's Speaker."""

import base64
import itertools
import struct
from collections.abc import AsyncIterator, Callable, Iterable
from time import time
from typing import Any

import msgspec
from aiohttp import web

from orchestrator.demo.speech import MODIFIED_TIME, TEXT, Speaker, prompt_tokens, tokens_of, vector

Body = dict[str, Any]
Choice = Callable[[str, str | None], Body]


class Refused(Exception):
    """A request that gets an error answer."""

    def __init__(self, status: int, message: str, kind: str = "invalid_request_error", code: str | None = None) -> None:
        super().__init__(message)
        self.answer = error(status, message, kind, code)


def error(status: int, message: str, kind: str, code: str | None) -> web.Response:
    """An error in OpenAI's shape."""
    return _answer({"error": {"message": message, "type": kind, "param": None, "code": code}}, status)


def routes(speaker: Speaker) -> Iterable[web.RouteDef]:
    """Every path under /v1 that an emulated server answers."""
    server = _OpenAI(speaker)
    return [
        web.get("/v1/models", server.models, allow_head=False),
        web.get("/v1/models/{model:.+}", server.model, allow_head=False),
        web.post("/v1/chat/completions", _guarded(server.chat)),
        web.post("/v1/completions", _guarded(server.completions)),
        web.post("/v1/embeddings", _guarded(server.embeddings)),
    ]


class _OpenAI:
    def __init__(self, speaker: Speaker) -> None:
        self.speaker = speaker
        self.numbers = itertools.count(1)

    async def models(self, _: web.Request) -> web.Response:
        return _answer({"object": "list", "data": [_entry(name) for name in self.speaker.profile.models]})

    async def model(self, request: web.Request) -> web.Response:
        asked = request.match_info["model"]
        if self.speaker.find(asked) is None:
            return _unknown(asked).answer
        return _answer(_entry(asked))

    async def chat(self, request: web.Request, body: Body) -> web.StreamResponse:
        model = self._find(body)
        messages = body.get("messages")
        if not isinstance(messages, list) or not messages:
            raise Refused(400, "[] is too short - 'messages'")
        limit = body.get("max_completion_tokens", body.get("max_tokens"))
        start = {"id": f"chatcmpl-{next(self.numbers)}", "created": int(time()), "model": body["model"], "system_fingerprint": "fp_emulated"}
        spoken = self.speaker.speak(model, limit if isinstance(limit, int) else None)
        if body.get("stream"):
            return await _stream(request, {**start, "object": "chat.completion.chunk"}, spoken, _chat_delta, _usage_wanted(body), prompt_tokens(messages))
        said = [token async for token in spoken]
        choice = {"index": 0, "message": {"role": "assistant", "content": "".join(said)}, "finish_reason": _reason(len(said))}
        return _answer({**start, "object": "chat.completion", "choices": [choice], "usage": _usage(prompt_tokens(messages), len(said))})

    async def completions(self, request: web.Request, body: Body) -> web.StreamResponse:
        model = self._find(body)
        prompt = body.get("prompt") or ""
        limit = body.get("max_tokens")
        start = {"id": f"cmpl-{next(self.numbers)}", "object": "text_completion", "created": int(time()), "model": body["model"]}
        spoken = self.speaker.speak(model, limit if isinstance(limit, int) else None)
        if body.get("stream"):
            return await _stream(request, start, spoken, _text, _usage_wanted(body), prompt_tokens(prompt))
        said = [token async for token in spoken]
        return _answer({**start, "choices": [_text("".join(said), _reason(len(said)))], "usage": _usage(prompt_tokens(prompt), len(said))})

    async def embeddings(self, _: web.Request, body: Body) -> web.StreamResponse:
        self._find(body)
        given = body.get("input")
        texts = [given] if isinstance(given, str) else given
        if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
            raise Refused(400, "input must be a string or a list of strings")
        coded = body.get("encoding_format") == "base64"
        vectors = [vector(text)[: body.get("dimensions")] for text in texts]
        data = [{"object": "embedding", "index": i, "embedding": _base64(values) if coded else values} for i, values in enumerate(vectors)]
        count = prompt_tokens(texts)
        return _answer({"object": "list", "data": data, "model": body["model"], "usage": {"prompt_tokens": count, "total_tokens": count}})

    def _find(self, body: Body) -> str:
        asked = body.get("model") or ""
        model = self.speaker.find(asked)
        if model is None:
            raise _unknown(asked)
        return model


async def _stream(request: web.Request, start: Body, spoken: AsyncIterator[str], choice: Choice, usage: bool, prompt_count: int) -> web.StreamResponse:
    """Server-sent events: a chunk per token, the finish reason, the usage if asked for, and [DONE]."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    none = {"usage": None} if usage else {}
    count = 0
    async for token in spoken:
        if not response.prepared:
            await response.prepare(request)
        await response.write(_event({**start, "choices": [choice(token, None)], **none}))
        count += 1
    if not response.prepared:
        await response.prepare(request)
    tail = _event({**start, "choices": [choice("", _reason(count))], **none})
    if usage:
        tail += _event({**start, "choices": [], "usage": _usage(prompt_count, count)})
    await response.write(tail + b"data: [DONE]\n\n")
    await response.write_eof()
    return response


def _guarded(handler: Callable[[web.Request, Body], Any]) -> Callable[[web.Request], Any]:
    """Wants a JSON object under its Content-Type, as most OpenAI-compatible servers do, and answers refusals in their shape."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            if request.content_type != "application/json":
                raise Refused(415, "Unsupported Media Type: Only 'application/json' is allowed")
            try:
                body = msgspec.json.decode(await request.read())
            except msgspec.DecodeError as broken:
                raise Refused(400, str(broken)) from None
            if not isinstance(body, dict):
                raise Refused(400, "the body must be a JSON object")
            answer: web.StreamResponse = await handler(request, body)
        except Refused as refused:
            return refused.answer
        return answer

    return handle


def _chat_delta(text: str, finish: str | None) -> Body:
    return {"index": 0, "delta": {} if finish else {"role": "assistant", "content": text}, "finish_reason": finish}


def _text(text: str, finish: str | None) -> Body:
    return {"index": 0, "text": text, "logprobs": None, "finish_reason": finish}


def _reason(count: int) -> str:
    return "stop" if count == len(tokens_of(TEXT)) else "length"


def _usage(prompt_count: int, count: int) -> Body:
    return {"prompt_tokens": prompt_count, "completion_tokens": count, "total_tokens": prompt_count + count}


def _usage_wanted(body: Body) -> bool:
    options = body.get("stream_options")
    return isinstance(options, dict) and bool(options.get("include_usage"))


def _unknown(asked: str) -> Refused:
    return Refused(404, f"The model `{asked}` does not exist or you do not have access to it.", code="model_not_found")


def _entry(name: str) -> Body:
    return {"id": name, "object": "model", "created": int(MODIFIED_TIME.timestamp()), "owned_by": "emulated"}


def _base64(values: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()


def _event(value: Body) -> bytes:
    return b"data: " + msgspec.json.encode(value) + b"\n\n"


def _answer(value: Body, status: int = 200) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(value), headers={"Content-Type": "application/json"})
