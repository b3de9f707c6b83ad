"""What comes from outside is text, secrets leave no trace, and nothing is asked of anybody else."""

import json
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from tests.web.conftest import serving
from tests.web.pages import is_loaded, pages
from tests.web.steps import add, everything_in, go, menu_of

EVIL = '<img/src="x"/onerror="window.ran=1">'
KEY = "sk-canary-of-a-key"
VALUE = "canary-of-a-header"
FAILURES = 6  # open a breaker
SHOW_NOTHING_OF_SERVERS = ("/about", "/nowhere", "/playground")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory, emulation):
    """One whose server, model, tag, error, request id and client are all called EVIL."""
    with serving(tmp_path_factory.mktemp("hostile")) as one:
        server = emulation.add(models=(EVIL,))
        add(one, "gpu-1", server.url, name=EVIL, tags=[EVIL])
        body = {"model": EVIL, "messages": [{"role": "user", "content": EVIL}]}
        assert one.ask_raw("/api/chat", body)[0] == 200
        server.fault, server.fault_says = 500, EVIL
        for _ in range(FAILURES):
            assert one.ask_raw("/api/chat", body, {"X-Request-Id": EVIL, "User-Agent": EVIL})[0] >= 500
        yield one


@pytest.fixture
def asked(page):
    """The addresses of all that the page asks for."""
    seen = []
    page.on("request", lambda request: seen.append(request.url))
    page.on("websocket", lambda socket: seen.append(socket.url))
    return seen


def assert_only_text(page):
    assert page.evaluate("window.ran") is None
    assert page.locator("img, [onerror]").count() == 0


def foreign(asked, one):
    return [url for url in asked if not url.startswith((f"{one.base}/", "data:"))]


@pytest.mark.parametrize("address", pages())
def test_names_from_outside_are_text_on_every_page(page, problems, hostile, address):
    go(page, hostile, address)
    is_loaded(page)
    if address not in SHOW_NOTHING_OF_SERVERS:
        expect(page.get_by_role("main").get_by_text(EVIL).filter(visible=True).first).to_be_visible()
    assert_only_text(page)


def test_a_request_from_outside_is_text_in_its_details(page, problems, hostile):
    go(page, hostile, f"/requests?id={quote(EVIL, safe='')}")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("User-Agent", exact=False).first).to_be_visible()
    expect(dialog.get_by_role("definition").filter(has_text=EVIL)).to_have_count(3)  # model, server, id
    expect(dialog.get_by_role("table").last).to_contain_text(EVIL)
    assert_only_text(page)


@pytest.mark.parametrize("item", ["Edit", "Manage models", "Disable", "Delete"])
def test_names_from_outside_are_text_in_dialogs(page, problems, hostile, item):
    go(page, hostile, "/servers")
    menu_of(page, EVIL, item)
    expect(page.get_by_role("dialog")).to_contain_text(EVIL)
    assert_only_text(page)


def test_names_from_outside_are_text_in_the_palette_and_in_toasts(page, problems, hostile):
    go(page, hostile, "/servers")
    page.keyboard.press("Control+k")
    page.get_by_role("textbox", name="Search pages").fill("img")
    expect(page.get_by_role("dialog").get_by_text(EVIL).first).to_be_visible()
    page.keyboard.press("Escape")
    menu_of(page, EVIL, "Check now")
    expect(page.get_by_role("alert").filter(has_text="checked: ")).to_contain_text(EVIL)
    assert_only_text(page)


def test_an_error_of_a_server_is_text_in_the_playground(page, problems, hostile, asked):
    problems.expect("Failed to load resource")
    go(page, hostile, f"/playground?model={quote(EVIL, safe='')}")
    page.get_by_role("textbox", name="Message").fill(EVIL)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text=EVIL).first).to_be_visible()
    assert_only_text(page)
    assert foreign(asked, hostile) == []


def test_an_answer_of_a_model_runs_nothing_and_fetches_nothing(page, problems, fleet, asked):
    says = f"{EVIL}\n\n![picture](http://evil.example/pixel.png)\n\n[click](javascript:window.ran=1)\n\n<script>window.ran=1</script>\n\nThe end"
    records = [{"model": "m", "message": {"role": "assistant", "content": says}, "done": False}, {"model": "m", "message": {}, "done": True}]
    body = "\n".join(map(json.dumps, records))
    page.route("**/api/chat", lambda route: route.fulfill(status=200, content_type="application/x-ndjson", body=body))
    go(page, fleet, "/playground?model=llama3.2:3b&style=ollama")
    page.get_by_role("textbox", name="Message").fill("Hello")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The end").first).to_be_visible()
    page.get_by_text("click", exact=True).click()
    assert_only_text(page)
    assert page.locator("a[href^='javascript:']").count() == 0
    assert foreign(asked, fleet) == []


def fill_in_secrets(page, one, url):
    go(page, one, "/servers")
    page.get_by_role("button", name="Add server").click()
    dialog = page.get_by_role("dialog", name="Add server")
    dialog.get_by_role("textbox", name="Base URL").fill(url)
    dialog.get_by_text("Enter a key", exact=True).click()
    dialog.get_by_label("Key to send").fill(KEY)
    dialog.get_by_role("button", name="Advanced").click()
    dialog.get_by_role("button", name="Add header").click()
    dialog.get_by_label("Name of header 1").fill("X-Team")
    dialog.get_by_label("Value of header X-Team").fill(VALUE)
    return dialog


@pytest.mark.parametrize("way", ["Cancel", "Close", "Escape", "Add server", "taken"])
def test_keys_and_headers_are_nowhere_once_the_dialog_is_closed(page, problems, orchestrator, emulation, asked, way):
    url = emulation.add(key=KEY).url
    if way == "taken":
        problems.expect("status of 409")
        add(orchestrator, "there-already", url)
    dialog = fill_in_secrets(page, orchestrator, url)
    dialog.get_by_role("button", name="Test connection").click()
    expect(dialog.get_by_role("status", name="Connection test")).to_contain_text("Healthy")
    held = everything_in(page)
    assert KEY in held
    assert VALUE in held
    if way == "taken":
        dialog.get_by_role("button", name="Add server").click()
        expect(dialog.locator('[aria-invalid="true"]')).to_have_count(1)
    if way in ("Escape", "taken"):
        page.keyboard.press("Escape")
    else:
        dialog.get_by_role("button", name=way, exact=True).click()
    expect(dialog).to_be_hidden()
    assert [secret for secret in (KEY, VALUE) if secret in everything_in(page)] == []
    page.go_back()
    is_loaded(page)
    assert [secret for secret in (KEY, VALUE) if secret in everything_in(page) or secret in str(asked)] == []


def test_a_stored_key_never_comes_back(page, problems, orchestrator, emulation):
    server = emulation.add(key=KEY)
    add(orchestrator, "gpu-1", server.url, apiKey=KEY, headers={"X-Team": VALUE})
    answers = []
    page.on("response", lambda response: answers.append(response) if "/api/" in response.url and "/api/events" not in response.url else None)
    go(page, orchestrator, "/servers/gpu-1?tab=configuration")
    expect(page.get_by_text("A key is set")).to_be_visible()
    page.get_by_role("button", name="Edit").click()
    page.get_by_role("button", name="Advanced").click()
    expect(page.get_by_label("Value of header X-Team")).to_have_value("")
    told = everything_in(page) + "".join(answer.text() for answer in answers)
    assert [secret for secret in (KEY, VALUE) if secret in told] == []
