"""Which servers may serve a request now; in words, why none may."""

from msgspec import Struct

from orchestrator.errors import Refusal
from orchestrator.fleet.breaker import State, Verdict
from orchestrator.fleet.fleet import Family
from orchestrator.fleet.models import Host, Model
from orchestrator.fleet.server import Server


class Wanted(Struct):
    """What a request asks of the router. hosts: those that have the model, or the part of them that the request may go to.

    tried: ids of servers that failed it already. light: costs next to nothing, so a server's limit does not hold it up.
    first: ids of servers to be asked before all others.
    family: where it may find more servers while it waits, None if it is bound to these hosts.
    """

    model: Model
    asked: str
    hosts: tuple[Host, ...]
    tried: set[str]
    light: bool = False
    first: frozenset[str] = frozenset()
    family: Family | None = None


def verdict(server: Server, model: str, now: float) -> Verdict:
    """What the server's own breaker and that of the model say together: the stricter of the two."""
    own, other = server.breaker, server.breakers.get(model)
    if own.state is State.CLOSED and (other is None or other.state is State.CLOSED):
        return Verdict.ADMIT
    said = (own.verdict(now), other.verdict(now) if other else Verdict.ADMIT)
    for strictest in (Verdict.FORCED, Verdict.OPEN, Verdict.TRIAL):
        if strictest in said:
            return strictest
    return Verdict.ADMIT


def able(wanted: Wanted, now: float) -> list[Host]:
    """Hosts that may be asked, limits aside. Breakers that opened by themselves never block the last ones: then those are given."""
    admitted: list[Host] = []
    last: list[Host] = []
    key, tried = wanted.model.key, wanted.tried
    for host in wanted.hosts:
        server = host.server
        if server.spec.id in tried or not server.routable(now):
            continue
        said = verdict(server, key, now)
        if said is Verdict.ADMIT or said is Verdict.TRIAL:
            admitted.append(host)
        elif said is Verdict.OPEN:
            last.append(host)
    if wanted.first:
        admitted = [host for host in admitted if host.server.spec.id in wanted.first] or admitted
    return admitted or last


def free(hosts: list[Host]) -> list[Host]:
    """Those below their limit."""
    return [host for host in hosts if host.server.spec.max_concurrency is None or host.server.in_flight < host.server.spec.max_concurrency]


def refusal(wanted: Wanted, now: float) -> Refusal:
    """Why no server can be asked, with the status that fits. To be called when `able` gave nothing."""
    name, hosts = wanted.asked, wanted.hosts
    reasons = {host.server.spec.id: _reason(host.server, wanted.model.key, now) for host in hosts if host.server.spec.id not in wanted.tried}
    said = set(reasons.values())
    listed = ", ".join(f"{server} ({reason})" for server, reason in list(reasons.items())[:5])
    if not reasons:
        return Refusal(502, "no_server_left", f"every server that has model '{name}' failed")
    if said == {"configError"}:
        return Refusal(502, "server_misconfigured", f"no server that has model '{name}' is configured correctly: {listed}")
    if "rateLimited" in said:
        until = min(host.server.limited_until for host in hosts if host.server.health == "rateLimited")
        return Refusal(503, "rate_limited", f"no server can take model '{name}' now: {listed}", retry_after_seconds=max(1.0, until - now))
    return Refusal(503, "no_server", f"no server can take model '{name}' now: {listed}", retry_after_seconds=5.0)


def _reason(server: Server, model: str, now: float) -> str:
    status, _ = server.status(now)
    if status in ("healthy", "degraded", "unknown") and verdict(server, model, now) is Verdict.FORCED:
        return "breaker opened by an operator"
    return status
