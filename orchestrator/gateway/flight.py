"""One attempt on one server: the only place where in-flight counts and breakers change on account of requests."""

from orchestrator.fleet.breaker import Breaker, State, Transition
from orchestrator.fleet.models import Host
from orchestrator.fleet.outcome import Outcome
from orchestrator.fleet.server import Server
from orchestrator.protocol.envelope import Envelope


class Flight:
    """Counts from its making to `finish`, which takes effect once however often it is called.

    A failure is not struck here but by `strike` or `forgive`, once it is known whether a second server fails in the same words.
    asked_at: when the request was sent, 0.0 before.
    """

    __slots__ = ("_open", "_trials", "_weight", "asked_at", "host", "key", "server", "started_at")

    def __init__(self, host: Host, key: str, now: float, *, light: bool = False) -> None:
        server = self.server = host.server
        self.host = host
        self.key = key
        self.started_at = now
        self.asked_at = 0.0
        self._open = True
        self._trials: list[Breaker] | None = None  # of which breakers it is the trial
        self._weight = 0 if light else 1  # what costs next to nothing takes no slot
        server.in_flight += self._weight
        if server.breakers or server.breaker.state is not State.CLOSED:
            self._try(now)

    def finish(self, outcome: Outcome, now: float) -> Transition | None:
        """The slot is free. A success closes breakers; what says nothing about the server only ends a trial."""
        if not self._open:
            return None
        self._open = False
        server = self.server
        server.in_flight -= self._weight
        server.outcomes[outcome.label] += 1
        if outcome is not Outcome.OK:
            if outcome.strikes == "none":
                self.forgive()
            return None
        server.flowed_at = now
        own = server.breaker
        return self._succeed(now) if server.breakers or own.failures or own.failed or own.state is not State.CLOSED else None

    def drop(self) -> None:
        """The slot is free: nothing was sent, and nothing is counted."""
        if self._open:
            self._open = False
            self.server.in_flight -= self._weight
            self.forgive()

    def strike(self, outcome: Outcome, reason: str, now: float, retry_after_seconds: float | None = None) -> Transition | None:
        """The failure is the server's doing."""
        transition = self.server.strike(outcome, self.key, reason, now, retry_after_seconds)
        self.forgive()
        return transition

    def forgive(self) -> None:
        """The failure (if it was one) is not the server's doing: a trial that it was ends without a verdict."""
        trials, self._trials = self._trials, None
        for breaker in trials or ():
            breaker.release()

    def learn_residency(self, envelope: Envelope) -> None:
        """What was just answered from is in memory, before the next `/api/ps` says so."""
        server = self.server
        if not server.learned.supports_ollama or envelope.route.light:
            return
        if envelope.intent == "unload":
            server.unloaded(self.key)
        else:
            server.answered_from(self.key)

    def _try(self, now: float) -> None:
        for breaker in self._breakers():
            if breaker.state is not State.CLOSED and not breaker.trial:
                breaker.start(now)
                if breaker.trial:
                    self._trials = [*(self._trials or ()), breaker]

    def _succeed(self, now: float) -> Transition | None:
        transition = None
        for breaker in self._breakers():
            if breaker.failures or breaker.failed or breaker.state is not State.CLOSED:
                transition = breaker.succeed(now) or transition
        return transition

    def _breakers(self) -> tuple[Breaker, ...]:
        server: Server = self.server
        own = server.breakers.get(self.key)
        return (server.breaker, own) if own is not None else (server.breaker,)
