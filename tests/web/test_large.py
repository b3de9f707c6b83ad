"""A hundred servers with 300 models each, and 500 requests a second: everything opens, nothing grows."""

import re
import socket
import threading
from contextlib import suppress

import pytest
from playwright.sync_api import expect

from tests.bench.processes import until
from tests.web.crowded import MODELS, SERVERS, busy, crowded

PATIENCE_SECONDS = 60
PAGES = {
    "/": "Overview",
    "/servers": "Servers",
    "/servers/gpu-050": "gpu-050",
    "/models": "Models",
    "/breakers": "Circuit breakers",
    "/requests": "Requests",
    "/requests?view=inflight": "Requests",
    "/playground": "Playground",
    "/about": "About",
}
LOADING = re.compile("^Loading")
LONG_MS = 150_000  # the matrix yields to inference, of which there is a lot
DRAWN_ROWS = 90  # of a list of which only what is in sight is drawn
SECONDS_TOLD = 10
PLENTY_BYTES = 6_000_000
KEPT_BYTES = 3_000_000  # an orchestrator keeps 2 MiB for a client, and the system a little more
LISTEN = b"GET /api/events?topics=requests,inflight,metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@pytest.fixture
def page(lasting_page):
    return lasting_page


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    with crowded(tmp_path_factory.mktemp("crowded")) as one:
        yield one


@pytest.fixture(scope="module")
def loaded(one):
    """The same, from now on with requests all the time."""
    with busy(one):
        yield one


@pytest.fixture(scope="module", autouse=True)
def slow(one):
    """A client of events that has not read any since the first test."""
    with listening(one, 4096) as slow:
        yield slow


@pytest.fixture(scope="module", autouse=True)
def quick(one):
    with listening(one) as client:
        reader = Reader(client)
        yield reader
        client.shutdown(socket.SHUT_RDWR)
        reader.join(PATIENCE_SECONDS)


class Reader(threading.Thread):
    """Reads events and throws them away. Counts the bytes, and the seconds that it was told of."""

    def __init__(self, client):
        super().__init__(daemon=True)
        self.bytes = self.seconds = 0
        self._client = client
        self.start()

    def run(self):
        with suppress(OSError), self._client.makefile("rb") as lines:
            for line in lines:
                self.bytes += len(line)
                self.seconds += line == b"event: metrics\n"


def listening(one, receive_bytes=0):
    client = socket.socket()
    client.settimeout(PATIENCE_SECONDS)
    if receive_bytes:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    client.connect(("127.0.0.1", one.port))
    client.sendall(LISTEN)
    return client


def open_page(page, one, path):
    page.goto(f"{one.base}/ui{path}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_label(LOADING)).to_have_count(0, timeout=LONG_MS)
    expect(page.get_by_role("banner").get_by_role("status")).to_have_text("Live")


def rows(page, name):
    return page.get_by_role("table", name=name).locator("tbody tr")


def scroll_to_end(page, name):
    page.get_by_role("region", name=name).evaluate("box => box.scrollTo({top: box.scrollHeight})")


def figures(page):
    """Nodes of the document and bytes of JavaScript that are in use, once the garbage is gone."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    session.send("HeapProfiler.collectGarbage")
    found = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    session.detach()
    return found["Nodes"], found["JSHeapUsedSize"]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_opens(page, one, problems, path):
    open_page(page, one, path)
    expect(page.get_by_role("heading", level=1)).to_have_text(PAGES[path])
    expect(page.get_by_text("could not be loaded")).to_have_count(0)


def test_one_of_a_hundred_servers_is_found_by_its_name(page, one, problems):
    open_page(page, one, "/servers")
    expect(rows(page, "Servers")).to_have_count(SERVERS)
    page.get_by_label("Filter servers").fill("gpu-07")
    expect(rows(page, "Servers")).to_have_count(10)
    expect(page).to_have_url(re.compile(r"q=gpu-07"))


def test_of_all_models_only_those_in_sight_are_drawn(page, one, problems):
    open_page(page, one, "/models")
    table = page.get_by_role("table", name="Models by server")
    expect(table).to_have_attribute("aria-rowcount", str(MODELS + 1))
    names = table.get_by_role("rowheader")
    first = names.first.inner_text()
    assert 0 < rows(page, "Models by server").count() < DRAWN_ROWS
    scroll_to_end(page, "Models by server")
    expect(table.locator(f"tr[aria-rowindex='{MODELS + 1}']")).to_be_visible()
    expect(names.first).not_to_have_text(first)
    assert rows(page, "Models by server").count() < DRAWN_ROWS


def test_one_model_of_many_is_found_and_tells_where_it_is(page, one, problems):
    open_page(page, one, "/models")
    page.get_by_label("Filter models").fill("model-123")
    expect(rows(page, "Models by server")).to_have_count(1)
    page.get_by_role("button", name=re.compile("^Servers that have .*model-123")).click()
    places = page.get_by_role("table", name="Models by server")
    expect(places.get_by_role("link", name="gpu-000")).to_be_visible()
    expect(places.get_by_role("link", name=f"gpu-{SERVERS - 1:03d}", exact=True)).to_be_visible()


def test_the_overview_tells_of_all_and_shows_them_when_asked(page, loaded, problems):
    open_page(page, loaded, "/")
    expect(page.get_by_role("link", name="Servers up")).to_contain_text(f"{SERVERS} of {SERVERS}")
    expect(page.get_by_role("link", name="Requests/s")).to_contain_text(re.compile(r"\d\d"))
    cards = page.get_by_role("region", name="Servers").get_by_role("listitem")
    expect(cards).to_have_count(24)
    page.get_by_role("button", name=f"Show all {SERVERS} servers").click()
    expect(cards).to_have_count(SERVERS)


def test_the_log_holds_still_for_its_reader_and_draws_what_is_in_sight(page, loaded, problems):
    open_page(page, loaded, "/requests")
    expect(page.get_by_text("Showing the last 2,000")).to_be_visible()
    assert 0 < rows(page, "Requests that ended").count() < DRAWN_ROWS
    scroll_to_end(page, "Requests that ended")
    last = page.get_by_role("table", name="Requests that ended").locator("tr[aria-rowindex='2001']")
    expect(last).to_be_visible()
    shown = last.inner_text()
    expect(page.get_by_role("button", name=re.compile("^[0-9,]+ new"))).to_be_visible()
    assert last.inner_text() == shown
    assert rows(page, "Requests that ended").count() < DRAWN_ROWS


def test_the_log_is_filtered_while_it_grows(page, loaded, problems):
    open_page(page, loaded, "/requests?result=failed")
    table = page.get_by_role("table", name="Requests that ended")
    expect(table.get_by_text("nobody-has-this").first).to_be_visible()
    expect(table.get_by_text("model-")).to_have_count(0)
    page.goto(f"{loaded.base}/ui/requests")
    page.get_by_label("Filter requests").fill("model-120")
    expect(page).to_have_url(re.compile("q=model-120"))
    expect(table.get_by_text("model-120").first).to_be_visible()
    expect(table.get_by_text(re.compile("model-1[013-9]"))).to_have_count(0)


def test_nothing_grows_while_pages_are_open(page, context, loaded, quick, problems):
    tabs = [page, *(context.new_page() for _ in range(3))]
    for tab, path in zip(tabs, ("/", "/requests", "/requests?view=inflight", "/models"), strict=True):
        open_page(tab, loaded, path)
    before = [figures(tab) for tab in tabs]
    began = quick.seconds
    until(lambda: quick.seconds >= began + SECONDS_TOLD, "seconds told", PATIENCE_SECONDS)
    for tab, (nodes, heap) in zip(tabs, before, strict=True):
        nodes_later, heap_later = figures(tab)
        assert nodes_later < nodes * 1.3 + 500
        assert heap_later < heap + 10_000_000


def test_a_client_that_does_not_read_is_kept_a_little_and_told_to_fetch_anew(loaded, slow, quick):
    until(lambda: quick.bytes > PLENTY_BYTES, "enough events for everybody", 3 * PATIENCE_SECONDS)
    assert len(read_until(slow, b"event: resync")) < KEPT_BYTES
    read_until(slow, b"event: metrics")


def read_until(client, what):
    seen = bytearray()
    while what not in seen[-2 * 65536 :]:
        part = client.recv(65536)
        assert part, "the stream ended"
        assert len(seen) < PLENTY_BYTES, f"{what} did not come"
        seen += part
    return seen
