"""Measure nginx and the orchestrator in one interleaved run: A B A B ..., every answer compared byte for byte.

    python -m tests.bench [--json FILE] [--quick] [--tabs N]

The proxies run on one core, the mock upstream and the clients on another. Exits 1 if any answer was wrong; the figures themselves are no verdict.
"""

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec
from msgspec import Struct

from tests.bench import processes, proxies, report
from tests.bench.load import Load, Result
from tests.bench.proxies import ROOT, Proxy
from tests.bench.report import Figures

PACE_MS = 20
STAGGER_SECONDS = 1.0


class Plan(Struct, frozen=True, kw_only=True):
    """How long to measure."""

    rounds: int = 5
    request_seconds: float = 2.0
    streams: int = 100
    streams_each: int = 1
    busy_streams: int = 500


QUICK = Plan(rounds=1, request_seconds=0.5, streams=20, streams_each=1, busy_streams=50)


class Bench:
    """The mock, the clients' core, and what was wrong so far."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder = folder
        self.plan = plan
        self.proxy_core, self.other_core = processes.cores()
        self.faults: list[str] = []

    def load(self, name: str, **fields: object) -> Result:
        """Run the clients in a process of their own."""
        spec = msgspec.json.encode(msgspec.convert(fields, Load)).decode()
        command = [sys.executable, "-m", "tests.bench.load", spec]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=120, preexec_fn=processes.on_core(self.other_core))
        if done.returncode:
            raise RuntimeError(f"the clients of {name} ended with {done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}")
        result = msgspec.json.decode(done.stdout, type=Result)
        self.faults += [f"{name}: {fault}" for fault in result.faults]
        return result

    def warm(self, proxy: Proxy) -> None:
        self.load(proxy.name, port=proxy.port, connections=4, stream=False, seconds=0.3)

    def requests(self, proxy: Proxy, figures: Figures) -> None:
        """Plain requests, one after the other on 16 connections."""
        before = processes.cpu_seconds(proxy.process.pid)
        result = self.load(proxy.name, port=proxy.port, connections=16, stream=False, seconds=self.plan.request_seconds)
        spent = processes.cpu_seconds(proxy.process.pid) - before
        figures.cpu_per_request_seconds.append(spent / max(1, result.requests))
        figures.requests_per_second.append(result.requests / max(result.seconds, 1e-9))

    def streams(self, port: int, figures: Figures, pid: int | None = None) -> None:
        """Paced streams that begin one after the other within a second."""
        before = processes.cpu_seconds(pid) if pid else 0.0
        result = self.load(
            figures.name,
            port=port,
            connections=self.plan.streams,
            stream=True,
            streams_each=self.plan.streams_each,
            stagger_seconds=STAGGER_SECONDS,
            pace_ms=PACE_MS,
        )
        if pid:
            figures.cpu_per_chunk_seconds.append((processes.cpu_seconds(pid) - before) / max(1, result.chunks))
        figures.first_chunk_seconds += result.first_chunk_seconds

    def memory(self, proxy: Proxy, figures: Figures) -> None:
        """Resident memory before any load, and the most of it while many slow streams are open."""
        time.sleep(1.0)
        figures.idle_bytes = processes.resident_bytes(proxy.process.pid)
        done = threading.Event()

        def watch() -> None:
            while not done.wait(0.1):
                figures.busy_bytes = max(figures.busy_bytes, processes.resident_bytes(proxy.process.pid))

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            self.load(proxy.name, port=proxy.port, connections=self.plan.busy_streams, stream=True, streams_each=1, stagger_seconds=0.5, pace_ms=50)
        finally:
            done.set()
            watcher.join()


def measure(bench: Bench, running: Sequence[Proxy], mock_port: int, tell: Callable[[str], None]) -> tuple[list[Figures], Figures]:
    """All rounds. The order of the proxies changes from round to round, so that none always follows the same one."""
    figures = {proxy.name: Figures(name=proxy.name) for proxy in running}
    direct = Figures(name="direct")
    for proxy in running:
        tell(f"memory of {proxy.name}")
        bench.memory(proxy, figures[proxy.name])
        bench.warm(proxy)
    for number in range(bench.plan.rounds):
        tell(f"round {number + 1} of {bench.plan.rounds}")
        order = running if number % 2 == 0 else list(reversed(running))
        for proxy in order:
            bench.requests(proxy, figures[proxy.name])
        for proxy in order:
            bench.streams(proxy.port, figures[proxy.name], proxy.process.pid)
        bench.streams(mock_port, direct)
    for proxy in running:
        figures[proxy.name].end_bytes = processes.resident_bytes(proxy.process.pid)
    return list(figures.values()), direct


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark. 1 if an answer was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="What the orchestrator costs, against nginx in the same run.")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file too")
    parser.add_argument("--quick", action="store_true", help="one short round: does it run at all?")
    parser.add_argument("--no-nginx", action="store_true", help="compare with the copy loop though nginx is there")
    parser.add_argument("--tabs", type=int, default=0, metavar="N", help="keep so many pages of the admin UI open on the orchestrator meanwhile")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="orchestrator-bench-", ignore_cleanup_errors=True) as folder, ExitStack() as stack:
        bench = Bench(Path(folder), QUICK if args.quick else Plan())
        notes = [] if bench.proxy_core is not None else ["Only one core: proxies, mock and clients shared it, so the figures are rough."]
        mock = processes.start([sys.executable, "-m", "tests.bench.mock"], bench.other_core, bench.folder / "mock.log", cwd=ROOT)
        stack.callback(processes.end, mock)
        port = proxies.first_number(mock)
        nginx = None if args.no_nginx else proxies.nginx_path()
        if nginx:
            running = [proxies.start_nginx(nginx, port, bench.folder, bench.proxy_core)]
        else:
            notes.append("nginx was not there: compared with a bare copy loop in Python, which is cheaper than any HTTP proxy in Python.")
            running = [proxies.start_copy_loop(port, bench.proxy_core, bench.folder)]
        stack.callback(running[0].end)
        running.append(proxies.start_orchestrator(port, bench.folder, bench.proxy_core))
        stack.callback(running[1].end)
        if args.tabs:
            stack.callback(processes.end, proxies.open_tabs(running[1].port, args.tabs, bench.folder, bench.other_core))
            notes.append(f"{args.tabs} event streams of the admin API were open on the orchestrator.")
        figures, direct = measure(bench, running, port, lambda text: print(text, file=sys.stderr, flush=True))
        result = report.summary(figures, direct, msgspec.structs.asdict(bench.plan), notes)
    print(report.table(result))
    if args.json:
        args.json.write_bytes(msgspec.json.format(msgspec.json.encode({**result, "faults": bench.faults})))
    for fault in bench.faults[:20]:
        print(f"wrong: {fault}", file=sys.stderr)
    return 1 if bench.faults else 0


if __name__ == "__main__":
    sys.exit(main())
