"""The operations on servers."""

import logging
from typing import Protocol

import msgspec
from msgspec import Raw
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from orchestrator.admin import answers, fields
from orchestrator.admin.bodies import ServerBody, ServerPatch, read
from orchestrator.admin.errors import invalid, json
from orchestrator.admin.registry import Registry
from orchestrator.admin.slices import Slices
from orchestrator.clock import Clock
from orchestrator.fleet.fleet import Fleet

log = logging.getLogger(__name__)
YES_NO = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class Prober(Protocol):
    """Probes servers and applies what it finds to the fleet."""

    async def check(self, server_id: str, *, asked: bool = False) -> object: ...
    async def check_all(self, *, asked: bool = False) -> object: ...


class ServerOperations:
    """Handlers of `/api/servers` and `/api/health-check`. Reads come from memory, so they work without the database."""

    def __init__(self, fleet: Fleet, registry: Registry, prober: Prober, clock: Clock) -> None:
        self._fleet = fleet
        self._registry = registry
        self._prober = prober
        self._clock = clock

    async def list(self, _request: Request) -> Response:
        slices, found = Slices(), []
        for server in list(self._fleet.servers.values()):
            found.append(Raw(msgspec.json.encode(answers.server_answer(server, self._clock.now()))))
            await slices.pause()
        return json(found)

    async def get(self, request: Request) -> Response:
        return self._answer(_id(request))

    async def add(self, request: Request) -> Response:
        probe = YES_NO.get(request.query_params.get("probe", "true").lower())
        if probe is None:
            raise invalid("probe", "must be true or false")
        spec = fields.new_spec(await read(request, ServerBody))
        await self._registry.add(spec)
        log.info("server %s registered: %s", spec.id, spec.url)
        if probe:
            await self._prober.check(spec.id)
        return self._answer(spec.id, 201, {"Location": f"/api/servers/{spec.id}"})

    async def change(self, request: Request) -> Response:
        server_id = self._registry.server(_id(request)).id
        body = await read(request, ServerPatch)
        await self._registry.change(server_id, lambda spec: fields.changed_spec(body, spec))
        log.info("server %s changed", server_id)
        self._registry.server(server_id).wants_probe = True
        return self._answer(server_id)

    async def remove(self, request: Request) -> Response:
        await self._registry.remove(_id(request))
        log.info("server %s removed", _id(request))
        return Response(status_code=204)

    async def check(self, request: Request) -> Response:
        server_id = self._registry.server(_id(request)).id
        await self._prober.check(server_id, asked=True)
        return self._answer(server_id)

    async def drain(self, request: Request) -> Response:
        return await self._set_draining(_id(request), True)

    async def resume(self, request: Request) -> Response:
        return await self._set_draining(_id(request), False)

    async def models(self, request: Request) -> Response:
        return json(answers.models_answer(self._registry.server(_id(request))))

    async def check_all(self, request: Request) -> Response:
        await self._prober.check_all(asked=True)
        return await self.list(request)

    async def _set_draining(self, server_id: str, draining: bool) -> Response:
        await self._registry.change(server_id, lambda spec: replace(spec, draining=draining))
        log.info("server %s %s", server_id, "draining" if draining else "resumed")
        return self._answer(server_id)

    def _answer(self, server_id: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
        return json(answers.server_answer(self._registry.server(server_id), self._clock.now()), status, headers)


def _id(request: Request) -> str:
    return str(request.path_params["server_id"])
