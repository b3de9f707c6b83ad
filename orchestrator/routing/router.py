"""Which server takes a request."""

from orchestrator.fleet.models import Host
from orchestrator.routing.candidates import Wanted, able, free, refusal
from orchestrator.routing.policies import Policy


class Router:
    """Filters, then the policy. Raises the refusal where nobody may be asked; None where all that may be are full."""

    __slots__ = ("policy",)

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    def pick(self, wanted: Wanted, now: float) -> Host | None:
        hosts = able(wanted, now)
        if not hosts:
            raise refusal(wanted, now)
        if not wanted.light:
            hosts = free(hosts)
            if not hosts:
                return None
        return hosts[0] if len(hosts) == 1 else self.policy.choose(hosts)
