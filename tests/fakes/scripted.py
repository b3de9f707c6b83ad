"""An upstream server that does exactly what a test tells it, byte by byte, over a real socket.

    async with ScriptedServer(models=["m:latest"]) as server:                # healthy for a prober: tags, version, ps, v1 models
        server.on("/api/chat", [reset], ollama_chat(["Hi", "!"]))            # the first request is reset, every later one answered
        ...                                                                  # send requests to server.url
        assert server.requests("/api/chat")[0].header("host") == f"127.0.0.1:{server.port}"

A script is a list of steps: bytes are sent, an asyncio.Event is waited for, a function is called with the Exchange. Builders of bytes are in
tests.fakes.wire. When the last step is done the connection waits for its next request, unless a step closed it.
"""

import asyncio
import contextlib
import socket
import struct
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Self, cast

from tests.fakes import wire

Step = bytes | asyncio.Event | Callable[["Exchange"], Awaitable[None]]
Script = Sequence[Step]
PATIENCE_SECONDS = 10.0


@dataclass(eq=False)
class Seen:
    """One request as it arrived. Header names are lower case; repeated headers stay repeated. `*_at` is the time of the event loop."""

    connection: int
    method: str
    path: str
    headers: list[tuple[str, str]]
    arrived_at: float
    body: bytes = b""
    sent_bytes: int = 0
    answered: bool = False
    """The script came to its end."""
    client_left: bool = False
    """The client closed or reset the connection before the script came to its end."""
    left_at: float = 0.0
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the client leaves, also after a whole answer."""
    got_body: asyncio.Event = field(default_factory=asyncio.Event)

    def header(self, name: str) -> str | None:
        """The first header of that lower-case name."""
        return next((value for key, value in self.headers if key == name), None)

    async def until_left(self) -> None:
        """Returns when the client has gone; fails the test after 10 s."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.left.wait()


class Exchange:
    """A request in hand and the connection it came by: what a step may use."""

    def __init__(self, peer: "_Peer", seen: Seen) -> None:
        self.peer = peer
        self.seen = seen

    async def send(self, data: bytes) -> None:
        """Write and wait until the kernel has room again. Raises ConnectionResetError if the client has gone."""
        await self.peer.send(data)
        self.seen.sent_bytes += len(data)

    def close(self, *, abort: bool = False) -> None:
        """End the connection: cleanly (FIN), or with a reset (RST)."""
        transport = self.peer.transport
        if abort:
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        else:
            transport.close()


# ---- steps


async def reset(exchange: Exchange) -> None:
    """The connection is reset."""
    exchange.close(abort=True)


async def close(exchange: Exchange) -> None:
    """The connection is closed after what was written."""
    exchange.close()


async def hang(exchange: Exchange) -> None:
    """Nothing more is sent; ends when the client leaves. Before any byte it is a server that hangs, in a stream one that stalls."""
    await exchange.seen.left.wait()
    raise ConnectionResetError


def pause(seconds: float) -> Step:
    """Time passes: for pacing. Prefer an asyncio.Event where the test can say when to go on."""

    async def step(_: Exchange) -> None:
        await asyncio.sleep(seconds)

    return step


class Gate:
    """A step that holds every request until so many have come."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._open = asyncio.Event()

    async def __call__(self, _: Exchange) -> None:
        self._count -= 1
        if self._count == 0:
            self._open.set()
        await self._open.wait()


class Peak:
    """How many requests are between these two steps at once, and how many were at most."""

    def __init__(self) -> None:
        self.count = self.most = 0

    async def enter(self, _: Exchange) -> None:
        self.count += 1
        self.most = max(self.most, self.count)

    async def leave(self, _: Exchange) -> None:
        self.count -= 1


def repeat(piece: bytes, times: int) -> Step:
    """The same bytes many times, obeying flow control: for clients that do not read. seen.sent_bytes tells how far it came."""

    async def step(exchange: Exchange) -> None:
        for _ in range(times):
            await exchange.send(piece)

    return step


def early(script: Script) -> Script:
    """The script is played as soon as the head has arrived, before the body is read; then the connection closes."""
    return [_EARLY, *script, close]


async def _EARLY(_: Exchange) -> None:
    """Marks a script that does not wait for the body."""


# ---- scripts made of others


def cut(script: Script, after_bytes: int, *ending: Step) -> Script:
    """The first bytes of a script of bytes, then the ending (a reset if none is given)."""
    data = _joined(script)
    return [data[:after_bytes], *(ending or (reset,))]


def bytewise(script: Script) -> Script:
    """A script of bytes, each byte in a write of its own."""
    return [bytes([byte]) for byte in _joined(script)]


def paced(script: Script, seconds: float) -> Script:
    """A pause before each piece but the head."""
    return [part for i, step in enumerate(script) for part in ((pause(seconds), step) if i else (step,))]


def close_delimited(bodies: Iterable[bytes], content_type: str = wire.NDJSON) -> Script:
    """An answer without length whose end is the end of the connection."""
    return [wire.head(200, content_type, {"Connection": "close"}), *bodies, close]


def _joined(script: Script) -> bytes:
    parts = [step for step in script if isinstance(step, bytes)]
    if len(parts) != len(script):
        raise TypeError("only a script of nothing but bytes can be cut")
    return b"".join(parts)


# ---- the server


class ScriptedServer:
    """Listens on a free loopback port inside `async with`; what it saw stays readable after.

    speaks: which families its probe answers speak; models: what it lists; key: a bearer key without which every request gets 401.
    """

    def __init__(self, speaks: Literal["ollama", "openai", "both", "nothing"] = "both", models: Sequence[str] = ("m:latest",), *, key: str = "") -> None:
        self.seen: list[Seen] = []
        self.accepted = 0
        self.key = key
        self.port = 0
        self._scripts: dict[str, deque[Script]] = defaultdict(deque)
        self._peers: set[_Peer] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server | None = None
        self._arrived = asyncio.Event()
        if speaks in ("ollama", "both"):
            self._speak_ollama(models)
        if speaks in ("openai", "both"):
            self.on("/v1/models", wire.v1_models(models))

    def _speak_ollama(self, models: Sequence[str]) -> None:
        self.on("/", wire.plain(b"Ollama is running", content_type="text/plain; charset=utf-8"))
        self.on("/api/version", wire.answer({"version": "0.33.0"}))
        self.on("/api/tags", wire.tags(models))
        self.on("/api/ps", wire.loaded([]))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def open_connections(self) -> int:
        return len(self._peers)

    def on(self, path: str, *scripts: Script) -> Self:
        """Play these scripts for requests of that path (`*` for all others), in order; the last one for every later request too. Replaces earlier ones."""
        self._scripts[path] = deque(scripts)
        return self

    def requests(self, path: str | None = None) -> list[Seen]:
        """What arrived so far, oldest first; without the probes' GETs if no path is given."""
        return [seen for seen in self.seen if (seen.path.partition("?")[0] == path if path else seen.method == "POST")]

    async def request(self, path: str, number: int = 1) -> Seen:
        """Waits for the n-th request of that path, counted from 1; fails the test after 10 s."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(found := self.requests(path)) < number:
                self._arrived.clear()
                await self._arrived.wait()
        return found[number - 1]

    async def __aenter__(self) -> Self:
        await self.up()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.down()

    async def up(self) -> None:
        """Listen, on the same port as before if there was one."""
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(lambda: _Peer(self), "127.0.0.1", self.port, reuse_address=True)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def down(self) -> None:
        """Refuse new connections and drop the open ones, as the kernel does for a killed process."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for peer in list(self._peers):
            peer.current = None
            peer.transport.abort()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _arrive(self, seen: Seen) -> Script:
        self.seen.append(seen)
        self._arrived.set()
        if self.key and seen.header("authorization") != f"Bearer {self.key}":
            return wire.openai_error(401, "Incorrect API key provided.", code="invalid_api_key", kind="invalid_request_error")
        scripts = self._scripts.get(seen.path.partition("?")[0]) or self._scripts.get("*")
        if not scripts:
            return wire.plain(b"404 page not found", 404, "text/plain")
        return scripts.popleft() if len(scripts) > 1 else scripts[0]


class _Peer(asyncio.Protocol):
    """One connection: a task reads requests and plays scripts; the callbacks notice at any time that the client has gone."""

    def __init__(self, server: ScriptedServer) -> None:
        self.server = server
        self.reader = asyncio.StreamReader(limit=1 << 24)
        self.writable = asyncio.Event()
        self.writable.set()
        self.gone = False
        self.current: Seen | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.server.accepted += 1
        self.number = self.server.accepted
        self.server._peers.add(self)
        task = asyncio.get_running_loop().create_task(self._run())
        self.server._tasks.add(task)
        task.add_done_callback(self.server._tasks.discard)

    def data_received(self, data: bytes) -> None:
        self.reader.feed_data(data)

    def eof_received(self) -> bool:
        self._leave()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()
        self.server._peers.discard(self)

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    async def send(self, data: bytes) -> None:
        await asyncio.sleep(0)  # before and not after: when the client has the last byte the script counts as played
        if self.gone or self.transport.is_closing():
            raise ConnectionResetError
        self.transport.write(data)
        await self.writable.wait()

    def _leave(self) -> None:
        if self.gone:
            return
        self.gone = True
        self.writable.set()
        if not self.reader.at_eof():
            self.reader.feed_eof()
        if self.current is not None:
            self.current.left_at = asyncio.get_running_loop().time()
            self.current.client_left = not self.current.answered
            self.current.left.set()

    async def _run(self) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while not self.transport.is_closing():
                await self._exchange()
        self.transport.close()

    async def _exchange(self) -> None:
        seen = self.current = await self._head()
        script = self.server._arrive(seen)
        if not (script and script[0] is _EARLY):
            seen.body = await self._body(seen)
            seen.got_body.set()
        exchange = Exchange(self, seen)
        for step in script:
            await self._play(step, exchange)
        seen.answered = True

    async def _play(self, step: Step, exchange: Exchange) -> None:
        if isinstance(step, bytes):
            await exchange.send(step)
        elif isinstance(step, asyncio.Event):
            await step.wait()
        else:
            await step(exchange)

    async def _head(self) -> Seen:
        raw = await self.reader.readuntil(b"\r\n\r\n")
        first, *lines = raw[:-4].decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ")
        headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        return Seen(self.number, method, path, headers, asyncio.get_running_loop().time())

    async def _body(self, seen: Seen) -> bytes:
        if seen.header("transfer-encoding") != "chunked":
            return await self.reader.readexactly(int(seen.header("content-length") or 0))
        body = bytearray()
        while size := int((await self.reader.readline()).partition(b";")[0], 16):
            body += await self.reader.readexactly(size)
            await self.reader.readexactly(2)
        while await self.reader.readline() != b"\r\n":
            pass
        return bytes(body)


# ---- addresses where nobody answers


@contextlib.contextmanager
def refusing() -> Iterator[str]:
    """The URL of a port that refuses connections as long as the block lasts."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


@contextlib.contextmanager
def unanswering() -> Iterator[str]:
    """The URL of a port where connecting neither succeeds nor fails: the listener's queue is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
