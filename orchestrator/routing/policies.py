"""How one of several able hosts is chosen. Each policy is one class with `choose`; hosts are never empty."""

from collections.abc import Sequence
from random import Random
from typing import Protocol

from orchestrator.fleet.models import Host

MAX_TURNS = 10_000


class Policy(Protocol):
    def choose(self, hosts: Sequence[Host]) -> Host: ...


class Turns:
    """Weighted turn-taking by start-time fair queuing (Goyal, Vin, Cheng 1996): each choice moves a server 1/weight ahead.

    A server that was away joins at the current virtual time, so it is neither flooded nor starved.
    """

    __slots__ = ("_at", "_virtual")

    def __init__(self) -> None:
        self._at: dict[str, float] = {}
        self._virtual = 0.0

    def of(self, host: Host) -> float:
        return max(self._at.get(host.server.spec.id, 0.0), self._virtual)

    def take(self, host: Host) -> None:
        spec = host.server.spec
        if len(self._at) >= MAX_TURNS and spec.id not in self._at:
            self._at.clear()
        self._virtual = self.of(host)
        self._at[spec.id] = self._virtual + 1.0 / spec.weight


class LeastInFlight:
    """The fewest requests in flight per weight; ties take turns."""

    __slots__ = ("_turns",)

    def __init__(self) -> None:
        self._turns = Turns()

    def choose(self, hosts: Sequence[Host]) -> Host:
        turns = self._turns
        best = min(hosts, key=lambda host: (host.server.in_flight / host.server.spec.weight, turns.of(host))) if len(hosts) > 1 else hosts[0]
        turns.take(best)
        return best


class RoundRobin:
    """Turns in proportion to weight, whatever is in flight."""

    __slots__ = ("_turns",)

    def __init__(self) -> None:
        self._turns = Turns()

    def choose(self, hosts: Sequence[Host]) -> Host:
        best = min(hosts, key=self._turns.of)
        self._turns.take(best)
        return best


class WeightedRandom:
    """At random in proportion to weight."""

    __slots__ = ("_random",)

    def __init__(self, random: Random) -> None:
        self._random = random

    def choose(self, hosts: Sequence[Host]) -> Host:
        return self._random.choices(hosts, [host.server.spec.weight for host in hosts])[0]


class Uniform:
    """At random, weights ignored."""

    __slots__ = ("_random",)

    def __init__(self, random: Random) -> None:
        self._random = random

    def choose(self, hosts: Sequence[Host]) -> Host:
        return self._random.choice(hosts)


class Tiers:
    """Around any policy: only the hosts of the lowest priority number that are there."""

    __slots__ = ("inner",)

    def __init__(self, inner: Policy) -> None:
        self.inner = inner

    def choose(self, hosts: Sequence[Host]) -> Host:
        if len(hosts) > 1:
            first = min(host.server.spec.priority for host in hosts)
            hosts = [host for host in hosts if host.server.spec.priority == first]
        return self.inner.choose(hosts)


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
