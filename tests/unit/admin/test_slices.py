import asyncio

from orchestrator.admin import slices as module
from orchestrator.admin.slices import Slices


async def others_turns(slices, parts):
    """How often somebody else had a turn while the work went on."""
    turns = []

    async def other():
        while True:
            turns.append(1)
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    for _ in range(parts):
        await slices.pause()
    task.cancel()
    return len(turns)


async def test_others_have_a_turn_whenever_the_time_is_up(monkeypatch):
    monkeypatch.setattr(module, "SLICE_SECONDS", 0.0)
    assert await others_turns(Slices(), 10) >= 10


async def test_short_work_is_not_interrupted(monkeypatch):
    monkeypatch.setattr(module, "SLICE_SECONDS", 3600.0)
    assert await others_turns(Slices(), 10) == 0
