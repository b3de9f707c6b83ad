"""What the admin UI costs: the browser's main thread for each page, and the orchestrator with no and with seven pages open.

    python -m tests.bench.ui [--json FILE] [--seconds N] [--profile DIR]

Each page is followed for some seconds, with a small fleet and with 100 servers of 300 models and 500 requests/s. Needs Chromium and the built UI.
The target is 40 ms of the main thread per second on the overview of the large fleet, with its charts full; exits 1 above it. Takes about 9 minutes.
"""

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from playwright.sync_api import Browser, sync_playwright

from tests.bench import processes, proxies
from tests.integration.serving import Serving
from tests.web.conftest import ARGUMENTS, CHROMIUM, fill, missing, serving
from tests.web.crowded import busy, crowded
from tests.web.emulation import Emulation

PAGES = {"Requests log": "/requests", "In flight": "/requests?view=inflight", "Models": "/models", "Servers": "/servers", "Overview": "/"}
CHART_SECONDS = 300
TARGET_MS = 40.0
TABS = 7
SETTLE_MS = 5000
DURATIONS = {"task": "TaskDuration", "script": "ScriptDuration", "layout": "LayoutDuration", "style": "RecalcStyleDuration"}


class Cost(Struct, kw_only=True):
    """Of one page, milliseconds of the main thread in each second."""

    fleet: str
    page: str
    task_ms: float
    script_ms: float
    layout_ms: float
    style_ms: float
    heap_mb: float
    nodes: int


def measured(browser: Browser, base: str, fleet: str, name: str, options: argparse.Namespace) -> Cost:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(f"{base}/ui{PAGES[name]}")
    page.get_by_role("banner").get_by_role("status").get_by_text("Live").wait_for(timeout=60_000)
    page.get_by_label("Loading").first.wait_for(state="detached", timeout=60_000)
    page.wait_for_timeout(SETTLE_MS)
    session = context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})  # what the thread had of a core, not how long it waited for one
    if options.profile:
        session.send("Profiler.enable")
        session.send("Profiler.start")
    before = _metrics(session)
    page.wait_for_timeout(options.seconds * 1000)
    after = _metrics(session)
    if options.profile:
        options.profile.mkdir(parents=True, exist_ok=True)
        profile = session.send("Profiler.stop")["profile"]
        (options.profile / f"{fleet}-{name}.cpuprofile".replace(" ", "-")).write_bytes(msgspec.json.encode(profile))
    spent = {key: 1000 * (after[metric] - before[metric]) / (after["Timestamp"] - before["Timestamp"]) for key, metric in DURATIONS.items()}
    context.close()
    return Cost(
        fleet=fleet,
        page=name,
        task_ms=spent["task"],
        script_ms=spent["script"],
        layout_ms=spent["layout"],
        style_ms=spent["style"],
        heap_mb=after["JSHeapUsedSize"] / 1e6,
        nodes=int(after["Nodes"]),
    )


def _metrics(session: Any) -> dict[str, float]:
    return {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}


def fill_charts(one: Serving) -> None:
    """Waits until there is something to draw for all the time that the charts show: a few points would cost too little."""

    def full() -> bool:
        points = one.ask("GET", f"/api/history?seconds={CHART_SECONDS}")[1]["points"]
        return bool(points[-1]["time"] - points[0]["time"] > CHART_SECONDS - 10)

    processes.until(full, "full charts", 2.0 * CHART_SECONDS)


def orchestrator_cost(one: Serving, tabs: int, seconds: float) -> float:
    """Milliseconds of CPU in each second, with so many pages open."""
    with ExitStack() as stack:
        if tabs:
            stack.callback(processes.end, proxies.open_tabs(one.port, tabs, one.folder, None))
        before, began = processes.cpu_seconds(one.process.pid), time.monotonic()
        time.sleep(seconds)
        return 1000 * (processes.cpu_seconds(one.process.pid) - before) / (time.monotonic() - began)


def table(costs: list[Cost], orchestrator: dict[str, list[float]]) -> str:
    lines = ["Main thread of the browser, ms per second", f"{'fleet':8}{'page':16}{'task':>7}{'script':>8}{'layout':>8}{'style':>7}{'heap MB':>9}{'nodes':>7}"]
    lines += [
        f"{one.fleet:8}{one.page:16}{one.task_ms:7.1f}{one.script_ms:8.1f}{one.layout_ms:8.1f}{one.style_ms:7.1f}{one.heap_mb:9.1f}{one.nodes:7d}"
        for one in costs
    ]
    lines += ["", "CPU of the orchestrator with the large fleet and its requests, ms per second, interleaved"]
    lines += [f"{name:12}{'  '.join(f'{value:.0f}' for value in values)}" for name, values in orchestrator.items()]
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """0 if the overview of the large fleet is within the target."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.ui", description="What the admin UI costs the browser and the orchestrator.")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file too")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each page is followed")
    parser.add_argument("--page", choices=list(PAGES), action="append", help="only this one; may be given several times")
    parser.add_argument("--profile", type=Path, metavar="DIR", help="write a CPU profile of each page there, which costs time itself")
    options = parser.parse_args(argv)
    if lack := missing():
        print(lack, file=sys.stderr)
        return 1
    names = [name for name in PAGES if not options.page or name in options.page]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        browser = stack.enter_context(sync_playwright()).chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        with Emulation() as emulation, serving(folder / "small", DEMO_KEY="a-key", ORCHESTRATOR_PROBE_INTERVAL_SECONDS="10") as small:
            fill(small, emulation)
            costs = [measured(browser, small.base, "small", name, options) for name in names]
        with crowded(folder / "large") as large, busy(large):
            tabs: dict[str, list[float]] = {"no page": [], f"{TABS} pages": []}
            for _ in range(3):
                tabs["no page"].append(orchestrator_cost(large, 0, options.seconds / 2))
                tabs[f"{TABS} pages"].append(orchestrator_cost(large, TABS, options.seconds / 2))
            for name in names:
                if name == "Overview":
                    fill_charts(large)
                costs.append(measured(browser, large.base, "large", name, options))
    print(table(costs, tabs))
    if options.json:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode({"browser": costs, "orchestrator": tabs})))
    return 1 if any(one.task_ms > TARGET_MS for one in costs if (one.fleet, one.page) == ("large", "Overview")) else 0


if __name__ == "__main__":
    sys.exit(main())
