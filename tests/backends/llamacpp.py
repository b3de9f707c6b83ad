"""A real llama.cpp HTTP server on the scripted model, as a child process that a test can kill and start again.

    with LlamaCpp() as server:             # up when the block begins
        ...                                # server.url; server.kill(); server.start() brings it back on its port

Run as `python -m tests.backends.llamacpp MODEL_FILE PORT ALIAS [--embedding]` it is the server itself. It serves /v1/models, /v1/chat/completions,
/v1/completions, /v1/responses, /v1/messages, /health, /metrics and /slots; with --embedding /v1/embeddings instead.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.backends import scripted_gguf

START_SECONDS = 60.0
ROOT = Path(__file__).parents[2]


class LlamaCpp:
    """The server on a free loopback port under the model name `alias`."""

    def __init__(self, alias: str = "scripted", *, embedding: bool = False) -> None:
        self.alias = alias
        self.embedding = embedding
        self.port = _free_port()
        self._folder = tempfile.TemporaryDirectory(prefix="llamacpp-")
        self._model = Path(self._folder.name) / "scripted.gguf"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def running(self) -> bool:
        """Started and not killed since."""
        return self._process is not None

    def start(self) -> None:
        """Start, on the same port as before, and wait until it is healthy. Raises RuntimeError with its output if it does not come up."""
        if not self._model.exists():
            scripted_gguf.write(self._model, self.alias, embedding=self.embedding)
        options = ["--embedding"] if self.embedding else []
        log = Path(self._folder.name) / "log"
        with log.open("wb") as output:
            command = [sys.executable, "-m", "tests.backends.llamacpp", str(self._model), str(self.port), self.alias, *options]
            self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=output, stderr=output)
        deadline = time.monotonic() + START_SECONDS
        while not self._healthy():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"llama.cpp did not come up: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.05)

    def kill(self) -> None:
        """End it at once, as a crash does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            if self._process.stdin is not None:
                self._process.stdin.close()
            self._process = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self._folder.cleanup()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.kill()
        self._folder.cleanup()

    def _healthy(self) -> bool:
        with contextlib.suppress(urllib.error.URLError, OSError), urllib.request.urlopen(f"{self.url}/health", timeout=1) as response:
            return bool(response.status == 200)
        return False


def _free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def _serve(model: str, port: int, alias: str, *, embedding: bool) -> None:
    import xllamacpp  # heavy, and wanted in the child only

    params = xllamacpp.CommonParams()
    params.model.path = model
    params.model_alias = {alias}  # a set: a plain string is taken letter by letter
    params.port = port
    params.n_ctx, params.n_parallel = 8192, 2
    params.cpuparams.n_threads = 1
    params.endpoint_metrics = True
    params.warmup = False
    params.embedding = embedding
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    signal.sigwait({signal.SIGINT, signal.SIGTERM})


def _end_with_parent() -> None:
    """The parent holds the other end of our standard input; when it is gone, so are we."""
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    _serve(sys.argv[1], int(sys.argv[2]), sys.argv[3], embedding="--embedding" in sys.argv)
