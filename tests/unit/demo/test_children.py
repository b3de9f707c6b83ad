import asyncio
import os
import sys
from pathlib import Path

import pytest

from orchestrator.demo.children import ChildFailed, Children

STUBBORN = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('deaf', flush=True)\ntime.sleep(60)"
PARENT = """
import asyncio, os, pathlib, sys
from orchestrator.demo.children import Children
async def main():
    child = await Children(pathlib.Path(sys.argv[1])).start("child", ["sleeper"], {**os.environ, "PYTHONPATH": sys.argv[1]})
    print(child.process.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    """A folder whose modules children can run."""
    (tmp_path / "sleeper.py").write_text("import time\nprint('up', flush=True)\ntime.sleep(60)")
    (tmp_path / "stubborn.py").write_text(STUBBORN)
    (tmp_path / "broken.py").write_text("raise SystemExit('no such luck')")
    return tmp_path


async def test_children_end_when_told(modules: Path) -> None:
    children = Children(modules)
    first, second = [await children.start(name, ["sleeper"], dict(os.environ)) for name in ("a", "b")]
    assert await first.line("up") == "up"
    await children.end()
    assert not first.alive
    assert not second.alive


async def test_a_child_that_does_not_listen_is_killed(modules: Path) -> None:
    children = Children(modules)
    child = await children.start("a", ["stubborn"], dict(os.environ))
    await child.line("deaf")
    await children.end(grace_seconds=0.05)
    assert child.process.returncode == -9


async def test_a_child_that_fails_tells_why(modules: Path) -> None:
    children = Children(modules)
    child = await children.start("a", ["broken"], dict(os.environ))
    with pytest.raises(ChildFailed, match="no such luck"):
        await child.line("up")
    await children.end()


async def test_a_child_sees_the_given_environment_only(modules: Path) -> None:
    (modules / "env.py").write_text("import os\nprint(sorted(os.environ), flush=True)")
    children = Children(modules)
    child = await children.start("a", ["env"], {"ONLY": "this"})
    assert "'ONLY'" in (line := await child.line("["))
    assert "HOME" not in line
    await children.end()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells a child of its parent's death")
async def test_a_child_dies_with_a_killed_parent(modules: Path) -> None:
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", PARENT, str(modules), stdout=asyncio.subprocess.PIPE)
    assert parent.stdout is not None
    child = int(await parent.stdout.readline())
    parent.kill()
    await parent.wait()
    async with asyncio.timeout(10):
        while _runs(child):
            await asyncio.sleep(0.02)


def _runs(pid: int) -> bool:
    """Whether it runs; a zombie that its new parent has not buried yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False
