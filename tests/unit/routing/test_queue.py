from collections import defaultdict

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from orchestrator.routing.queue import WaitingRoom

LIMIT = 3
MODELS = st.sampled_from(["m", "n", "o"])


class Lines(RuleBasedStateMachine):
    """A waiting room beside plain lists."""

    def __init__(self) -> None:
        super().__init__()
        self.room: WaitingRoom[int] = WaitingRoom(LIMIT)
        self.lines: dict[str, list[int]] = defaultdict(list)
        self.number = 0

    @rule(model=MODELS)
    def join(self, model: str) -> None:
        self.number += 1
        joined = self.room.join(model, self.number)
        assert joined == (len(self.lines[model]) < LIMIT)
        if joined:
            self.lines[model].append(self.number)

    @rule(model=MODELS, place=st.integers(0, LIMIT))
    def leave(self, model: str, place: int) -> None:
        line = self.lines[model]
        ticket = line.pop(place) if place < len(line) else -1
        for _ in range(2):  # leaving twice, or without having been there, does nothing
            self.room.leave(model, ticket)

    @invariant()
    def the_same_wait_in_the_same_order(self) -> None:
        found: dict[str, list[int]] = defaultdict(list)
        for model, ticket in self.room.all():
            found[model].append(ticket)
        assert {model: line for model, line in self.lines.items() if line} == found
        assert all(self.room.waiting(model) == len(line) for model, line in self.lines.items())
        assert bool(self.room) == any(self.lines.values())
        assert len(self.room) == sum(map(len, self.lines.values()))

    @invariant()
    def nothing_is_kept_of_empty_lines(self) -> None:
        assert len(self.room._lines) == len([line for line in self.lines.values() if line])


TestLines = Lines.TestCase


@pytest.mark.parametrize("limit", [0, -1])
def test_a_room_without_places_takes_nobody(limit: int) -> None:
    room: WaitingRoom[int] = WaitingRoom(limit)
    assert not room.join("m", 1)
    assert not room
    assert room.waiting("m") == 0


def test_endlessly_many_models_leave_nothing_behind() -> None:
    room: WaitingRoom[int] = WaitingRoom(1)
    for number in range(1000):
        room.join(str(number), number)
        room.leave(str(number), number)
    assert not room._lines
