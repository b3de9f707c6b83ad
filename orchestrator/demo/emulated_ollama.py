"""The native protocol of Ollama over an emulated server's Speaker."""

import re
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import UTC, datetime, timedelta
from time import perf_counter_ns
from typing import Any

import msgspec
from aiohttp import web

from orchestrator.demo.speech import MODIFIED_TIME, TEXT, Speaker, digest, prompt_tokens, tokens_of, vector

VERSION = "0.33.0"
JSON = "application/json; charset=utf-8"
BILLIONS = re.compile(r":(\d+(?:\.\d+)?)b")
USUAL_BILLIONS = 3.2
BYTES_PER_PARAMETER = 0.6  # of a model of that quantisation
CONTEXT_LENGTH = 4096
DURATION = re.compile(r"(-?)(?:(\d+(?:\.\d+)?)(ms|s|m|h))+|0")
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
DEFAULT_STAY_SECONDS = 300.0

Body = dict[str, Any]
Record = Callable[[str], Body]


class Refused(Exception):
    """A request that gets an error answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def routes(speaker: Speaker) -> Iterable[web.RouteDef]:
    """Every path of the native protocol that an emulated server answers."""
    server = _Ollama(speaker)
    return [
        web.get("/", server.root),
        web.get("/api/version", server.version),
        web.get("/api/tags", server.tags),
        web.get("/api/ps", server.ps, allow_head=False),
        web.post("/api/show", _guarded(server.show)),
        web.post("/api/chat", _guarded(server.chat)),
        web.post("/api/generate", _guarded(server.generate)),
        web.post("/api/embed", _guarded(server.embed)),
        web.post("/api/embeddings", _guarded(server.embeddings)),
    ]


class _Ollama:
    def __init__(self, speaker: Speaker) -> None:
        self.speaker = speaker

    async def root(self, _: web.Request) -> web.Response:
        return web.Response(text="Ollama is running")

    async def version(self, _: web.Request) -> web.Response:
        return _answer({"version": VERSION})

    async def tags(self, _: web.Request) -> web.Response:
        return _answer({"models": [_entry(name) for name in self.speaker.profile.models]})

    async def ps(self, _: web.Request) -> web.Response:
        return _answer({"models": [_resident(name, stay) for name, stay in self.speaker.loaded.items()]})

    async def show(self, _: web.Request, body: Body) -> web.StreamResponse:
        asked = body.get("model") or body.get("name")
        if not asked:
            raise Refused(400, "model is required")
        model = self.speaker.find(asked)
        if model is None:
            raise Refused(404, f"model '{_display(asked)}' not found")
        info = {"general.architecture": "llama", "llama.context_length": CONTEXT_LENGTH, "llama.embedding_length": 256}
        shown = {"modelfile": f"FROM {model}\n", "template": "{{ .Prompt }}", "details": _details(model), "model_info": info}
        return _answer({**shown, "capabilities": _capabilities(model), "modified_at": _stamp(MODIFIED_TIME)})

    async def chat(self, request: web.Request, body: Body) -> web.StreamResponse:
        if not body.get("model"):
            raise Refused(400, "model is required")
        model = self._find(body, "model '{}' not found")

        def record(text: str) -> Body:
            return {"message": {"role": "assistant", "content": text}}

        return await self._say(request, body, model, record, body.get("messages"))

    async def generate(self, request: web.Request, body: Body) -> web.StreamResponse:
        model = self._find(body, "model '{}' not found")

        def record(text: str) -> Body:
            return {"response": text}

        return await self._say(request, body, model, record, body.get("prompt"), context=[1, 2, 3])

    async def embed(self, _: web.Request, body: Body) -> web.StreamResponse:
        self._find(body, 'model "{}" not found, try pulling it first')
        given = body.get("input") or []
        texts = [given] if isinstance(given, str) else given
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise Refused(400, "invalid input type")
        vectors = [vector(text)[: body.get("dimensions")] for text in texts]
        return _answer(
            {"model": body["model"], "embeddings": vectors, "total_duration": 1_000_000, "load_duration": 1_000, "prompt_eval_count": prompt_tokens(texts)}
        )

    async def embeddings(self, _: web.Request, body: Body) -> web.StreamResponse:
        if not body.get("model"):
            raise Refused(400, "model is required")
        self._find(body, 'model "{}" not found, try pulling it first')
        prompt = body.get("prompt") or ""
        return _answer({"embedding": vector(prompt) if prompt else []})

    def _find(self, body: Body, message: str) -> str:
        asked = body.get("model") or ""
        model = self.speaker.find(asked)
        if model is None:
            raise Refused(404, message.format(asked))
        return model

    async def _say(self, request: web.Request, body: Body, model: str, record: Record, prompt: Any, **last: Any) -> web.StreamResponse:
        """Load, unload, or the text: as one object or as a stream, which is the default."""
        stay = _stay_seconds(body.get("keep_alive"))
        start = {"model": body["model"]}
        if not prompt:
            reason = "unload" if stay == 0 else "load"
            self._keep(model, stay)
            return _answer({**start, "created_at": _stamp(datetime.now(UTC)), **record(""), "done": True, "done_reason": reason})
        self._keep(model, stay)
        limit = (body.get("options") or {}).get("num_predict")
        spoken = self.speaker.speak(model, limit if isinstance(limit, int) and limit >= 0 else None)
        ending = _Ending(prompt_tokens(prompt), last)
        if body.get("stream") is False:
            text = "".join([token async for token in ending.counted(spoken)])
            return _answer({**start, "created_at": _stamp(datetime.now(UTC)), **record(text), **ending.fields()})
        return await _stream(request, start, record, ending, spoken)

    def _keep(self, model: str, stay: float) -> None:
        self.speaker.loaded.pop(model, None)
        if stay:
            self.speaker.loaded[model] = stay


class _Ending:
    """Counts tokens and time, for the members of the last record."""

    def __init__(self, prompt_count: int, last: Body) -> None:
        self.prompt_count = prompt_count
        self.last = last
        self.count = 0
        self.began = self.first = perf_counter_ns()

    async def counted(self, tokens: AsyncIterator[str]) -> AsyncIterator[str]:
        async for token in tokens:
            if not self.count:
                self.first = perf_counter_ns()
            self.count += 1
            yield token

    def fields(self) -> Body:
        now = perf_counter_ns()
        reason = "stop" if self.count == len(tokens_of(TEXT)) else "length"
        times = {"total_duration": now - self.began, "load_duration": 1_000_000, "prompt_eval_count": self.prompt_count}
        times |= {"prompt_eval_duration": self.first - self.began, "eval_count": self.count, "eval_duration": now - self.first}
        return {"done": True, "done_reason": reason, **self.last, **times}


async def _stream(request: web.Request, start: Body, record: Record, ending: _Ending, spoken: AsyncIterator[str]) -> web.StreamResponse:
    """NDJSON; nothing goes out, not even headers, before the first token."""
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    async for token in ending.counted(spoken):
        if not response.prepared:
            await response.prepare(request)
        await response.write(_line({**start, "created_at": _stamp(datetime.now(UTC)), **record(token), "done": False}))
    if not response.prepared:
        await response.prepare(request)
    await response.write(_line({**start, "created_at": _stamp(datetime.now(UTC)), **record(""), **ending.fields()}))
    await response.write_eof()
    return response


def _guarded(handler: Callable[[web.Request, Body], Any]) -> Callable[[web.Request], Any]:
    """Reads the JSON body whatever its Content-Type, and answers refusals in Ollama's shape."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            raw = await request.read()
            if not raw:
                raise Refused(400, "missing request body")
            try:
                body = msgspec.json.decode(raw)
            except msgspec.DecodeError as error:
                raise Refused(400, str(error)) from None
            if not isinstance(body, dict):
                raise Refused(400, "json: cannot unmarshal into Go value")
            answer: web.StreamResponse = await handler(request, body)
        except Refused as refused:
            return _answer({"error": str(refused)}, refused.status)
        return answer

    return handle


def _stay_seconds(keep_alive: Any) -> float:
    """keep_alive as seconds: numbers are seconds, texts Go durations."""
    if keep_alive is None:
        return DEFAULT_STAY_SECONDS
    if isinstance(keep_alive, int | float) and not isinstance(keep_alive, bool):
        return float(keep_alive)
    if not isinstance(keep_alive, str) or not DURATION.fullmatch(keep_alive):
        raise Refused(400, f'time: missing unit in duration "{keep_alive}"')
    seconds = sum(float(number) * UNITS[unit] for number, unit in re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h)", keep_alive))
    return -seconds if keep_alive.startswith("-") else seconds


def _entry(name: str) -> Body:
    start = {"name": _display(name), "model": _display(name), "modified_at": _stamp(MODIFIED_TIME), "size": _size_bytes(name), "digest": digest(name)}
    return {**start, "details": {**_details(name), "context_length": CONTEXT_LENGTH, "embedding_length": 256}, "capabilities": _capabilities(name)}


def _resident(name: str, stay: float) -> Body:
    until = datetime.now(UTC) + timedelta(seconds=stay if stay >= 0 else 9_000_000_000)
    start = {"name": _display(name), "model": _display(name), "size": _size_bytes(name), "digest": digest(name), "details": _details(name)}
    return {**start, "expires_at": _stamp(until), "size_vram": _size_bytes(name), "context_length": CONTEXT_LENGTH}


def _details(name: str) -> Body:
    parameters = f"{_billions(name):.1f}B"
    return {"parent_model": "", "format": "gguf", "family": "llama", "families": ["llama"], "parameter_size": parameters, "quantization_level": "Q4_K_M"}


def _billions(name: str) -> float:
    """Of parameters, as the model's tag says."""
    found = BILLIONS.search(name)
    return float(found[1]) if found else USUAL_BILLIONS


def _size_bytes(name: str) -> int:
    return int(_billions(name) * 1e9 * BYTES_PER_PARAMETER)


def _capabilities(name: str) -> list[str]:
    return ["embedding"] if "embed" in name else ["completion"]


def _display(name: str) -> str:
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def _stamp(when: datetime) -> str:
    return when.isoformat().replace("+00:00", "Z")


def _line(value: Body) -> bytes:
    return msgspec.json.encode(value) + b"\n"


def _answer(value: Body, status: int = 200) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(value), headers={"Content-Type": JSON})
