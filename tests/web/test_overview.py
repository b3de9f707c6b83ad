"""The overview: figures that move, what they lead to, and what is left of them."""

import re

import pytest
from playwright.sync_api import expect

from tests.web.clients import Asking, ask, traffic, until
from tests.web.steps import add, go

MODEL = "llama3.2:3b"
DASH = "\u2013"


def tile(page, label):
    return page.get_by_role("main").get_by_role("link").filter(has=page.get_by_text(label, exact=True))


def chart(page, title):
    return page.get_by_role("region", name=title, exact=True)


def rows_of(page, title):
    """The cells of the rows of a chart's table, read at one moment."""
    return chart(page, title).locator("tbody").evaluate("body => [...body.rows].map(row => [...row.cells].map(cell => cell.innerText))")


def as_table(page, title):
    page.get_by_role("button", name=f"{title} as a table").click()
    expect(chart(page, title).get_by_role("table")).to_be_visible()


def per_second(count):
    """As the page writes whole numbers below ten."""
    return f"{count}.00/s" if count else "0/s"


@pytest.fixture
def one(orchestrator, emulation):
    """With a server that takes its time, and one that does not."""
    add(orchestrator, "gpu-1", emulation.add(models=(MODEL, "slow:1b"), slow_model="slow:1b", slow_seconds=60).url, name="GPU box")
    return orchestrator


def test_figures_move_while_requests_run_and_the_page_is_not_loaded_anew(page, problems, one):
    go(page, one)
    page.evaluate("window.stays = true")
    expect(tile(page, "Requests/s")).to_have_text(re.compile(r"^Requests/s0last 10 s"))
    expect(tile(page, "TTFT p50")).to_contain_text("no first token in the last 10 s")
    with traffic(one, MODEL, stream=True):
        expect(tile(page, "Requests/s")).to_have_text(re.compile(r"^Requests/s\d*[.\d]*[1-9]"))
        expect(tile(page, "TTFT p50")).to_have_text(re.compile(r"^TTFT p50[\d.]+ (ms|s)p95 [\d.]+ (ms|s), last 10 s"))
        expect(tile(page, "Output tokens/s")).to_have_text(re.compile(r"^Output tokens/s[1-9]"))
        expect(chart(page, "Requests per second")).to_have_text(re.compile(r"Latest: Requests \d*[.\d]*[1-9]"))
    assert page.evaluate("window.stays")


def test_requests_in_flight_are_counted_in_the_tile_and_on_the_card_of_their_server(page, problems, one):
    go(page, one)
    card = page.get_by_role("region", name="Servers", exact=True).get_by_role("listitem")
    expect(tile(page, "In flight")).to_contain_text("In flight0")
    waiting = Asking(one, "slow:1b")
    expect(tile(page, "In flight")).to_contain_text("In flight1")
    expect(card).to_contain_text("1 in flight")
    request_id = one.ask("GET", "/api/requests")[1]["inFlight"][0]["id"]
    one.ask("POST", f"/api/requests/{request_id}/cancel")
    assert waiting.reply.status == 503
    expect(tile(page, "In flight")).to_contain_text("In flight0")
    expect(card).to_contain_text("0 in flight")


@pytest.mark.parametrize(
    ("label", "address", "shows"),
    [
        ("Servers up", "/ui/servers?status=trouble", "gone"),
        ("Requests/s", "/ui/requests", "Answered"),
        ("In flight", "/ui/requests?view=inflight", "Nothing is in flight"),
        ("TTFT p50", "/ui/requests", "Answered"),
        ("Output tokens/s", "/ui/requests", "Answered"),
        ("Errors/s", "/ui/requests?result=error", "no-such-model"),
    ],
)
def test_each_figure_leads_to_the_list_behind_it(page, problems, fleet, label, address, shows):
    go(page, fleet)
    expect(tile(page, "Servers up")).to_contain_text("of 5")
    tile(page, label).click()
    expect(page).to_have_url(fleet.base + address)
    expect(page.get_by_role("main").get_by_text(shows, exact=True).first).to_be_visible()
    if "=trouble" in address:
        expect(page.get_by_role("link", name="GPU box 1", exact=True)).to_have_count(0)
    if "=error" in address:
        expect(page.get_by_role("table").get_by_text("Answered", exact=True)).to_have_count(0)


def test_the_range_is_in_the_address_and_survives_a_reload(page, problems, fleet):
    go(page, fleet)
    expect(page.get_by_role("radio", name="5 min", exact=True)).to_be_checked()
    page.get_by_text("1 h", exact=True).click()
    expect(page).to_have_url(f"{fleet.base}/ui/?range=1h")
    with page.expect_request(re.compile("/api/history.seconds=3600")):
        page.reload()
    expect(page.get_by_role("radio", name="1 h", exact=True)).to_be_checked()
    page.get_by_text("5 min", exact=True).click()
    expect(page).to_have_url(f"{fleet.base}/ui/")


def test_tables_of_charts_hold_the_numbers_of_the_history(page, problems, one):
    go(page, one)
    for _ in range(3):
        assert ask(one, MODEL).status == 200
    as_table(page, "Requests per second")
    as_table(page, "Servers up")
    cells = chart(page, "Requests per second").get_by_role("cell")
    expect(cells.filter(has_text=re.compile(r"^[1-9]"))).not_to_have_count(0)
    shown, up = rows_of(page, "Requests per second"), rows_of(page, "Servers up")
    points = until(lambda: has_points(one.ask("GET", "/api/history")[1]["points"], shown))
    of_requests = {(clock(page, point["time"]), per_second(point["requests"])) for point in points}
    assert {tuple(row) for row in shown} <= of_requests
    assert {tuple(row) for row in up} <= {(clock(page, point["time"]), str(point["serversUp"]), str(point["servers"])) for point in points} | gaps(up)


def has_points(points, shown):
    return points if len(points) >= len(shown) else None


def gaps(rows):
    """Rows of moments at which the orchestrator was not heard."""
    return {tuple(row) for row in rows if set(row[1:]) == {DASH}}


def clock(page, time):
    return page.evaluate("time => new Date(time * 1000).toISOString().slice(11, 19)", time)


def test_what_was_is_there_after_a_reload_and_after_a_restart_of_the_orchestrator(page, problems, one):
    for _ in range(3):
        assert ask(one, MODEL).status == 200
    until(lambda: any(point["requests"] for point in one.ask("GET", "/api/history?seconds=300")[1]["points"]))
    go(page, one)
    as_table(page, "Requests per second")
    busy = chart(page, "Requests per second").get_by_role("cell").filter(has_text=re.compile(r"^[\d.]*[1-9][\d.]*/s$"))
    expect(busy).not_to_have_count(0)
    page.goto("about:blank")
    one.__exit__()
    one.__enter__()
    go(page, one, "/?range=15m")
    as_table(page, "Requests per second")
    expect(busy).not_to_have_count(0)
    points = one.ask("GET", "/api/history?seconds=900")[1]["points"]
    assert sum(point["requests"] for point in points) == 3


def test_a_server_that_goes_down_shows_everywhere_and_so_does_its_return(page, problems, orchestrator, emulation):
    stays, falls = emulation.add(), emulation.add()
    add(orchestrator, "stays", stays.url, name="Rock")
    add(orchestrator, "falls", falls.url, name="Leaf")
    go(page, orchestrator)
    expect(tile(page, "Servers up")).to_contain_text("2 of 2")
    card = page.get_by_role("region", name="Servers", exact=True).get_by_role("listitem").filter(has_text="Leaf")
    expect(card).to_contain_text("Healthy")
    falls.stop()
    expect(tile(page, "Servers up")).to_contain_text("1 of 2")
    expect(tile(page, "Servers up")).to_contain_text("Leaf down")
    expect(card).to_contain_text("Down")
    expect(card.get_by_role("img")).to_have_accessible_name(re.compile("[1-9] failed"))
    events = page.get_by_role("region", name="Recent events").get_by_role("listitem")
    expect(events.filter(has_text="Leaf").filter(has_text="Error:").first).to_be_visible()
    expect(page.get_by_role("alert").filter(has_text="falls")).to_be_visible()
    expect(page.get_by_role("log", name="Alerts")).to_contain_text("falls")
    falls.start()
    expect(tile(page, "Servers up")).to_contain_text("2 of 2")
    expect(card).to_contain_text("Healthy")


def test_with_no_server_the_overview_leads_to_adding_one(page, problems, orchestrator):
    go(page, orchestrator)
    expect(page.get_by_role("heading", name="Connect your first LLM server")).to_be_visible()
    expect(page.get_by_role("region", name="OpenAI base URL")).to_have_text(f"{orchestrator.base}/v1")
    page.get_by_role("link", name="Add server").click()
    expect(page).to_have_url(f"{orchestrator.base}/ui/servers?add=true")
    expect(page.get_by_role("dialog", name="Add server")).to_be_visible()
