"""All servers and the indexes over them. Changed only between awaits, so no locks."""

from datetime import datetime
from typing import Literal

from msgspec.structs import replace

from orchestrator.fleet.breaker import BreakerRules
from orchestrator.fleet.models import Host, Model, ModelIndex
from orchestrator.fleet.server import Server
from orchestrator.fleet.specs import FleetSpec, Observation

Family = Literal["ollama", "v1"]


class Fleet:
    """Servers by id, and model name -> servers for each family of routes. `version` counts every visible change."""

    __slots__ = ("_indexes", "rules", "servers", "version")

    def __init__(self, rules: BreakerRules | None = None) -> None:
        self.rules = rules or BreakerRules()
        self.servers: dict[str, Server] = {}
        self._indexes: dict[Family, ModelIndex] | None = None  # made when it is asked for: many changes may come at once
        self.version = 0

    def apply(self, spec: FleetSpec, now: float) -> None:
        """Make the fleet what the registry says. Servers that stay keep their runtime state.

        Behind another url is another server: all but its requests in flight starts over. After another key, header or type the last probe says
        nothing any more, what was learned stands until the next.
        """
        before, self.servers = self.servers, {}
        listed = {server.id: _listed(server) for server in before.values()}
        for gone in before.keys() - {one.id for one in spec.servers}:  # requests that wait or try again may still know it
            before[gone].spec = replace(before[gone].spec, enabled=False)
        for one in spec.servers:
            server = before.get(one.id)
            if server is None:
                server = Server(one, self.rules, now)
            elif server.spec.url != one.url:
                server.become(one, now)
            else:
                old, server.spec = server.spec, one
                if (old.api_key, old.headers, old.type, old.verify_tls, old.fault) != (one.api_key, one.headers, one.type, one.verify_tls, one.fault):
                    server.doubt("changed, not probed since")
            self.servers[one.id] = server
        if listed != {server.id: _listed(server) for server in self.servers.values()} or list(listed) != list(self.servers):
            self._indexes = None
        self.version += 1

    def observe(self, server_id: str, seen: Observation, now: float, time: datetime) -> bool:
        """Take in a probe of a server that may be gone by now. True if `learned` changed and should be stored."""
        server = self.servers.get(server_id)
        if server is None:
            return False
        changed = server.observe(seen, now, time)
        self.version += 1
        if changed:
            self._indexes = None
        return changed

    def find(self, family: Family, asked: str) -> tuple[Model, tuple[Host, ...]] | None:
        """The model and its servers, whether they can take requests now or not."""
        return (self._indexes or self._index())[family].find(asked)

    @property
    def indexes(self) -> dict[Family, ModelIndex]:
        """By family; the same until lists of models or servers change."""
        return self._indexes or self._index()

    def forget_model(self, server: Server) -> None:
        """A server said that it lacks a model that it listed: have it probed soon. Until then its list stands."""
        server.wants_probe = True
        self.version += 1

    def _index(self) -> dict[Family, ModelIndex]:
        """any_spelling: Ollama matches names in any case, with or without `:latest`, on both families of routes."""
        servers = self.servers.values()
        self._indexes = {
            "ollama": ModelIndex((s, m.name, True) for s in servers if s.learned.supports_ollama for m in s.learned.models),
            "v1": ModelIndex((s, m.name, s.learned.supports_ollama) for s in servers if s.learned.supports_v1 for m in s.learned.v1_models),
        }
        return self._indexes


def _listed(server: Server) -> tuple[object, ...]:
    """What the indexes are made of. Of the lists their identity: they are long, and a new one is a new object."""
    return id(server), id(server.learned), server.spec.url, server.spec.models_allow, server.spec.models_deny
