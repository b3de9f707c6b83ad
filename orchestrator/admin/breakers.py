"""The operations on circuit breakers. Their state is not kept over a restart."""

import logging
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from orchestrator.admin import answers
from orchestrator.admin.errors import AdminError, json, unknown_server
from orchestrator.admin.slices import Slices
from orchestrator.clock import Clock
from orchestrator.fleet.breaker import Breaker, Transition
from orchestrator.fleet.fleet import Fleet
from orchestrator.fleet.names import fold
from orchestrator.fleet.server import Server

log = logging.getLogger(__name__)
Action = Callable[[Breaker, float], Transition | None]

ACTIONS: dict[str, Action] = {
    "open": lambda breaker, now: breaker.force_open("opened by an operator", now),
    "close": lambda breaker, now: breaker.close("closed by an operator", now),
    "reset": lambda breaker, now: breaker.close("reset by an operator", now),
}


class BreakerOperations:
    """Handlers of `/api/breakers`."""

    def __init__(self, fleet: Fleet, clock: Clock, on_change: Callable[[], None]) -> None:
        self._fleet = fleet
        self._clock = clock
        self._on_change = on_change

    async def list(self, _request: Request) -> Response:
        slices, found = Slices(), []
        for server in list(self._fleet.servers.values()):
            found += answers.breaker_answers(server, self._clock.now())
            await slices.pause()
        return json(found)

    async def turn_server(self, request: Request) -> Response:
        """The server's own breaker and those of all its models."""
        server, action = self._target(request)
        now = self._clock.now()
        for model, breaker in [(None, server.breaker), *server.breakers.items()]:
            _turn(server, model, breaker, action, now)
        self._changed()
        return json(answers.breaker_answers(server, now))

    async def turn_model(self, request: Request) -> Response:
        server, action = self._target(request)
        name = str(request.path_params["model"])
        key, now = fold(name), self._clock.now()
        listed = next((m.name for m in (*server.learned.models, *server.learned.v1_models) if fold(m.name) == key), None)
        if listed is None and key not in server.breakers:
            raise AdminError(404, "unknown_model", f"the server {server.id} has no model {name[:200]!r}")
        breaker = server.breaker_of(key, now)
        _turn(server, key, breaker, action, now)
        self._changed()
        return json(answers.breaker_answer(server.id, listed or key, breaker, now))

    def _target(self, request: Request) -> tuple[Server, Action]:
        server_id, action = str(request.path_params["server_id"]), ACTIONS.get(request.path_params["action"])
        if action is None:
            raise AdminError(404, "not_found", "a breaker can be told to open, close or reset")
        server = self._fleet.servers.get(server_id)
        if server is None:
            raise unknown_server(server_id)
        return server, action

    def _changed(self) -> None:
        self._fleet.version += 1
        self._on_change()


def _turn(server: Server, model: str | None, breaker: Breaker, action: Action, now: float) -> None:
    turned = action(breaker, now)
    if turned is not None:
        log.info("breaker of %s%s: %s -> %s: %s", server.id, f":{model}" if model else "", turned.before, turned.after, turned.reason)
