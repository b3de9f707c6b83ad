"""A gateway over scripted servers, with calls as the edge makes them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

from orchestrator.edge import routes
from orchestrator.fleet.fleet import Fleet
from orchestrator.fleet.specs import ServerSpec
from orchestrator.gateway.admission import Admission
from orchestrator.gateway.call import Call
from orchestrator.gateway.deadlines import Deadlines
from orchestrator.gateway.gateway import Gateway
from orchestrator.protocol.http import RequestHeaders
from orchestrator.routing.policies import named
from orchestrator.routing.retry import RetryBudget
from orchestrator.routing.router import Router
from orchestrator.telemetry.record import RequestRecord
from orchestrator.telemetry.recorder import Recorder
from orchestrator.upstream.target import Targets
from tests.fakes import fleets
from tests.fakes.client import FakeClient, unframed
from tests.fakes.clock import FakeClock

DEADLINES = Deadlines(connect=5.0, first_event=60.0, first_event_ollama=300.0, answer=600.0, idle=60.0, commit_seconds=600.0)
PATIENCE_SECONDS = 10.0


class NoPause(Random):
    """The jitter that makes the pause before a repeat nothing."""

    def random(self) -> float:
        return -0.5


class Answer(FakeClient):
    """The client of one call, and what it got."""

    call: Call

    async def until(self, data: bytes) -> None:
        """Until it got these bytes."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while data not in self.data:
                await asyncio.sleep(0)

    async def whole(self) -> "Answer":
        """Until the call has ended."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not self.answers:
                await asyncio.sleep(0)
        return self

    @property
    def status(self) -> int:
        return int(self.data.split(b" ", 2)[1])

    @property
    def headers(self) -> dict[str, str]:
        lines = self.data.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
        return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}

    @property
    def body(self) -> bytes:
        data = self.data.partition(b"\r\n\r\n")[2]
        return unframed(data)[0] if "transfer-encoding" in self.headers else data

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """The message of an error in either dialect."""
        error = self.json["error"]
        return str(error if isinstance(error, str) else error["message"])


class Bench:
    """The gateway and what it works on. The clock stands still; `tick` is called by the tests."""

    def __init__(self, fleet: Fleet, *, max_attempts: int = 4, budget: float = 0.2, queue_size: int = 10) -> None:
        self.clock = FakeClock()
        self.fleet = fleet
        self.records: list[RequestRecord] = []
        self.recorder = Recorder()
        self.targets = Targets()
        self.budget = RetryBudget(budget)
        self.random = NoPause(1)
        self.admission = Admission(Router(named("least-in-flight", Random(1))), self.clock, queue_size, 60.0)
        self.gateway = Gateway(
            fleet, self.admission, self.targets, DEADLINES, self.budget, max_attempts, self.clock, self.random,
            self._keep,
        )  # fmt: skip

    def _keep(self, record: RequestRecord, headers: RequestHeaders) -> None:
        self.records.append(record)
        self.recorder.add(record, headers)

    def post(
        self,
        path: str = "/api/chat",
        *,
        chunks: bool = True,
        headers: dict[str, str] | None = None,
        raw: bytes | None = None,
        request_id: str = "r1",
        **body: Any,
    ) -> Answer:
        """Start a call; model m, stream as the dialect has it unless told otherwise."""
        client = Answer(chunks=chunks)
        route = routes.find(path.encode())
        assert route is not None
        if raw is None:
            raw = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}], "prompt": "hi", **body}).encode()
        lines = [(b"content-type", b"application/json"), *((name.encode(), value.encode()) for name, value in (headers or {}).items())]
        client.call = Call(
            client, route, path.encode(), RequestHeaders(lines), raw,
            request_id=request_id, extra=b"x-request-id: %b\r\n" % request_id.encode(), keep_alive=chunks,
            started_at=self.clock.now(), loop=asyncio.get_running_loop(),
        )  # fmt: skip
        self.gateway.start(client.call)
        return client

    async def ask(self, path: str = "/api/chat", **how: Any) -> Answer:
        """A call and its whole answer."""
        return await self.post(path, **how).whole()

    @property
    def in_flight(self) -> int:
        return sum(server.in_flight for server in self.fleet.servers.values())

    def strikes(self) -> dict[str, int]:
        """Of each server: failures counted against it or its model."""
        return {name: server.breaker.failures + sum(b.failures for b in server.breakers.values()) for name, server in self.fleet.servers.items()}


@asynccontextmanager
async def bench(*specs: ServerSpec, **how: Any) -> AsyncIterator[Bench]:
    """A gateway; at the end nothing may be left of any request."""
    made = Bench(fleets.fleet(*specs), **how)
    try:
        yield made
        await asyncio.sleep(0)
        assert not made.gateway.calls
        assert made.in_flight == 0
        assert made.budget.active == 0
        assert made.admission.waiting("m") == 0
    finally:
        await made.gateway.stop()
        for server in made.fleet.servers.values():
            for connection in list(made.targets.of(server.spec).pool.connections):
                connection.transport.abort()
        await asyncio.sleep(0)
