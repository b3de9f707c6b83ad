"""Builds the admin UI into the package, if it is not there already as its sources are.

    python frontend/build_ui.py               exit status 0 it is there, 3 there is no npm, 1 npm could not build it
    python frontend/build_ui.py --packages    the packages that check it are to be there too

Packages are installed only when the lockfile changed. Whoever comes at the same time waits and finds it done.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

TIMEOUT_SECONDS = 1200.0
SHOWN_LINES = 40
NO_SOURCES = ("node_modules", "__pycache__", "coverage", "dist")
FAILED, NO_NPM = 1, 3
STAYS = "the one that is there stays"
WITHOUT = "the orchestrator runs without it, and /ui/ says so"


class NotBuilt(Exception):
    """The UI is not there as its sources are, and why. status: as the exit status."""

    def __init__(self, reason: str, status: int = FAILED) -> None:
        super().__init__(reason)
        self.status = status


class Ui:
    """The UI of one source tree."""

    def __init__(self, root: Path) -> None:
        self._frontend = root / "frontend"
        self._index = root / "orchestrator" / "ui" / "index.html"
        self._built_from = self._index.with_name(".sources")
        self._installed_from = self._frontend / "node_modules" / ".lockfile"

    @property
    def is_there(self) -> bool:
        """In whatever version."""
        return self._index.is_file()

    def build(self, say: Callable[[str], None], *, packages: bool = False) -> None:
        """packages: they are wanted even if nothing is to be built. Raises NotBuilt."""
        with self._alone():
            sources = self._digest(self._sources())
            is_new = self.is_there and _text(self._built_from) == sources
            if is_new and not packages:
                return
            npm = shutil.which("npm")
            if npm is None:
                raise NotBuilt("npm is not there: Node.js 20.19 or newer builds the admin UI", NO_NPM)
            self._install(npm, say)
            if is_new:
                return
            say("Building the admin UI")
            self._run(npm, "run", "build")
            if not self.is_there:
                raise NotBuilt(f"npm run build left no {self._index}")
            self._built_from.write_text(sources)

    def _install(self, npm: str, say: Callable[[str], None]) -> None:
        wanted = self._digest([self._frontend / "package-lock.json", self._frontend / "package.json"])
        if _text(self._installed_from) != wanted:
            say("Installing what the admin UI is built with")
            self._run(npm, "ci", "--no-audit", "--no-fund")
            self._installed_from.parent.mkdir(exist_ok=True)
            self._installed_from.write_text(wanted)

    def _run(self, *command: str) -> None:
        try:
            done = subprocess.run(
                command, cwd=self._frontend, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT_SECONDS, check=False
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NotBuilt(f"npm {command[1]}: {error}") from None
        if done.returncode:
            told = done.stdout.decode(errors="replace").splitlines()[-SHOWN_LINES:]
            raise NotBuilt("\n".join([*told, f"npm {' '.join(command[1:])} failed"]))

    def _sources(self) -> Iterator[Path]:
        for path in sorted(self._frontend.rglob("*")):
            if path.suffix != ".py" and not set(NO_SOURCES) & set(path.relative_to(self._frontend).parts) and path.is_file():
                yield path

    def _digest(self, paths: Iterable[Path]) -> str:
        """Of names and content: what a checkout does to times of files means nothing."""
        found = hashlib.sha256()
        for path in paths:
            content = path.read_bytes()
            found.update(f"{path.relative_to(self._frontend).as_posix()} {len(content)}\n".encode() + content)
        return found.hexdigest()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self._frontend / "package-lock.json").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _text(path: Path) -> str:
    return path.read_text() if path.is_file() else ""


def main(arguments: list[str]) -> int:
    ui = Ui(Path(__file__).parent.parent)
    try:
        ui.build(lambda words: print(words, flush=True), packages="--packages" in arguments)
    except NotBuilt as problem:
        print(f"{problem}; {STAYS if ui.is_there else WITHOUT}", file=sys.stderr)
        return problem.status
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
