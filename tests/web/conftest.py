"""A real browser, a real orchestrator process, emulated servers."""

import atexit
import functools
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from playwright.sync_api import expect

from orchestrator.store import migrate
from tests.integration.serving import Serving
from tests.web.emulation import Emulation

ROOT = Path(__file__).parents[2]
AXE = ROOT / "frontend/node_modules/axe-core/axe.min.js"
UI = ROOT / "orchestrator/ui/index.html"
# The first one is Debian's Chromium without its windows, which takes a third less time.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM = os.environ.get("CHROMIUM_PATH") or next(filter(None, map(shutil.which, BROWSERS)), None)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# To hand on all that is right as well would take four times as long.
RUN_AXE = """async ([context, runOnly]) =>
    (await axe.run(context ?? document, {runOnly, resultTypes: ['violations']})).violations"""
PATIENCE_MS = 15_000
TOKEN = "a-long-token-for-these-tests"


def missing():
    """What browser tests lack, in words; "" if nothing."""
    if not CHROMIUM:
        return "no Chromium: install it (Debian: apt-get install chromium) or set CHROMIUM_PATH"
    if not UI.is_file() or not AXE.is_file():
        return "the admin UI is not built: run `make ui`, which needs Node 20"
    return ""


def pytest_collection_modifyitems(items):
    lack = missing()
    if lack and os.environ.get("CI") != "true":
        for item in items:
            if item.path.is_relative_to(Path(__file__).parent):
                item.add_marker(pytest.mark.skip(reason=lack))


def pytest_terminal_summary(terminalreporter):
    if lack := missing():
        terminalreporter.write_sep("!", f"BROWSER TESTS WERE NOT RUN: {lack}", red=True, bold=True)


@pytest.fixture(scope="session", autouse=True)
def patience():
    """Of every expectation: the machine may be busy."""
    expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    assert not missing(), missing()
    return {**browser_type_launch_args, "executable_path": CHROMIUM, "args": ARGUMENTS, "headless": True}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    return {
        **browser_context_args,
        "viewport": {"width": 1440, "height": 900},
        "locale": "en-GB",
        "timezone_id": "UTC",
        "permissions": ["clipboard-read", "clipboard-write"],
        "reduced_motion": "reduce",
    }


@pytest.fixture(scope="session")
def emulation():
    with Emulation() as emulation:
        yield emulation


@pytest.fixture
def orchestrator(tmp_path):
    """An orchestrator of its own without servers, for tests that change things."""
    with serving(tmp_path) as serving_one:
        yield serving_one


@pytest.fixture
def guarded(tmp_path):
    """One that wants TOKEN."""
    with serving(tmp_path, ORCHESTRATOR_ADMIN_TOKEN=TOKEN) as serving_one:
        yield serving_one


@functools.cache
def new_database():
    """An empty database of the newest revision: to copy it takes half as long as to let every orchestrator make its own."""
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    path = Path(folder.name) / "orchestrator.db"
    migrate.ensure(path)
    return path


def serving(folder, **environment):
    (folder / "data").mkdir(parents=True, exist_ok=True)
    if not (folder / "data" / "orchestrator.db").exists():
        shutil.copy(new_database(), folder / "data")
    return Serving(folder, {"ORCHESTRATOR_PROBE_INTERVAL_SECONDS": "1", "ORCHESTRATOR_LOG_LEVEL": "warning", **environment})


@pytest.fixture(scope="session")
def fleet(tmp_path_factory, emulation):
    """An orchestrator with four servers of every kind and some traffic behind it, for tests that only look."""
    with serving(tmp_path_factory.mktemp("fleet"), DEMO_KEY="a-secret-of-the-fleet") as one:
        fill(one, emulation)
        yield one


def fill(one, emulation):
    """Servers of every kind and requests with every result."""
    gpu = emulation.add(models=("llama3.2:3b", "qwen3:8b", "nomic-embed-text:latest"))
    mac = emulation.add(speaks="ollama", models=("llama3.2:3b", "gemma3:12b"))
    cloud = emulation.add(speaks="openai", models=("gpt-demo",), key="a-secret-of-the-fleet")
    for server_id, server, members in (
        ("gpu-1", gpu, {"name": "GPU box 1", "maxConcurrency": 8, "tags": ["gpu"]}),
        ("mac-studio", mac, {"priority": 1}),
        ("cloud", cloud, {"apiKey": "env:DEMO_KEY", "tags": ["spill-over"]}),
        ("gone", None, {"url": "http://127.0.0.1:9"}),
        ("no-key", cloud, {"apiKey": "env:NO_SUCH_VARIABLE", "url": cloud.url.replace("127.0.0.1", "localhost")}),
    ):
        status, answer = one.ask("POST", "/api/servers", {"id": server_id, **({"url": server.url} if server else {}), **members})
        assert status == 201, answer
    ask_all(one)


def ask_all(one):
    """One request of every kind and result."""
    chat = {"messages": [{"role": "user", "content": "Hello"}]}
    for model in ("llama3.2:3b", "qwen3:8b", "gemma3:12b"):
        one.ask_raw("/api/chat", {"model": model, **chat})
    one.ask_raw("/v1/chat/completions", {"model": "gpt-demo", "stream": True, **chat})
    one.ask_raw("/v1/chat/completions", {"model": "qwen3:8b", **chat})
    one.ask_raw("/v1/embeddings", {"model": "nomic-embed-text:latest", "input": "Hello"})
    one.ask_raw("/api/chat", {"model": "no-such-model", **chat})
    one.ask_raw("/v1/chat/completions", {"model": "no-such-model", **chat})


@pytest.fixture
def problems(page):
    """Any console error, page error or violation of the content security policy fails the test; `problems.expect(text)` allows one."""
    seen = Problems()
    seen.watch(page)
    yield seen
    assert seen.unexpected() == []


class Problems:
    def __init__(self):
        self._seen = []
        self._expected = []

    def watch(self, page):
        page.on("console", lambda message: self._seen.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self._seen.append(str(error)))

    def expect(self, part):
        self._expected.append(part)

    def unexpected(self):
        return [text for text in self._seen if not any(part in text for part in self._expected)]


@pytest.fixture
def axe(page):
    """`axe()` fails on any WCAG 2.2 A or AA finding in the page, or in the part that a selector names; `axe(rules=...)` on those of some rules only."""
    source = AXE.read_text("utf-8")

    def check(context=None, rules=None):
        page.evaluate(source)
        violations = page.evaluate(RUN_AXE, [context, rules or WCAG])
        assert [(one["id"], [(node["target"], node["failureSummary"]) for node in one["nodes"]][:3]) for one in violations] == []

    return check


@pytest.fixture(scope="session")
def lasting(browser, browser_context_args):
    """A browser that keeps what it has loaded, for tests that look at many pages and change nothing."""
    context = browser.new_context(**browser_context_args)
    yield context
    context.close()


@pytest.fixture
def lasting_page(lasting):
    page = lasting.new_page()
    yield page
    page.close()
    lasting.clear_cookies()
