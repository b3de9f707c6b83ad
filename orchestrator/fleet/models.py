"""Which servers have a model: the index from names to servers."""

from collections.abc import Iterable

from orchestrator.fleet.names import allowed, fold, without_latest
from orchestrator.fleet.server import Server

MAX_SPELLINGS = 10_000


class Host:
    """A server that has a model, and the name it knows it by."""

    __slots__ = ("any_spelling", "name", "server")

    def __init__(self, server: Server, name: str, any_spelling: bool) -> None:
        self.server = server
        self.name = name
        self.any_spelling = any_spelling

    def outgoing(self, asked: str) -> str:
        """The name to send: as the client wrote it wherever the server accepts that."""
        return asked if self.any_spelling else self.name


class Model:
    """One model of the fleet in one family of routes: its key (see `fold`) and the servers that have it."""

    __slots__ = ("hosts", "key", "spellings")

    def __init__(self, key: str) -> None:
        self.key = key
        self.hosts: tuple[Host, ...] = ()
        self.spellings: dict[str, tuple[Host, ...]] = {}

    def hosts_for(self, asked: str) -> tuple[Host, ...]:
        """Servers that list this very spelling (with or without `:latest`) or accept any; if none, all of them."""
        return self.spellings.get(without_latest(asked), self.hosts)


class ModelIndex:
    """asked name -> Model, for one family (`/api` or `/v1`). Built when the fleet changes, only read per request."""

    __slots__ = ("_asked", "models")

    def __init__(self, listed: Iterable[tuple[Server, str, bool]]) -> None:
        """listed: (server, name as it lists it, whether it accepts any spelling of it)."""
        hosts: dict[str, list[Host]] = {}
        for server, name, any_spelling in listed:
            if allowed(name, server.spec.models_allow, server.spec.models_deny):
                hosts.setdefault(fold(name), []).append(Host(server, name, any_spelling))
        self._asked: dict[str, tuple[Model, tuple[Host, ...]]] = {}
        self.models: dict[str, Model] = {}
        for key, found in hosts.items():
            model = self.models[key] = Model(key)
            model.hosts = _one_per_server(found)
            for spelling in {without_latest(host.name) for host in found}:
                model.spellings[spelling] = _one_per_server([h for h in found if h.any_spelling or without_latest(h.name) == spelling])

    def find(self, asked: str) -> tuple[Model, tuple[Host, ...]] | None:
        """The model that is meant and the servers to ask for it in this spelling."""
        found = self._asked.get(asked)
        if found is None:
            model = self.models.get(asked) or self.models.get(fold(asked))
            if model is None:
                return None
            if len(self._asked) >= MAX_SPELLINGS:
                self._asked.clear()
            found = self._asked[asked] = model, model.hosts_for(asked)
        return found


def _one_per_server(hosts: list[Host]) -> tuple[Host, ...]:
    first: dict[str, Host] = {}
    for host in hosts:
        first.setdefault(host.server.spec.id, host)
    return tuple(first.values())
