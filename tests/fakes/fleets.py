"""Fleets for tests: servers that have models, without a registry or probes."""

from typing import Any

from orchestrator.fleet.breaker import BreakerRules
from orchestrator.fleet.fleet import Fleet
from orchestrator.fleet.specs import FleetSpec, Learned, ListedModel, ServerSpec
from orchestrator.routing.candidates import Wanted

RULES = BreakerRules(failures=3, open_seconds=10.0)


def spec(server_id: str = "a", *, url: str = "", models: tuple[str, ...] = ("m",), speaks: str = "both", **more: Any) -> ServerSpec:
    """A server with these models. speaks: ollama, v1 or both."""
    listed = tuple(ListedModel(name) for name in models)
    ollama, v1 = speaks in ("ollama", "both"), speaks in ("v1", "both")
    learned = Learned(kind="x", supports_ollama=ollama, supports_v1=v1, models=listed if ollama else (), v1_models=listed if v1 else ())
    return ServerSpec(id=server_id, url=url or f"http://{server_id}.test", learned=learned, **more)


def fleet(*specs: ServerSpec, now: float = 1000.0, rules: BreakerRules = RULES) -> Fleet:
    """A fleet of healthy servers."""
    made = Fleet(rules)
    made.apply(FleetSpec(specs), now)
    for server in made.servers.values():
        server.health = "healthy"
    return made


def wanted(of: Fleet, asked: str = "m", *, tried: tuple[str, ...] = (), light: bool = False) -> Wanted:
    """What a request for that model wants."""
    found = of.find("ollama", asked) or of.find("v1", asked)
    assert found is not None
    return Wanted(found[0], asked, found[1], set(tried), light)
