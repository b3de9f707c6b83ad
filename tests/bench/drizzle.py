"""Chats at an even rate, over keep-alive connections; one in fifty asks for a model that nobody has. Runs until it is ended.

python -m tests.bench.drizzle PORT REQUESTS_PER_SECOND MODELS
"""

import asyncio
import json
import sys
from itertools import count

import uvloop

from tests.bench.crowd import END, name_of

CONNECTIONS = 200
WRONG_EVERY = 50


def request(model: str) -> bytes:
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "Hello"}], "stream": True}).encode()
    return b"POST /api/chat HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: bytes) -> None:
    """Sends it and reads the whole answer, whatever it is."""
    writer.write(asked)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if b"transfer-encoding: chunked" in head:
        await reader.readuntil(b"\r\n" + END)
    else:
        await reader.readexactly(int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0]))


async def connection(port: int, number: int, pause: float, models: int, numbers: "count[int]") -> None:
    """One request after each pause, or as fast as they are answered if that takes longer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    loop = asyncio.get_running_loop()
    due = loop.time() + pause * number / CONNECTIONS
    while True:
        await asyncio.sleep(max(0.0, due - loop.time()))
        due = max(due + pause, loop.time())
        wanted = next(numbers)
        await ask(reader, writer, request("nobody-has-this" if wanted % WRONG_EVERY == 0 else name_of(wanted % models)))


async def run(port: int, rate: float, models: int) -> None:
    numbers = count(1)
    async with asyncio.TaskGroup() as group:
        for number in range(CONNECTIONS):
            group.create_task(connection(port, number, CONNECTIONS / rate, models, numbers))


if __name__ == "__main__":
    uvloop.run(run(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])))
