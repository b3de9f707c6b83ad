"""How one of several able hosts is chosen. Each policy is one class; hosts are never empty.

`choose` takes one, `peek` gives those of which the next `choose` would take one, and changes nothing.
"""

import math
from collections.abc import Sequence
from random import Random
from typing import Protocol

from orchestrator.fleet.models import Host

MAX_TURNS = 10_000


class Policy(Protocol):
    def choose(self, hosts: Sequence[Host]) -> Host: ...
    def peek(self, hosts: Sequence[Host]) -> Sequence[Host]: ...


class Turns:
    """Weighted turn-taking by start-time fair queuing (Goyal, Vin, Cheng 1996): each choice moves a server 1/weight ahead.

    Virtual time is that of the hosts among which is chosen: other models on other servers do not move it. A server that is new
    or was away joins at it, so it is neither flooded nor starved.
    """

    __slots__ = ("_started",)

    def __init__(self) -> None:
        self._started: dict[str, float] = {}

    def next(self, hosts: Sequence[Host]) -> Host:
        """The host whose turn it is; the first of those that are equal."""
        best, start = self._turn(hosts)
        started, server_id = self._started, best.server.spec.id
        if len(started) >= MAX_TURNS and server_id not in started:
            started.clear()
        started[server_id] = start
        return best

    def peek(self, hosts: Sequence[Host]) -> Host:
        """What `next` would give."""
        return self._turn(hosts)[0]

    def _turn(self, hosts: Sequence[Host]) -> tuple[Host, float]:
        """The host that starts first, and when."""
        started = self._started
        virtual = 0.0
        for host in hosts:
            at = started.get(host.server.spec.id, 0.0)
            if at > virtual:
                virtual = at
        best, earliest = hosts[0], math.inf
        for host in hosts:
            spec = host.server.spec
            start = started[spec.id] + 1.0 / spec.weight if spec.id in started else virtual
            if start < virtual:
                start = virtual
            if start < earliest:
                best, earliest = host, start
        return best, earliest


class LeastInFlight:
    """The fewest requests in flight per weight; ties take turns."""

    __slots__ = ("_turns",)

    def __init__(self) -> None:
        self._turns = Turns()

    def choose(self, hosts: Sequence[Host]) -> Host:
        idlest = _idlest(hosts)
        return idlest[0] if len(idlest) == 1 else self._turns.next(idlest)

    def peek(self, hosts: Sequence[Host]) -> Sequence[Host]:
        return (self._turns.peek(_idlest(hosts)),)


class RoundRobin:
    """Turns in proportion to weight, whatever is in flight."""

    __slots__ = ("_turns",)

    def __init__(self) -> None:
        self._turns = Turns()

    def choose(self, hosts: Sequence[Host]) -> Host:
        return self._turns.next(hosts)

    def peek(self, hosts: Sequence[Host]) -> Sequence[Host]:
        return (self._turns.peek(hosts),)


class WeightedRandom:
    """At random in proportion to weight."""

    __slots__ = ("_random",)

    def __init__(self, random: Random) -> None:
        self._random = random

    def choose(self, hosts: Sequence[Host]) -> Host:
        return self._random.choices(hosts, [host.server.spec.weight for host in hosts])[0]

    def peek(self, hosts: Sequence[Host]) -> Sequence[Host]:
        return hosts


class Uniform:
    """At random, weights ignored."""

    __slots__ = ("_random",)

    def __init__(self, random: Random) -> None:
        self._random = random

    def choose(self, hosts: Sequence[Host]) -> Host:
        return self._random.choice(hosts)

    def peek(self, hosts: Sequence[Host]) -> Sequence[Host]:
        return hosts


class Tiers:
    """Around any policy: only the hosts of the lowest priority number that are there."""

    __slots__ = ("inner",)

    def __init__(self, inner: Policy) -> None:
        self.inner = inner

    def choose(self, hosts: Sequence[Host]) -> Host:
        return self.inner.choose(_first_tier(hosts))

    def peek(self, hosts: Sequence[Host]) -> Sequence[Host]:
        return self.inner.peek(_first_tier(hosts))


def named(name: str, random: Random) -> Policy:
    """The policy of the setting `policy`, in tiers."""
    inner: Policy
    if name == "round-robin":
        inner = RoundRobin()
    elif name == "weighted-random":
        inner = WeightedRandom(random)
    elif name == "random":
        inner = Uniform(random)
    else:
        inner = LeastInFlight()
    return Tiers(inner)


def _idlest(hosts: Sequence[Host]) -> list[Host]:
    """Those with the fewest requests in flight per weight."""
    least = math.inf
    idlest: list[Host] = []
    for host in hosts:
        load = host.server.in_flight / host.server.spec.weight
        if load < least:
            least, idlest = load, [host]
        elif load == least:
            idlest.append(host)
    return idlest


def _first_tier(hosts: Sequence[Host]) -> Sequence[Host]:
    """Those of the lowest priority number."""
    if len(hosts) == 1:
        return hosts
    first = min(host.server.spec.priority for host in hosts)
    return [host for host in hosts if host.server.spec.priority == first]
