"""The requests that ended last, in memory."""

from collections import deque
from collections.abc import Sequence

from msgspec.structs import replace

from orchestrator.protocol.http import RequestHeaders
from orchestrator.telemetry.recorder import Kept

MAX_KEPT = 2000
MAX_HEADER_BYTES = 16 * 1024
MAX_TEXT = 512


class Recent:
    """A reader of the recorder. total: how many ended since the start, kept or not."""

    __slots__ = ("_kept", "total")

    def __init__(self, size: int = MAX_KEPT) -> None:
        self._kept: deque[Kept] = deque(maxlen=size)
        self.total = 0

    def read(self, batch: Sequence[Kept]) -> None:
        self.total += len(batch)
        self._kept.extend(_bounded(kept) for kept in batch[-MAX_KEPT:])

    def newest_first(self) -> list[Kept]:
        return list(reversed(self._kept))

    def find(self, request_id: str) -> Kept | None:
        """The newest with this id: clients may send the same one again."""
        return next((kept for kept in reversed(self._kept) if kept.record.request_id == request_id), None)


def _bounded(kept: Kept) -> Kept:
    """Without what a client made too long to keep."""
    record, headers = kept.record, kept.headers
    if max(len(record.path), len(record.operation), len(record.reason)) > MAX_TEXT:
        record = replace(record, path=record.path[:MAX_TEXT], operation=record.operation[:MAX_TEXT], reason=record.reason[:MAX_TEXT])
    if headers is not None and _size(headers) >= MAX_HEADER_BYTES:
        headers = None
    return kept if record is kept.record and headers is kept.headers else Kept(record, headers)


def _size(headers: RequestHeaders) -> int:
    return len(headers.lines) + sum(len(name) + len(value) + 4 for name, value in headers.seen.items())
