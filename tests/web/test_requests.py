"""The log of requests and what is in flight: what shows there, by which filters, and what is done from there."""

import re

import pytest
from playwright.sync_api import expect

from tests.web.clients import Asking, ask, traffic, until
from tests.web.steps import add, go

MODEL = "llama3.2:3b"
ENDLESS = "endless:1b"
SECRET = "sk-a-key-that-no-page-shows"


def log(page):
    return page.get_by_role("table", name="Requests that ended")


def rows(page):
    return log(page).locator("tbody").get_by_role("row")


def drawer(page):
    return page.get_by_role("dialog", name="Request")


def part(page, title):
    """A section of the drawer, by its heading."""
    return drawer(page).locator("section").filter(has=page.get_by_role("heading", name=title, exact=True))


def choose(page, label, option):
    page.get_by_role("combobox", name=label, exact=True).click()
    page.get_by_role("option", name=option, exact=True).click()


@pytest.fixture
def server(emulation):
    return emulation.add(models=(MODEL, ENDLESS, "other:1b"), slow_model=ENDLESS, slow_seconds=60)


@pytest.fixture
def one(orchestrator, server):
    add(orchestrator, "gpu-1", server.url, name="GPU box")
    return orchestrator


def test_the_log_grows_by_itself_and_the_newest_is_on_top(page, problems, one):
    go(page, one, "/requests")
    expect(page.get_by_role("heading", name="No requests yet")).to_be_visible()
    page.evaluate("window.stays = true")
    ask(one, MODEL)
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text(MODEL)
    ask(one, "no-such-model")
    expect(rows(page)).to_have_count(2)
    expect(rows(page).first).to_contain_text("no-such-model")
    expect(rows(page).first).to_contain_text("Client error")
    assert page.evaluate("window.stays")


def test_pause_holds_the_log_and_counts_what_came_and_show_lets_it_in(page, problems, one):
    ask(one, MODEL)
    go(page, one, "/requests")
    expect(rows(page)).to_have_count(1)
    page.get_by_role("button", name="Pause").click()
    for _ in range(3):
        ask(one, "other:1b")
    show = page.get_by_role("button", name="3 new, show")
    expect(show).to_be_visible()
    expect(rows(page)).to_have_count(1)
    show.click()
    expect(rows(page)).to_have_count(4)
    ask(one, MODEL)
    expect(page.get_by_role("button", name="1 new, show")).to_be_visible()
    expect(rows(page)).to_have_count(4)
    page.get_by_role("button", name="Resume").click()
    expect(rows(page)).to_have_count(5)


def test_filters_are_in_the_address_and_show_the_same_after_a_reload_and_to_others(page, problems, browser, browser_context_args, one):
    for model, path in ((MODEL, "/api/chat"), ("other:1b", "/v1/chat/completions"), (MODEL, "/v1/chat/completions"), ("no-such-model", "/api/chat")):
        ask(one, model, path)
    go(page, one, "/requests")
    expect(rows(page)).to_have_count(4)
    choose(page, "Result", "Answered")
    expect(rows(page)).to_have_count(3)
    choose(page, "API", "OpenAI")
    expect(rows(page)).to_have_count(2)
    choose(page, "Model", MODEL)
    expect(rows(page)).to_have_count(1)
    choose(page, "Server", "GPU box")
    page.get_by_role("textbox", name="Filter requests").fill("completions")
    expect(page).to_have_url(re.compile("q=completions"))
    shown = rows(page).inner_text()
    other = browser.new_context(**browser_context_args).new_page()
    problems.watch(other)
    other.goto(page.url)
    page.reload()
    for each in (page, other):
        expect(rows(each)).to_have_count(1)
        expect(rows(each)).to_have_text(shown, use_inner_text=True)
        expect(each.get_by_role("combobox", name="API", exact=True)).to_have_value("OpenAI")
    other.context.close()
    page.get_by_role("button", name="Clear filters").click()
    expect(rows(page)).to_have_count(4)
    expect(page).to_have_url(f"{one.base}/ui/requests")


def test_a_filter_holds_for_what_comes_later_too(page, problems, one):
    go(page, one, "/requests?result=failed")
    ask(one, MODEL)
    ask(one, "no-such-model")
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("no-such-model")


def test_slower_than_leaves_out_what_was_faster(page, problems, one, server):
    ask(one, MODEL)
    server.delay_seconds = 0.5
    ask(one, "other:1b")
    fast, slow = sorted(one.ask("GET", "/api/requests")[1]["requests"], key=lambda request: request["durationSeconds"])
    go(page, one, f"/requests?slower={(fast['durationSeconds'] + slow['durationSeconds']) / 2}")
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text(slow["model"])


def test_a_failover_shows_both_tries_with_the_reason_of_the_failed_one(page, problems, one, emulation, server):
    add(one, "spare", emulation.add(models=(MODEL,)).url, name="Spare", priority=1)
    server.fault = 500
    reply = ask(one, MODEL, stream=True)
    assert (reply.status, reply.server) == (200, "spare")
    go(page, one, "/requests")
    expect(rows(page).first).to_contain_text("Spare 2 tries")
    rows(page).first.get_by_role("button").click()
    expect(drawer(page)).to_contain_text("Answered by Spare. Tried before: GPU box (server error).")
    tries = part(page, "Tries").get_by_role("listitem")
    expect(tries).to_have_count(2)
    expect(tries.nth(0)).to_contain_text("GPU box")
    expect(tries.nth(0)).to_contain_text("Server error")
    expect(tries.nth(0)).to_contain_text("HTTP 500")
    expect(tries.nth(1)).to_contain_text("Spare")
    expect(tries.nth(1)).to_contain_text("Answered")
    timeline = part(page, "Timeline").get_by_role("listitem")
    expect(timeline).to_contain_text(["Queued and earlier tries", "Connecting", "Waiting for the first token", "Answering"])
    expect(timeline.first).to_contain_text(re.compile(r"[\d.]+ m?suntil [\d.]+ m?s"))


def test_a_failed_request_says_why(page, problems, one, server):
    server.fault = 500
    assert ask(one, MODEL).status >= 500
    go(page, one, "/requests?result=failed")
    expect(rows(page).first).to_contain_text("Server error")
    rows(page).first.get_by_role("button").click()
    expect(drawer(page).get_by_role("alert")).to_contain_text("GPU box failed: HTTP 500.")


def test_headers_show_without_what_is_secret(page, problems, one):
    reply = ask(one, MODEL, headers={"Authorization": f"Bearer {SECRET}", "X-Api-Key": SECRET, "User-Agent": "a-test/1.0"})
    go(page, one, f"/requests?id={reply.request_id}")
    table = page.get_by_role("table", name="Headers of the client")
    expect(table.get_by_role("row").filter(has_text="authorization")).to_have_text(re.compile("^authorization ?hidden$", re.IGNORECASE))
    expect(table.get_by_role("row").filter(has_text="x-api-key")).to_have_text(re.compile("^x-api-key ?hidden$", re.IGNORECASE))
    expect(table.get_by_role("row").filter(has_text="user-agent")).to_contain_text("a-test/1.0")
    expect(page.get_by_role("region", name="command")).to_contain_text("Authorization: Bearer $YOUR_KEY")
    assert SECRET not in page.content()


def test_j_and_k_go_through_the_log_and_escape_gives_the_focus_back_to_the_row(page, problems, one):
    ids = [ask(one, MODEL).request_id for _ in range(3)]
    go(page, one, "/requests")
    expect(rows(page)).to_have_count(3)
    rows(page).first.get_by_role("button").focus()
    page.keyboard.press("Enter")
    for key, shown in (("", 2), ("j", 1), ("j", 0), ("j", 0), ("k", 1)):
        if key:
            page.keyboard.press(key)
        expect(page).to_have_url(f"{one.base}/ui/requests?id={ids[shown]}")
        expect(drawer(page)).to_contain_text(ids[shown])
    page.keyboard.press("Escape")
    expect(drawer(page)).to_be_hidden()
    expect(page).to_have_url(f"{one.base}/ui/requests")
    expect(rows(page).nth(1).get_by_role("button")).to_be_focused()


def test_a_link_to_a_request_opens_it_and_one_to_an_unknown_says_so(page, problems, one):
    wanted = ask(one, MODEL).request_id
    ask(one, "other:1b")
    go(page, one, f"/requests?id={wanted}")
    expect(drawer(page)).to_contain_text(wanted)
    expect(drawer(page)).to_contain_text("Answered by GPU box.")
    problems.expect("404")
    go(page, one, "/requests?id=nobody-knows-this")
    expect(drawer(page)).to_contain_text("This request is not kept")
    page.keyboard.press("Escape")
    expect(rows(page)).to_have_count(2)


def in_flight(page):
    return page.get_by_role("table", name="Requests in flight").locator("tbody").get_by_role("row")


@pytest.mark.parametrize(("model", "phase", "broken"), [(ENDLESS, "Waiting for the first token", 503), (MODEL, "Answering", 200)])
def test_a_cancelled_request_ends_with_an_error_for_its_client_and_frees_the_server(page, problems, orchestrator, emulation, model, phase, broken):
    server = emulation.add(models=(MODEL, ENDLESS), slow_model=ENDLESS, slow_seconds=60, token_seconds=60)
    add(orchestrator, "gpu-1", server.url, name="GPU box")
    go(page, orchestrator, "/requests?view=inflight")
    expect(page.get_by_role("heading", name="Nothing is in flight")).to_be_visible()
    asking = Asking(orchestrator, model)
    expect(in_flight(page)).to_contain_text(phase)
    expect(in_flight(page)).to_contain_text("GPU box")
    expect(in_flight(page).get_by_role("cell").first).to_have_text(re.compile(r"^[1-9](\.\d+)? s$"))
    expect(page.get_by_role("tab", name="In flight (1)")).to_be_visible()
    cancel = page.get_by_role("button", name=f"Cancel the request for {model} from 127.0.0.1")
    cancel.click()
    page.get_by_role("button", name="Keep it running").click()
    expect(page.get_by_role("dialog", name="Cancel this request?")).to_be_hidden()
    assert server.left == 0
    cancel.click()
    page.get_by_role("dialog", name="Cancel this request?").get_by_role("button", name="Cancel the request").click()
    expect(in_flight(page)).to_have_count(0)
    assert asking.reply.status == broken
    assert "cancelled" in asking.reply.text.splitlines()[-1]
    until(lambda: server.left == 1)
    page.get_by_role("tab", name="Log").click()
    expect(rows(page)).to_contain_text("Cancelled")


def test_what_runs_shows_and_goes_by_itself(page, problems, one):
    go(page, one, "/requests?view=inflight")
    with traffic(one, MODEL, stream=True):
        expect(in_flight(page).first).to_contain_text(MODEL)
    expect(page.get_by_role("heading", name="Nothing is in flight")).to_be_visible()
