"""A fleet as large as one can get: a hundred servers with 300 models each, and requests all the time."""

import json
import sys
from contextlib import ExitStack, contextmanager

from tests.bench import processes
from tests.bench.proxies import ROOT
from tests.web.conftest import serving

SERVERS = 100
MODELS = 300
REQUESTS_PER_SECOND = 500
PATIENCE_SECONDS = 150.0


@contextmanager
def crowded(folder):
    """The orchestrator, all its servers probed."""
    with ExitStack() as stack:
        ports = json.loads(_start(stack, folder, "crowd", SERVERS, MODELS).stdout.readline())
        one = stack.enter_context(serving(folder, ORCHESTRATOR_PROBE_INTERVAL_SECONDS="10", ORCHESTRATOR_SEND_TIMEOUT_SECONDS="3600"))
        for number, port in enumerate(ports):
            server = {"id": f"gpu-{number:03d}", "url": f"http://127.0.0.1:{port}", "maxConcurrency": 8, "tags": [f"rack-{number % 8}"]}
            # Anew where the disk of a busy machine was too slow, in which case it may be there nevertheless.
            processes.until(lambda server=server: one.ask("POST", "/api/servers?probe=false", server)[0] in (201, 409), "registering", PATIENCE_SECONDS)
        processes.until(lambda: all(server["status"] == "healthy" for server in one.ask("GET", "/api/servers")[1]), "the probing of all", PATIENCE_SECONDS)
        yield one


@contextmanager
def busy(one, rate=REQUESTS_PER_SECOND):
    """Meanwhile it has so many requests a second; begun when the last 2,000 have ended."""
    with ExitStack() as stack:
        _start(stack, one.folder, "drizzle", one.port, rate, MODELS)
        processes.until(lambda: one.ask("GET", "/api/requests?limit=1")[1]["total"] > 2000, "requests", PATIENCE_SECONDS)
        yield


def _start(stack, folder, module, *arguments):
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", f"tests.bench.{module}", *map(str, arguments)]
    process = processes.start(command, None, folder / f"{module}.log", cwd=ROOT)
    stack.callback(processes.end, process)
    return process
