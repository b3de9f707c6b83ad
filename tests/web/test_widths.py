"""Narrow windows, zoom and the keyboard: everything stays in reach."""

import pytest
from playwright.sync_api import expect

from tests.web.pages import SIGN_IN, is_loaded, pages, routes, views
from tests.web.steps import add, go, menu_of, running, tab_to

WIDTHS = {"phone": (320, 640), "tablet": (768, 1024), "desktop": (1440, 900), "desktop at 200 %": (720, 450)}
MAX_STEPS = 150

OUT_OF_REACH = """() => {
    // What ends beyond the right edge and cannot be scrolled to.
    const scrolls = (element) => {
        for (let box = element.parentElement; box && box !== document.body; box = box.parentElement)
            if (/auto|scroll/.test(getComputedStyle(box).overflowX) && box.scrollWidth > box.clientWidth) return true
        return false
    }
    const seen = (element) => element.checkVisibility({visibilityProperty: true}) && element.getBoundingClientRect().width > 1
    return [...document.querySelectorAll('a[href], button, input, select, textarea, [role="tab"], [role="menuitem"]')]
        .filter((element) => seen(element) && !scrolls(element))
        .filter((element) => { const {left, right} = element.getBoundingClientRect(); return right > innerWidth + 1 || (left < -1 && left > -5000) })
        .map((element) => element.outerHTML.slice(0, 200))
}"""

FOCUSED = """() => {
    // What has the focus: its name, whether that can be seen, and whether anything of it can.
    const element = document.activeElement
    if (!element || element === document.body || element.id === 'main') return null
    const look = () => [element, element.parentElement, element.nextElementSibling].filter(Boolean).map((one) => {
        const {outlineStyle, outlineWidth, outlineColor, boxShadow, borderColor, backgroundColor, textDecorationLine} = getComputedStyle(one)
        return [outlineStyle === 'none' ? '' : `${outlineStyle} ${outlineWidth} ${outlineColor}`, boxShadow, borderColor, backgroundColor, textDecorationLine]
    })
    const {left, top, width, height} = element.getBoundingClientRect()
    const box = element.matches('input') && width <= 2 ? element.parentElement.getBoundingClientRect() : {left, top, width, height}
    const points = [0.1, 0.5, 0.9].flatMap((x) => [0.1, 0.5, 0.9].map((y) => [box.left + box.width * x, box.top + box.height * y]))
    const hit = points.map(([x, y]) => document.elementFromPoint(x, y)).filter(Boolean)
    const mine = (other) => element.contains(other) || other.contains(element) && other !== document.body && other !== document.documentElement
        && !other.matches('#root, main, #main') || [...(element.labels ?? [])].some((label) => label.contains(other))
    const focused = JSON.stringify(look())
    element.blur()
    const blurred = JSON.stringify(look())
    element.focus({preventScroll: true})
    const name = element.getAttribute('aria-label') || element.textContent.slice(0, 60) || element.outerHTML.slice(0, 120)
    return {name, shown: focused !== blurred, covered: !hit.some(mine)}
}"""


@pytest.fixture
def page(lasting_page):
    return lasting_page


def assert_nothing_sticks_out(page):
    wide = page.evaluate("[document.documentElement.scrollWidth, document.body.scrollWidth, document.documentElement.clientWidth]")
    assert max(wide[:2]) <= wide[2]
    assert page.evaluate(OUT_OF_REACH) == []


@pytest.mark.parametrize("address", pages() + views())
def test_a_page_never_scrolls_sideways(page, problems, fleet, axe, address):
    go(page, fleet, address)
    is_loaded(page)
    for width, height in WIDTHS.values():
        page.set_viewport_size({"width": width, "height": height})
        assert_nothing_sticks_out(page)
    page.set_viewport_size({"width": 320, "height": 640})
    is_loaded(page)
    axe()


def test_the_page_to_sign_in_never_scrolls_sideways(page, problems, guarded):
    assert SIGN_IN in routes()
    go(page, guarded)
    for width, height in WIDTHS.values():
        page.set_viewport_size({"width": width, "height": height})
        assert_nothing_sticks_out(page)


@pytest.fixture
def phone(page):
    page.set_viewport_size({"width": 320, "height": 640})
    return page


def test_a_server_is_added_on_a_phone(phone, problems, axe, orchestrator, emulation):
    go(phone, orchestrator)
    phone.get_by_role("button", name="Open navigation").click()
    axe()
    phone.get_by_role("navigation", name="Main").get_by_role("link", name="Servers").click()
    phone.get_by_role("button", name="Add server").click()
    dialog = phone.get_by_role("dialog", name="Add server")
    dialog.get_by_label("Name", exact=True).fill("Attic")
    dialog.get_by_role("textbox", name="Base URL").fill(emulation.add().url)
    dialog.get_by_role("button", name="Advanced").click()
    dialog.get_by_role("button", name="Add header").click()
    dialog.get_by_role("button", name="Remove header 1").click()
    dialog.get_by_role("button", name="Test connection").click()
    expect(dialog.get_by_role("status", name="Connection test")).to_contain_text("Healthy")
    assert_nothing_sticks_out(phone)
    axe()
    dialog.get_by_role("button", name="Add server").click()
    expect(dialog).to_be_hidden()
    expect(phone.get_by_role("list", name="Servers").get_by_role("listitem").filter(has_text="Attic")).to_contain_text("Healthy")


@pytest.mark.parametrize("item", ["Edit", "Manage models", "Delete"])
def test_the_menu_of_a_server_and_its_dialogs_are_in_reach_on_a_phone(phone, problems, axe, fleet, item):
    go(phone, fleet, "/servers")
    is_loaded(phone)
    phone.get_by_role("button", name="Actions for GPU box 1").click()
    expect(phone.get_by_role("menuitem", name="Delete")).to_be_in_viewport()
    phone.keyboard.press("Escape")
    menu_of(phone, "GPU box 1", item)
    dialog = phone.get_by_role("dialog")
    expect(dialog).to_be_visible()
    assert_nothing_sticks_out(phone)
    axe()
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()


def test_a_request_is_cancelled_on_a_phone(phone, problems, axe, orchestrator, emulation):
    server = emulation.add(models=("sleepy:latest",), slow_model="sleepy:latest", slow_seconds=120)
    add(orchestrator, "gpu-1", server.url)
    with running(orchestrator, "sleepy"):
        go(phone, orchestrator, "/requests?view=inflight")
        phone.get_by_role("button", name="Cancel the request for sleepy").click()
        assert_nothing_sticks_out(phone)
        axe()
        phone.get_by_role("button", name="Cancel the request", exact=True).click()
        expect(phone.get_by_text("Nothing is in flight")).to_be_visible()
    assert orchestrator.ask("GET", "/api/requests?failure=cancelled")[1]["requests"][0]["model"] == "sleepy"


def test_a_request_and_a_model_are_looked_at_on_a_phone(phone, problems, axe, fleet):
    for address, opens in (("/requests?q=llama", "details"), ("/models", "llama3.2:3b")):
        go(phone, fleet, address)
        is_loaded(phone)
        phone.get_by_role("main").get_by_role("button", name=opens).first.click()
        expect(phone.get_by_role("dialog")).to_be_visible()
        assert_nothing_sticks_out(phone)
        axe()


@pytest.mark.parametrize("address", pages()[:-1])
def test_the_skip_link_leads_past_the_navigation(page, problems, fleet, address):
    go(page, fleet, address)
    is_loaded(page)
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport(ratio=1)
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


@pytest.mark.parametrize("address", pages())
@pytest.mark.parametrize("key", ["Tab", "Shift+Tab"])
def test_the_focus_is_always_seen(page, problems, fleet, key, address):
    page.set_viewport_size({"width": 1280, "height": 450})
    go(page, fleet, address)
    is_loaded(page)
    walked = []
    for _ in range(MAX_STEPS):
        page.keyboard.press(key)
        focused = page.evaluate(FOCUSED)
        if focused is None and walked:
            break
        walked += [focused] if focused else []
    assert walked
    assert [one["name"] for one in walked if not one["shown"]] == []
    assert [one["name"] for one in walked if one["covered"]] == []


def test_the_navigation_of_a_phone_is_in_reach_only_while_it_is_open(phone, problems, fleet):
    go(phone, fleet, "/about")
    is_loaded(phone)
    inside = "(part) => document.querySelector(part).contains(document.activeElement)"
    for _ in range(12):
        phone.keyboard.press("Tab")
        assert not phone.evaluate(inside, "nav")
    opener = phone.get_by_role("button", name="Open navigation")
    opener.press("Enter")
    tab_to(phone, phone.get_by_role("navigation", name="Main").get_by_role("link", name="About"))
    for _ in range(12):
        phone.keyboard.press("Tab")
        assert not phone.evaluate(inside, "main")
    tab_to(phone, phone.get_by_role("navigation", name="Main").get_by_role("link", name="Models"))
    phone.keyboard.press("Enter")
    expect(phone.get_by_role("heading", level=1, name="Models")).to_be_visible()
    expect(phone.get_by_role("navigation", name="Main")).to_be_hidden()
    phone.get_by_role("searchbox").or_(phone.get_by_role("textbox")).first.focus()
    assert phone.evaluate(inside, "main")


def test_dialogs_keep_the_focus_and_close_with_escape(page, problems, fleet):
    go(page, fleet, "/servers")
    opener = page.get_by_role("button", name="Add server")
    tab_to(page, opener)
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Add server")
    expect(dialog.get_by_label("Name", exact=True)).to_be_focused()
    for key in ["Shift+Tab"] * 4 + ["Tab"] * 20:
        page.keyboard.press(key)
        assert dialog.evaluate("(element) => element.contains(document.activeElement)")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()
