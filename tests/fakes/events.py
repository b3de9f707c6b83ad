"""Events of `/api/events`, taken apart."""

import json
from typing import Any, NamedTuple


class Event(NamedTuple):
    id: str
    name: str
    data: Any

    @property
    def number(self) -> int:
        return int(self.id.partition("-")[2])


def parsed(frame: bytes) -> Event:
    """One event, as strictly as the hub writes it."""
    assert frame.endswith(b"\n\n")
    assert frame.count(b"\n") == 4, "a line break within an event"
    lines = dict(line.split(": ", 1) for line in frame.decode().split("\n")[:3])
    return Event(lines["id"], lines["event"], json.loads(lines["data"]))
