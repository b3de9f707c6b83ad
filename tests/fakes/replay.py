"""Real servers' recorded answers, served again byte by byte.

    async with Replay("ollama") as server:                                   # the exchanges of tests/golden/ollama
        server.break_next("/api/chat", cut, after_bytes=900)                  # the next answer of that path breaks; later ones are whole
        ...
        assert server.requests("/api/chat")[0].body == ...

A request gets the answer recorded for the same method, path and members; if there is none, the first good one of that path of the same sort (plain,
stream, load, unload, base64); if there is none of these either, what the real server says to an unknown path.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.fakes.scripted import Exchange, Script, ScriptedServer

GOLDEN = Path(__file__).parents[1] / "golden"
NOT_FOUND = {"ollama": "error-not-found", "llamacpp": "not-found"}


@dataclass(frozen=True)
class Recording:
    """One exchange. request and answer as they were on the wire; body and answer_body without framing; header names in lower case."""

    name: str
    method: str
    path: str
    request: bytes
    body: bytes
    answer: bytes
    status: int
    headers: dict[str, str]
    answer_body: bytes

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0]

    @property
    def streams(self) -> bool:
        return self.media_type in ("application/x-ndjson", "text/event-stream")

    @property
    def pieces(self) -> list[bytes]:
        """The answer in the writes of the real server: head, then chunk by chunk. Without `Connection: close`, which only the recorder wanted."""
        head, _, rest = re.sub(rb"(?i)connection: close\r\n", b"", self.answer, count=1).partition(b"\r\n\r\n")
        return [head + b"\r\n\r\n", *(chunks(rest) if "transfer-encoding" in self.headers else [rest])]


@cache
def recordings(folder: str) -> dict[str, Recording]:
    """name -> recording, in the order in which they were made."""
    place = GOLDEN / folder
    return {name: _read(name, (place / f"{name}.request").read_bytes(), (place / f"{name}.response").read_bytes()) for name in _names(place)}


def _names(place: Path) -> list[str]:
    return list(json.loads((place / "index.json").read_text()))


def _read(name: str, request: bytes, answer: bytes) -> Recording:
    first, _, body = split(request)
    status, headers, rest = split(answer)
    method, path, _ = first.split(" ")
    plain = b"".join(chunk.partition(b"\r\n")[2][:-2] for chunk in chunks(rest)) if "transfer-encoding" in headers else rest
    return Recording(name, method, path, request, body, answer, int(status.split(" ")[1]), headers, plain)


def split(message: bytes) -> tuple[str, dict[str, str], bytes]:
    """First line, headers (lower-case names) and body of one HTTP message."""
    head, _, body = message.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    return first, {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}, body


def chunks(body: bytes) -> list[bytes]:
    """The chunks of a chunked body, each with its framing, the empty last one too."""
    found = []
    while body:
        end = body.index(b"\r\n") + 4 + int(body[: body.index(b"\r\n")], 16)
        found.append(body[:end])
        body = body[end:]
    return found


class Replay(ScriptedServer):
    """A server that says what the recorded one said."""

    def __init__(self, folder: str) -> None:
        super().__init__("nothing")
        self.recordings = recordings(folder)
        self.missing = self.recordings[NOT_FOUND[folder]]
        self.on("*", [self._answer])

    def break_next(self, path: str, how: Callable[..., Script], **limits: Any) -> None:
        """The next request of that path gets its answer through `how`, as in tests.fakes.scripted (`cut`, `paced`)."""

        async def broken(exchange: Exchange) -> None:
            for step in how(self._best(exchange).pieces, **limits):
                await exchange.peer._play(step, exchange)

        self.on(path, [broken], [self._answer])

    def fail_next(self, path: str, *script: Any) -> None:
        """The next request of that path gets this script, later ones their answers."""
        self.on(path, list(script), [self._answer])

    async def _answer(self, exchange: Exchange) -> None:
        for piece in self._best(exchange).pieces:
            await exchange.send(piece)

    def _best(self, exchange: Exchange) -> Recording:
        seen = exchange.seen
        of_path = [one for one in self.recordings.values() if (one.method, one.path) == (seen.method, seen.path) and b"Origin:" not in one.request]
        kind = _kind(seen.path, seen.body)
        same = [one for one in of_path if _value(one.body) == _value(seen.body) and _kind(one.path, one.body) == kind]
        likely = (one for one in of_path if one.status == 200 and _kind_of(one) == kind)
        return same[-1] if same else next(likely, self.missing)


def _value(body: bytes) -> Any:
    """What the body says, whatever its spelling: a model's `:latest` and empty members say nothing, and `stream` is looked at apart."""
    try:
        value = json.loads(body)
    except ValueError:
        return body
    if not isinstance(value, dict):
        return value
    said = {name: member for name, member in value.items() if name != "stream" and (member or member in (0, False))}
    return said | {"model": str(value.get("model", "")).removesuffix(":latest")}


def _kind(path: str, body: bytes) -> str:
    """What sort of answer a request asks for: `load`, `unload`, `stream`, `base64` or `plain`."""
    try:
        asked = json.loads(body)
    except ValueError:
        return "plain"
    if path in ("/api/chat", "/api/generate"):
        if not asked.get("messages" if path == "/api/chat" else "prompt"):
            return "unload" if asked.get("keep_alive") in (0, "0", "0s") else "load"
        return "plain" if asked.get("stream") is False else "stream"
    return "stream" if asked.get("stream") else "base64" if asked.get("encoding_format") == "base64" else "plain"


def _kind_of(recording: Recording) -> str:
    said = re.search(rb'"done_reason":"(load|unload)"', recording.answer)
    if said:
        return said[1].decode()
    return "stream" if recording.streams else "base64" if b'"embedding":"' in recording.answer else "plain"
