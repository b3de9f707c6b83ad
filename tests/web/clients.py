"""Clients of the orchestrator that ask for answers while a browser looks on."""

import http.client
import json
import os
import subprocess
import threading
import time
from contextlib import contextmanager, suppress
from typing import NamedTuple

PATIENCE_SECONDS = 20.0
MESSAGES = [{"role": "user", "content": "Hello"}]


class Reply(NamedTuple):
    """`server`: who gave it, by the header of the orchestrator; None if nobody."""

    status: int
    server: str | None
    request_id: str
    text: str


def ask(one, model, path="/api/chat", headers=None, **members):
    """One request for a model, and the whole answer to it."""
    connection = http.client.HTTPConnection("127.0.0.1", one.port, timeout=PATIENCE_SECONDS)
    try:
        body = json.dumps({"model": model, "messages": MESSAGES, **members})
        connection.request("POST", path, body, {"Content-Type": "application/json", **(headers or {})})
        response = connection.getresponse()
        headers = response.headers
        return Reply(response.status, headers["X-Orchestrator-Server"], headers["X-Request-Id"], response.read().decode())
    finally:
        connection.close()


class Asking:
    """A request that goes on in a thread of its own, streamed. `reply` waits for its end."""

    def __init__(self, one, model, **members):
        self._replies = []
        self._thread = threading.Thread(target=lambda: self._replies.append(ask(one, model, stream=True, **members)), daemon=True)
        self._thread.start()

    @property
    def reply(self):
        self._thread.join(PATIENCE_SECONDS)
        assert self._replies, "the request has not ended"
        return self._replies[0]


@contextmanager
def traffic(one, model, **members):
    """Requests one after the other, for as long as the block takes."""
    stop = threading.Event()

    def go_on():
        while not stop.wait(0.05):
            with suppress(OSError, http.client.HTTPException):
                ask(one, model, **members)

    thread = threading.Thread(target=go_on, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(PATIENCE_SECONDS)


def until(condition):
    """Waits for what no page shows; what the condition gave at last."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not (found := condition()):
        assert time.monotonic() < end, "that never came about"
        time.sleep(0.05)
    return found


def run(command):
    """What a command prints that a page tells people to run in their shell."""
    without_proxies = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(["sh", "-c", command], env=without_proxies, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
