"""A TCP forwarder that understands nothing: the least a proxy written in Python can cost. Stands in where nginx is not installed.

python -m tests.bench.copyloop UPSTREAM_PORT        # prints its own port
"""

import asyncio
import sys
from typing import cast

import uvloop


class End(asyncio.Protocol):
    """One of two ends; what it receives the other one sends."""

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self.other: End | None = None
        self.waiting: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        if self.port:
            self.dialling = asyncio.get_running_loop().create_task(self._dial())

    async def _dial(self) -> None:
        _, self.other = await asyncio.get_running_loop().create_connection(End, "127.0.0.1", self.port)
        self.other.other = self
        self.other.transport.writelines(self.waiting)

    def data_received(self, data: bytes) -> None:
        if self.other is None:
            self.waiting.append(data)
        else:
            self.other.transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.other is not None:
            self.other.transport.close()


async def main(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: End(port), "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
