"""Where a demo runs: a port of its own, also when several demos run side by side."""

import socket
import sys

HOST = "127.0.0.1"
PREFERRED_PORT = 5100


class Place:
    """A free port, 5100 if nobody has it. Hold the object as long as the port is in use: on Linux it keeps other demos off that port, also
    in the moment before the server listens on it."""

    __slots__ = ("_claim", "port")

    def __init__(self, preferred: int = PREFERRED_PORT) -> None:
        self._claim = _claim(preferred) if _free(preferred) else None
        self.port = preferred
        while self._claim is None:
            self.port = _any_free()
            self._claim = _claim(self.port)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def close(self) -> None:
        if self._claim is not None:
            self._claim.close()


def _claim(port: int) -> socket.socket | None:
    """A lock among demos: an abstract Unix address, which the kernel frees when its process ends. None if another demo has it."""
    claim = socket.socket(socket.AF_UNIX if sys.platform.startswith("linux") else socket.AF_INET, socket.SOCK_DGRAM)
    if sys.platform.startswith("linux"):
        try:
            claim.bind(f"\0orchestrator-demo-{port}")
        except OSError:
            claim.close()
            return None
    return claim


def _free(port: int) -> bool:
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((HOST, port))
        except OSError:
            return False
    return True


def _any_free() -> int:
    with socket.socket() as trial:
        trial.bind((HOST, 0))
        return int(trial.getsockname()[1])
