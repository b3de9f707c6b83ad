"""A client that writes raw bytes and reads answers as strictly as HTTP/1.1 allows."""

import asyncio
import json
import socket
import struct
from dataclasses import dataclass, field

PATIENCE_SECONDS = 20.0


def post(path, body=b"{}", headers=None, *, version="1.1"):
    """The bytes of a request with Content-Length. body: bytes, or a value that becomes JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {"Host": "localhost", "Content-Type": "application/json", "Content-Length": str(len(data)), **(headers or {})}
    lines = [f"POST {path} HTTP/{version}", *(f"{name}: {value}" for name, value in named.items() if value is not None)]
    return "\r\n".join([*lines, "", ""]).encode() + data


@dataclass
class Answer:
    """One answer. pieces: the chunks as they were framed. ended: `whole`, `cut` (closed too early) or `reset`; `open` if the body was not read."""

    status: int
    headers: list[tuple[str, str]]
    pieces: list[bytes] = field(default_factory=list)
    ended: str = "open"

    @property
    def body(self):
        return b"".join(self.pieces)

    def header(self, name):
        """The value of a header that may be there once at most."""
        found = [value for key, value in self.headers if key == name]
        assert len(found) < 2, f"{name} is repeated: {found}"
        return found[0] if found else None

    def json(self):
        return json.loads(self.body)


class Client:
    """One connection. Every wait ends after 20 s."""

    def __init__(self, reader, writer):
        self.reader = reader
        self.writer = writer

    @classmethod
    async def to(cls, port):
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=1 << 24))

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        self.writer.transport.abort()

    def send(self, data):
        self.writer.write(data)

    def finish(self):
        """FIN: nothing more will be sent."""
        self.writer.write_eof()

    def close(self):
        """Harmless if it is closed already."""
        self.writer.close()

    def reset(self):
        """RST."""
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def head(self):
        """The head of the next answer."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            raw = await self.reader.readuntil(b"\r\n\r\n")
        first, *lines = raw[:-4].decode("latin-1").split("\r\n")
        version, status, _ = first.split(" ", 2)
        assert version == "HTTP/1.1", first
        headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        names = {name for name, _ in headers}
        assert not {"content-length", "transfer-encoding"} <= names, "framed in two ways"
        assert not names & {"keep-alive", "upgrade", "trailer", "te", "proxy-connection"}, "hop-by-hop headers passed on"
        return Answer(int(status), headers)

    async def piece(self, answer):
        """The next chunk of an answer whose head was read; b"" at its end."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            line = await self.reader.readuntil(b"\r\n")
            size = int(line[:-2], 16)
            data = await self.reader.readexactly(size + 2)
        assert data.endswith(b"\r\n")
        if size:
            answer.pieces.append(data[:-2])
        else:
            answer.ended = "whole"
        return data[:-2]

    async def rest(self, answer):
        """The body of an answer whose head was read, to its end."""
        try:
            if answer.header("transfer-encoding") is not None:
                assert answer.header("transfer-encoding") == "chunked"
                while await self.piece(answer):
                    pass
            elif answer.header("content-length") is not None:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    answer.pieces.append(await self.reader.readexactly(int(answer.header("content-length"))))
            elif answer.status not in (204, 304):
                await self._until_closed(answer)
            answer.ended = "whole"
        except asyncio.IncompleteReadError as error:
            answer.pieces.append(error.partial)
            answer.ended = "cut"
        except ConnectionError:
            answer.ended = "reset"
        return answer

    async def _until_closed(self, answer):
        async with asyncio.timeout(PATIENCE_SECONDS):
            while piece := await self.reader.read(65536):
                answer.pieces.append(piece)

    async def answer(self):
        """The next answer, whole."""
        return await self.rest(await self.head())

    async def until(self, text):
        """Reads until these bytes have come; what was read."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.reader.readuntil(text)

    async def closed(self):
        """Whatever still comes until the server closes the connection; b"RST" is added if it resets it."""
        got = b""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while piece := await self.reader.read(65536):
                    got += piece
        except ConnectionError:
            got += b"RST"
        return got
