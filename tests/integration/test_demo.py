import asyncio
import os
import shlex
import shutil
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path

import pytest

from tests.bench.processes import tree

DEADLINE_SECONDS = 90
Start = Callable[..., Coroutine[None, None, Process]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Starts `orchestrator demo` with its temporary folders below tmp_path; whatever is left at the end is killed."""
    running: list[Process] = []

    async def begin(*options: str, **env: str) -> Process:
        command = (sys.executable, "-m", "orchestrator", "demo", *options)
        process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE, env={**os.environ, "TMPDIR": str(tmp_path), **env})
        running.append(process)
        return process

    yield begin
    for process in running:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def finished(process: Process) -> tuple[str, str]:
    out, err = await asyncio.wait_for(process.communicate(), DEADLINE_SECONDS)
    return out.decode(), err.decode()


async def read_until(process: Process, mark: str) -> str:
    """Its output up to the line with the mark in it."""
    assert process.stdout is not None
    text = ""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while mark not in text:
            line = await process.stdout.readline()
            if not line:
                _, err = await process.communicate()
                pytest.fail(f"it ended early: {text}{err.decode()}")
            text += line.decode()
    return text


async def until_gone(pids: list[int]) -> None:
    async with asyncio.timeout(10):
        while any(_runs(pid) for pid in pids):
            await asyncio.sleep(0.02)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


async def test_once_shows_every_protocol_and_the_failover_and_leaves_nothing(start: Start, tmp_path: Path) -> None:
    process = await start("--once")
    out, err = await finished(process)
    assert (process.returncode, err) == (0, ""), out
    table = out.partition("protocol ")[2].splitlines()[1:8]
    assert {tuple(row.split()[i] for i in (0, 2)) for row in table} == {("ollama", "stream"), ("ollama", "plain"), ("openai", "stream"), ("openai", "plain")}
    assert {row.split()[3] for row in table} == {"attic", "cellar", "workshop"}
    assert [row.split()[4] for row in table] == ["1"] * 6 + ["2"]
    assert "was killed before its first token" in out
    assert list(tmp_path.iterdir()) == []


async def test_two_demos_run_side_by_side(start: Start) -> None:
    both = [await start("--once") for _ in range(2)]
    results = await asyncio.gather(*map(finished, both))
    assert [process.returncode for process in both] == [0, 0], results
    assert results[0][0].splitlines()[0] != results[1][0].splitlines()[0]


async def test_settings_of_the_callers_own_orchestrator_do_not_leak_in(start: Start) -> None:
    process = await start("--once", ORCHESTRATOR_PORT="1", ORCHESTRATOR_ADMIN_TOKEN="secret", ORCHESTRATOR_DATABASE_URL="nonsense://")
    out, err = await finished(process)
    assert (process.returncode, err) == (0, ""), out


async def test_it_stays_up_with_curl_lines_that_work_until_ctrl_c(start: Start, tmp_path: Path) -> None:
    process = await start()
    out = await read_until(process, "Ctrl-C ends everything.")
    lines = [line for line in out.splitlines() if line.startswith("curl ")]
    assert len(lines) == 3
    if curl := shutil.which("curl"):
        for line in lines:
            asked = await asyncio.create_subprocess_exec(curl, "-sf", *shlex.split(line)[1:], stdout=PIPE)
            answer, _ = await asyncio.wait_for(asked.communicate(), 30)
            assert (asked.returncode, b"coffee" in answer or b"cellar" in answer) == (0, True), line
    children = tree(process.pid)[1:]
    assert len(children) == 3  # the orchestrator and two servers; one server was killed
    process.send_signal(signal.SIGINT)
    _, err = await asyncio.wait_for(process.communicate(), 10)
    assert (process.returncode, err.decode()) == (0, "")
    assert not any(_runs(child) for child in children)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_told_to_end_in_the_middle_it_leaves_nothing(start: Start, tmp_path: Path, number: signal.Signals) -> None:
    process = await start()
    await read_until(process, "registered attic")
    children = tree(process.pid)[1:]
    process.send_signal(number)
    _, err = await asyncio.wait_for(process.communicate(), 10)
    assert (process.returncode, err.decode()) == (0, "")
    assert not any(_runs(child) for child in children)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells a child of its parent's death")
async def test_killed_outright_it_takes_its_children_with_it(start: Start) -> None:
    process = await start()
    await read_until(process, "registered attic")
    children = tree(process.pid)[1:]
    assert len(children) == 4
    process.kill()
    await until_gone(children)
