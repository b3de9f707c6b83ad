"""The failed attempts of one request, and whose doing they were."""

from msgspec import Struct

from orchestrator.fleet.breaker import Transition
from orchestrator.fleet.outcome import Outcome
from orchestrator.gateway.flight import Flight
from orchestrator.gateway.judge import Judgement
from orchestrator.gateway.relay import Relay


class Attempt(Struct):
    """One try on one server. relay holds the answer, if there was one."""

    flight: Flight
    relay: Relay
    judgement: Judgement

    @property
    def outcome(self) -> Outcome:
        return self.judgement.outcome


class Attempts:
    """Strikes wait for the end: a failure that a second server repeats in the same words is the request's doing, and neither is struck.

    answer: the last attempt whose answer may be passed on when nobody is left (never a 401 or 403: those concern our own credentials).
    """

    __slots__ = ("_common", "_pending", "_reached", "again", "answer", "last", "repeated", "repeating", "transitions")

    def __init__(self) -> None:
        self.again = False  # the only server was asked a second time
        self.repeated = False
        self.repeating = False  # counts in the retry budget, until the commit
        self.answer: Attempt | None = None
        self.last: Attempt | None = None
        self._pending: list[Attempt] = []
        self._common: set[bytes] = set()  # what more than one server said
        self._reached: set[str] = set()
        self.transitions: list[tuple[Flight, Transition]] = []

    def failed(self, attempt: Attempt, now: float) -> None:
        """Take in a failure; its flight is finished."""
        self.last = attempt
        if attempt.relay.close_answer() and attempt.outcome is not Outcome.AUTH:
            self.answer = attempt
        judgement, server = attempt.judgement, attempt.flight.server
        if attempt.outcome is not Outcome.CONNECT_ERROR:
            self._reached.add(server.id)
        if attempt.outcome.strikes == "none":
            return
        if judgement.retry_after_seconds is not None or not judgement.text:
            self._strike(attempt, now)  # nothing that another server could say would change it
            return
        same = next((before for before in self._pending if before.judgement.text == judgement.text), None)
        if same is None and judgement.text not in self._common:
            self._pending.append(attempt)
            return
        attempt.flight.forgive()
        if same is not None and same.flight.server is not server:  # else the only server said it twice: one failure, not two
            same.flight.forgive()
            self._pending.remove(same)
            self._common.add(judgement.text)
            self.repeated = judgement.final

    @property
    def alone(self) -> bool:
        """No second server could be reached."""
        return len(self._reached) < 2

    def settle(self, now: float) -> None:
        """No further attempt fails: what is pending was the server's doing."""
        pending, self._pending = self._pending, []
        for attempt in pending:
            self._strike(attempt, now)

    def _strike(self, attempt: Attempt, now: float) -> None:
        judgement = attempt.judgement
        transition = attempt.flight.strike(judgement.outcome, judgement.reason, now, judgement.retry_after_seconds)
        if transition is not None:
            self.transitions.append((attempt.flight, transition))
