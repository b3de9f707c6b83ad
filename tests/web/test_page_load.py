"""How pages are delivered: policy, size, caching, and to whom."""

import re

import pytest
from playwright.sync_api import expect

from tests.web.conftest import ROOT, UI
from tests.web.pages import is_loaded, pages
from tests.web.steps import go

MOST_BYTES = 350 * 1024
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self' 'nonce-{}'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}


@pytest.fixture
def page(lasting_page):
    return lasting_page


@pytest.fixture
def responses(page):
    """All that the page gets."""
    seen = []
    page.on("response", lambda response: seen.append(response))
    return seen


def policy_of(response):
    parts = (part.strip().partition(" ") for part in response.headers["content-security-policy"].split(";"))
    return {name: value for name, _, value in parts}


@pytest.mark.parametrize("address", pages())
def test_a_page_has_a_strict_policy_and_asks_nobody_else(page, problems, fleet, address):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    response = page.goto(f"{fleet.base}/ui{address}")
    is_loaded(page)
    nonce = page.locator("meta[name='csp-nonce']").get_attribute("content")
    assert len(nonce) >= 20
    assert policy_of(response) == {name: value.format(nonce) for name, value in POLICY.items()}
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert len(asked) > 3
    assert [url for url in asked if not url.startswith((f"{fleet.base}/ui/", f"{fleet.base}/api/", "data:"))] == []


def test_the_nonce_is_another_one_each_time(page, problems, fleet):
    policies = [page.goto(f"{fleet.base}/ui/about").headers["content-security-policy"] for _ in range(3)]
    assert len(set(policies)) == 3


def test_styles_without_the_nonce_and_scripts_of_the_page_are_refused(page, problems, fleet):
    problems.expect("Content Security Policy")
    go(page, fleet, "/about")
    page.evaluate("""() => {
        const script = document.createElement('script'); script.textContent = 'window.ran = 1'; document.body.append(script)
        const style = document.createElement('style'); style.textContent = 'h1 { display: none }'; document.body.append(style)
    }""")
    expect(page.get_by_role("heading", level=1, name="About")).to_be_visible()
    assert page.evaluate("window.ran") is None


FRAME = """(address) => new Promise((done) => {
    const frame = document.createElement('iframe')
    frame.src = address
    frame.onload = () => done(frame.contentDocument?.body.textContent ?? null)
    document.body.append(frame)
})"""


def test_no_page_can_frame_the_ui(page, problems, fleet):
    problems.expect("frame-ancestors")
    problems.expect("status of 404")  # Chromium looks for an icon of what is no page of ours
    page.goto(f"{fleet.base}/api/version")
    assert "version" in page.evaluate(FRAME, "/api/version?again")
    assert page.evaluate(FRAME, "/ui/") is None


class Wire:
    """Counts what a page loads, without its stream of events; in bytes as they come over the wire."""

    def __init__(self, page):
        self.sizes = {}
        self.left = set()
        network = page.context.new_cdp_session(page)
        network.on("Network.requestWillBeSent", self._begins)
        network.on("Network.loadingFinished", self._ends)
        network.send("Network.enable")
        network.send("Network.setCacheDisabled", {"cacheDisabled": True})

    def _begins(self, event):
        if "/api/events" not in event["request"]["url"]:
            self.left.add(event["requestId"])

    def _ends(self, event):
        self.left.discard(event["requestId"])
        self.sizes[event["requestId"]] = event["encodedDataLength"]


@pytest.mark.parametrize("address", pages()[:-1])
def test_the_first_load_of_a_page_is_small(page, problems, fleet, address):
    wire = Wire(page)
    go(page, fleet, address)
    is_loaded(page)
    if address == "/":
        expect(page.get_by_role("region", name="Requests per second")).to_be_visible()
    expect(page.get_by_role("banner").get_by_role("status")).to_have_text("Live")
    while wire.left:
        page.wait_for_event("requestfinished")
    assert len(wire.sizes) > 10
    assert 100 * 1024 < sum(wire.sizes.values()) <= MOST_BYTES


def test_every_component_of_mantine_has_its_styles():
    """They are imported one by one in mantine.css."""
    a_class = re.compile(r"\bm_[0-9a-f]{6,8}\b")
    used = {name for file in (UI.parent / "assets").glob("*.js") for name in a_class.findall(file.read_text())}
    styled = {name for file in (UI.parent / "assets").glob("*.css") for name in a_class.findall(file.read_text())}
    known = set(a_class.findall((ROOT / "frontend/node_modules/@mantine/core/styles.css").read_text()))
    assert len(used & known) > 50
    assert used & known - styled == set()


def test_assets_are_kept_for_a_year_and_pages_are_not_kept(page, problems, fleet, responses):
    go(page, fleet)
    is_loaded(page)
    assets = [response for response in responses if "/ui/assets/" in response.url]
    assert len(assets) > 3
    assert {response.headers["cache-control"] for response in assets} == {"public, max-age=31536000, immutable"}
    assert [response.url for response in assets if not re.search(r"-[\w-]{8}\.(js|css|woff2)$", response.url)] == []
    assert {response.headers.get("content-encoding") for response in assets if response.url.endswith((".js", ".css"))} == {"gzip"}
    (document,) = [response for response in responses if response.request.is_navigation_request()]
    assert document.headers["cache-control"] == "no-store"


def test_a_page_that_is_not_there_says_so_and_leads_back(page, problems, fleet):
    response = page.goto(f"{fleet.base}/ui/no/such/page")
    assert response.status == 200
    expect(page.get_by_role("heading", level=1, name="There is no such page")).to_be_visible()
    page.get_by_role("link", name="To the overview").click()
    expect(page.get_by_role("heading", level=1, name="Overview")).to_be_visible()
    expect(page).to_have_title("Overview · Orchestrator")


def test_an_asset_that_is_not_there_is_no_page(page, problems, fleet):
    problems.expect("status of 404")
    response = page.goto(f"{fleet.base}/ui/assets/none-00000000.js")
    assert (response.status, response.headers["content-type"].partition(";")[0]) == (404, "text/plain")


def test_a_browser_that_asks_for_nothing_gets_the_overview(page, problems, fleet):
    page.goto(fleet.base)
    expect(page).to_have_url(f"{fleet.base}/ui/")
    expect(page.get_by_role("heading", level=1, name="Overview")).to_be_visible()
