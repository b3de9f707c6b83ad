"""The models of the fleet: where each is, where it would go, and how to ask for it."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.web.clients import Asking, ask, run
from tests.web.steps import add, go

MODEL = "llama3.2:3b"
PROTOCOLS = {"ollama": ("O", "Ollama"), "openai": ("AI", "OpenAI")}


def matrix(page):
    return page.get_by_role("table", name="Models by server")


def row_of(page, model):
    return matrix(page).get_by_role("row").filter(has=page.get_by_role("button", name=model, exact=True))


def cell_of(page, model, server):
    """Where a model's row meets the column of a server, by the name of the server."""
    heads = matrix(page).get_by_role("columnheader")
    expect(heads.filter(has_text=server)).to_have_count(1)
    # The model itself is the header of its row.
    return row_of(page, model).get_by_role("cell").nth(heads.all_inner_texts().index(server) - 1)


def goes_to(page, model):
    return row_of(page, model).get_by_role("cell").nth(2)


def written(place):
    """All that the page writes of a model on a server: its state, letters for the eye, names for who listens."""
    if place is None:
        return "\u2013Not there"
    states = {(False, False): "Listed", (False, True): "In memory", (True, False): "Denied", (True, True): "Denied, in memory"}
    spoken = [texts for protocol, texts in PROTOCOLS.items() if place.get(protocol)]
    state = states[place.get("denied", False), place.get("loaded", False)]
    return f"{state}{''.join(short for short, _ in spoken)}{' and '.join(name for _, name in spoken)}"


def test_each_cell_says_what_the_api_says_of_that_model_on_that_server(page, problems, fleet):
    go(page, fleet, "/models")
    names = {server["id"]: server["name"] or server["id"] for server in fleet.ask("GET", "/api/servers")[1]}
    models = fleet.ask("GET", "/api/models")[1]["models"]
    expect(matrix(page).get_by_role("rowheader")).to_have_count(len(models))
    for model in models:
        for server_id, name in names.items():
            expect(cell_of(page, model["name"], name)).to_have_text(written(model["servers"].get(server_id)))


def test_a_model_appears_by_itself_when_a_server_that_has_it_is_added(page, problems, orchestrator, emulation):
    add(orchestrator, "first", emulation.add().url)
    go(page, orchestrator, "/models")
    expect(row_of(page, MODEL)).to_be_visible()
    page.evaluate("window.stays = true")
    add(orchestrator, "second", emulation.add(speaks="ollama", models=("brand-new:8b",)).url, name="Newcomer")
    expect(row_of(page, "brand-new:8b")).to_be_visible()
    expect(cell_of(page, "brand-new:8b", "Newcomer")).to_contain_text("Listed")
    expect(goes_to(page, "brand-new:8b")).to_contain_text("Newcomer")
    assert page.evaluate("window.stays")


def test_filters_are_in_the_address_and_survive_a_reload(page, problems, fleet):
    go(page, fleet, "/models")
    expect(row_of(page, "gemma3:12b")).to_be_visible()
    page.get_by_role("textbox", name="Filter models").fill("llama")
    expect(row_of(page, "gemma3:12b")).to_have_count(0)
    page.get_by_role("textbox", name="Filter models").fill("")
    page.get_by_role("combobox", name="Server").click()
    page.get_by_role("option", name="mac-studio", exact=True).click()
    page.get_by_role("textbox", name="Filter models").fill("3")
    expect(page).to_have_url(re.compile("server=mac-studio"))
    expect(page).to_have_url(re.compile("q=3"))
    page.reload()
    expect(page.get_by_role("textbox", name="Filter models")).to_have_value("3")
    expect(matrix(page).get_by_role("rowheader")).to_have_count(2)
    expect(row_of(page, "qwen3:8b")).to_have_count(0)
    page.get_by_role("textbox", name="Filter models").fill("no model is called so")
    expect(page.get_by_role("heading", name="No model matches")).to_be_visible()
    page.get_by_role("button", name="Clear filters").click()
    expect(row_of(page, "qwen3:8b")).to_be_visible()
    expect(page).to_have_url(f"{fleet.base}/ui/models")


def test_a_model_is_marked_as_in_memory_once_it_was_asked_for(page, problems, orchestrator, emulation):
    add(orchestrator, "gpu-1", emulation.add(models=(MODEL, "idle:1b")).url)
    go(page, orchestrator, "/models")
    expect(cell_of(page, MODEL, "gpu-1")).to_contain_text("Listed")
    assert ask(orchestrator, MODEL).status == 200
    expect(cell_of(page, MODEL, "gpu-1")).to_contain_text("In memory")
    expect(row_of(page, MODEL)).to_contain_text("1 in memory")
    page.get_by_role("checkbox", name="In memory only").check()
    expect(row_of(page, "idle:1b")).to_have_count(0)
    expect(row_of(page, MODEL)).to_be_visible()
    expect(page).to_have_url(re.compile("loaded=true"))


@pytest.fixture
def two(orchestrator, emulation):
    """The first tier has room for one request at a time."""
    models = {"models": (MODEL, "slow:1b"), "slow_model": "slow:1b", "slow_seconds": 60}
    add(orchestrator, "near", emulation.add(**models).url, name="Near", maxConcurrency=1)
    add(orchestrator, "far", emulation.add(**models).url, name="Far", priority=1)
    return orchestrator


def test_a_request_really_goes_where_the_page_says_that_it_would_go(page, problems, two):
    go(page, two, "/models")
    expect(goes_to(page, MODEL)).to_have_text(re.compile("Near$"))
    assert ask(two, MODEL).server == "near"
    waiting = Asking(two, "slow:1b")
    expect(goes_to(page, MODEL)).to_have_text(re.compile("Far$"))
    assert ask(two, MODEL).server == "far"
    two.ask("POST", f"/api/requests/{two.ask('GET', '/api/requests')[1]['inFlight'][0]['id']}/cancel")
    assert waiting.reply.status == 503
    expect(goes_to(page, MODEL)).to_have_text(re.compile("Near$"))
    two.ask("POST", "/api/servers/near/drain")
    expect(goes_to(page, MODEL)).to_have_text(re.compile("Far$"))
    assert ask(two, MODEL).server == "far"


def test_why_a_request_would_be_refused_stands_there_in_the_words_that_the_client_gets(page, problems, orchestrator, emulation):
    add(orchestrator, "only", emulation.add().url)
    go(page, orchestrator, "/models")
    expect(goes_to(page, MODEL)).to_have_text(re.compile("only$"))
    orchestrator.ask("POST", "/api/servers/only/drain")
    expect(goes_to(page, MODEL)).to_contain_text("Refused: ")
    expect(goes_to(page, MODEL)).to_contain_text("drain")
    reply = ask(orchestrator, MODEL)
    assert reply.status == 503
    expect(goes_to(page, MODEL)).to_contain_text(json.loads(reply.text)["error"])


def test_a_model_that_a_server_must_not_serve_is_denied_there(page, problems, orchestrator, emulation):
    server = emulation.add(models=(MODEL, "secret:8b"))
    add(orchestrator, "strict", server.url, modelsDeny=["secret*"])
    go(page, orchestrator, "/models")
    expect(cell_of(page, "secret:8b", "strict")).to_contain_text("Denied")
    expect(cell_of(page, MODEL, "strict")).to_contain_text("Listed")
    expect(row_of(page, "secret:8b")).to_contain_text("1 denied")
    expect(goes_to(page, "secret:8b")).to_contain_text("Refused: ")
    assert ask(orchestrator, "secret:8b").status >= 400
    assert server.asked == []
    orchestrator.ask("PATCH", "/api/servers/strict", {"modelsDeny": []})
    expect(cell_of(page, "secret:8b", "strict")).to_contain_text("Listed")
    assert ask(orchestrator, "secret:8b").status == 200


@pytest.mark.parametrize(
    ("model", "protocol", "answer"),
    [(MODEL, "Ollama", '"done":true'), (MODEL, "OpenAI", "chat.completion"), ("nomic-embed-text:latest", "OpenAI", "embedding")],
)
def test_the_command_of_a_model_works_as_it_stands(page, problems, fleet, model, protocol, answer):
    go(page, fleet, "/models")
    row_of(page, model).get_by_role("button", name=model, exact=True).click()
    details = page.get_by_role("dialog", name=model)
    expect(page).to_have_url(re.compile("model="))
    command = details.get_by_role("region", name=f"{protocol} curl command")
    expect(command).to_contain_text(fleet.base)
    assert answer in run(command.inner_text())
    page.keyboard.press("Escape")
    expect(details).to_be_hidden()
    expect(row_of(page, model).get_by_role("button", name=model, exact=True)).to_be_focused()


def test_on_a_phone_models_are_cards_that_unfold(page, problems, fleet):
    page.set_viewport_size({"width": 320, "height": 700})
    go(page, fleet, "/models")
    card = page.get_by_role("list", name="Models by server").get_by_role("listitem").filter(has=page.get_by_role("button", name=MODEL, exact=True))
    expect(card).to_contain_text("on 2 of 5")
    card.get_by_role("button", name=f"Servers that have {MODEL}").click()
    places = card.get_by_role("list", name=f"Servers that have {MODEL}").get_by_role("listitem")
    expect(places.filter(has_text="GPU box 1")).to_contain_text("Ollama and OpenAI")
    expect(places.filter(has_text="mac-studio")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_of_thirteen_servers_the_matrix_becomes_a_list_that_unfolds(page, problems, orchestrator, emulation):
    for number in range(13):
        add(orchestrator, f"box-{number}", emulation.add(models=(MODEL,) if number else (MODEL, "rare:1b")).url)
    go(page, orchestrator, "/models")
    expect(row_of(page, MODEL)).to_contain_text("on 13 of 13")
    expect(row_of(page, "rare:1b")).to_contain_text("on 1 of 13")
    expect(matrix(page).get_by_role("columnheader")).to_have_count(4)
    row_of(page, "rare:1b").get_by_role("button", name="Servers that have rare:1b").click()
    place = page.get_by_role("list", name="Servers that have rare:1b").get_by_role("listitem")
    expect(place).to_have_count(1)
    place.get_by_role("link", name="box-0").click()
    expect(page).to_have_url(f"{orchestrator.base}/ui/servers/box-0")
