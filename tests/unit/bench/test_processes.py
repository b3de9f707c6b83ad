import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.processes import cpu_seconds, end, resident_bytes, start, tree, until

SPIN = "import time\nwhile time.process_time() < 0.2: pass\nprint('spun', flush=True)\ntime.sleep(60)"
PARENT = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {SPIN!r}])"


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = start([sys.executable, "-c", PARENT], None, tmp_path / "log")
    yield process
    for member in tree(process.pid)[1:]:
        os.kill(member, 9)
    end(process)


def test_a_tree_counts_the_work_and_memory_of_children(parent: subprocess.Popen[bytes]) -> None:
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"spun\n"
    assert len(tree(parent.pid)) == 2
    assert cpu_seconds(parent.pid) >= 0.15
    assert resident_bytes(parent.pid) > resident_bytes(tree(parent.pid)[1])


def test_a_process_that_is_gone_counts_nothing(tmp_path: Path) -> None:
    process = start([sys.executable, "-c", "pass"], None, tmp_path / "log")
    end(process)
    assert cpu_seconds(process.pid) == 0.0
    assert resident_bytes(process.pid) == 0


def test_what_does_not_happen_is_named() -> None:
    with pytest.raises(RuntimeError, match="rain did not happen"):
        until(lambda: False, "rain", seconds=0.01)
