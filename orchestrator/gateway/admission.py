"""Who goes where, and who waits until there is room."""

import asyncio
from collections.abc import Sequence

from orchestrator.clock import Clock
from orchestrator.errors import Refusal
from orchestrator.fleet.fleet import Fleet
from orchestrator.fleet.models import Host
from orchestrator.gateway.flight import Flight
from orchestrator.routing.candidates import Wanted, able
from orchestrator.routing.queue import WaitingRoom
from orchestrator.routing.router import Router

BUSY = "server busy, please try again.  maximum pending requests exceeded"  # Ollama's own words, which its clients know
RETRY_AFTER_SECONDS = 5.0


class Ticket:
    """A request that waits. The flight is made by whoever frees the slot, so that nobody can take it in between."""

    __slots__ = ("future", "wanted")

    def __init__(self, wanted: Wanted, future: "asyncio.Future[Flight]") -> None:
        self.wanted = wanted
        self.future = future


class Admission:
    """Routes at once if there is room, else keeps the request in the waiting room of its model."""

    __slots__ = ("_clock", "_room", "_router", "queue_timeout_seconds")

    def __init__(self, router: Router, clock: Clock, queue_size: int, queue_timeout_seconds: float) -> None:
        self._router = router
        self._clock = clock
        self._room: WaitingRoom[Ticket] = WaitingRoom(queue_size)
        self.queue_timeout_seconds = queue_timeout_seconds

    def waiting(self, model: str) -> int:
        return self._room.waiting(model)

    def take(self, wanted: Wanted, now: float) -> Flight | None:
        """A flight at once, or None if the request has to wait. Raises Refusal if there is nobody to wait for."""
        key = wanted.model.key
        if self._room and not wanted.light and self._room.waiting(key):  # nobody overtakes those who wait for the same model
            return None
        host = self._router.pick(wanted, now)
        return Flight(host, key, now, light=wanted.light) if host is not None else None

    def preview(self, wanted: Wanted, now: float) -> tuple[Sequence[Host], bool]:
        """(hosts of which a request would get one at once, False), or (those that it would wait for, True).

        Changes nothing. Raises Refusal as the request would.
        """
        hosts = self._router.preview(wanted, now)
        waiting = 0 if wanted.light else self._room.waiting(wanted.model.key)
        if (waiting or hosts is None) and waiting >= self._room.limit:  # it would have to join the line
            raise _queue_full()
        return (able(wanted, now), True) if hosts is None else (hosts, False)

    async def wait(self, wanted: Wanted, deadline_at: float) -> Flight:
        """A flight as soon as there is room. Raises Refusal when the line is full, the wait too long, or nobody is left to wait for."""
        key = wanted.model.key
        ticket = Ticket(wanted, asyncio.get_running_loop().create_future())
        if not self._room.join(key, ticket):
            raise _queue_full()
        self.pump()
        try:
            async with asyncio.timeout(max(0.0, min(self.queue_timeout_seconds, deadline_at - self._clock.now()))):
                return await ticket.future
        except TimeoutError:
            self._undo(ticket)
            raise Refusal(503, "queue_timeout", BUSY, retry_after_seconds=RETRY_AFTER_SECONDS) from None
        except asyncio.CancelledError:
            self._undo(ticket)
            raise
        finally:
            self._room.leave(key, ticket)

    def refresh(self, fleet: Fleet) -> None:
        """Who waits may also go to servers that came meanwhile."""
        for _, ticket in self._room.all() if self._room else ():
            wanted = ticket.wanted
            found = fleet.find(wanted.family, wanted.asked) if wanted.family is not None else None
            if found is not None:
                wanted.hosts = found[1]
        self.pump()

    def pump(self) -> None:
        """Something changed (a slot is free, a server came or went): let in whom there is room for."""
        if not self._room:
            return
        now = self._clock.now()
        for key, ticket in self._room.all():
            if ticket.future.done():
                self._room.leave(key, ticket)
                continue
            try:
                host = self._router.pick(ticket.wanted, now)
            except Refusal as refusal:
                self._room.leave(key, ticket)
                ticket.future.set_exception(refusal)
                continue
            if host is not None:
                self._room.leave(key, ticket)
                ticket.future.set_result(Flight(host, key, now))

    def _undo(self, ticket: Ticket) -> None:
        """The slot that was given in the very moment the client left goes to the next."""
        future = ticket.future
        if future.done() and not future.cancelled() and future.exception() is None:
            future.result().drop()
            self.pump()


def _queue_full() -> Refusal:
    return Refusal(503, "queue_full", BUSY, retry_after_seconds=RETRY_AFTER_SECONDS)
