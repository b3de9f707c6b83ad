"""Which server takes a request."""

from collections.abc import Sequence

from orchestrator.fleet.models import Host
from orchestrator.routing.candidates import Wanted, able, free, refusal
from orchestrator.routing.policies import Policy


class Router:
    """Filters, then the policy. Raises the refusal where nobody may be asked; None where all that may be are full."""

    __slots__ = ("policy",)

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    def pick(self, wanted: Wanted, now: float) -> Host | None:
        hosts = _open(wanted, now)
        if hosts is None:
            return None
        return hosts[0] if len(hosts) == 1 else self.policy.choose(hosts)

    def preview(self, wanted: Wanted, now: float) -> Sequence[Host] | None:
        """The hosts of which `pick` would give one now, or None as it would. Changes nothing; raises as it does."""
        hosts = _open(wanted, now)
        return None if hosts is None else self.policy.peek(hosts)


def _open(wanted: Wanted, now: float) -> list[Host] | None:
    """Those that may be asked and have room; None where none of them has."""
    hosts = able(wanted, now)
    if not hosts:
        raise refusal(wanted, now)
    return hosts if wanted.light else free(hosts) or None
