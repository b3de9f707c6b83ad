"""One server as it is now: what the registry says of it, what probes found, and what passes through it."""

from collections import Counter
from datetime import datetime

from orchestrator.fleet.breaker import Breaker, BreakerRules, State, Transition
from orchestrator.fleet.names import fold
from orchestrator.fleet.outcome import Outcome
from orchestrator.fleet.specs import Learned, LoadedModel, Observation, ServerSpec

FAILURES_UNTIL_DOWN = 3
MAX_BREAKERS = 1000


class Server:
    """Runtime state of a registered server; survives a change of its spec.

    health: the last word of the probes (`unknown`, `healthy`, `down`, `warming`, `configError`, `rateLimited`).
    resident: folded names of models believed to be in memory: from `/api/ps`, and from answers since.
    check_seconds: how long the fastest answer to the last probe took, None if there was none.
    wants_probe: something was learned on the side (a missing model, a load) that a probe should look at soon.
    """

    __slots__ = (
        "breaker", "breakers", "check_seconds", "failures", "flowed_at", "health", "in_flight", "last_check_time", "last_response_seconds", "learned",
        "limited_until", "loaded", "outcomes", "probe_response_seconds", "reason", "resident", "rules", "spec", "unconfirmed", "wants_probe",
    )  # fmt: skip

    def __init__(self, spec: ServerSpec, rules: BreakerRules, now: float) -> None:
        self.rules = rules
        self.in_flight = 0
        self.outcomes: Counter[str] = Counter()
        self.become(spec, now)

    def become(self, spec: ServerSpec, now: float) -> None:
        """Start over as what stands behind another url; requests in flight go on and stay counted."""
        self.spec = spec
        self.learned: Learned = spec.learned
        self.breaker = Breaker(self.rules, now)
        self.breakers: dict[str, Breaker] = {}
        self.doubt("not probed yet")
        self.limited_until = 0.0
        self.loaded: tuple[LoadedModel, ...] = ()
        self.resident: set[str] = set()
        self.unconfirmed: set[str] = set()
        self.last_response_seconds: float | None = None
        self.probe_response_seconds: float | None = None
        self.check_seconds: float | None = None
        self.last_check_time: datetime | None = None
        self.flowed_at = -1e9
        self.wants_probe = False

    @property
    def id(self) -> str:
        return self.spec.id

    def status(self, now: float) -> tuple[str, str]:
        """(status, reason in words) as shown to people; see `routable` for what it means to requests."""
        if not self.spec.enabled:
            return "disabled", "disabled by an operator"
        if self.spec.draining:
            return "draining", f"draining, {self.in_flight} in flight"
        if self.spec.fault is not None:
            return "configError", self.spec.fault
        if self.health == "rateLimited" and now >= self.limited_until:
            return "degraded", "was rate limited; the time it asked for is over"
        if self.health != "healthy":
            return self.health, self.reason
        troubled = self.open_breakers(now)
        if troubled:
            return "degraded", troubled
        if self.failures:
            return "degraded", self.reason
        return "healthy", self.reason

    def open_breakers(self, now: float) -> str:
        """Which breakers are not closed, in words; "" if none."""
        if self.breaker.state is not State.CLOSED:
            return f"breaker of the server is {self.breaker.state}: {self.breaker.reason}"
        names = [name for name, breaker in self.breakers.items() if breaker.state is not State.CLOSED]
        return f"breaker open for {', '.join(names[:3])}{' and more' if len(names) > 3 else ''}" if names else ""

    def routable(self, now: float) -> bool:
        """May new requests go here at all? Breakers and limits are asked separately."""
        spec = self.spec
        if not spec.enabled or spec.draining or spec.fault is not None:
            return False
        health = self.health
        return health == "healthy" or health == "unknown" or (health == "rateLimited" and now >= self.limited_until)

    def breaker_of(self, model: str, now: float) -> Breaker:
        """The breaker of a folded model name, made if need be. The oldest closed one goes when there are too many."""
        found = self.breakers.get(model)
        if found is None:
            if len(self.breakers) >= MAX_BREAKERS:
                oldest = next((name for name, breaker in self.breakers.items() if breaker.state is State.CLOSED), next(iter(self.breakers)))
                del self.breakers[oldest]
            found = self.breakers[model] = Breaker(self.rules, now)
        return found

    def strike(self, outcome: Outcome, model: str, reason: str, now: float, retry_after_seconds: float | None = None) -> Transition | None:
        """Count a failure against the breaker that the outcome names."""
        if outcome.strikes == "server":
            return self.breaker.fail(reason, now, retry_after_seconds)
        if outcome.strikes == "model":
            return self.breaker_of(model, now).fail(reason, now, retry_after_seconds)
        return None

    def observe(self, seen: Observation, now: float, time: datetime) -> bool:
        """Take in a probe. True if what is stored of the server (`learned`) changed."""
        self.last_check_time = time
        self.wants_probe = False
        self.check_seconds = seen.response_seconds
        if seen.response_seconds is not None:
            self.probe_response_seconds = seen.response_seconds
        if seen.status == "healthy":
            self.health, self.reason, self.failures = "healthy", seen.reason, 0
        elif seen.status == "down":
            self._failed(seen)
        else:
            self.health, self.reason, self.failures = seen.status, seen.reason, 0
            if seen.status == "rateLimited":
                self.limited_until = now + (seen.retry_after_seconds or 10.0)
        if seen.loaded is not None:
            self.loaded = seen.loaded
            self.resident = {fold(model.name) for model in seen.loaded}
            self.unconfirmed -= self.resident
        if seen.learned is None or seen.learned == self.learned:
            return False
        self.learned = seen.learned
        return True

    def _failed(self, seen: Observation) -> None:
        """Three failures in a row mark down; a server never seen healthy, or that took no requests anyway, is down at the first."""
        self.failures += 1
        self.reason = seen.reason
        serving = self.health in ("healthy", "rateLimited") or (self.health == "unknown" and self.learned.kind)
        if self.failures >= FAILURES_UNTIL_DOWN or not serving:
            self.health = "down"

    def answered_from(self, model: str) -> None:
        """A folded name that is in memory, then. One probe is asked for to see it; servers that never list it are not asked each time."""
        if model not in self.resident:
            self.resident.add(model)
            if model not in self.unconfirmed:
                self.unconfirmed.add(model)
                self.wants_probe = True

    def unloaded(self, model: str) -> None:
        self.resident.discard(model)
        self.wants_probe = True

    def doubt(self, reason: str) -> None:
        """What probes said counts no more; requests may go there until the next one."""
        self.health, self.reason, self.failures = "unknown", reason, 0

    def blame_config(self, reason: str) -> None:
        """The server refused our credentials: nothing goes there until a probe succeeds."""
        self.health, self.reason = "configError", reason
