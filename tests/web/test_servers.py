"""The list of servers: what is done to them, and what they then do."""

import http.client
import json
import re

import pytest
from playwright.sync_api import expect

from tests.web.conftest import serving
from tests.web.steps import add, go, menu_of, row_of, running


@pytest.fixture
def resting(tmp_path):
    """An orchestrator that probes when it is told to, and hardly ever by itself."""
    with serving(tmp_path, ORCHESTRATOR_PROBE_INTERVAL_SECONDS="3600") as one:
        yield one


def test_a_server_that_drains_counts_down_what_runs_and_takes_requests_again_when_it_is_resumed(page, problems, orchestrator, emulation):
    server = emulation.add(models=("sleepy:latest",), slow_model="sleepy:latest", slow_seconds=120)
    add(orchestrator, "gpu-1", server.url)
    go(page, orchestrator, "/servers")
    row = row_of(page, "gpu-1")
    with running(orchestrator, "sleepy"), running(orchestrator, "sleepy"):
        expect(row.get_by_role("cell").nth(3)).to_have_text("2")
        menu_of(page, "gpu-1", "Drain")
        expect(row).to_contain_text("Draining")
        expect(row).to_contain_text("2 still running")
        assert orchestrator.ask_raw("/api/chat", {"model": "sleepy", "messages": []})[0] == 503
    expect(row).to_contain_text("Drained")
    menu_of(page, "gpu-1", "Resume")
    expect(row).to_contain_text("Healthy")
    assert orchestrator.ask("GET", "/api/servers/gpu-1")[1]["draining"] is False


def test_a_server_is_disabled_only_after_a_confirmation_and_enabled_at_once(page, problems, orchestrator, emulation):
    add(orchestrator, "gpu-1", emulation.add().url, name="GPU box")
    go(page, orchestrator, "/servers")
    menu_of(page, "GPU box", "Disable")
    dialog = page.get_by_role("dialog", name="Disable GPU box?")
    expect(dialog).to_contain_text("No request runs there now.")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()
    assert orchestrator.ask("GET", "/api/servers/gpu-1")[1]["enabled"] is True
    menu_of(page, "GPU box", "Disable")
    dialog.get_by_role("button", name="Disable").click()
    expect(row_of(page, "GPU box")).to_contain_text("Disabled")
    assert orchestrator.ask("GET", "/api/servers/gpu-1")[1]["enabled"] is False
    menu_of(page, "GPU box", "Enable")
    expect(row_of(page, "GPU box")).to_contain_text("Healthy")


def test_check_now_probes_at_once_and_says_what_it_found(page, problems, resting, emulation):
    server = emulation.add()
    add(resting, "gpu-1", server.url)
    go(page, resting, "/servers")
    row = row_of(page, "gpu-1")
    expect(row).to_contain_text("Healthy")
    server.stop()
    menu_of(page, "gpu-1", "Check now")
    expect(page.get_by_text("gpu-1 checked: ")).to_be_visible()
    expect(row).not_to_contain_text("Healthy")
    server.start()
    menu_of(page, "gpu-1", "Check now")
    expect(page.get_by_text("gpu-1 checked: healthy", exact=True)).to_be_visible()
    expect(row).to_contain_text("Healthy")


def test_a_server_is_deleted_only_after_a_confirmation(page, problems, orchestrator, emulation):
    add(orchestrator, "gpu-1", emulation.add().url)
    add(orchestrator, "gpu-2", emulation.add().url)
    go(page, orchestrator, "/servers")
    menu_of(page, "gpu-1", "Delete")
    dialog = page.get_by_role("dialog", name="Delete gpu-1?")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()
    expect(row_of(page, "gpu-1")).to_be_visible()
    menu_of(page, "gpu-1", "Delete")
    dialog.get_by_role("button", name="Delete server").click()
    expect(row_of(page, "gpu-1")).to_be_hidden()
    expect(row_of(page, "gpu-2")).to_be_visible()
    assert [server["id"] for server in orchestrator.ask("GET", "/api/servers")[1]] == ["gpu-2"]


def test_a_server_that_somebody_else_removes_or_adds_goes_and_comes_without_a_reload(page, problems, orchestrator, emulation):
    add(orchestrator, "gpu-1", emulation.add().url)
    go(page, orchestrator, "/servers")
    expect(row_of(page, "gpu-1")).to_be_visible()
    add(orchestrator, "gpu-2", emulation.add(speaks="openai").url)
    expect(row_of(page, "gpu-2")).to_contain_text("Healthy")
    assert orchestrator.ask("DELETE", "/api/servers/gpu-1")[0] == 204
    expect(row_of(page, "gpu-1")).to_be_hidden()


def test_models_are_loaded_and_unloaded_on_the_server_itself(page, problems, orchestrator, emulation):
    server = emulation.add(speaks="ollama", models=("llama3.2:3b", "qwen3:8b"))
    add(orchestrator, "gpu-1", server.url)
    go(page, orchestrator, "/servers")
    menu_of(page, "gpu-1", "Manage models")
    dialog = page.get_by_role("dialog", name="Models of gpu-1")
    row = dialog.get_by_role("row").filter(has_text="qwen3:8b")
    expect(row).to_contain_text("Listed")
    row.get_by_role("button", name="Load qwen3:8b", exact=True).click()
    expect(row).to_contain_text("In memory")
    assert resident(server) == ["qwen3:8b"]
    expect(dialog).to_contain_text("1 in memory")
    row.get_by_role("button", name="Unload qwen3:8b", exact=True).click()
    expect(row).to_contain_text("Listed")
    assert resident(server) == []


def test_a_load_that_the_server_refuses_is_told_on_the_model(page, problems, orchestrator, emulation):
    problems.expect("502")
    server = emulation.add(speaks="ollama", models=("llama3.2:3b",))
    add(orchestrator, "gpu-1", server.url)
    go(page, orchestrator, "/servers")
    menu_of(page, "gpu-1", "Manage models")
    server.fault = 500
    row = page.get_by_role("dialog", name="Models of gpu-1").get_by_role("row").filter(has_text="llama3.2:3b")
    row.get_by_role("button", name="Load llama3.2:3b").click()
    expect(row.get_by_role("alert")).to_contain_text("emulated fault 500")
    expect(row).to_contain_text("Listed")


def resident(server):
    """What the emulated server itself says is in its memory."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request("GET", "/api/ps")
        return [model["name"] for model in json.loads(connection.getresponse().read())["models"]]
    finally:
        connection.close()


@pytest.mark.parametrize(("name", "offered"), [("GPU box 1", 1), ("mac-studio", 1), ("cloud", 0)])
def test_models_are_managed_only_where_ollama_is_spoken(page, problems, fleet, name, offered):
    go(page, fleet, "/servers")
    page.get_by_role("button", name=f"Actions for {name}", exact=True).click()
    expect(page.get_by_role("menuitem", name="Edit")).to_be_visible()
    expect(page.get_by_role("menuitem", name="Manage models")).to_have_count(offered)
    page.keyboard.press("Escape")
    row_of(page, name).get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
    expect(page.get_by_role("table", name="Models in")).not_to_have_count(0)
    expect(page.get_by_role("button", name="Manage models")).to_have_count(offered)


def test_rows_say_what_probes_found_and_which_have_a_key(page, problems, fleet):
    go(page, fleet, "/servers")
    apis = {name: row_of(page, name).get_by_role("cell").nth(2) for name in ("GPU box 1", "mac-studio", "cloud", "gone", "no-key")}
    expect(apis["GPU box 1"]).to_have_text("OllamaOpenAI")
    expect(apis["mac-studio"]).to_have_text("Ollama")
    expect(apis["cloud"]).to_have_text("OpenAI")
    expect(apis["cloud"].get_by_role("img", name="Key from the variable DEMO_KEY")).to_be_visible()
    expect(apis["GPU box 1"].get_by_role("img")).to_have_count(0)
    expect(row_of(page, "gone")).to_contain_text("Down")
    expect(row_of(page, "no-key")).to_contain_text("NO_SUCH_VARIABLE is not set")


def test_filters_are_in_the_url_and_survive_a_reload(page, problems, fleet):
    go(page, fleet, "/servers")
    page.get_by_role("textbox", name="Filter servers").fill("box")
    page.get_by_role("combobox", name="Tag").select_option("gpu")
    page.get_by_role("combobox", name="Status").select_option("healthy")
    expect(row_of(page, "cloud")).to_be_hidden()
    expect(page).to_have_url(re.compile(r"/ui/servers\?(?=.*q=box)(?=.*tag=gpu)(?=.*status=healthy)"))
    page.reload()
    expect(row_of(page, "GPU box 1")).to_be_visible()
    expect(row_of(page, "cloud")).to_be_hidden()
    expect(page.get_by_role("textbox", name="Filter servers")).to_have_value("box")
    expect(page.get_by_role("combobox", name="Tag")).to_have_value("gpu")
    page.get_by_role("combobox", name="Status").select_option("down")
    page.get_by_role("button", name="Clear filter").last.click()
    expect(row_of(page, "gone")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/ui/servers$"))


TABS = [
    ("models", "Models", "/v1/models"),
    ("health", "Health", "Log of checks"),
    ("breakers", "Breakers", "Closed"),
    ("requests", "Requests", "Attempts since the start"),
    ("configuration", "Configuration", "As registered"),
]


@pytest.mark.parametrize(("tab", "word", "says"), TABS)
def test_a_tab_of_the_page_of_a_server_is_in_the_url(page, problems, fleet, tab, word, says):
    go(page, fleet, "/servers/gpu-1")
    expect(page.get_by_role("tab", name="Models", exact=True)).to_have_attribute("aria-selected", "true")
    page.get_by_role("tab", name=word, exact=True).click()
    expect(page).to_have_url(re.compile(rf"/gpu-1\?tab={tab}$" if tab != "models" else r"/gpu-1$"))
    page.reload()
    expect(page.get_by_role("tab", name=word, exact=True)).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("tabpanel", name=word)).to_contain_text(says)


@pytest.mark.parametrize("item", ["Edit", "Manage models", "Disable", "Delete"])
def test_a_dialog_from_the_menu_gives_the_focus_back_to_its_button(page, problems, fleet, item):
    go(page, fleet, "/servers")
    menu_of(page, "GPU box 1", item)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("button", name="Actions for GPU box 1")).to_be_focused()


def test_a_menu_that_is_left_gives_the_focus_back(page, problems, fleet):
    go(page, fleet, "/servers")
    button = page.get_by_role("button", name="Actions for GPU box 1")
    button.press("Enter")
    expect(page.get_by_role("menuitem", name="Edit")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("menu")).to_be_hidden()
    expect(button).to_be_focused()
