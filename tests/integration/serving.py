"""A real `orchestrator serve` as a child process, and requests to it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress

START_SECONDS = 30.0


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Serving:
    """Runs in an empty folder with its database there; a context manager that leaves no process behind."""

    def __init__(self, folder, environment=None, command=(sys.executable, "-m", "orchestrator"), arguments=()):
        self.folder = folder
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.log = folder / "log"
        own = {name: value for name, value in os.environ.items() if not name.startswith("ORCHESTRATOR_")}
        self.environment = {**own, "ORCHESTRATOR_DATA_DIR": str(folder / "data"), "ORCHESTRATOR_PORT": str(self.port), **(environment or {})}
        self.command = [*command, "serve", *arguments]
        self.process = None

    def __enter__(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, cwd=self.folder, env=self.environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            with suppress(OSError):
                self.ask("GET", "/api/version")
                return self
            time.sleep(0.05)
        self.kill()
        raise AssertionError(f"did not start: {self.log.read_text()}")

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def ask(self, method, path, body=None, headers=None, timeout=30):
        """(status, decoded answer)."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json", **(headers or {})}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as response:
                status, raw = response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                status, raw = error.code, error.read()
        return status, json.loads(raw) if raw else None

    def ask_raw(self, path, body, headers=None, timeout=30):
        """(status, bytes) of a POST whose answer may be anything."""
        request = urllib.request.Request(self.base + path, json.dumps(body).encode(), {"Content-Type": "application/json", **(headers or {})})
        try:
            with urllib.request.urlopen(request, timeout=timeout) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()
