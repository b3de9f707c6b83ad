"""Pictures of every page: light and dark, empty and full, desktop and phone.

    python -m tests.screenshots [--out screenshots] [--only TEXT]

Needs Chromium and the built UI. The folder is made anew; nothing else is touched.
"""

import argparse
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from itertools import cycle
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.web.conftest import ARGUMENTS, CHROMIUM, TOKEN, fill, missing, serving
from tests.web.emulation import Emulation

SIZES = {"desktop": (1440, 900), "tablet": (768, 1024), "phone": (360, 780)}
SCHEMES = ("light", "dark")
TRAFFIC_SECONDS = 20.0
PATIENCE_MS = 6000
Step = Callable[[Page], None]


def nothing(_page):
    pass


def click(role, name, exact=False):
    return lambda page: page.get_by_role(role, name=name, exact=exact).first.click()


def test_a_connection(page):
    page.get_by_label("Base URL").fill("http://127.0.0.1:9")
    page.get_by_role("button", name="Test connection").click()
    page.get_by_text("/v1/models").first.wait_for()


def open_first_request(page):
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("table").get_by_role("row").nth(1).click()
    page.get_by_role("dialog").wait_for()


def ask_in_playground(page):
    page.get_by_label("Message").fill("Say hello, please")
    page.keyboard.press("Enter")
    page.wait_for_timeout(2500)


# name -> (path, what to do there)
FULL: dict[str, tuple[str, Step]] = {
    "overview": ("/", nothing),
    "overview-1h": ("/?range=1h", nothing),
    "servers": ("/servers", nothing),
    "servers-menu": ("/servers", click("button", "Actions for GPU box 1")),
    "servers-add": ("/servers?add=true", nothing),
    "servers-add-tested": ("/servers?add=true", test_a_connection),
    "server-models": ("/servers/gpu-1", nothing),
    "server-health": ("/servers/gpu-1?tab=health", nothing),
    "server-breakers": ("/servers/gpu-1?tab=breakers", nothing),
    "server-requests": ("/servers/gpu-1?tab=requests", nothing),
    "server-configuration": ("/servers/gpu-1?tab=configuration", nothing),
    "server-unknown": ("/servers/nobody", nothing),
    "models": ("/models", nothing),
    "breakers": ("/breakers", nothing),
    "requests": ("/requests", nothing),
    "requests-failed": ("/requests?result=failed", nothing),
    "requests-nothing": ("/requests?q=nothing-like-this", nothing),
    "requests-drawer": ("/requests", open_first_request),
    "requests-inflight": ("/requests?view=inflight", nothing),
    "playground": ("/playground", ask_in_playground),
    "about": ("/about", nothing),
    "palette": ("/", lambda page: page.keyboard.press("Control+k")),
    "keys": ("/", lambda page: page.keyboard.press("?")),
    "missing": ("/nowhere", nothing),
}
EMPTY: dict[str, tuple[str, Step]] = {name: FULL[name] for name in ("overview", "servers", "models", "breakers", "requests", "requests-inflight", "about")} | {
    "playground": ("/playground", nothing)
}
SIGN_IN: dict[str, tuple[str, Step]] = {"sign-in": ("/servers", nothing)}


@contextmanager
def traffic(one):
    """Requests that go on in threads of their own, so that the charts have something to show."""
    stop = threading.Event()
    bodies = cycle(
        [
            ("/api/chat", "llama3.2:3b"),
            ("/v1/chat/completions", "gpt-demo"),
            ("/api/chat", "gemma3:12b"),
            ("/v1/chat/completions", "qwen3:8b"),
            ("/api/chat", "no-such-model"),
        ]
    )

    def ask():
        while not stop.is_set():
            path, model = next(bodies)
            one.ask_raw(path, {"model": model, "stream": True, "messages": [{"role": "user", "content": "Tell me something"}]})
            stop.wait(0.15)

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        stop.wait(TRAFFIC_SECONDS)
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(10)


def take(browser, base, folder, state, pages, only):
    for scheme in SCHEMES:
        for size, (width, height) in SIZES.items():
            context = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=scheme, locale="en-GB", timezone_id="UTC", reduced_motion="reduce"
            )
            for name, (path, step) in pages.items():
                if only in name:
                    picture(context, f"{base}/ui{path}", step, folder / f"{name}-{state}-{scheme}-{size}.png")
            context.close()


def picture(context, url, step, target):
    page = context.new_page()
    try:
        page.set_default_timeout(PATIENCE_MS)
        page.goto(url)
        page.get_by_role("heading", level=1).wait_for()
        page.wait_for_timeout(700)
        step(page)
        page.wait_for_timeout(500)
        page.screenshot(path=target, full_page=True)
    except Exception as error:
        print(f"{target.name}: {str(error).splitlines()[0]}", file=sys.stderr)
        page.screenshot(path=target.with_suffix(".failed.png"))
    finally:
        page.close()


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="tests.screenshots", description="Pictures of every page of the admin UI.")
    parser.add_argument("--out", type=Path, default=Path("screenshots"))
    parser.add_argument("--only", default="", help="only pages with this text in their name")
    options = parser.parse_args(arguments)
    if lack := missing():
        print(lack, file=sys.stderr)
        return 1
    shutil.rmtree(options.out, ignore_errors=True)
    options.out.mkdir(parents=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        emulation = stack.enter_context(Emulation())
        browser = stack.enter_context(sync_playwright()).chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        empty = stack.enter_context(serving(folder / "empty"))
        guarded = stack.enter_context(serving(folder / "guarded", ORCHESTRATOR_ADMIN_TOKEN=TOKEN))
        full = stack.enter_context(serving(folder / "full", DEMO_KEY="a-secret-of-the-fleet"))
        fill(full, emulation)
        take(browser, empty.base, options.out, "empty", EMPTY, options.only)
        take(browser, guarded.base, options.out, "guarded", SIGN_IN, options.only)
        with traffic(full):
            take(browser, full.base, options.out, "full", FULL, options.only)
        browser.close()
    print(f"{len(list(options.out.glob('*.png')))} pictures in {options.out}")
    return 1 if list(options.out.glob("*.failed.png")) else 0


if __name__ == "__main__":
    sys.exit(main())
