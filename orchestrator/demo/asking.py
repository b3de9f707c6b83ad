"""The demo as a client: asks the orchestrator in one of the two protocols and notes what came back."""

from time import perf_counter
from typing import Any, Literal

import aiohttp
import msgspec
from msgspec import Struct

Dialect = Literal["ollama", "openai"]
PATHS = {"ollama": "/api/chat", "openai": "/v1/chat/completions"}


class Answer(Struct, kw_only=True):
    """What one request got. first_token_seconds of a plain answer is the time until it was whole; fault is empty if all was well."""

    dialect: Dialect
    model: str
    stream: bool
    server: str = "-"
    attempts: str = "-"
    first_token_seconds: float = 0.0
    tokens: int = 0
    text: str = ""
    fault: str = ""


async def ask(session: aiohttp.ClientSession, url: str, dialect: Dialect, model: str, *, stream: bool) -> Answer:
    """One chat request. Never raises for what the other side does: that is told in `fault`."""
    answer = Answer(dialect=dialect, model=model, stream=stream)
    body: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": "Say something."}], "stream": stream}
    if dialect == "openai" and stream:
        body["stream_options"] = {"include_usage": True}
    began = perf_counter()
    try:
        async with session.post(url + PATHS[dialect], json=body) as response:
            answer.server = response.headers.get("X-Orchestrator-Server", "-")
            answer.attempts = response.headers.get("X-Orchestrator-Attempts", "-")
            if response.status != 200:
                answer.fault = f"{response.status}: {(await response.text())[:200]}"
            elif stream:
                await _read_stream(response, answer, began)
            else:
                _take_plain(msgspec.json.decode(await response.read()), answer)
                answer.first_token_seconds = perf_counter() - began
    except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError, LookupError, TypeError) as error:
        answer.fault = f"{type(error).__name__}: {error}"
    return answer


async def _read_stream(response: aiohttp.ClientResponse, answer: Answer, began: float) -> None:
    done = False
    async for line in response.content:
        record = line.strip().removeprefix(b"data:").strip()
        if record == b"[DONE]":
            done = True
        elif record:
            done = _take_record(msgspec.json.decode(record), answer) or done
        if answer.text and not answer.first_token_seconds:
            answer.first_token_seconds = perf_counter() - began
    if not done:
        answer.fault = answer.fault or "the stream was cut"


def _take_record(record: dict[str, Any], answer: Answer) -> bool:
    """Adds one record of a stream; True for the record that ends an Ollama stream."""
    if "error" in record:
        answer.fault = str(record["error"])
    if answer.dialect == "ollama":
        answer.text += record.get("message", {}).get("content", "")
        answer.tokens = record.get("eval_count", answer.tokens)
        return bool(record.get("done"))
    for choice in record.get("choices", ()):
        answer.text += choice["delta"].get("content") or ""
    answer.tokens = (record.get("usage") or {}).get("completion_tokens", answer.tokens)
    return False


def _take_plain(body: dict[str, Any], answer: Answer) -> None:
    if answer.dialect == "ollama":
        answer.text, answer.tokens = body["message"]["content"], body["eval_count"]
    else:
        answer.text, answer.tokens = body["choices"][0]["message"]["content"], body["usage"]["completion_tokens"]
