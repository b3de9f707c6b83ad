"""From one who publishes events to all who listen, encoded once. Nobody who is slow holds anything up or makes anything grow."""

import asyncio
import secrets
from collections import Counter, deque
from collections.abc import Callable, Iterable

import msgspec
from msgspec import Struct

from orchestrator.admin.shapes import Hello, Resync
from orchestrator.clock import Clock

TOPICS = {
    "metrics": ("metrics",),
    "servers": ("server", "server_removed", "models", "breaker", "changed"),
    "requests": ("requests",),
    "inflight": ("inflight",),
    "activity": ("event",),
}
TOPIC_OF = {name: topic for topic, names in TOPICS.items() for name in names}
DURABLE = frozenset({"servers", "activity"})  # what is missed of the others is told anew, or can be fetched
KEPT_EVENTS = 1000
KEPT_BYTES = 1 << 20
KEEP_SECONDS = 120.0
MAX_LISTENERS = 100
QUEUE_EVENTS = 1500
QUEUE_BYTES = 2 << 20
COMMENT_SECONDS = 15.0
COMMENT = b": still here\n\n"


class Listener:
    """What one client has yet to be sent. The bytes are shared with all others."""

    __slots__ = ("_bytes", "_frames", "_ready", "ended", "topics")

    def __init__(self, topics: frozenset[str]) -> None:
        self.topics = topics
        self.ended = False
        self._frames: deque[bytes] = deque()
        self._bytes = 0
        self._ready = asyncio.Event()

    def put(self, frame: bytes) -> bool:
        """False if the client is too far behind: everything for it has been dropped, this too."""
        full = len(self._frames) >= QUEUE_EVENTS or self._bytes + len(frame) > QUEUE_BYTES
        if full:
            self._frames.clear()
            self._bytes = 0
        else:
            self._frames.append(frame)
            self._bytes += len(frame)
        self._ready.set()
        return not full

    def end(self) -> None:
        self.ended = True
        self._ready.set()

    async def next(self) -> bytes | None:
        """The next bytes to send, as soon as there are some. None at the end."""
        while not self._frames and not self.ended:
            self._ready.clear()
            await self._ready.wait()
        if self.ended:
            return None
        frame = self._frames.popleft()
        self._bytes -= len(frame)
        return frame


class Kept(Struct):
    """A frame that can be sent again. number: of its id."""

    number: int
    topic: str
    frame: bytes


class Hub:
    """Numbers events and hands them to the listeners of their topic; keeps the last durable ones for clients that come back.

    boot: tells one run of the program from another. build: tells one build of it from another, for hello.
    While nobody listens, nor did within the last two minutes, nothing is built or kept.
    """

    def __init__(self, clock: Clock) -> None:
        self.boot = secrets.token_hex(4)
        self.listeners: set[Listener] = set()
        self.closed = False
        self._clock = clock
        self.build: Callable[[], str] = str
        self._encoder = msgspec.json.Encoder()
        self._number = 0
        self._kept: deque[Kept] = deque()
        self._kept_bytes = 0
        self._forgotten = 0  # number of the newest durable event that is not kept any more
        self._heard: Counter[str] = Counter()
        self._left_at = float("-inf")
        self._commented_at = 0.0

    def wants(self, topic: str) -> bool:
        """Does anybody listen to it?"""
        return self._heard[topic] > 0

    def publish(self, name: str, build: Callable[[], Struct]) -> None:
        """name: of TOPICS. build: makes the payload; called only if somebody is to get it."""
        topic = TOPIC_OF[name]
        durable = topic in DURABLE
        if not self.wants(topic):
            if not durable:
                return
            if not self.listeners and self._clock.now() - self._left_at > KEEP_SECONDS:
                self._forget()
                return
        self._number += 1
        frame = self._frame(name, build(), self._number)
        if durable:
            self._keep(Kept(self._number, topic, frame))
        for listener in self.listeners:
            if topic in listener.topics:
                self._put(listener, frame)

    def join(self, topics: Iterable[str], last_id: str) -> Listener:
        """A listener that gets hello first, then what it missed since last_id, if that is all still known. To be given to `leave`."""
        listener = Listener(frozenset(topics))
        missed_since = self._resumable(last_id)
        hello = Hello(self.build(), self._clock.unix(), missed_since is not None)
        # The id stays where the client was until it has got what it missed: it may be cut off before.
        listener.put(self._frame("hello", hello, self._number if missed_since is None else missed_since))
        if missed_since is not None:
            for kept in self._kept:
                if kept.number > missed_since and kept.topic in listener.topics:
                    self._put(listener, kept.frame)
        self.listeners.add(listener)
        self._heard.update(listener.topics)
        return listener

    def leave(self, listener: Listener) -> None:
        listener.end()
        if listener in self.listeners:
            self.listeners.discard(listener)
            self._heard.subtract(listener.topics)
            self._left_at = self._clock.now()

    def tick(self, now: float) -> None:
        """A comment now and then, so that no proxy takes a quiet stream for a dead one."""
        if now - self._commented_at >= COMMENT_SECONDS:
            self._commented_at = now
            for listener in self.listeners:
                self._put(listener, COMMENT)

    def close(self) -> None:
        """All streams end, and no other begins."""
        self.closed = True
        for listener in self.listeners:
            listener.end()

    def _resumable(self, last_id: str) -> int | None:
        """The number of the last event that the client has, if nothing after it is forgotten."""
        boot, _, number = last_id.partition("-")
        if boot != self.boot or not (number.isascii() and number.isdecimal()) or len(number) > 18:
            return None
        return int(number) if self._forgotten <= int(number) <= self._number else None

    def _keep(self, kept: Kept) -> None:
        self._kept.append(kept)
        self._kept_bytes += len(kept.frame)
        while len(self._kept) > KEPT_EVENTS or self._kept_bytes > KEPT_BYTES:
            oldest = self._kept.popleft()
            self._kept_bytes -= len(oldest.frame)
            self._forgotten = oldest.number

    def _forget(self) -> None:
        """Something happened that nobody was told of."""
        self._number += 1
        self._forgotten = self._number
        self._kept.clear()
        self._kept_bytes = 0

    def _put(self, listener: Listener, frame: bytes) -> None:
        if not listener.put(frame):
            listener.put(self._frame("resync", Resync(), self._number))

    def _frame(self, name: str, payload: Struct, number: int) -> bytes:
        return b"id: %s-%d\nevent: %s\ndata: %b\n\n" % (self.boot.encode(), number, name.encode(), self._encoder.encode(payload))
