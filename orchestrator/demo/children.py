"""Child processes that never outlive their parent."""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

PR_SET_PDEATHSIG = 1
START_SECONDS = 20.0


class ChildFailed(Exception):
    """A child did not do what it was started for; the text holds its last words."""


class Child:
    """One running child process, its output in a file of its own."""

    __slots__ = ("log", "name", "process")

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.process = process
        self.log = log

    @property
    def alive(self) -> bool:
        return self.process.returncode is None

    def last_words(self) -> str:
        """The end of what it wrote, for an error message."""
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-15:])

    async def line(self, start: str) -> str:
        """Waits for the first line of its output that starts so. Raises ChildFailed if it ends, or lasts too long, without one."""
        deadline = asyncio.get_running_loop().time() + START_SECONDS
        while True:
            whole_lines = self.log.read_text("utf-8", "replace").rpartition("\n")[0].splitlines()
            for line in whole_lines:
                if line.startswith(start):
                    return line
            if not self.alive or asyncio.get_running_loop().time() > deadline:
                raise ChildFailed(f"{self.name} did not start:\n{self.last_words()}")
            await asyncio.sleep(0.02)

    async def kill(self) -> None:
        """End it without any chance to say goodbye."""
        self._signal(signal.SIGKILL)
        await self.process.wait()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            self.process.send_signal(number)


class Children:
    """Starts children and ends all of them. They get no signal of the terminal: the parent decides."""

    __slots__ = ("_folder", "_running")

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[Child] = []

    async def start(self, name: str, module: Sequence[str], env: Mapping[str, str]) -> Child:
        """Run `python -m module...` in the folder, with this environment and nothing else."""
        log = self._folder / f"{name}.log"
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", *module, cwd=self._folder, env=dict(env), stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True, preexec_fn=dies_with_parent(),
            )  # fmt: skip
        child = Child(name, process, log)
        self._running.append(child)
        return child

    async def end(self, grace_seconds: float = 1.5) -> None:
        """SIGTERM to all, SIGKILL to those still there after the grace time. Returns when none is left."""
        alive = [child for child in self._running if child.alive]
        for child in alive:
            child._signal(signal.SIGTERM)
        if alive:
            await asyncio.wait([asyncio.ensure_future(child.process.wait()) for child in alive], timeout=grace_seconds)
        await asyncio.gather(*(child.kill() for child in alive if child.alive))


def dies_with_parent() -> Callable[[], None] | None:
    """On Linux: a hook for the child that has the kernel end it with its parent, even when that is killed."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def hook() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the call
            os._exit(1)

    return hook
