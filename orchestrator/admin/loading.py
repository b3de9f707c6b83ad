"""Models of Ollama servers are loaded into memory and unloaded at an operator's word."""

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable, Mapping
from typing import Annotated, Literal, Protocol

import aiohttp
import msgspec
from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from orchestrator.admin import answers, reported
from orchestrator.admin.bodies import read
from orchestrator.admin.errors import AdminError, json
from orchestrator.admin.fields import MASK
from orchestrator.admin.registry import Registry
from orchestrator.admin.shapes import EventKind, Level
from orchestrator.clock import Clock
from orchestrator.errors import ConfigError
from orchestrator.fleet.names import fold
from orchestrator.fleet.server import Server
from orchestrator.fleet.specs import ServerSpec
from orchestrator.upstream.auth import resolve
from orchestrator.upstream.control import Answer, Failure, Reply, post

MAX_RUNNING = 32
MAX_TEXT = 300
UNLOAD_SECONDS = 30.0
# Ollama answers an unload before the memory is free: how long is waited before each look at what is loaded.
LOOKS_SECONDS = (0.0, 0.2, 0.5, 1.0)
CANNOT_GENERATE = b"does not support generate"  # what Ollama says of a model that only embeds

Action = Literal["load", "unload"]
KINDS: dict[Action, EventKind] = {"load": "modelLoaded", "unload": "modelUnloaded"}
OnDone = Callable[[EventKind, Level, str, str, str], None]

log = logging.getLogger(__name__)


class Prober(Protocol):
    async def check(self, server_id: str, *, asked: bool = False) -> object: ...


class ModelBody(Struct, forbid_unknown_fields=True):
    """Which model, in any spelling that Ollama takes."""

    model: Annotated[str, Meta(min_length=1, max_length=500)]


class LoadingOperations:
    """Handlers of `/api/servers/{id}/models/load` and `/unload`. One at a time per server and model.

    load_seconds: how long a load may take. on_done: told of each end: (kind, level, server, model, message).
    """

    def __init__(
        self,
        registry: Registry,
        prober: Prober,
        session: aiohttp.ClientSession,
        clock: Clock,
        load_seconds: float,
        on_done: OnDone,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._registry = registry
        self._prober = prober
        self._session = session
        self._clock = clock
        self._load_seconds = load_seconds
        self._on_done = on_done
        self._environment = environment
        self._running: dict[tuple[str, str], asyncio.Task[None]] = {}

    async def load(self, request: Request) -> Response:
        return await self._handle(request, "load")

    async def unload(self, request: Request) -> Response:
        return await self._handle(request, "unload")

    async def close(self) -> None:
        """Ends what is under way, before the session is closed."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _handle(self, request: Request, action: Action) -> Response:
        server = self._registry.server(str(request.path_params["server_id"]))
        body = await read(request, ModelBody)
        name = _listed(server, body.model)
        key = server.id, fold(name)
        if key in self._running:
            raise AdminError(409, "busy", f"{name} is being loaded or unloaded on {server.id} already")
        if len(self._running) >= MAX_RUNNING:
            raise AdminError(503, "too_many", f"{MAX_RUNNING} models are being loaded already, try again later", headers={"Retry-After": "5"})
        task = self._running[key] = asyncio.create_task(self._do(server, name, action), name=f"{action} {name} on {server.id}")
        task.add_done_callback(lambda _: self._running.pop(key, None))
        # A load takes minutes and is wanted even if the page is closed meanwhile; Ollama would give it up half way.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.shield(task)
        return json(answers.server_answer(self._registry.server(server.id), self._clock.now()))

    async def _do(self, server: Server, name: str, action: Action) -> None:
        began = self._clock.now()
        try:
            await self._order(server.spec, name, action)
        except AdminError as error:
            log.warning("model %r on %s: %s failed", name, server.id, action)
            self._on_done(KINDS[action], "error", server.id, name, f"{action} failed: {error}")
            raise
        seconds = self._clock.now() - began
        log.info("model %r on %s: %sed in %.1f s", name, server.id, action, seconds)
        self._on_done(KINDS[action], "info", server.id, name, f"{action}ed in {seconds:.1f} s")
        await self._see(server, fold(name), action)

    async def _order(self, spec: ServerSpec, name: str, action: Action) -> None:
        """Raises AdminError 502 if the server did not do it."""
        if spec.fault is not None:
            raise AdminError(502, "server_error", spec.fault)
        limit = UNLOAD_SECONDS if action == "unload" else spec.first_event_timeout_seconds or self._load_seconds
        reply = await self._send(spec, "/api/generate", name, action, limit)
        if isinstance(reply, Answer) and reply.status == 400 and CANNOT_GENERATE in reply.body:
            reply = await self._send(spec, "/api/embed", name, action, limit)
        if isinstance(reply, Failure):
            raise AdminError(502, "server_error", reply.reason)
        said = _error(reply)
        if said is not None:
            shown = f": {self._shown(spec, said)}" if said else ""
            raise AdminError(502, "server_error", f"the server answered {reply.status}{shown}")

    async def _send(self, spec: ServerSpec, path: str, name: str, action: Action, timeout_seconds: float) -> Reply:
        """Without prompt or input Ollama does nothing but load, with keep_alive 0 unload."""
        body = {"model": name, "stream": False, **({"keep_alive": 0} if action == "unload" else {})}
        return await post(self._session, spec, path, msgspec.json.encode(body), timeout_seconds=timeout_seconds, environment=self._environment)

    async def _see(self, server: Server, key: str, action: Action) -> None:
        """Probe until what was done is seen, or for as long as that may take."""
        for seconds in LOOKS_SECONDS:
            await asyncio.sleep(seconds)
            await self._prober.check(server.id, asked=True)
            if (key in server.resident) == (action == "load"):
                return

    def _shown(self, spec: ServerSpec, said: str) -> str:
        """The server's words on one line, without our secrets should it repeat them."""
        for secret in (*spec.headers.values(), *([spec.api_key] if spec.api_key is not None else [])):
            with contextlib.suppress(ConfigError):
                said = said.replace(resolve(secret, self._environment) or MASK, MASK)
        return " ".join("".join(character if character.isprintable() else " " for character in said).split())[:MAX_TEXT]


def _listed(server: Server, asked: str) -> str:
    """The name as the server lists it. Raises AdminError 409 or 404."""
    if not server.learned.supports_ollama:
        raise AdminError(409, "not_ollama", f"the server {server.id} does not speak Ollama's protocol, so its models cannot be loaded from here")
    names = [model.name for model in server.learned.models]
    found = asked if asked in names else next((name for name in names if fold(name) == fold(asked)), None)
    if found is None:
        raise AdminError(404, "unknown_model", f"the server {server.id} has no model {asked[:200]!r}")
    return found


def _error(answer: Answer) -> str | None:
    """What an answer says is wrong, "" if it does not say; None if nothing is."""
    try:
        body = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        body = None
    well = 200 <= answer.status < 300
    if not isinstance(body, dict):
        return "this is no answer of Ollama's" if well else ""
    error = body.get("error")
    if error is None and well:
        return None
    return reported.text(reported.inner(body, "error").get("message") or error)
