"""What a listener of the hub got, and looking into it."""

import json
from typing import Any, NamedTuple

from orchestrator.admin.hub import Hub, Listener


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
    lines = dict(line.split(": ", 1) for line in frame.decode().splitlines()[:3])
    return Event(lines["id"], lines["event"], json.loads(lines["data"]))


def waiting(listener: Listener) -> list[bytes]:
    """Takes what is ready to be sent."""
    frames = list(listener._frames)
    listener._frames.clear()
    listener._bytes = 0
    return frames


class Ear:
    """Listens to a hub from now on."""

    def __init__(self, hub: Hub, *topics: str, last_id: str = "") -> None:
        self.hub = hub
        self.listener = hub.join(topics or ("servers", "activity"), last_id)
        [self.hello, *self.missed] = [parsed(frame) for frame in waiting(self.listener)]

    def heard(self) -> list[Event]:
        """The events since the last call."""
        return [parsed(frame) for frame in waiting(self.listener) if not frame.startswith(b":")]

    def names(self) -> list[str]:
        return [event.name for event in self.heard()]

    def of(self, name: str) -> list[Any]:
        """Payloads of the events of that name since the last call; the others are gone."""
        return [event.data for event in self.heard() if event.name == name]

    def leave(self) -> None:
        self.hub.leave(self.listener)
