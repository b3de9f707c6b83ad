"""What a page does while the orchestrator or the way to it fails, and afterwards. The clock of the page is moved, nothing is waited for."""

import re
import signal
import time

import pytest
from playwright.sync_api import expect

from tests.web.conftest import TOKEN, serving
from tests.web.faulty_proxy import EVENTS, FaultyProxy

NOT_REACHED = re.compile("Live updates have been missing since")
NETWORK = ("net::ERR_", "the server responded with a status of 502")
PATIENCE_SECONDS = 20
# Playwright shows every page; a browser tells the pages of hidden tabs that they are not seen.
TURN = """hidden => {
    Object.defineProperty(document, 'hidden', {configurable: true, get: () => hidden})
    document.dispatchEvent(new Event('visibilitychange'))
}"""


@pytest.fixture
def proxy(emulation, orchestrator):
    with FaultyProxy(emulation, orchestrator.base) as proxy:
        yield proxy


def add(one, server_id, server=None):
    status, answer = one.ask("POST", "/api/servers", {"id": server_id, "url": server.url if server else f"http://127.0.0.1:9/{server_id}"})
    assert status == 201, answer


def stream(page):
    return page.get_by_role("banner").get_by_role("status")


def row(page, name):
    return page.get_by_role("table", name="Servers").get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))


def visit(page, url, name="only"):
    """The page of servers, live. What is in `window.stays` is there until the page is loaded anew."""
    page.goto(url)
    expect(stream(page)).to_have_text("Live")
    expect(row(page, name)).to_be_visible()
    page.evaluate("window.stays = true")


def still(page):
    """From here on the clock of the page moves only when it is told to."""
    page.clock.pause_at(page.evaluate("Date.now()") / 1000 + 1)


def same(page):
    return page.evaluate("window.stays === true")


def until(condition, what):
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def told_of(one, kind):
    return kind in [event["kind"] for event in one.ask("GET", "/api/activity")[1]["events"]]


def allow(problems, *parts):
    for part in parts:
        problems.expect(part)


def test_killed_and_started_again_the_page_keeps_what_it_has_and_goes_on(page, orchestrator, problems):
    allow(problems, *NETWORK)
    add(orchestrator, "only")
    page.clock.install()
    visit(page, f"{orchestrator.base}/ui/servers")
    still(page)
    orchestrator.kill()
    expect(stream(page)).to_have_text("Reconnecting")
    page.clock.fast_forward(5_000)
    expect(page.get_by_role("alert").filter(has_text=NOT_REACHED)).to_have_count(0)
    page.clock.fast_forward(6_000)
    expect(page.get_by_role("alert").filter(has_text=NOT_REACHED)).to_be_visible()
    expect(row(page, "only")).to_be_visible()
    with orchestrator:
        add(orchestrator, "another")
        assert orchestrator.ask("DELETE", "/api/servers/only")[0] == 204
        until(lambda: told_of(orchestrator, "serverRemoved"), "the removal is news still")
        page.clock.fast_forward(16_000)
        expect(stream(page)).to_have_text("Live")
        page.clock.resume()
        expect(page.get_by_role("alert").filter(has_text=NOT_REACHED)).to_have_count(0)
        expect(row(page, "another")).to_be_visible()
        expect(row(page, "only")).to_have_count(0)
        assert same(page)


def test_the_banner_tries_at_once_when_asked(page, orchestrator, problems):
    allow(problems, *NETWORK)
    add(orchestrator, "only")
    page.clock.install()
    visit(page, f"{orchestrator.base}/ui/servers")
    still(page)
    orchestrator.kill()
    expect(stream(page)).to_have_text("Reconnecting")
    page.clock.fast_forward(11_000)
    expect(page.get_by_role("alert").filter(has_text=NOT_REACHED)).to_be_visible()
    with orchestrator:
        page.get_by_role("button", name="Try now").click()
        expect(stream(page)).to_have_text("Live")


def test_errors_of_a_proxy_on_the_stream_are_got_over(page, proxy, orchestrator, problems):
    allow(problems, *NETWORK)
    add(orchestrator, "only")
    page.clock.install()
    visit(page, f"{proxy.base}/ui/servers")
    still(page)
    proxy.statuses[EVENTS] = 502
    proxy.cut()
    expect(stream(page)).to_have_text("Reconnecting")
    for _ in range(3):
        with page.expect_response(lambda response: EVENTS in response.url and response.status == 502):
            page.clock.fast_forward(16_000)
    expect(page.get_by_role("alert").filter(has_text=NOT_REACHED)).to_be_visible()
    expect(row(page, "only")).to_be_visible()
    add(orchestrator, "another")
    proxy.statuses.clear()
    page.clock.fast_forward(16_000)
    expect(stream(page)).to_have_text("Live")
    page.clock.resume()
    expect(row(page, "another")).to_be_visible()
    assert same(page)


def test_a_stream_that_falls_silent_is_noticed(page, proxy, orchestrator, problems):
    add(orchestrator, "only")
    page.clock.install()
    visit(page, f"{proxy.base}/ui/servers")
    still(page)
    proxy.silence()
    page.clock.fast_forward(2_000)
    expect(stream(page)).to_have_text("Live")
    page.clock.fast_forward(5_000)
    expect(stream(page)).to_have_text("Reconnecting")
    page.clock.fast_forward(11_000)
    expect(page.get_by_role("alert").filter(has_text=NOT_REACHED)).to_be_visible()
    add(orchestrator, "another")
    proxy.speak()
    expect(stream(page)).to_have_text("Live")
    page.clock.resume()
    expect(row(page, "another")).to_be_visible()
    until(lambda: proxy.streams == 1, "the stream that fell silent is still open")
    assert same(page)


def test_a_stream_that_is_cut_is_resumed_with_what_was_missed(page, proxy, orchestrator, problems):
    allow(problems, *NETWORK)
    add(orchestrator, "only")
    page.clock.install()
    visit(page, f"{proxy.base}/ui/servers")
    still(page)
    proxy.cut()
    expect(stream(page)).to_have_text("Reconnecting")
    add(orchestrator, "another")
    with page.expect_request(lambda request: "lastEventId=" in request.url):
        page.clock.fast_forward(2_000)
    expect(stream(page)).to_have_text("Live")
    page.clock.resume()
    expect(row(page, "another")).to_be_visible()


def test_another_token_leads_to_the_sign_in_page_and_back(page, guarded, problems):
    allow(problems, *NETWORK, "the server responded with a status of 401")
    assert guarded.ask("POST", "/api/servers", {"id": "only", "url": "http://127.0.0.1:9"}, {"Authorization": f"Bearer {TOKEN}"})[0] == 201
    page.goto(f"{guarded.base}/ui/servers?q=only")
    page.get_by_label("Admin token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    expect(row(page, "only")).to_be_visible()
    guarded.kill()
    guarded.environment["ORCHESTRATOR_ADMIN_TOKEN"] = other = "another-long-token-for-these-tests"
    with guarded:
        expect(page.get_by_role("heading", name="Sign in to the orchestrator")).to_be_visible(timeout=30_000)
        page.get_by_label("Admin token").fill(other)
        page.get_by_role("button", name="Sign in").click()
        expect(page).to_have_url(f"{guarded.base}/ui/servers?q=only")
        expect(stream(page)).to_have_text("Live")
        expect(row(page, "only")).to_be_visible()


def test_another_build_asks_to_be_loaded(page, proxy, orchestrator, problems):
    allow(problems, *NETWORK)
    add(orchestrator, "only")
    visit(page, f"{proxy.base}/ui/servers")
    build = orchestrator.ask("GET", "/api/about")[1]["build"]
    proxy.replaces = (f'"build":"{build}"'.encode(), b'"build":"another"')
    proxy.cut()
    told = page.get_by_role("alert").filter(has_text="Another version of the orchestrator is running")
    expect(told).to_be_visible()
    told.get_by_role("button", name="Reload").click()
    expect(row(page, "only")).to_be_visible()
    expect(stream(page)).to_have_text("Live")
    expect(told).to_have_count(0)
    assert not same(page)


def test_offline_and_back(page, context, orchestrator, problems):
    allow(problems, *NETWORK)
    add(orchestrator, "only")
    page.clock.install()
    visit(page, f"{orchestrator.base}/ui/servers")
    still(page)
    context.set_offline(True)
    page.clock.fast_forward(21_000)
    expect(stream(page)).to_have_text("Reconnecting")
    expect(row(page, "only")).to_be_visible()
    add(orchestrator, "another")
    context.set_offline(False)
    expect(stream(page)).to_have_text("Live")
    page.clock.resume()
    expect(row(page, "another")).to_be_visible()
    assert same(page)


@pytest.mark.parametrize("hours", [-1, 1], ids=["behind", "ahead"])
def test_ages_are_right_though_the_clock_of_the_browser_is_not(page, fleet, problems, hours):
    page.clock.install(time=time.time() + hours * 3600)
    page.goto(f"{fleet.base}/ui/servers")
    expect(stream(page)).to_have_text("Live")
    gpu = row(page, "GPU box 1")
    expect(gpu).to_contain_text(re.compile(r"just now|\b\d{1,2} s ago"))
    expect(gpu).not_to_contain_text(re.compile(r"\b(min|h) ago"))


def test_a_hidden_tab_closes_its_stream_and_a_shown_one_is_up_to_date(page, proxy, orchestrator, problems):
    add(orchestrator, "only")
    visit(page, f"{proxy.base}/ui/servers")
    assert proxy.streams == 1
    page.evaluate(TURN, True)
    expect(stream(page)).to_have_text("Paused")
    until(lambda: proxy.streams == 0, "the stream of a hidden tab is still open")
    add(orchestrator, "another")
    page.evaluate(TURN, False)
    expect(stream(page)).to_have_text("Live")
    expect(row(page, "another")).to_be_visible()


def test_seven_tabs_all_load_and_only_the_one_that_is_seen_is_live(page, context, proxy, orchestrator, problems):
    add(orchestrator, "only")
    tabs = [page]
    visit(page, f"{proxy.base}/ui/servers")
    for _ in range(6):
        tabs[-1].evaluate(TURN, True)
        tabs.append(context.new_page())
        problems.watch(tabs[-1])
        visit(tabs[-1], f"{proxy.base}/ui/servers")
    until(lambda: proxy.streams == 1, "tabs that nobody sees have open streams")
    for tab in tabs[:-1]:
        expect(stream(tab)).to_have_text("Paused")
    tabs[-1].evaluate(TURN, True)
    tabs[0].evaluate(TURN, False)
    add(orchestrator, "another")
    expect(row(tabs[0], "another")).to_be_visible()
    expect(stream(tabs[-1])).to_have_text("Paused")


def test_tabs_side_by_side_are_all_live(page, context, orchestrator, problems):
    """A browser opens six connections to one address: five streams leave one for everything else."""
    add(orchestrator, "only")
    tabs = [page, *(context.new_page() for _ in range(4))]
    for tab in tabs:
        problems.watch(tab)
        visit(tab, f"{orchestrator.base}/ui/servers")
    add(orchestrator, "another")
    for tab in tabs:
        expect(row(tab, "another")).to_be_visible()


def test_open_tabs_do_not_hold_up_the_end(page, context, tmp_path, problems):
    allow(problems, *NETWORK)
    with serving(tmp_path, ORCHESTRATOR_SHUTDOWN_GRACE_SECONDS="300") as one:
        add(one, "only")
        tabs = [page, *(context.new_page() for _ in range(2))]
        for tab in tabs:
            visit(tab, f"{one.base}/ui/servers")
        one.process.send_signal(signal.SIGTERM)
        assert one.process.wait(PATIENCE_SECONDS) == 0
        for tab in tabs:
            expect(stream(tab)).to_have_text("Reconnecting")
