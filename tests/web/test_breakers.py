"""Circuit breakers: what opens them, what is done to them by hand, and where requests then go."""

import re

import pytest
from playwright.sync_api import expect

from tests.web.clients import ask
from tests.web.steps import add, go

MODEL = "llama3.2:3b"
OTHER = "qwen3:8b"
OPENING_FAILURES = 5


def group(page, state):
    return page.get_by_role("table", name=f"{state.capitalize()} breakers")


def row_of(page, state, model, server):
    """The row of a breaker among those of that state. model: or `The server itself`."""
    return group(page, state).get_by_role("row").filter(has_text=model).filter(has=page.get_by_role("link", name=server, exact=True))


def show_closed(page):
    page.get_by_role("button", name="Show", exact=True).click()


def press(page, action, whom):
    """Asks for an action; the confirmation."""
    page.get_by_role("button", name=f"{action} the breaker of {whom}", exact=True).click()
    return page.get_by_role("dialog", name=f"{action} the breaker of {whom}?")


def states(one):
    return {(breaker["server"], breaker["model"]): (breaker["state"], breaker["forced"]) for breaker in one.ask("GET", "/api/breakers")[1]}


@pytest.fixture
def server(emulation):
    return emulation.add(models=(MODEL, OTHER))


@pytest.fixture
def one(orchestrator, server):
    add(orchestrator, "gpu-1", server.url, name="GPU box")
    return orchestrator


@pytest.fixture
def two(one, emulation):
    """Another server, of the second tier."""
    add(one, "spare", emulation.add(models=(MODEL, OTHER)).url, name="Spare", priority=1)
    return one


def fail(one, server, times=OPENING_FAILURES):
    server.fault = 500
    for _ in range(times):
        assert ask(one, MODEL).status >= 500


def test_a_breaker_opens_before_our_eyes_when_requests_fail_and_closes_when_one_succeeds(page, problems, one, server):
    go(page, one, "/breakers")
    expect(page.get_by_text("No requests failed yet: every breaker is closed.")).to_be_visible()
    page.evaluate("window.stays = true")
    fail(one, server)
    row = row_of(page, "open", MODEL, "GPU box")
    expect(row).to_contain_text("OpenHTTP 500")
    expect(row).to_contain_text("5 of 5 failed in the last minute, 5 in a row")
    expect(page.get_by_role("alert").filter(has_text=MODEL)).to_be_visible()
    expect(row).to_contain_text("With the next request")
    server.fault = 0
    assert ask(one, MODEL).status == 200
    expect(group(page, "open")).to_have_count(0)
    show_closed(page)
    expect(row_of(page, "closed", MODEL, "GPU box")).to_contain_text("A request succeeded")
    assert page.evaluate("window.stays")


def test_the_next_try_counts_down_from_what_the_server_said(page, problems, one, server):
    server.fault, server.fault_headers = 503, {"Retry-After": "45"}
    go(page, one, "/breakers")
    ask(one, MODEL)
    row = row_of(page, "open", MODEL, "GPU box")
    expect(row).to_have_text(re.compile(r"Due in [1-4]?\d s"))
    left = re.search(r"Due in (\d+) s", row.inner_text())[0]
    expect(row).not_to_contain_text(left)
    expect(row).to_have_text(re.compile(r"Due in [1-4]?\d s"))


def test_requests_go_elsewhere_while_a_breaker_is_held_open_and_return_when_it_is_closed(page, problems, two):
    go(page, two, "/breakers")
    page.get_by_role("button", name="Open a breaker").click()
    dialog = page.get_by_role("dialog", name="Open a breaker")
    dialog.get_by_role("combobox", name="Server").click()
    page.get_by_role("option", name="GPU box", exact=True).click()
    dialog.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name=MODEL, exact=True).click()
    dialog.get_by_role("button", name="Open breaker").click()
    expect(dialog).to_be_hidden()
    expect(row_of(page, "open", MODEL, "GPU box")).to_contain_text("When somebody closes it")
    assert ask(two, MODEL).server == "spare"
    assert ask(two, OTHER).server == "gpu-1"
    dialog = press(page, "Close", f"{MODEL} on GPU box")
    expect(dialog).to_contain_text("Requests go to this model on this server again at once")
    dialog.get_by_role("button", name="Close breaker").click()
    expect(group(page, "open")).to_have_count(0)
    assert ask(two, MODEL).server == "gpu-1"


def test_where_no_other_server_is_left_requests_are_refused_while_the_breaker_is_held_open(page, problems, one, server):
    go(page, one, "/breakers")
    show_closed(page)
    dialog = press(page, "Open", "GPU box and all its models")
    expect(dialog).to_contain_text("even when no other server is left")
    dialog.get_by_role("button", name="Open breaker").click()
    expect(row_of(page, "open", "The server itself", "GPU box")).to_be_visible()
    server.asked.clear()
    reply = ask(one, MODEL)
    assert (reply.status, server.asked) == (503, [])


def test_nothing_is_done_without_the_confirmation(page, problems, one):
    go(page, one, "/breakers")
    show_closed(page)
    dialog = press(page, "Open", "GPU box and all its models")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("button", name="Open the breaker of GPU box and all its models")).to_be_focused()
    assert states(one) == {("gpu-1", None): ("closed", False)}
    assert ask(one, MODEL).status == 200


def test_reset_forgets_what_was_counted(page, problems, one, server):
    fail(one, server, times=3)
    server.fault = 0
    go(page, one, "/breakers")
    show_closed(page)
    row = row_of(page, "closed", MODEL, "GPU box")
    expect(row).to_contain_text("3 of 3 failed in the last minute, 3 in a row")
    dialog = press(page, "Reset", f"{MODEL} on GPU box")
    expect(dialog).to_contain_text("Its counts start over")
    dialog.get_by_role("button", name="Reset breaker").click()
    expect(dialog).to_be_hidden()
    expect(row).not_to_contain_text("failed")
    assert all(breaker["failures"] == 0 for breaker in one.ask("GET", "/api/breakers")[1])


def test_what_is_done_to_a_server_is_done_to_all_its_models(page, problems, two, server):
    server.fault = 500
    assert {ask(two, model).server for model in (MODEL, OTHER)} == {"spare"}
    server.fault = 0
    go(page, two, "/breakers")
    show_closed(page)
    expect(row_of(page, "closed", OTHER, "GPU box")).to_be_visible()
    press(page, "Open", "GPU box and all its models").get_by_role("button", name="Open breaker").click()
    for name in ("The server itself", MODEL, OTHER):
        expect(row_of(page, "open", name, "GPU box")).to_be_visible()
    expect(row_of(page, "closed", "The server itself", "Spare")).to_be_visible()
    assert {ask(two, model).server for model in (MODEL, OTHER)} == {"spare"}
    press(page, "Close", "GPU box and all its models").get_by_role("button", name="Close breaker").click()
    expect(group(page, "open")).to_have_count(0)
    assert {state for state, _ in states(two).values()} == {"closed"}
    assert {ask(two, model).server for model in (MODEL, OTHER)} == {"gpu-1"}


def test_filters_are_in_the_address_and_survive_a_reload(page, problems, two, server):
    two.ask("POST", f"/api/breakers/gpu-1/{MODEL}/open")
    two.ask("POST", f"/api/breakers/spare/{OTHER}/open")
    go(page, two, "/breakers")
    expect(group(page, "open").get_by_role("row")).to_have_count(3)
    page.get_by_role("combobox", name="Server").click()
    page.get_by_role("option", name="Spare", exact=True).click()
    page.get_by_role("combobox", name="State").click()
    page.get_by_role("option", name="Open", exact=True).click()
    page.get_by_role("textbox", name="Filter breakers").fill("qwen")
    expect(page).to_have_url(re.compile("q=qwen"))
    page.reload()
    expect(page.get_by_role("textbox", name="Filter breakers")).to_have_value("qwen")
    expect(row_of(page, "open", OTHER, "Spare")).to_be_visible()
    expect(page.get_by_role("table").get_by_role("row")).to_have_count(2)
    page.goto(f"{two.base}/ui/breakers?server=gpu-1&state=closed")
    expect(row_of(page, "closed", "The server itself", "GPU box")).to_be_visible()
    expect(page.get_by_role("table").get_by_role("row")).to_have_count(2)
    page.get_by_role("textbox", name="Filter breakers").fill("there is none like this")
    page.get_by_role("button", name="Clear filters").click()
    expect(page).to_have_url(f"{two.base}/ui/breakers")
