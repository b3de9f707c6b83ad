"""Open pages of the admin UI: event streams that are read and thrown away.

python -m tests.bench.tabs PORT COUNT        # prints COUNT when all are open, and runs until it is ended; the first follows requests too
"""

import asyncio
import sys

import uvloop

ALL = "metrics,servers,activity,requests,inflight"
USUAL = "metrics,servers,activity"


async def follow(port: int, topics: str, opened: asyncio.Semaphore) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET /api/events?topics={topics} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(f"no stream: {head[:60]!r}")
        opened.release()
        while await reader.read(65536):
            pass
        raise RuntimeError("a stream ended")
    finally:
        writer.close()


async def run(port: int, count: int) -> None:
    """Until it is cancelled. Raises an ExceptionGroup of RuntimeErrors if a stream cannot be opened, or ends."""
    opened = asyncio.Semaphore(0)
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            group.create_task(follow(port, ALL if number == 0 else USUAL, opened))
        for _ in range(count):
            await opened.acquire()
        print(count, flush=True)


if __name__ == "__main__":
    uvloop.run(run(int(sys.argv[1]), int(sys.argv[2])))
