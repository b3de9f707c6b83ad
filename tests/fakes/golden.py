"""Streams as real servers sent them: the bodies of the recorded answers below tests/golden."""

import re
from pathlib import Path

from msgspec import Struct

FOLDER = Path(__file__).parents[1] / "golden"


class Stream(Struct, frozen=True):
    """name, how it is read (protocol.events), and the payload of each chunk as it came."""

    name: str
    style: str
    framing: str
    chunks: tuple[bytes, ...]

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)


def _style(path: bytes) -> str:
    if path.startswith(b"/api/"):
        return "ollama"
    return {b"/v1/responses": "responses", b"/v1/messages": "messages"}.get(path, "openai")


def _chunks(body: bytes) -> tuple[bytes, ...]:
    found, at = [], 0
    while size := int(body[at : (line_end := body.index(b"\r\n", at))], 16):
        found.append(body[line_end + 2 : line_end + 2 + size])
        at = line_end + 4 + size
    return tuple(found)


def _read(name: str) -> Stream:
    request = (FOLDER / f"{name}.request").read_bytes()
    head, _, body = (FOLDER / f"{name}.response").read_bytes().partition(b"\r\n\r\n")
    framing = "sse" if re.search(rb"(?i)content-type: text/event-stream", head) else "ndjson"
    return Stream(name, _style(request.split(b" ", 2)[1].partition(b"?")[0]), framing, _chunks(body))


COMPLETE = [
    _read(name)
    for name in (
        "ollama/chat-stream", "ollama/chat-think-stream", "ollama/chat-tools-stream", "ollama/generate-stream", "ollama/generate-length",
        "ollama/v1-chat-reasoning-stream", "ollama/v1-chat-stream", "ollama/v1-chat-stream-usage", "ollama/v1-chat-tools-stream",
        "ollama/v1-completions-stream",
        "ollama/v1-messages-stream", "ollama/v1-messages-tools-stream", "ollama/v1-responses-stream", "ollama/v1-responses-tools-stream",
        "llamacpp/chat-reasoning-stream", "llamacpp/chat-stream-usage", "llamacpp/chat-stream", "llamacpp/chat-tools-stream", "llamacpp/completions-stream",
        "llamacpp/messages-stream", "llamacpp/responses-stream",
    )
]  # fmt: skip
BROKEN = _read("ollama/error-bad-format")
