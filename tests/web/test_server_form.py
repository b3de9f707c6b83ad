"""Adding and editing a server in its dialog."""

import re

import pytest
from playwright.sync_api import expect

from tests.web.steps import add, go, menu_of, row_of, tab_to

MASK = "***REDACTED***"


def adding(page, one):
    """The open dialog that adds a server."""
    go(page, one, "/servers")
    page.get_by_role("button", name="Add server").click()
    dialog = page.get_by_role("dialog", name="Add server")
    expect(dialog).to_be_visible()
    return dialog


def editing(page, one, name):
    go(page, one, "/servers")
    menu_of(page, name, "Edit")
    dialog = page.get_by_role("dialog", name=f"Edit {name}")
    expect(dialog).to_be_visible()
    return dialog


def saved(page, dialog):
    """Saves; the members that were sent."""
    with page.expect_request(lambda request: request.method == "PATCH") as sent:
        dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    return sent.value.post_data_json


def choose(dialog, word):
    """The way that the key is given."""
    dialog.get_by_text(word, exact=True).click()


def test_a_server_is_tested_then_added_and_appears_healthy_with_what_it_speaks(page, problems, orchestrator, emulation):
    server = emulation.add(models=("llama3.2:3b", "qwen3:8b"))
    dialog = adding(page, orchestrator)
    dialog.get_by_label("Name", exact=True).fill("Attic box")
    dialog.get_by_label("Base URL").fill(server.url)
    dialog.get_by_role("button", name="Test connection").click()
    found = dialog.get_by_role("status", name="Connection test")
    expect(found).to_contain_text("Healthy")
    expect(found).to_contain_text(re.compile(r"OllamaOpenAI.*2 models · [\d.]+ ms"))
    asked = found.get_by_role("list", name="What was asked").get_by_role("listitem")
    expect(asked.get_by_role("img", name="Found")).to_have_count(4)
    for path in ("/api/tags", "/api/version", "/api/ps", "/v1/models"):
        expect(asked.filter(has_text=path)).to_contain_text(re.compile(r"\d+ ms$"))
    assert orchestrator.ask("GET", "/api/servers")[1] == []
    dialog.get_by_role("button", name="Add server").click()
    expect(dialog).to_be_hidden()
    row = row_of(page, "Attic box")
    expect(row).to_contain_text("Healthy")
    expect(row.get_by_role("cell").nth(2)).to_have_text("OllamaOpenAI")
    expect(row.get_by_role("cell").nth(5)).to_have_text("2")
    expect(page.get_by_role("button", name="Add server")).to_be_focused()
    expect(page).to_have_url(re.compile(r"/ui/servers$"))
    assert [(one["id"], one["status"]) for one in orchestrator.ask("GET", "/api/servers")[1]] == [("attic-box", "healthy")]


def test_a_server_is_tested_and_added_without_touching_the_mouse(page, problems, orchestrator, emulation):
    server = emulation.add()
    go(page, orchestrator)
    tab_to(page, page.get_by_role("navigation", name="Main").get_by_role("link", name="Servers"))
    page.keyboard.press("Enter")
    opener = page.get_by_role("main").get_by_role("button", name="Add server")
    tab_to(page, opener)
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Add server")
    expect(dialog.get_by_label("Name", exact=True)).to_be_focused()
    page.keyboard.type("Attic")
    tab_to(page, dialog.get_by_label("Base URL"))
    page.keyboard.type(server.url)
    tab_to(page, dialog.get_by_role("button", name="Test connection"))
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("status", name="Connection test")).to_contain_text("Healthy")
    tab_to(page, dialog.get_by_role("button", name="Add server"))
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(row_of(page, "Attic")).to_contain_text("Healthy")
    expect(opener).to_be_focused()


def test_a_test_says_in_words_what_cannot_be_reached(page, problems, orchestrator):
    dialog = adding(page, orchestrator)
    dialog.get_by_label("Base URL").fill("http://127.0.0.1:9")
    dialog.get_by_role("button", name="Test connection").click()
    found = dialog.get_by_role("status", name="Connection test")
    expect(found).to_contain_text("Down")
    expect(found.get_by_role("img", name="Failed")).not_to_have_count(0)
    expect(found).to_contain_text("refused")


def test_what_one_protocol_lacks_is_no_fault_of_a_server_that_speaks_the_other(page, problems, orchestrator, emulation):
    dialog = adding(page, orchestrator)
    dialog.get_by_label("Base URL").fill(emulation.add(speaks="openai").url)
    dialog.get_by_role("button", name="Test connection").click()
    found = dialog.get_by_role("status", name="Connection test")
    expect(found).to_contain_text("Healthy")
    expect(found.get_by_role("listitem").filter(has_text="/v1/models").get_by_role("img", name="Found")).to_be_visible()
    expect(found.get_by_role("listitem").filter(has_text="/api/tags").get_by_role("img", name="Not there")).to_be_visible()
    expect(found.get_by_role("img", name="Failed")).to_have_count(0)


@pytest.mark.parametrize(
    ("server_id", "url", "status", "field", "says"),
    [
        ("gpu-1", "http://127.0.0.1:9", 409, "Id", "A server with the id gpu-1 is registered already"),
        ("gpu-2", "{taken}", 409, "Base URL", "The server gpu-1 is registered with this url already"),
        ("gpu-2", "http://user:word@127.0.0.1:9", 400, "Base URL", "apiKey"),
    ],
)
def test_what_the_orchestrator_refuses_stands_on_the_field_at_fault(page, problems, orchestrator, emulation, server_id, url, status, field, says):
    problems.expect(f"status of {status}")
    taken = emulation.add().url
    add(orchestrator, "gpu-1", taken)
    dialog = adding(page, orchestrator)
    dialog.get_by_label("Base URL").fill(url.format(taken=taken))
    dialog.get_by_role("textbox", name="Id", exact=True).fill(server_id)
    dialog.get_by_role("button", name="Add server").click()
    wrong = dialog.get_by_role("textbox", name=field, exact=True)
    expect(wrong).to_have_attribute("aria-invalid", "true")
    expect(wrong).to_have_accessible_description(re.compile(says))
    expect(wrong).to_be_focused()
    expect(dialog.locator('[aria-invalid="true"]')).to_have_count(1)
    expect(dialog.get_by_role("textbox", name="Id", exact=True)).to_have_value(server_id)


def test_a_key_from_a_variable_that_is_not_set_is_told_with_its_name(page, problems, orchestrator, emulation):
    dialog = adding(page, orchestrator)
    dialog.get_by_label("Name", exact=True).fill("Attic")
    dialog.get_by_label("Base URL").fill(emulation.add().url)
    choose(dialog, "Variable")
    dialog.get_by_label("Name of the environment variable").fill("NOT_SET_HERE")
    dialog.get_by_role("button", name="Test connection").click()
    note = dialog.get_by_role("status").filter(has_text="NOT_SET_HERE").first
    expect(note).to_contain_text("NOT_SET_HERE is not set")
    dialog.get_by_role("button", name="Add server").click()
    row = row_of(page, "Attic")
    expect(row).to_contain_text("Wrong settings")
    expect(row).to_contain_text("NOT_SET_HERE is not set")
    expect(row.get_by_role("img", name="Key from the variable NOT_SET_HERE")).to_be_visible()
    assert orchestrator.ask("GET", "/api/servers/attic")[1]["status"] == "configError"


def test_an_edit_sends_only_what_was_changed(page, problems, orchestrator, emulation):
    add(orchestrator, "gpu-1", emulation.add().url, name="Attic", tags=["old"])
    dialog = editing(page, orchestrator, "Attic")
    dialog.get_by_label("Requests at a time").fill("4")
    dialog.get_by_role("combobox", name="Tags").fill("new")
    dialog.get_by_role("combobox", name="Tags").press("Enter")
    assert saved(page, dialog) == {"maxConcurrency": 4, "tags": ["old", "new"]}
    expect(row_of(page, "Attic")).to_contain_text("0/4")
    expect(row_of(page, "Attic")).to_contain_text("new")
    expect(page.get_by_role("button", name="Actions for Attic")).to_be_focused()


def test_an_edit_that_changes_nothing_sends_nothing(page, problems, orchestrator, emulation):
    add(orchestrator, "gpu-1", emulation.add().url, apiKey="anything", headers={"X-Team": "blue"})
    dialog = editing(page, orchestrator, "gpu-1")
    asked = []
    page.on("request", lambda request: asked.append(request.method))
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    assert "PATCH" not in asked


def test_a_stored_key_is_kept_until_it_is_replaced_or_removed(page, problems, orchestrator, emulation):
    server = emulation.add(key="the-right-key")
    add(orchestrator, "gpu-1", server.url, apiKey="the-right-key")
    row = row_of(page, "gpu-1")
    dialog = editing(page, orchestrator, "gpu-1")
    dialog.get_by_label("Requests at a time").fill("2")
    assert saved(page, dialog) == {"maxConcurrency": 2}
    assert orchestrator.ask("POST", "/api/servers/gpu-1/check", {})[1]["status"] == "healthy"

    menu_of(page, "gpu-1", "Edit")
    choose(dialog, "Replace")
    dialog.get_by_label("Key to send").fill("a-wrong-key")
    assert saved(page, dialog) == {"apiKey": "a-wrong-key"}
    expect(row).to_contain_text("Wrong settings")

    menu_of(page, "gpu-1", "Edit")
    choose(dialog, "Replace")
    dialog.get_by_label("Key to send").fill("the-right-key")
    assert saved(page, dialog) == {"apiKey": "the-right-key"}
    expect(row).to_contain_text("Healthy")
    expect(row.get_by_role("img", name="A key is set")).to_be_visible()

    menu_of(page, "gpu-1", "Edit")
    choose(dialog, "Remove")
    assert saved(page, dialog) == {"apiKey": None}
    expect(row).to_contain_text("Wrong settings")
    expect(row.get_by_role("img")).to_have_count(0)


def test_extra_headers_are_added_kept_and_removed_without_being_shown(page, problems, orchestrator, emulation):
    add(orchestrator, "gpu-1", emulation.add().url, headers={"X-Team": "a-hidden-value", "X-Old": "another"})
    dialog = editing(page, orchestrator, "gpu-1")
    dialog.get_by_role("button", name="Advanced").click()
    expect(dialog.get_by_label("Value of header X-Team")).to_have_value("")
    dialog.get_by_role("button", name="Remove header X-Old").click()
    dialog.get_by_role("button", name="Add header").click()
    dialog.get_by_label("Name of header 2").fill("X-Org")
    dialog.get_by_label("Value of header X-Org").fill("env:ORG")
    assert saved(page, dialog) == {"headers": {"X-Team": MASK, "X-Org": "env:ORG"}}
    assert orchestrator.ask("GET", "/api/servers/gpu-1")[1]["headers"] == {"X-Team": MASK, "X-Org": "env:ORG"}


def test_a_wrong_header_opens_the_part_that_is_folded_away(page, problems, orchestrator, emulation):
    problems.expect("status of 400")
    dialog = adding(page, orchestrator)
    dialog.get_by_label("Base URL").fill("http://127.0.0.1:9")
    dialog.get_by_role("button", name="Advanced").click()
    dialog.get_by_role("button", name="Add header").click()
    dialog.get_by_label("Name of header 1").fill("Host")
    dialog.get_by_label("Value of header Host").fill("elsewhere")
    dialog.get_by_role("button", name="Advanced").click()
    expect(dialog.get_by_label("Name of header 1")).to_be_hidden()
    dialog.get_by_role("button", name="Add server").click()
    expect(dialog.get_by_label("Name of header 1")).to_be_visible()
    expect(dialog.get_by_role("alert")).to_contain_text("Host cannot be set")
