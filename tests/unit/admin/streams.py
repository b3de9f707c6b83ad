"""What a listener of the hub got, and looking into it."""

from typing import Any

from orchestrator.admin.hub import Hub, Listener
from tests.fakes.events import Event, parsed


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
