"""What people do in the admin UI, for tests that begin with it."""

import http.client
import json
from contextlib import contextmanager

from playwright.sync_api import expect

MAX_TABS = 80


def go(page, one, path="/"):
    """Opens a page of the UI and waits until it is there."""
    page.goto(f"{one.base}/ui{path}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def add(one, server_id, url, **members):
    """Registers a server by REST; the answer."""
    status, answer = one.ask("POST", "/api/servers", {"id": server_id, "url": url, **members})
    assert status == 201, answer
    return answer


def row_of(page, name):
    """The row of a server in the list of servers, by what its link says."""
    return page.get_by_role("table", name="Servers").get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))


def menu_of(page, name, item):
    """Opens the menu of a server and chooses from it."""
    page.get_by_role("button", name=f"Actions for {name}", exact=True).click()
    page.get_by_role("menuitem", name=item, exact=True).click()


def tab_to(page, target):
    """Presses Tab until the target has the focus; where it cannot be reached by keyboard the test fails."""
    expect(target).to_be_visible()
    for _ in range(MAX_TABS):
        page.keyboard.press("Tab")
        if target.evaluate("(element) => element === document.activeElement"):
            return
    raise AssertionError(f"{MAX_TABS} times Tab do not lead to {target}")


def sign_in(page, token):
    page.get_by_label("Admin token").fill(token)
    page.get_by_role("button", name="Sign in").click()


def everything_in(page):
    """All that a page holds or keeps, as one text: DOM, what is typed into fields, address, history and every kind of storage."""
    return page.evaluate(
        """async () => JSON.stringify([
            document.documentElement.outerHTML,
            [...document.querySelectorAll('input, textarea, select')].map((field) => field.value),
            document.title, location.href, document.cookie, history.state, window.name,
            {...localStorage}, {...sessionStorage},
            (await indexedDB.databases()).map((one) => one.name),
            await Promise.all((await caches.keys()).map(async (name) => (await (await caches.open(name)).keys()).map((one) => one.url))),
            performance.getEntries().map((one) => one.name),
        ])"""
    )


@contextmanager
def running(one, model):
    """A request whose answer does not come; it ends with the block, when its client leaves."""
    connection = http.client.HTTPConnection("127.0.0.1", one.port, timeout=60)
    body = {"model": model, "messages": [{"role": "user", "content": "Hello"}]}
    connection.request("POST", "/api/chat", json.dumps(body), {"Content-Type": "application/json"})
    try:
        yield
    finally:
        connection.close()
