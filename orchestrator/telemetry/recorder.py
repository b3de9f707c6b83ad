"""From the requests that end to whoever wants to know of them: gathered at the cost of one append, handed on a few times a second."""

import logging
from collections.abc import Callable, Sequence

from msgspec import Struct

from orchestrator.protocol.http import RequestHeaders
from orchestrator.telemetry.record import RequestRecord

MAX_GATHERED = 20_000
MAX_WITH_HEADERS = 250  # in one go: above 1,000 requests a second the caches of the CPU have better use than headers of all of them
log = logging.getLogger(__name__)


class Kept(Struct):
    """A request that has ended. headers: of the client's request, with every secret in them; None where there were too many at once or they were too large."""

    record: RequestRecord
    headers: RequestHeaders | None


Reader = Callable[[Sequence[Kept]], None]


class Recorder:
    """Bounded: what comes while nothing is handed on for long is lost to the readers and counted."""

    __slots__ = ("_gathered", "lost", "readers")

    def __init__(self, *readers: Reader) -> None:
        self.readers = list(readers)
        self.lost = 0
        self._gathered: list[Kept] = []

    def add(self, record: RequestRecord, headers: RequestHeaders) -> None:
        count = len(self._gathered)
        if count < MAX_GATHERED:
            self._gathered.append(Kept(record, headers if count < MAX_WITH_HEADERS else None))
        else:
            self.lost += 1

    def flush(self) -> None:
        """Hand on what was gathered, oldest first. A reader that fails takes nothing from the others."""
        if not self._gathered:
            return
        gathered, self._gathered = self._gathered, []
        for reader in self.readers:
            try:
                reader(gathered)
            except Exception:
                log.exception("a reader of requests failed")
