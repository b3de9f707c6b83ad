"""An open page: a client that follows the stream of events."""

import asyncio
import socket

from tests.fakes.events import parsed
from tests.integration.client import PATIENCE_SECONDS, Client


class Page:
    """Opened by `Page.of`. `events`: all that were read so far."""

    def __init__(self, client, answer):
        self.client = client
        self.answer = answer
        self.events = []
        self.ended = ""
        self._rest = b""

    @classmethod
    async def of(cls, port, query="", headers=None, receive_bytes=None):
        client = await Client.to(port) if receive_bytes is None else await _narrow(port, receive_bytes)
        lines = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        client.send(f"GET /api/events{query} HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n".encode())
        return cls(client, await client.head())

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        self.close()

    def close(self):
        self.client.close()

    @property
    def last_id(self):
        return self.events[-1].id

    def of_name(self, name):
        return [event.data for event in self.events if event.name == name]

    async def next(self):
        """The next event. None at the end; `ended` says how it came."""
        while b"\n\n" not in self._rest:
            try:
                piece = await self.client.piece(self.answer)
            except asyncio.IncompleteReadError:
                self.ended = "cut"
                return None
            except ConnectionError:
                self.ended = "reset"
                return None
            if not piece:
                self.ended = "whole"
                return None
            self._rest += piece
        frame, _, self._rest = self._rest.partition(b"\n\n")
        if frame.startswith((b":", b"retry: ")):
            return await self.next()
        self.events.append(parsed(frame + b"\n\n"))
        return self.events[-1]

    async def until(self, name, matches=lambda data: True):
        """The data of the next event of that name that matches."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while event := await self.next():
                if event.name == name and matches(event.data):
                    return event.data
        raise AssertionError(f"the stream ended without {name}")

    async def end(self):
        """Reads to the end; how it came."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await self.next():
                pass
        return self.ended


async def _narrow(port, receive_bytes):
    """A client that takes in little before the server has to wait."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
    return Client(*await asyncio.open_connection(sock=sock, limit=1 << 16))
