"""Many servers with many models, at the price of one process: all list the same and answer a chat in the same few tokens. Prints their ports as JSON.

python -m tests.bench.crowd SERVERS MODELS
"""

import asyncio
import json
import sys

import uvloop

from tests.bench.mock import Mock

TOKENS = 20
FIRST_TOKEN_SECONDS = 0.05
LAST_TOKEN_SECONDS = 0.1
STAMP = "2026-01-02T03:04:05.123456789Z"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
Answers = dict[bytes, bytes]


def name_of(number: int) -> str:
    return f"family-{number % 20}/model-{number:03d}:8b-instruct-q4_K_M"


def _plain(value: object) -> bytes:
    body = json.dumps(value).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def _entry(number: int) -> dict[str, object]:
    details = {"format": "gguf", "family": "llama", "families": ["llama"], "parameter_size": "8.0B", "quantization_level": "Q4_K_M"}
    name = name_of(number)
    return {"name": name, "model": name, "modified_at": STAMP, "size": 4_700_000_000 + number, "digest": f"{number:064x}", "details": details}


def probes(models: int) -> Answers:
    """What each server answers to probes, by the path."""
    entries = [_entry(number) for number in range(models)]
    loaded = [{**entry, "size_vram": entry["size"], "expires_at": "2099-01-01T00:00:00Z", "context_length": 8192} for entry in entries[:4]]
    data = [{"id": entry["name"], "object": "model", "created": 1767323045, "owned_by": "library"} for entry in entries]
    return {
        b"/api/version": _plain({"version": "0.33.0"}),
        b"/api/tags": _plain({"models": entries}),
        b"/api/ps": _plain({"models": loaded}),
        b"/v1/models": _plain({"object": "list", "data": data}),
    }


def _record(text: str, **more: object) -> bytes:
    line = json.dumps({"model": name_of(0), "created_at": STAMP, "message": {"role": "assistant", "content": text}, "done": False, **more}).encode() + b"\n"
    return b"%x\r\n%s\r\n" % (len(line), line)


FIRST = HEAD + _record("Hello")
REST = b"".join([*(_record(" again") for _ in range(TOKENS - 1)), _record("", done=True, done_reason="stop", prompt_eval_count=40, eval_count=TOKENS)])
END = b"0\r\n\r\n"


class Member(Mock):
    """One connection to one of them. Every POST is taken for a streamed chat."""

    def __init__(self, loop: asyncio.AbstractEventLoop, answers: Answers) -> None:
        super().__init__(loop)
        self.answers = answers

    def _reply(self, path: bytes, body: bytes) -> None:
        if body:
            self.timer = self.loop.call_later(FIRST_TOKEN_SECONDS, self._begin)
        else:
            self.transport.write(self.answers.get(path, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"))

    def _begin(self) -> None:
        self.transport.write(FIRST)
        self.timer = self.loop.call_later(LAST_TOKEN_SECONDS, self.transport.write, REST + END)


async def main(servers: int, models: int) -> None:
    loop = asyncio.get_running_loop()
    answers = probes(models)
    serving = [await loop.create_server(lambda: Member(loop, answers), "127.0.0.1", 0) for _ in range(servers)]
    print(json.dumps([server.sockets[0].getsockname()[1] for server in serving]), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2])))
