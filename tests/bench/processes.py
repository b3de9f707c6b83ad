"""Processes of the benchmark: started on their core, ended by their id, their CPU time and memory read from /proc."""

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from orchestrator.demo.children import dies_with_parent

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
PROC = Path("/proc")


def cores() -> tuple[int | None, int | None]:
    """The core of the proxies and the core of everything else; None twice if there is but one."""
    allowed = sorted(os.sched_getaffinity(0))
    return (allowed[0], allowed[1]) if len(allowed) > 1 else (None, None)


def start(command: Sequence[str], core: int | None, log: Path, env: dict[str, str] | None = None, cwd: Path | None = None) -> subprocess.Popen[bytes]:
    """Start on that core; what it writes to standard error goes to the log."""
    with log.open("ab") as errors:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, env=env, cwd=cwd, preexec_fn=on_core(core))


def on_core(core: int | None) -> Callable[[], None]:
    """A hook for a child: stays on its core and dies with us."""
    dies = dies_with_parent()

    def hook() -> None:
        if core is not None:
            os.sched_setaffinity(0, {core})
        if dies is not None:
            dies()

    return hook


def end(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM, and SIGKILL after 5 s."""
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def tree(pid: int) -> list[int]:
    """The process and all its descendants."""
    parents = {int(entry.name): _stat(int(entry.name)) for entry in PROC.iterdir() if entry.name.isdigit()}
    found = [pid]
    for known in found:
        found += [child for child, stat in parents.items() if stat and int(stat[1]) == known]
    return found


def cpu_seconds(pid: int) -> float:
    """User and system time of the whole tree so far, finished children included."""
    return sum(sum(map(int, stat[11:15])) for member in tree(pid) if (stat := _stat(member))) / TICKS_PER_SECOND


def resident_bytes(pid: int) -> int:
    """Resident memory of the whole tree; what processes share counts once for each."""
    total = 0
    for member in tree(pid):
        try:
            total += int((PROC / str(member) / "statm").read_text().split()[1]) * PAGE_BYTES
        except OSError:
            continue
    return total


def until(condition: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
    """Wait for a condition. Raises RuntimeError that says what did not happen."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} did not happen within {seconds:.0f} s")
        time.sleep(0.05)


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat from the state on; None if the process is gone."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return None
