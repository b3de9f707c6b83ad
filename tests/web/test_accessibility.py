"""WCAG 2.2 AA as far as axe can tell, of every page, dialog and state, in light and dark."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.web.conftest import TOKEN, serving
from tests.web.pages import SIGN_IN, is_loaded, pages, routes, views
from tests.web.steps import add, go, menu_of, running

# A theme changes colours, so that the second one is asked only what depends on them.
SCHEMES = {"light": None, "dark": ["color-contrast", "link-in-text-block"]}


@pytest.fixture
def page(lasting_page):
    return lasting_page


@pytest.fixture(scope="session")
def empty(tmp_path_factory):
    """An orchestrator without any server."""
    with serving(tmp_path_factory.mktemp("empty")) as one:
        yield one


@pytest.fixture(scope="session")
def locked(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("locked"), ORCHESTRATOR_ADMIN_TOKEN=TOKEN) as one:
        yield one


@pytest.fixture
def sound(page, axe):
    """`sound()`: no finding in either theme, one heading of the first level, and a title of the page's own."""

    def check():
        for scheme, rules in SCHEMES.items():
            page.emulate_media(color_scheme=scheme)
            expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", scheme)
            axe(rules=rules)
        assert page.locator("h1").count() == 1
        assert page.title().removesuffix("Orchestrator").strip(" ·") != ""

    return check


@pytest.mark.parametrize("address", pages() + views())
def test_a_page_has_no_finding(page, problems, sound, fleet, address):
    go(page, fleet, address)
    is_loaded(page)
    sound()


@pytest.mark.parametrize("address", pages())
def test_a_page_with_nothing_to_show_has_no_finding(page, problems, sound, empty, address):
    go(page, empty, address)
    is_loaded(page)
    sound()


def test_the_page_to_sign_in_has_no_finding_whatever_it_says(page, problems, sound, locked):
    problems.expect("status of 401")
    assert SIGN_IN in routes()
    go(page, locked, "/servers")
    sound()
    page.get_by_label("Admin token").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("This is not the token")).to_be_visible()
    sound()
    page.get_by_label("Admin token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Session").click()
    expect(page.get_by_role("menuitem", name="Sign out")).to_be_visible()
    sound()


BROKEN = "Nothing works today."


@pytest.mark.parametrize("address", pages()[:-1])
def test_a_page_whose_data_cannot_be_fetched_says_so_without_a_finding(page, problems, sound, fleet, address):
    problems.expect("status of 500")
    error = json.dumps({"error": {"code": "internal_error", "message": BROKEN, "field": None}})
    page.route(re.compile(r"/api/(?!session)"), lambda route: route.fulfill(status=500, content_type="application/json", body=error))
    go(page, fleet, address)
    if address != "/playground":
        expect(page.get_by_text(BROKEN).first).to_be_visible()
        expect(page.get_by_role("button", name="Try again").first).to_be_visible()
    is_loaded(page)
    sound()


def tried_connection(page):
    page.get_by_role("textbox", name="Base URL").fill("http://127.0.0.1:9")
    page.get_by_role("button", name="Test connection").click()
    expect(page.get_by_role("list", name="What was asked")).to_be_visible()


def wrong_fields(page):
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Add server").click()
    expect(dialog.locator('[aria-invalid="true"]')).not_to_have_count(0)


def edit(page):
    menu_of(page, "GPU box 1", "Edit")
    page.get_by_role("button", name="Advanced").click()
    page.get_by_role("button", name="Add header").click()


def choose_a_model(page):
    page.get_by_role("combobox", name="Model", exact=True).click()
    expect(page.get_by_role("option").first).to_be_visible()


def click(role, name):
    return lambda page: page.get_by_role(role, name=name).first.click()


def press(keys):
    return lambda page: page.keyboard.press(keys)


def nothing(_page):
    pass


OPENED = {
    "menu of a server": ("/servers", click("button", "Actions for GPU box 1"), "menu"),
    "add a server": ("/servers?add=true", nothing, "dialog"),
    "wrong fields": ("/servers?add=true", wrong_fields, "dialog"),
    "tested connection": ("/servers?add=true", tried_connection, "dialog"),
    "edit a server": ("/servers", edit, "dialog"),
    "manage models": ("/servers", lambda page: menu_of(page, "GPU box 1", "Manage models"), "dialog"),
    "delete a server": ("/servers", lambda page: menu_of(page, "GPU box 1", "Delete"), "dialog"),
    "disable a server": ("/servers", lambda page: menu_of(page, "GPU box 1", "Disable"), "dialog"),
    "a model": ("/models", click("button", "llama3.2:3b"), "dialog"),
    "open a breaker": ("/breakers", click("button", "Open a breaker"), "dialog"),
    "reset a breaker": ("/servers/gpu-1?tab=breakers", click("button", re.compile("^Reset the breaker")), "dialog"),
    "a request": ("/requests", lambda page: page.get_by_role("table").get_by_role("row").nth(1).click(), "dialog"),
    "palette": ("/", press("Control+k"), "dialog"),
    "keys": ("/", press("?"), "dialog"),
    "models to choose": ("/playground", choose_a_model, "listbox"),
}


@pytest.mark.parametrize("name", OPENED)
def test_what_opens_has_a_name_and_no_finding(page, problems, sound, fleet, name):
    address, act, role = OPENED[name]
    go(page, fleet, address)
    is_loaded(page)
    act(page)
    expect(page.get_by_role(role, name=re.compile(r"\w")).first).to_be_visible()
    sound()


def test_a_chart_as_a_table_has_no_finding(page, problems, sound, fleet):
    go(page, fleet)
    page.get_by_role("button", name="Requests per second as a table").click()
    expect(page.get_by_role("region", name="Requests per second, table")).to_contain_text("Time")
    sound()


def test_an_answer_in_the_playground_has_no_finding(page, problems, sound, fleet):
    go(page, fleet, "/playground?model=llama3.2:3b")
    page.get_by_role("textbox", name="Message").fill("Hello")
    page.keyboard.press("Enter")
    expect(page.get_by_text("strong black coffee").first).to_be_visible()
    sound()


def test_a_request_to_be_cancelled_and_its_dialog_have_no_finding(page, problems, sound, orchestrator, emulation):
    server = emulation.add(models=("sleepy:latest",), slow_model="sleepy:latest", slow_seconds=120)
    add(orchestrator, "gpu-1", server.url)
    with running(orchestrator, "sleepy"):
        go(page, orchestrator, "/requests?view=inflight")
        page.get_by_role("button", name="Cancel the request for sleepy").click()
        expect(page.get_by_role("dialog", name="Cancel this request?")).to_be_visible()
        sound()


def test_a_banner_and_a_toast_have_no_finding(page, problems, sound, orchestrator, emulation):
    server = emulation.add()
    add(orchestrator, "gpu-1", server.url)
    go(page, orchestrator)
    server.stop()
    expect(page.get_by_role("alert").filter(has_text="No server takes requests.")).to_be_visible()
    sound()
