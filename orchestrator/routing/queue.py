"""The waiting room: who waits for which model, in order of arrival. Pure; the gateway wakes whom it names."""

from typing import Generic, TypeVar

T = TypeVar("T")


class WaitingRoom(Generic[T]):
    """One first-in-first-out line per model, each bounded. Tickets are any hashable objects."""

    __slots__ = ("_lines", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._lines: dict[str, dict[T, None]] = {}

    def __bool__(self) -> bool:
        return bool(self._lines)

    def __len__(self) -> int:
        return sum(map(len, self._lines.values()))

    def waiting(self, model: str) -> int:
        return len(self._lines.get(model, ()))

    def join(self, model: str, ticket: T) -> bool:
        """False if the line is full."""
        line = self._lines.get(model)
        if line is None:
            if self.limit < 1:
                return False
            line = self._lines[model] = {}
        elif len(line) >= self.limit:
            return False
        line[ticket] = None
        return True

    def leave(self, model: str, ticket: T) -> None:
        line = self._lines.get(model)
        if line is not None:
            line.pop(ticket, None)
            if not line:
                del self._lines[model]

    def all(self) -> list[tuple[str, T]]:
        """(model, ticket) of everybody, each line in order."""
        return [(model, ticket) for model, line in self._lines.items() for ticket in line]
