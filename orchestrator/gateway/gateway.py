"""The request path: choose a server, try it, judge the answer, try another or commit. One coroutine per request, read top to bottom."""

import asyncio
import logging
from collections.abc import Callable
from random import Random

from msgspec.structs import replace

from orchestrator.clock import Clock
from orchestrator.errors import ConfigError, Refusal
from orchestrator.fleet.breaker import Transition
from orchestrator.fleet.fleet import Fleet
from orchestrator.fleet.models import Host
from orchestrator.fleet.outcome import Outcome
from orchestrator.gateway.admission import Admission
from orchestrator.gateway.answer import failure_of, refusal_bytes, success_head
from orchestrator.gateway.attempts import Attempt, Attempts
from orchestrator.gateway.call import CANCELLED, Call
from orchestrator.gateway.deadlines import Deadlines
from orchestrator.gateway.flight import Flight
from orchestrator.gateway.judge import OK, Judgement, judge
from orchestrator.gateway.relay import Relay
from orchestrator.gateway.run import Run
from orchestrator.gateway.wanted import wanted_of
from orchestrator.protocol import envelope as envelopes
from orchestrator.protocol.envelope import Envelope
from orchestrator.protocol.events import End
from orchestrator.protocol.http import RequestHeaders
from orchestrator.routing.candidates import Wanted, able
from orchestrator.routing.retry import BUDGET_WAIT_SECONDS, SHORT_WAIT_SECONDS, RetryBudget, pause
from orchestrator.telemetry.record import RequestRecord
from orchestrator.upstream.target import Targets
from orchestrator.upstream.wire import ConnectFailed

TICK_SECONDS = 0.25
ASIDE_SECONDS = 30.0
logger = logging.getLogger("orchestrator.gateway")


class Gateway:
    """Everything that requests share. `start` is called by the edge; `calls` are the requests under way."""

    def __init__(
        self,
        fleet: Fleet,
        admission: Admission,
        targets: Targets,
        deadlines: Deadlines,
        budget: RetryBudget,
        max_attempts: int,
        clock: Clock,
        random: Random,
        on_record: Callable[[RequestRecord, RequestHeaders], None],
    ) -> None:
        self._fleet = fleet
        self._admission = admission
        self._targets = targets
        self._deadlines = deadlines
        self._budget = budget
        self._max_attempts = max_attempts
        self._clock = clock
        self._random = random
        self._on_record = on_record
        self._relays: set[Relay] = set()
        self.calls: set[Call] = set()
        self.stopping = False

    def start(self, call: Call) -> None:
        self.calls.add(call)
        call.run.start(self._handle(call))

    def cancel(self, request_id: str, reason: str) -> int:
        """End every call with this id (clients may give several the same one). How many there were."""
        found = [call for call in self.calls if call.request_id == request_id]
        for call in found:
            call.end(Refusal(503, CANCELLED, reason))
        return len(found)

    def fleet_changed(self) -> None:
        """Servers came, went or recovered: forget connections of those that went, let in who waits."""
        self._targets.keep(set(self._fleet.servers))
        self._admission.refresh(self._fleet)

    async def _handle(self, call: Call) -> None:
        route = call.route
        record = call.record = RequestRecord(self._clock.unix(), call.request_id, route.dialect, route.operation, route.path, call.client.address)
        try:
            await self._serve(call, record)
        except Refusal as refusal:
            self._refuse(call, refusal, record)
        except asyncio.CancelledError:
            if call.refusal is not None:
                self._refuse(call, call.refusal, record)
            else:
                record.outcome = Outcome.CLIENT_GONE.label
        except Exception:
            logger.exception("request %s failed inside", call.request_id)
            self._refuse(call, Refusal(500, "internal_error", "internal error of the orchestrator"), record)
        finally:
            self.calls.discard(call)
            record.duration_seconds = round(self._clock.now() - call.started_at, 6)
            self._on_record(record, call.headers)
            call.client.answered()

    async def _serve(self, call: Call, record: RequestRecord) -> None:
        envelope = envelopes.read(call.route, call.body, call.headers.content_type() if call.route.style == "opaque" else b"")
        record.model, record.stream = envelope.model, envelope.stream
        wanted = wanted_of(self._fleet, call, envelope)
        if envelope.intent != "infer":
            wanted = await self._where_loaded(call, envelope, wanted)
        deadline_at = call.started_at + self._deadlines.commit_seconds
        attempts = Attempts()
        try:
            attempt = await self._try(call, envelope, wanted, attempts, deadline_at)
        finally:
            self._budget.active -= attempts.repeating
            attempts.settle(self._clock.now())
            self._log(attempts.transitions)
        if attempt is not None:
            try:
                await self._commit(call, envelope, attempt, record)
            except BaseException:
                attempt.relay.drop()
                self._finish(attempt.flight, call.ended_by)
                raise
        else:
            self._pass_failure_on(call, envelope, attempts, record)

    async def _try(self, call: Call, envelope: Envelope, wanted: Wanted, attempts: Attempts, deadline_at: float) -> Attempt | None:
        """Ask servers until one gives an answer to commit to; None if none is left."""
        while True:
            try:
                flight = self._admission.take(wanted, self._clock.now())
                if flight is None:
                    flight = await call.loop.create_task(self._admission.wait(wanted, deadline_at))
            except Refusal:
                if attempts.last is None:
                    raise
                return None  # there is a failure to tell of
            call.asks(flight)
            attempt = await self._attempt(call, envelope, flight, deadline_at, call.run)
            if attempt.judgement is OK or attempt.outcome is Outcome.CLIENT_ERROR:
                return attempt
            self._failed(call, attempt, attempts)
            if not await self._may_try_again(call, wanted, attempts, deadline_at):
                return None

    # Where to

    async def _where_loaded(self, call: Call, envelope: Envelope, wanted: Wanted) -> Wanted:
        """A load goes to where the model is in memory, if it can; an unload to every such server, the answer being that of the last."""
        key, now = wanted.model.key, self._clock.now()
        resident = [host for host in wanted.hosts if key in host.server.resident and host.server.routable(now)]
        if not resident:
            return wanted
        if envelope.intent == "load":
            return replace(wanted, first=frozenset(host.server.id for host in resident))
        if len(resident) > 1:
            failed = await self._aside(call, envelope, resident[:-1], key)
            if failed:
                failed += await self._aside(call, envelope, resident[-1:], key)
                raise Refusal(502, "unload_failed", f"model '{envelope.model}' may still be loaded on {', '.join(failed)}")
        return replace(wanted, hosts=tuple(resident[-1:]), light=True)

    async def _aside(self, call: Call, envelope: Envelope, hosts: list[Host], key: str) -> list[str]:
        """The same request to several servers at once, whose answers nobody sees. Who failed, and how."""
        until = self._clock.now() + ASIDE_SECONDS
        runs = [Run() for _ in hosts]
        futures: list[asyncio.Future[str]] = [call.loop.create_future() for _ in hosts]
        for host, run, future in zip(hosts, runs, futures, strict=True):
            run.start(self._one_aside(call, envelope, Flight(host, key, self._clock.now(), light=True), until, run, future))
        try:
            return [failure for future in futures if (failure := await future)]
        except asyncio.CancelledError:
            for run in runs:
                run.cancel()
            raise

    async def _one_aside(self, call: Call, envelope: Envelope, flight: Flight, until: float, run: Run, future: "asyncio.Future[str]") -> None:
        said = f"{flight.server.id} (no answer)"
        call.flight = flight
        try:
            attempt = await self._attempt(call, envelope, flight, until, run)
            attempt.relay.drop()
            self._finish(flight, attempt.outcome)
            if attempt.outcome is Outcome.OK:
                said = ""
                flight.learn_residency(envelope)
            else:
                said = f"{flight.server.id} ({attempt.judgement.reason})"
                transition = flight.strike(attempt.outcome, attempt.judgement.reason, self._clock.now())
                self._log([(flight, transition)] if transition else [])
        except asyncio.CancelledError:
            pass  # the client has gone; the flight says so
        finally:
            if not future.done():
                future.set_result(said)

    # One attempt

    async def _attempt(self, call: Call, envelope: Envelope, flight: Flight, deadline_at: float, run: Run) -> Attempt:
        """Ask the flight's server until its answer can be judged. The flight stays open."""
        relay = self._deadlines.relay(envelope, flight.server, run, deadline_at, self._clock.now())
        try:
            relay = await self._ask(call, envelope, flight, relay, run)
            return Attempt(flight, relay, judge(relay))
        except ConfigError as error:
            flight.server.blame_config(str(error))
            return Attempt(flight, relay, Judgement(Outcome.AUTH, str(error)))
        except ConnectFailed as error:
            return Attempt(flight, relay, Judgement(Outcome.CONNECT_ERROR, str(error)))
        except BaseException:
            relay.drop()
            self._finish(flight, call.ended_by)
            call.note(flight)
            raise

    async def _ask(self, call: Call, envelope: Envelope, flight: Flight, relay: Relay, run: Run) -> Relay:
        """Send the request; a pooled connection that turns out dead before any byte of an answer is replaced by a new one."""
        spec = flight.server.spec
        target = self._targets.of(spec)
        body = envelopes.with_model(envelope, flight.host.outgoing(envelope.model))
        head = target.head(call.path, call.headers.lines, len(body))
        head += b"x-request-id: %b\r\n\r\n" % call.request_id.encode()
        connection = target.pool.take()
        while True:
            if connection is None:
                seconds = min(self._deadlines.connect_seconds(spec), relay.deadline_at - self._clock.now())
                connection = await call.loop.create_task(target.pool.connect(seconds))
            relay.attach(connection)
            self._relays.add(relay)
            flight.asked_at = self._clock.now()
            try:
                connection.ask(relay, head, body)
                while not relay.is_ready:
                    await run
            except BaseException:
                relay.drop()
                raise
            finally:
                self._relays.discard(relay)
            if relay.failure is None or relay.failure.kind != "stale":
                return relay
            relay, connection = relay.fresh(), None

    # After an attempt

    def _failed(self, call: Call, attempt: Attempt, attempts: Attempts) -> None:
        now = self._clock.now()
        server, judgement = attempt.flight.server, attempt.judgement
        self._finish(attempt.flight, attempt.outcome)
        call.failed(attempt.flight, attempt.outcome.label, judgement.reason, now)
        attempts.failed(attempt, now)
        if attempt.outcome is Outcome.AUTH:
            server.blame_config(judgement.reason)
        elif attempt.outcome is Outcome.MODEL_MISSING:
            self._fleet.forget_model(server)

    async def _may_try_again(self, call: Call, wanted: Wanted, attempts: Attempts, deadline_at: float) -> bool:
        """Elsewhere at once, or after a pause where there is no elsewhere."""
        last = attempts.last
        assert last is not None
        now = self._clock.now()
        if attempts.repeated or not last.outcome.retryable or call.attempts >= self._max_attempts or now >= deadline_at or self.stopping:
            return False
        server = last.flight.server.id
        wanted.tried.add(server)
        if able(wanted, now):
            return await self._has_room_to_repeat(last, attempts, deadline_at)
        wait = last.judgement.retry_after_seconds
        if wait is not None:
            if last.outcome is not Outcome.RATE_LIMITED or wait > SHORT_WAIT_SECONDS:
                return False
        elif last.outcome is Outcome.SERVER_ERROR and attempts.alone and not attempts.again:
            attempts.again, wait = True, pause(self._random)
        else:
            return False
        if now + wait >= deadline_at:
            return False
        await asyncio.sleep(wait)
        wanted.tried.discard(server)
        return await self._has_room_to_repeat(last, attempts, deadline_at)

    async def _has_room_to_repeat(self, last: Attempt, attempts: Attempts, deadline_at: float) -> bool:
        """Repeats of work that a server has begun are a bounded share of what is in flight; the others wait for their turn.

        The place is taken in the very moment it is found free, or all who wait would take it.
        """
        if attempts.repeating or not last.outcome.costs:
            return True
        until = min(deadline_at, self._clock.now() + BUDGET_WAIT_SECONDS)
        while not self._budget.allows(len(self.calls)):
            if self._clock.now() >= until or self.stopping:
                return False
            await asyncio.sleep(pause(self._random))
        attempts.repeating = True
        self._budget.active += 1
        return True

    async def _commit(self, call: Call, envelope: Envelope, attempt: Attempt, record: RequestRecord) -> None:
        """Give the answer to the client and see it to its end."""
        relay, flight = attempt.relay, attempt.flight
        call.note(flight)
        record.status, record.reason = relay.status, attempt.judgement.reason
        record.first_event_seconds = round(self._clock.now() - call.started_at, 6) if attempt.judgement is OK else None
        head, framed = success_head(call, relay, flight.server.id)
        call.committed = True
        if relay.complete:
            relay.commit(call.client, head, framed=framed)
        else:
            await self._copy(call, relay, head, framed=framed)
        outcome = attempt.outcome
        failure = relay.failure
        if failure is not None:
            outcome, record.reason = Outcome.CANCELLED if failure.kind == CANCELLED else Outcome.TRUNCATED, failure.reason
        elif relay.end_of is End.ERROR:
            # The server's own words at the end of a stream: no success, but also no sign that it is ill (a bad option ends so).
            outcome, record.reason = Outcome.SERVER_ERROR, "error event in the stream"
        self._settle_committed(call, flight, outcome)
        record.outcome = outcome.label
        record.prompt_tokens, record.completion_tokens = relay.usage()
        if outcome is Outcome.OK:
            flight.server.last_response_seconds = self._clock.now() - flight.started_at
            flight.learn_residency(envelope)

    async def _copy(self, call: Call, relay: Relay, head: bytes, *, framed: bool) -> None:
        """Until the answer has ended."""
        call.relay = relay
        self._relays.add(relay)
        try:
            relay.commit(call.client, head, framed=framed)
            while not relay.is_over:
                await call.run
        finally:
            call.relay = None
            self._relays.discard(relay)

    def _settle_committed(self, call: Call, flight: Flight, outcome: Outcome) -> None:
        self._finish(flight, outcome)
        if outcome is Outcome.TRUNCATED and call.refusal is None:
            transition = flight.strike(outcome, call.record.reason, self._clock.now())
            self._log([(flight, transition)] if transition else [])
        elif outcome is not Outcome.OK:
            flight.forgive()

    def _pass_failure_on(self, call: Call, envelope: Envelope, attempts: Attempts, record: RequestRecord) -> None:
        """Nobody is left: the last answer of a server as it was, or an error of ours if there was none."""
        if (attempt := attempts.answer) is None:
            assert attempts.last is not None
            raise failure_of(attempts.last, envelope)
        record.server, record.status = attempt.flight.server.id, attempt.relay.status
        record.outcome, record.reason = attempt.outcome.label, attempt.judgement.reason
        head, framed = success_head(call, attempt.relay, attempt.flight.server.id)
        call.committed = True
        attempt.relay.commit(call.client, head, framed=framed)

    def _refuse(self, call: Call, refusal: Refusal, record: RequestRecord) -> None:
        """An error of ours in the client's dialect, or after the commit one in its stream."""
        record.outcome = record.outcome or refusal.code
        record.status, record.reason = record.status or refusal.status, refusal.message
        if call.committed:
            call.client.abort()
        else:
            call.client.write(refusal_bytes(call, refusal))

    def _finish(self, flight: Flight, outcome: Outcome) -> None:
        transition = flight.finish(outcome, self._clock.now())
        if transition is not None:
            self._log([(flight, transition)])
        self._admission.pump()

    def _log(self, transitions: list[tuple[Flight, Transition]]) -> None:
        for flight, transition in transitions:
            logger.warning("breaker %s %s: %s -> %s: %s", flight.server.id, flight.key, transition.before, transition.after, transition.reason)

    # Time

    def tick(self) -> None:
        """A few times a second: deadlines of all attempts, age of connections, whoever waits."""
        now = self._clock.now()
        for relay in list(self._relays):
            relay.sweep(now)
        self._targets.sweep(now)
        self._admission.refresh(self._fleet)

    async def stop(self) -> None:
        """End what is under way: committed streams with an error record, the others with a 503. No more than two seconds."""
        self.stopping = True
        for call in list(self.calls):
            call.end(Refusal(503, "shutting_down", "the orchestrator is shutting down", retry_after_seconds=5.0))
        for _ in range(200):  # those that wait for a task end when that does
            if self.calls:
                await asyncio.sleep(0.01)
        self._targets.close()
