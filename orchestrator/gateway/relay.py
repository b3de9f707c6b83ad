"""One attempt's answer: held until it may be committed, then copied to the client as it comes.

Before the commit nothing has reached the client and everything may be tried elsewhere. After it whole records go straight on; the last, incomplete
one is held back so that an error record always begins on a clean line.
"""

from collections import deque
from typing import Protocol

from orchestrator.fleet.server import Server
from orchestrator.gateway.run import Run
from orchestrator.protocol import errors, events
from orchestrator.protocol.ending import Ending
from orchestrator.protocol.envelope import Envelope
from orchestrator.protocol.events import End, Event
from orchestrator.protocol.http import LAST_CHUNK, Headers, chunk, header, unchunked
from orchestrator.upstream.wire import Connection, Failure

HELD_ANSWER_BYTES = 8 * 1024 * 1024
HELD_RECORD_BYTES = 256 * 1024
SETTLE_SECONDS = 2.0
TAIL_READS = 4
TAIL_BYTES = 2048
OURS = ("shutting_down", "cancelled")  # kinds of failure that are no server's
# After their end record nothing can follow. (After `message_stop` some servers send one more.)
END_AT_ONCE = ("openai", "ollama")


class Client(Protocol):
    """The client's side of a relay."""

    chunks: bool  # takes chunked encoding (HTTP/1.1)
    paused: bool  # reads too slowly just now

    def write(self, data: bytes) -> None: ...

    def abort(self) -> None:
        """Cut the connection so that nobody takes what was sent for a whole answer."""


class Relay:
    """Receives an answer (upstream.wire.Receiver). `wait` is awaited by the gateway.

    status is 0 until a head came. first: the first telling event of a stream. end: how it ended. moved is set with every read; `sweep` reads and clears it.
    """

    # Most of these are never touched by a plain answer; as class defaults they cost it nothing.
    _connection: Connection | None = None
    _client: Client | None = None
    status = 0
    headers: Headers = []
    framing = ""
    first = Event.NOTHING
    first_payload = b""
    failure: Failure | None = None
    end_of = End.OPEN
    complete = is_ready = is_over = False
    _size = 0
    _held = b""
    _overlong = _framed = _paused = _settled = False
    _fast_end: bytes | None = None
    _idle_at = _ended_at = 0.0
    _ending = Ending("opaque", 1)  # of a plain answer, which says nothing; a stream gets its own
    moved = True

    def __init__(self, envelope: Envelope, server: Server, run: Run, idle_seconds: float, deadline_at: float, answer_deadline_at: float) -> None:
        self._envelope = envelope
        self._route = envelope.route
        self._server = server
        self._run = run
        self.idle_seconds = idle_seconds
        self.deadline_at = deadline_at
        self._answer_deadline_at = answer_deadline_at
        self._parts: list[bytes] = []
        self._out: list[bytes] = []
        self._tail: deque[bytes] = deque(maxlen=TAIL_READS)

    def fresh(self) -> "Relay":
        """The same again, for another connection to the same server."""
        return Relay(self._envelope, self._server, self._run, self.idle_seconds, self.deadline_at, self._answer_deadline_at)

    def attach(self, connection: Connection) -> None:
        self._connection = connection

    # Before the commit

    @property
    def style(self) -> str:
        return self._route.style

    @property
    def held_body(self) -> bytes:
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)

    @property
    def held_bytes(self) -> int:
        return self._size

    def close_answer(self) -> bool:
        """The attempt failed and another may follow: let go of the server. True if there is an answer that could still be passed on."""
        self.drop()
        said = self.first is Event.ERROR or (self.complete and self.failure is None)
        if self.status == 0 or not said:
            return False
        self.complete, self.failure = True, None
        return True

    def head(self, status: int, headers: Headers) -> None:
        self.status, self.headers = status, headers
        if 200 <= status < 300 and header(headers, b"content-encoding") in (None, b"identity"):
            self._frame(events.framing(header(headers, b"content-type") or b""))
        if not self.framing:  # a plain answer has the time of one, even where a stream was asked for
            self.deadline_at = self._answer_deadline_at

    def _frame(self, framing: str) -> None:
        self.framing = framing
        if framing:
            self._ending = Ending(self._route.style, self._envelope.choices)

    def body(self, data: bytes) -> None:
        self.moved = True
        if self._client is not None:
            self._pass_on(data)
            return
        if not self._size and not self.framing and self._envelope.stream and 200 <= self.status < 300:
            self._frame(events.guess(data))  # a stream under another content type
        self._parts.append(data)
        self._size += len(data)
        if self.is_ready:
            return
        if self.framing and self._route.style == "opaque":  # whatever it is, it is not ours to hold back
            self.first = Event.USEFUL
            self._wake_ready()
        elif self.framing:
            self._look_for_first(data)
        elif self._size > HELD_ANSWER_BYTES:
            self._wake_ready()

    def _look_for_first(self, data: bytes) -> None:
        self._held += data
        cut = events.boundary(self._held, self.framing)
        whole, self._held = self._held[:cut], self._held[cut:]
        self._tell(whole)
        # After an error the server's own end is awaited (see `sweep`), so that the answer can be passed on whole.
        if self.first not in (Event.NOTHING, Event.ERROR) or self._size > HELD_RECORD_BYTES:
            self._wake_ready()

    def _tell(self, records: bytes) -> None:
        if records and self.first is Event.NOTHING:
            self.first, self.first_payload = events.first_telling(self._route.style, events.payloads(records, self.framing))

    def end(self) -> None:
        """The server's message is whole."""
        self.complete = True
        self._connection = None
        if self._client is not None:
            self._close(None)
            return
        if not self.is_ready and self.framing and self._held_payloads():
            self._tell(self._held)
        if not self.is_ready and self.framing and self.first is Event.NOTHING:
            self.failure = Failure("reset", "the stream ended before anything was said")
        self._wake_ready()

    def broken(self, failure: Failure) -> None:
        self._connection = None
        self.failure = failure
        if self._client is not None:
            self._close(failure)
        else:
            self._wake_ready()

    def drop(self) -> None:
        """Nobody wants the answer: close the call to the server at once."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abort()

    # The commit

    def commit(self, client: Client, head: bytes, *, framed: bool) -> None:
        """Give the client the head and all that is held; from now on everything goes straight on. framed: as chunks, else as it is."""
        if self.complete and not self.framing:  # the common plain answer, in one write
            body = self.held_body
            self._tail.append(body[-TAIL_BYTES:])
            self.end_of, self.is_over = End.COMPLETE, True
            client.write(head + (chunk(body) + LAST_CHUNK if framed else body))
            return
        self._client, self._framed, self.moved = client, framed, True
        self._held, held = b"", self.held_body
        self._parts.clear()
        self._out.append(head)
        self._pass_on(held)
        if self.complete or self.failure is not None:
            self._close(self.failure)
            return
        if client.paused:
            self.pause()
        self._allow_fast()
        self.flush()

    # After the commit

    def _allow_fast(self) -> None:
        if self._framed and self.framing and self._ending.choices == 1:
            self._fast_end = b"}\n\n\r\n" if self.framing == "sse" else b"}\n\r\n"

    def copy(self, data: bytes) -> bool:
        """One whole chunk of whole records, none of them the last: sent on as it is. 2 µs less than the long way round."""
        end = self._fast_end
        if end is None or self._held or not data.endswith(end):
            return False
        at = data.find(b"\r\n", 1, 10)
        if data[:at] != b"%x" % (len(data) - at - 4) or self._ending.tells(data):
            return False
        self.moved = True
        self._tail.append(data)
        self._client.write(data)  # type: ignore[union-attr]
        return True

    def _pass_on(self, data: bytes) -> None:
        if not self.framing:
            self._emit(data)
            return
        if self._held:
            data = self._held + data
        cut = events.boundary(data, self.framing)
        whole, self._held = data[:cut], data[cut:]
        if whole:
            if self._overlong:
                self._overlong = False
                self._allow_fast()
            if self._ending.tells(whole):
                self._ending.read(events.payloads(whole, self.framing))
            self._emit(whole)
        if len(self._held) > HELD_RECORD_BYTES:  # too long to hold: from here to its end no error record could begin cleanly
            self._emit(self._held)
            self._held, self._overlong, self._fast_end = b"", True, None

    def _emit(self, data: bytes) -> None:
        if not data:
            return
        if self.framing:
            framed = chunk(data)
            self._tail.append(framed)
            self._out.append(framed if self._framed else data)
        else:
            self._tail.append(data[-TAIL_BYTES:])
            self._out.append(chunk(data) if self._framed else data)

    def flush(self) -> None:
        if self._client is None or not self._out:
            return
        data, self._out = b"".join(self._out), []
        self._client.write(data)
        if self._ending.end is End.COMPLETE and self._route.style in END_AT_ONCE:
            self._done_early()

    def _done_early(self) -> None:
        """The last record is there but not the end of the message: the client need not wait for that."""
        connection, self._connection = self._connection, None
        self._close(None)
        if connection is not None:
            if self._paused:
                connection.transport.resume_reading()
            connection.leave()

    def _look_back(self) -> End:
        """How the stream stands; where nothing was noticed while it passed (JSON in an unusual layout), from its last records."""
        if self._ending.end is End.OPEN and self._ending.choices == 1:
            self._ending.read(events.payloads(b"".join(unchunked(piece) for piece in self._tail), self.framing))
        return self._ending.end

    def _held_payloads(self) -> list[bytes]:
        """Those of a last record that only lacks its terminator; none if the record itself is cut."""
        found = events.payloads(self._held, self.framing)
        return found if all(events.is_whole(payload) for payload in found) else []

    def _close(self, failure: Failure | None) -> None:
        """Everything came, or nothing more will: end the client's answer in a way that tells which."""
        client = self._client
        assert client is not None
        if self.framing:
            self._close_stream(failure)
        elif failure is not None:
            self.failure = failure
        else:
            self.end_of = End.COMPLETE
        data, self._out = b"".join(self._out), []
        if self.failure is not None and (not self.framing or self._overlong):
            client.write(data)
            client.abort()
        else:
            client.write(data + LAST_CHUNK if self._framed else data)
        self._wake_over()

    def _close_stream(self, failure: Failure | None) -> None:
        """A stream that said how it ends is whole however its connection ended; any other gets an error record."""
        held = self._held_payloads()
        self._ending.read(held)
        end = self._look_back()
        if self._route.style == "opaque" and failure is None and end is End.OPEN:
            end = End.COMPLETE
        self.end_of, self.failure = end, None
        if end is not End.OPEN and (held or self._route.style == "opaque"):
            terminated = self.framing == "ndjson" or self._route.style == "opaque"
            self._emit(self._held if terminated else self._held.rstrip(b"\r\n") + b"\n\n")
        if end is End.FINISHED:
            self.end_of = End.COMPLETE
            self._emit(events.END_RECORD.get(self._route.style, b""))
        elif end is End.OPEN:
            self.failure = failure or Failure("reset", "the server ended the stream before it was complete")
            if not self._overlong:
                kind, reason = self.failure.kind, self.failure.reason
                code, words = (kind, reason) if kind in OURS else ("upstream_closed", f"upstream error: {reason}")
                self._emit(errors.record(self._route.dialect, self._route.style, self.framing, code, words))
        self._held = b""

    # Time

    def pause(self) -> None:
        """The client reads too slowly: stop reading from the server."""
        self._paused = True
        if self._connection is not None:
            self._connection.transport.pause_reading()

    def resume(self) -> None:
        self._paused = False
        self.moved = True
        if self._connection is not None:
            self._connection.transport.resume_reading()

    def sweep(self, now: float) -> None:
        """Called a few times a second: are deadlines met? Before the commit `deadline_at`, after it the time since the last read."""
        if self.is_over or (self._client is None and self.is_ready):
            return
        if self.moved and self.status:
            self._server.flowed_at = now
        if self._client is None:
            moved, self.moved = self.moved, False
            if self.first is Event.ERROR and not moved:
                self._wake_ready()
            elif now >= self.deadline_at:
                self.drop()
                self.broken(Failure("timeout", "no answer within the deadline" if self.status == 0 else "no first event within the deadline"))
            return
        if self._ending.end is End.OPEN:
            self._ended_at = 0.0  # also where more content took a finish reason back
        elif not self._paused and self._is_settled(now):
            self._done_early()
            return
        if self.moved or self._paused:
            self.moved, self._settled, self._idle_at = False, False, now
            return
        idle = now - self._idle_at
        if idle >= SETTLE_SECONDS and self.framing and not self._settled:
            self._settled = True
            if self._look_back() is not End.OPEN:
                self._done_early()
                return
        if idle >= self.idle_seconds:
            self.drop()
            self.broken(Failure("timeout", f"the server sent nothing for {self.idle_seconds:g} s"))

    def _is_settled(self, now: float) -> bool:
        """The stream has said its end for a while; pings may go on for ever."""
        self._ended_at = self._ended_at or now
        return now - self._ended_at >= SETTLE_SECONDS

    def idle(self, now: float) -> float:
        """Seconds since the server last sent something, as the last sweep saw it; of a committed answer."""
        return 0.0 if self.moved else now - self._idle_at

    def break_off(self, kind: str, reason: str) -> None:
        """End a committed answer with an error for a reason of ours (see OURS)."""
        if self._client is not None and not self.is_over:
            self.drop()
            self.broken(Failure(kind, reason))

    def usage(self) -> tuple[int | None, int | None]:
        """(prompt tokens, completion tokens) as the server told them at the end of its answer."""
        return events.usage(b"".join(self._tail)[-TAIL_BYTES:])

    def _wake_ready(self) -> None:
        self.is_ready = True
        self._wake()

    def _wake_over(self) -> None:
        self.is_over = True
        self._wake()

    def _wake(self) -> None:
        self._run.wake()
