"""The built UI: the files that `make ui` leaves in the package, each read when it is first asked for."""

import asyncio
import hashlib
from pathlib import Path

from msgspec import Struct

INDEX = "index.html"
NONCE = b"__CSP_NONCE__"
MAX_KEPT_BYTES = 8 << 20
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}


class File(Struct, frozen=True):
    """body: as it is sent. compressed: it is gzip. etag: with its quotes."""

    body: bytes
    media_type: str
    etag: str
    compressed: bool


class Bundle:
    """The files of one folder. A new build is noticed by its index; apart from that, what was read once is not read again.

    program: tells builds apart besides the UI, such as `digest` of the sources.
    """

    def __init__(self, folder: Path, program: str = "") -> None:
        self._folder = folder
        self._program = program
        self._seen: tuple[int, ...] | None = ()
        self._index = b""
        self._paths: dict[str, Path] = {}
        self._kept: dict[str, File] = {}
        self._build = ""

    @property
    def build(self) -> str:
        """Short text that changes with every other build of the program or of the UI."""
        self._look()
        return self._build

    @property
    def is_built(self) -> bool:
        self._look()
        return bool(self._index)

    def page(self, nonce: str) -> bytes | None:
        """The page that all of the UI is, None if it was not built."""
        self._look()
        return self._index.replace(NONCE, nonce.encode()) if self._index else None

    def has_forms(self, name: str) -> bool:
        """Is there a compressed form beside the plain one?"""
        return f"{name}.gz" in self._paths

    async def file(self, name: str, *, gzip: bool) -> File | None:
        """By its path below the folder, compressed if there is such a form and the client takes it. None: no such file."""
        self._look()
        compressed = gzip and self.has_forms(name)
        key = f"{name}.gz" if compressed else name
        kept, path = self._kept, self._paths.get(key)
        if path is None or name.endswith(".gz"):
            return None
        found = kept.get(key)
        if found is None:
            try:
                body = await asyncio.to_thread(path.read_bytes)
            except OSError:
                return None
            media_type = MEDIA_TYPES.get(Path(name).suffix, "application/octet-stream")
            found = File(body, media_type, f'"{hashlib.sha256(body).hexdigest()[:16]}"', compressed)
            if sum(len(file.body) for file in kept.values()) + len(body) > MAX_KEPT_BYTES:
                kept.clear()
            kept[key] = found
        return found

    def _look(self) -> None:
        """Begin anew if the index is another one than before. Names are taken from the folder, never from a request, so that none leads out of it."""
        index = self._folder / INDEX
        try:
            state = index.stat()
            seen = (state.st_mtime_ns, state.st_size, state.st_ino)
            if seen == self._seen:
                return
            self._index = index.read_bytes()
            self._paths = {path.relative_to(self._folder).as_posix(): path for path in self._folder.rglob("*") if path.is_file() and path != index}
        except OSError:
            seen, self._index, self._paths = None, b"", {}
        self._seen, self._kept = seen, {}
        self._build = hashlib.sha256(self._program.encode() + self._index).hexdigest()[:12]


def digest(package: Path) -> str:
    """Of the sources of the program: the same on every machine that has the same."""
    found = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        found.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()
