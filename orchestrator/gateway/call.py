"""One inference request of a client, from its last body byte to the end of its answer."""

import asyncio
from typing import Protocol

from orchestrator.errors import Refusal
from orchestrator.fleet.outcome import Outcome
from orchestrator.gateway import relay
from orchestrator.gateway.flight import Flight
from orchestrator.gateway.relay import Relay
from orchestrator.gateway.run import Run
from orchestrator.protocol.envelope import Route
from orchestrator.protocol.http import RequestHeaders
from orchestrator.telemetry.record import AttemptRecord, RequestRecord

CANCELLED = "cancelled"


class Client(relay.Client, Protocol):
    """The connection that the answer goes to. address: where it comes from, "" if that is not known."""

    address: str

    def answered(self) -> None:
        """The answer has ended; the next request of the connection may begin."""


class Call:
    """path: with its query, as it goes upstream. extra: ready header lines for every answer (request id, CORS). relay: the one
    that is being copied, for flow control. committed: bytes of an answer have gone out, so no other can follow.
    gone: the client has left. refusal: why it is ended before its time. attempts, server: how many servers were asked, and which was the last.
    flight: the attempt that is under way. record: what becomes known of it on the way.
    """

    __slots__ = (
        "attempts",
        "body",
        "client",
        "committed",
        "extra",
        "flight",
        "gone",
        "headers",
        "loop",
        "keep_alive",
        "path",
        "record",
        "refusal",
        "relay",
        "request_id",
        "route",
        "run",
        "server",
        "started_at",
    )

    def __init__(
        self,
        client: Client,
        route: Route,
        path: bytes,
        headers: RequestHeaders,
        body: bytes,
        *,
        request_id: str,
        extra: bytes,
        keep_alive: bool,
        started_at: float,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.loop = loop
        self.client = client
        self.route = route
        self.path = path
        self.headers = headers
        self.body = body
        self.request_id = request_id
        self.extra = extra
        self.keep_alive = keep_alive
        self.started_at = started_at
        self.relay: Relay | None = None
        self.flight: Flight | None = None
        self.refusal: Refusal | None = None
        self.record: RequestRecord
        self.committed = self.gone = False
        self.run = Run()
        self.attempts = 0
        self.server = ""

    def asks(self, flight: Flight) -> None:
        """The attempt on the flight's server begins."""
        self.flight = flight
        self.server = flight.server.id
        self.attempts += 1

    def failed(self, flight: Flight, outcome: str, reason: str, now: float) -> None:
        """The attempt has failed; whether another follows is open."""
        self.flight = None
        began, ended = round(flight.started_at - self.started_at, 4), round(now - self.started_at, 4)
        self.record.attempts = [*self.record.attempts, AttemptRecord(flight.server.id, outcome, reason, ended, began)]

    def note(self, flight: Flight) -> None:
        """Note in the record when this server, with which the call ends, had a slot and was sent the request."""
        record, started_at = self.record, self.started_at
        record.server = flight.server.id
        record.queued_seconds = round(flight.started_at - started_at, 6)
        if flight.asked_at:
            record.connected_seconds = round(flight.asked_at - started_at, 6)

    def end(self, refusal: Refusal) -> None:
        """End it before its time: with an error in its stream where it is being answered, else with this refusal."""
        if self.refusal is not None or self.gone:
            return
        self.refusal = refusal
        if self.relay is not None:
            self.relay.break_off(refusal.code, refusal.message)
        else:
            self.cancel()

    @property
    def ended_by(self) -> Outcome:
        """How the attempt ends that is under way when the call ends before its time: whichever came first."""
        return Outcome.CLIENT_GONE if self.gone and self.refusal is None else Outcome.CANCELLED

    def leave(self) -> None:
        """The client has gone. If its answer had ended just before, that end counts (it may be the very reason)."""
        self.gone = True
        if self.relay is None or not self.relay.is_over:
            self.cancel()

    def cancel(self) -> None:
        """End the call wherever it waits."""
        self.run.cancel()
