"""What the keyboard does everywhere: the palette, single letters, and that they keep out of what is typed."""

import re

import pytest
from playwright.sync_api import expect

from tests.web.steps import add, go

PAGES = {"o": "/", "r": "/requests", "s": "/servers", "m": "/models", "b": "/breakers", "p": "/playground", "a": "/about"}


def at(one, path):
    """Pages may add to their address what they show."""
    return re.compile(f"^{re.escape(one.base)}/ui{re.escape(path)}([?]|$)")


def palette(page):
    return page.get_by_role("dialog", name="Search pages, servers and models")


def find(page, text):
    page.keyboard.press("Control+k")
    expect(palette(page).get_by_role("textbox")).to_be_focused()
    page.keyboard.type(text)


def keys(page):
    return page.get_by_role("dialog", name="Keys")


def letters(page):
    return keys(page).get_by_role("switch", name="Keys of a single letter")


@pytest.mark.parametrize(
    ("text", "address", "heading"),
    [
        ("breakers", "/breakers", "Circuit breakers"),
        ("GPU box", "/servers/gpu-1", "GPU box 1"),
        ("gemma3", "/models?q=gemma3%3A12b", "Models"),
    ],
)
def test_the_palette_finds_pages_servers_and_models(page, problems, fleet, text, address, heading):
    go(page, fleet, "/about")
    find(page, text)
    expect(palette(page).get_by_role("button").first).to_contain_text(re.compile(text, re.IGNORECASE))
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{fleet.base}/ui{address}")
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    expect(palette(page)).to_be_hidden()


def test_the_palette_drains_a_server_and_lets_it_go_on(page, problems, orchestrator, emulation):
    add(orchestrator, "gpu-1", emulation.add().url)
    go(page, orchestrator, "/about")
    for word, draining in (("Drain", True), ("Resume", False)):
        find(page, f"{word} gpu-1")
        expect(palette(page).get_by_role("button")).to_have_text([f"{word} gpu-1"])
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert").filter(has_text="gpu-1").last).to_contain_text("no new requests" if draining else "takes requests again")
        assert orchestrator.ask("GET", "/api/servers/gpu-1")[1]["draining"] is draining


def test_the_palette_says_when_there_is_nothing_and_escape_gives_the_focus_back(page, problems, fleet):
    go(page, fleet, "/servers")
    page.get_by_role("textbox", name="Filter servers").focus()
    find(page, "nothing is called so")
    expect(palette(page)).to_contain_text("Nothing found")
    page.keyboard.press("Escape")
    expect(palette(page)).to_be_hidden()
    expect(page.get_by_role("textbox", name="Filter servers")).to_be_focused()


def test_g_and_a_letter_lead_to_every_page(page, problems, fleet):
    go(page, fleet, "/servers")
    for letter, path in PAGES.items():
        page.keyboard.press("g")
        page.keyboard.press(letter)
        expect(page).to_have_url(at(fleet, path))
        expect(page.get_by_role("heading", level=1)).to_be_visible()


@pytest.mark.parametrize("path", ["/servers", "/models", "/breakers", "/requests"])
def test_slash_leads_to_the_filter_and_is_not_typed_there(page, problems, fleet, path):
    go(page, fleet, path)
    filter_field = page.get_by_role("textbox", name=re.compile("^Filter "))
    expect(filter_field).to_be_visible()
    page.keyboard.press("/")
    expect(filter_field).to_be_focused()
    expect(filter_field).to_have_value("")


def test_a_question_mark_lists_the_keys(page, problems, fleet):
    go(page, fleet)
    page.keyboard.press("?")
    rows = keys(page).get_by_role("row")
    for name in ("Overview", "Requests", "Servers", "Models", "Circuit breakers", "Playground", "About"):
        expect(rows.filter(has_text=re.compile(f"^g\\w{name}$"))).to_have_count(1)
    page.keyboard.press("Escape")
    expect(keys(page)).to_be_hidden()


def test_letters_are_not_keys_while_somebody_types(page, problems, fleet):
    go(page, fleet, "/models")
    field = page.get_by_role("textbox", name="Filter models")
    field.focus()
    page.keyboard.type("gs?/")
    expect(field).to_have_value("gs?/")
    expect(page).to_have_url(re.compile("/ui/models"))
    go(page, fleet, "/playground")
    message = page.get_by_role("textbox", name="Message")
    message.focus()
    page.keyboard.type("go/?")
    expect(message).to_have_value("go/?")
    expect(page).to_have_url(at(fleet, "/playground"))
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_letters_are_not_keys_while_a_dialog_is_open(page, problems, fleet):
    go(page, fleet, "/servers?add=true")
    expect(page.get_by_role("dialog", name="Add server")).to_be_visible()
    page.get_by_role("dialog", name="Add server").get_by_role("button", name="Cancel").focus()
    page.keyboard.type("gm?")
    expect(page.get_by_role("dialog")).to_have_count(1)
    expect(page).to_have_url(at(fleet, "/servers"))


def test_letters_that_are_switched_off_stay_off_after_a_reload_and_can_be_switched_on_again(page, problems, fleet):
    go(page, fleet, "/servers")
    page.keyboard.press("?")
    letters(page).uncheck()
    page.keyboard.press("Escape")
    expect(keys(page)).to_be_hidden()
    for _ in range(2):
        page.keyboard.type("gm?/")
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(page).to_have_url(at(fleet, "/servers"))
        expect(page.get_by_role("textbox", name="Filter servers")).not_to_be_focused()
        page.reload()
        expect(page.get_by_role("textbox", name="Filter servers")).to_be_visible()
    find(page, "keys")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    letters(page).check()
    page.keyboard.press("Escape")
    expect(keys(page)).to_be_hidden()
    page.keyboard.type("gm")
    expect(page).to_have_url(at(fleet, "/models"))


def test_escape_closes_the_navigation_of_a_phone_and_gives_the_focus_back(page, problems, fleet):
    page.set_viewport_size({"width": 320, "height": 640})
    go(page, fleet, "/servers")
    navigation = page.get_by_role("navigation", name="Main")
    page.get_by_role("button", name="Open navigation").click()
    navigation.get_by_role("link", name="Models").focus()
    page.keyboard.press("Control+k")
    expect(palette(page).get_by_role("textbox")).to_be_focused()
    page.keyboard.press("Escape")
    expect(palette(page)).to_be_hidden()
    expect(navigation).to_be_visible()
    page.keyboard.press("Escape")
    expect(navigation).to_be_hidden()
    expect(page.get_by_role("button", name="Open navigation")).to_be_focused()
