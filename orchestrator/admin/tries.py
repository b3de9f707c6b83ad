"""How often somebody may try to sign in: wrong tries of an address make it wait, longer each time."""

from collections import OrderedDict
from ipaddress import IPv6Address, ip_address

from msgspec import Struct

FREE_TRIES = 5  # within a minute
FORGET_SECONDS = 60.0
MAX_WAIT_SECONDS = 60.0
MAX_ADDRESSES = 1000


class Wrong(Struct):
    """Wrong tries of one address. count: since they were last forgotten. wait_until, forget_at: monotonic."""

    count: int
    wait_until: float
    forget_at: float


class Tries:
    """Of the addresses that tried lately, at most 1,000."""

    def __init__(self) -> None:
        self._wrong: OrderedDict[str, Wrong] = OrderedDict()

    def wait_seconds(self, address: str, now: float) -> float:
        """How long this address has to wait, 0 if it may try; whoever knows the token waits too, or a guess could be told by it."""
        wrong = self._wrong.get(_network(address))
        return max(0.0, wrong.wait_until - now) if wrong is not None else 0.0

    def wrong(self, address: str, now: float) -> None:
        """It tried and was wrong: from the fifth time on it waits 1 s, 2 s, 4 s ... and is forgotten a minute after its wait."""
        key = _network(address)
        wrong = self._wrong.get(key)
        if wrong is None or now >= wrong.forget_at:
            wrong = self._wrong[key] = Wrong(0, 0.0, now + FORGET_SECONDS)
        wrong.count += 1
        if wrong.count >= FREE_TRIES:
            wrong.wait_until = now + min(MAX_WAIT_SECONDS, 2.0 ** min(wrong.count - FREE_TRIES, 10))
            wrong.forget_at = wrong.wait_until + FORGET_SECONDS
        self._wrong.move_to_end(key)
        while len(self._wrong) > MAX_ADDRESSES:
            self._wrong.popitem(last=False)

    def right(self, address: str) -> None:
        self._wrong.pop(_network(address), None)


def _network(address: str) -> str:
    """Whoever has one IPv6 address has all those of its /64."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(ip, IPv6Address) or ip.ipv4_mapped is not None:
        return address
    return str(int(ip) >> 64)
