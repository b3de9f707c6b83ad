"""The client's side of a relay or of a whole call, in memory."""

import re

from orchestrator.gateway.relay import Relay
from orchestrator.protocol.http import LAST_CHUNK

_SIZE = re.compile(rb"[1-9a-f][0-9a-f]*\Z")


class FakeClient:
    """Keeps what it is given. chunks: an HTTP/1.1 client."""

    def __init__(self, *, chunks: bool = True) -> None:
        self.chunks = chunks
        self.address = "192.0.2.7"
        self.paused = False
        self.data = b""
        self.aborted = False
        self.answers = 0

    def write(self, data: bytes) -> None:
        assert not self.aborted, "written after it was cut off"
        self.data += data

    def abort(self) -> None:
        self.aborted = True

    def answered(self) -> None:
        self.answers += 1

    def pause(self, relay: Relay) -> None:
        self.paused = True
        relay.pause()

    def resume(self, relay: Relay) -> None:
        self.paused = False
        relay.resume()


def unframed(data: bytes) -> tuple[bytes, bool]:
    """(payload, whether it ended properly) of chunked bytes. Fails where a strict client would."""
    out, at = [], 0
    while at < len(data):
        if data[at:] == LAST_CHUNK:
            return b"".join(out), True
        line_end = data.index(b"\r\n", at)
        assert _SIZE.match(data[at:line_end]), f"no chunk: {data[at : at + 40]!r}"
        size = int(data[at:line_end], 16)
        end = line_end + 2 + size
        assert data[end : end + 2] == b"\r\n", f"a chunk of {size} bytes does not end there: {data[at:][:40]!r}"
        out.append(data[line_end + 2 : end])
        at = end + 2
    return b"".join(out), False
