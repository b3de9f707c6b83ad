"""A probe of a server that is not registered: Test connection."""

import asyncio
from collections.abc import Coroutine, Mapping
from datetime import datetime
from typing import Any, TypeVar

import aiohttp
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from orchestrator.admin import fields
from orchestrator.admin.bodies import ServerBody, read
from orchestrator.admin.errors import AdminError, invalid, json
from orchestrator.admin.shapes import ConnectionAnswer, EndpointAnswer
from orchestrator.clock import Clock
from orchestrator.fleet.fleet import Fleet
from orchestrator.fleet.specs import Learned, ServerSpec
from orchestrator.health.discovery import GONE, Family, Verdict, judged, read_loaded, read_tags, read_v1, read_version
from orchestrator.health.probe import PS, TAGS, V1_MODELS, VERSION, Probe, ask
from orchestrator.store.secrets import Sealed
from orchestrator.upstream.control import Answer, Failure, Reply

MAX_TRIALS = 8
ABSENT = {V1_MODELS: "does not speak OpenAI's protocol", TAGS: "not an Ollama server", VERSION: "not an Ollama server", PS: "not an Ollama server"}

T = TypeVar("T")


class TrialOperations:
    """Handler of `POST /api/servers/test`. Nothing is kept of a trial."""

    def __init__(self, fleet: Fleet, session: aiohttp.ClientSession, clock: Clock, timeout_seconds: float, environment: Mapping[str, str]) -> None:
        self._fleet = fleet
        self._session = session
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        self._environment = environment
        self._running = 0

    async def test(self, request: Request) -> Response:
        spec = self._spec(await read(request, ServerBody))
        if self._running >= MAX_TRIALS:
            raise AdminError(503, "too_many", f"{MAX_TRIALS} servers are being tested already, try again in a moment", headers={"Retry-After": "1"})
        self._running += 1
        try:
            began = self._clock.now()
            probe = await while_there(
                request, ask(self._session, spec, Learned(), self._clock, timeout_seconds=self._timeout_seconds, environment=self._environment)
            )
            return json(connection_answer(probe, self._clock.now() - began, self._clock.utc()))
        finally:
            self._running -= 1

    def _spec(self, body: ServerBody) -> ServerSpec:
        """Raises AdminError that names the member."""
        server = self._fleet.servers.get(body.id) if isinstance(body.id, str) else None
        spec = fields.trial_spec(body, None if server is None else server.spec)
        if isinstance(spec.api_key, Sealed):
            raise invalid("apiKey", "the stored value cannot be decrypted; set it again")
        sealed = next((name for name, secret in spec.headers.items() if isinstance(secret, Sealed)), None)
        if sealed is not None:
            raise invalid("headers", f"{sealed}: the stored value cannot be decrypted; set it again")
        return spec


async def while_there(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """What the work gives; it is cancelled when the client leaves. Raises ClientDisconnect then. The body must have been read."""
    tasks = asyncio.create_task(work), asyncio.create_task(_left(request))
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if not tasks[0].done():
            raise ClientDisconnect
        return tasks[0].result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def connection_answer(probe: Probe, seconds: float, time: datetime) -> ConnectionAnswer:
    """Requests that could not even be sent are not among the endpoints: the reason of the status says why."""
    seen, learned = probe.seen, probe.seen.learned or Learned()
    sent = {path: reply for path, reply in probe.replies.items() if not (isinstance(reply, Failure) and reply.kind == "config")}
    return ConnectionAnswer(
        endpoints=[endpoint_answer(path, reply, time) for path, reply in sent.items()],
        status=seen.status,
        status_reason=seen.reason,
        supports_ollama=learned.supports_ollama,
        supports_v1=learned.supports_v1,
        kind=learned.kind,
        version=learned.version,
        models=[model.name for model in learned.models],
        v1_models=[model.name for model in learned.v1_models],
        loaded_models=[model.name for model in seen.loaded or ()],
        seconds=round(seconds, 3),
    )


def endpoint_answer(path: str, reply: Reply, time: datetime) -> EndpointAnswer:
    """time: of the answer, in UTC."""
    answer = reply if isinstance(reply, Answer) else None
    ok, says = _found(path, reply, time)
    return EndpointAnswer(path, ok, answer.status if answer else None, round(answer.seconds, 3) if answer else None, says)


def _found(path: str, reply: Reply, time: datetime) -> tuple[bool, str]:
    """(whether it is as it should be, what it is)."""
    if isinstance(reply, Answer) and reply.status in GONE:
        return False, f"{ABSENT[path]} (answered {reply.status})"
    if path == PS:
        return _in_memory(reply, time)
    family = {V1_MODELS: read_v1, TAGS: read_tags, VERSION: read_version}[path](reply, time)
    if family.verdict is not Verdict.PRESENT:
        return False, _words(path, family)
    return True, f"version {family.version}" if path == VERSION else _counted(len(family.models))


def _in_memory(reply: Reply, time: datetime) -> tuple[bool, str]:
    loaded = read_loaded(reply)
    if loaded is not None:
        return True, f"{_counted(len(loaded))} in memory"
    wrong = judged(reply, PS, time)
    return False, _words(PS, wrong) if wrong is not None else "no list of models"


def _words(path: str, family: Family) -> str:
    """The reason without the path, which stands beside it."""
    return family.reason.removeprefix(path).lstrip(": ")


def _counted(count: int) -> str:
    return f"{count} model" if count == 1 else f"{count} models"
