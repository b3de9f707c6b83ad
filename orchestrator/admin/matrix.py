"""The models of the whole fleet: which server has which, and where a request for each would go now."""

import asyncio
from collections.abc import Callable, Sequence
from heapq import merge

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from orchestrator.admin import reported
from orchestrator.admin.shapes import FleetModel, ModelOnServer, WhereNow
from orchestrator.admin.slices import Slices
from orchestrator.clock import Clock
from orchestrator.errors import Refusal
from orchestrator.fleet.fleet import Family, Fleet
from orchestrator.fleet.models import Host
from orchestrator.fleet.names import allowed, fold
from orchestrator.fleet.server import Server
from orchestrator.fleet.specs import Learned, ListedModel
from orchestrator.routing.candidates import Wanted

# Where a request would go, as Admission.preview says it.
Preview = Callable[[Wanted, float], tuple[Sequence[Host], bool]]
# All that rows are made of: each server with its lists as learned, its allow and its deny list.
Source = tuple[Server, Learned, tuple[str, ...], tuple[str, ...]]


class Cell(Struct):
    """A model on one server."""

    server: Server
    ollama: bool = False
    openai: bool = False
    denied: bool = True


class Row(Struct):
    """A model, and all of it that stays until lists change. exact: its name is one that servers want spelt like this."""

    key: str
    name: str
    exact: bool = False
    size: int | None = None
    parameters: str = ""
    quantisation: str = ""
    context_length: int | None = None
    digests: set[str] = msgspec.field(default_factory=set)
    cells: dict[str, Cell] = msgspec.field(default_factory=dict)

    def take_in(self, source: Source, model: ListedModel, family: Family) -> None:
        """One entry of one server's list."""
        server, learned, allow, deny = source
        if not self.exact and not learned.supports_ollama:  # Ollama takes any spelling, so that of the others finds the most servers
            self.name, self.exact = model.name, True
        cell = self.cells.get(server.id)
        if cell is None:
            cell = self.cells[server.id] = Cell(server)
        if family == "ollama":
            cell.ollama = True
        else:
            cell.openai = True
        cell.denied = cell.denied and not allowed(model.name, allow, deny)
        raw = reported.members(model)
        self.size = reported.size(raw) if self.size is None else self.size
        self.parameters = self.parameters or reported.parameters(raw)
        self.quantisation = self.quantisation or reported.quantisation(raw)
        self.context_length = reported.context_length(raw) if self.context_length is None else self.context_length
        self.digests.add(reported.digest(raw))


class MatrixOperations:
    """Handler of `GET /api/models`. The rows are kept until a list changes, what moves is looked up for each answer."""

    def __init__(self, fleet: Fleet, preview: Preview, clock: Clock) -> None:
        self._fleet = fleet
        self._preview = preview
        self._clock = clock
        self._lock = asyncio.Lock()
        self._sources: tuple[Source, ...] = ()
        self._rows: list[Row] = []

    async def models(self, _request: Request) -> Response:
        slices, parts = Slices(), []
        for row in await self._current(slices):
            parts.append(msgspec.json.encode(self._model(row, self._clock.now())))
            await slices.pause()
        return Response(b'{"models":[%b]}' % b",".join(parts), headers={"Cache-Control": "no-store"}, media_type="application/json")

    async def _current(self, slices: Slices) -> list[Row]:
        async with self._lock:  # two at once would both make the rows
            sources = tuple((server, server.learned, server.spec.models_allow, server.spec.models_deny) for server in self._fleet.servers.values())
            if sources != self._sources:
                self._rows, self._sources = await _rows(sources, slices), sources
            return self._rows

    def _model(self, row: Row, now: float) -> FleetModel:
        cells = row.cells.values()
        return FleetModel(
            name=row.name,
            size=row.size,
            parameters=row.parameters,
            quantisation=row.quantisation,
            context_length=row.context_length,
            same_everywhere=len(row.digests - {""}) < 2,
            servers={cell.server.id: ModelOnServer(cell.ollama, cell.openai, row.key in cell.server.resident, cell.denied) for cell in cells},
            ollama=self._where(row, "ollama", now) if any(cell.ollama for cell in cells) else None,
            openai=self._where(row, "v1", now) if any(cell.openai for cell in cells) else None,
        )

    def _where(self, row: Row, family: Family, now: float) -> WhereNow:
        model = self._fleet.indexes[family].models.get(row.key)  # not `find`, which keeps every spelling that is asked for
        if model is None:
            return WhereNow([], False, f"model '{row.name}' not found: no server that has it is allowed to serve it")
        try:
            hosts, waits = self._preview(Wanted(model, row.name, model.hosts_for(row.name), set()), now)
        except Refusal as refusal:
            return WhereNow([], False, refusal.message)
        return WhereNow([host.server.id for host in hosts], waits, "")


async def _rows(sources: tuple[Source, ...], slices: Slices) -> list[Row]:
    """Sorted by name."""
    rows: dict[str, Row] = {}
    keys: list[list[str]] = []
    for source in sources:
        learned = source[1]
        listed: tuple[tuple[Family, tuple[ListedModel, ...]], ...] = (("ollama", learned.models), ("v1", learned.v1_models))
        for family, models in listed:
            keys.append([])
            for model in models:
                key = fold(model.name)
                keys[-1].append(key)
                row = rows.get(key)
                if row is None:
                    row = rows[key] = Row(key, model.name)
                row.take_in(source, model, family)
                await slices.pause()
            keys[-1].sort()
    found = []
    for key in merge(*keys):  # not all sorted at once: that alone takes 10 ms of 30,000
        row = rows.pop(key, None)
        if row is not None:
            found.append(row)
            await slices.pause()
    return found
