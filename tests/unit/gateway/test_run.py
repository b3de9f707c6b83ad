import asyncio

import pytest

from orchestrator.gateway.run import Run


def test_it_runs_at_once_up_to_where_it_waits() -> None:
    run, done = Run(), []

    async def work() -> None:
        done.append(1)
        await run
        done.append(2)

    run.start(work())
    assert done == [1]
    run.wake()
    assert done == [1, 2]


def test_a_wake_that_nobody_waits_for_is_nothing() -> None:
    run, done = Run(), []

    async def work() -> None:
        run.wake()
        await run
        done.append(1)

    run.start(work())
    assert done == []
    run.wake()
    run.wake()
    assert done == [1]


async def test_futures_and_tasks_are_waited_for() -> None:
    run, got = Run(), []
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def work() -> None:
        got.append(await future)
        got.append(await asyncio.create_task(asyncio.sleep(0, 2)))

    run.start(work())
    run.wake()
    assert got == []
    future.set_result(1)
    while len(got) < 2:
        await asyncio.sleep(0)
    assert got == [1, 2]


async def test_a_turn_of_the_loop_can_be_waited_for() -> None:
    run, got = Run(), []

    async def work() -> None:
        await asyncio.sleep(0)
        got.append(1)

    run.start(work())
    assert got == []
    while not got:
        await asyncio.sleep(0)


async def test_the_error_of_a_future_comes_out_where_it_is_awaited() -> None:
    run, got = Run(), []
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def work() -> None:
        with pytest.raises(ValueError, match="no"):
            await future
        got.append(1)

    run.start(work())
    future.set_exception(ValueError("no"))
    while not got:
        await asyncio.sleep(0)


@pytest.mark.parametrize("waits_for", ["itself", "a future", "a task"])
async def test_cancelling_ends_every_wait(waits_for: str) -> None:
    run, ended = Run(), asyncio.Event()
    task = asyncio.create_task(asyncio.Event().wait())

    async def work() -> None:
        try:
            if waits_for == "itself":
                await run
            elif waits_for == "a future":
                await asyncio.get_running_loop().create_future()
            else:
                await task
        except asyncio.CancelledError:
            ended.set()

    run.start(work())
    run.cancel()
    await asyncio.wait_for(ended.wait(), 5)
    task.cancel()
    assert waits_for != "a task" or task.cancelled()


async def test_cancelling_when_the_wait_is_just_over_takes_effect_at_the_next_one() -> None:
    """What was waited for (a connection, say) is not lost, so it can be put away."""
    run, got = Run(), []
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def work() -> None:
        got.append(await future)
        try:
            await run
        except asyncio.CancelledError:
            got.append(-1)

    run.start(work())
    future.set_result(1)
    run.cancel()
    while len(got) < 2:
        await asyncio.sleep(0)
    assert got == [1, -1]


def test_cancelling_from_inside_takes_effect_at_the_next_wait() -> None:
    run, got = Run(), []

    async def work() -> None:
        run.cancel()
        try:
            await run
        except asyncio.CancelledError:
            got.append(1)

    run.start(work())
    assert got == [1]
