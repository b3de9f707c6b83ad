"""The playground: what it sends, what it shows of the answer, and what it does when there is none."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.web.clients import MESSAGES, run, until
from tests.web.steps import add, go

MODEL = "llama3.2:3b"
OTHER = "qwen3:8b"
HANGS = "hangs:1b"
TEXT = "The quick brown fox jumps over the lazy dog while a café owner pours seven cups of strong black coffee."


def conversation(page):
    return page.get_by_role("log", name="Conversation")


def say(page, text="Hello"):
    page.get_by_role("textbox", name="Message").fill(text)
    page.keyboard.press("Enter")


def choose(page, label, option):
    page.get_by_role("combobox", name=label, exact=True).click()
    page.get_by_role("option", name=option, exact=True).click()


def choose_api(page, word):
    page.get_by_role("radiogroup", name="API").get_by_text(word, exact=True).click()


def command(page):
    return page.get_by_role("region", name="command", exact=True).inner_text()


def first_word(page):
    return conversation(page).get_by_role("paragraph").filter(has_text=re.compile("^The$"))


def waiting(page):
    return page.get_by_role("status").filter(has_text="Waiting for the answer")


def in_flight(one):
    return one.ask("GET", "/api/requests")[1]["inFlight"]


@pytest.fixture
def server(emulation):
    return emulation.add(models=(MODEL, OTHER))


@pytest.fixture
def one(orchestrator, server):
    add(orchestrator, "gpu-1", server.url, name="GPU box")
    return orchestrator


@pytest.fixture
def hanging(orchestrator, emulation):
    """A server that says one word and then nothing more."""
    hanging = emulation.add(models=(HANGS,), token_seconds=600)
    add(orchestrator, "slow-1", hanging.url, name="Snail")
    return hanging


@pytest.mark.parametrize(("api", "path"), [("Ollama", "/api/chat"), ("OpenAI", "/v1/chat/completions")])
def test_an_answer_streams_in_and_its_figures_are_those_of_the_request(page, problems, one, server, api, path):
    go(page, one, f"/playground?model={MODEL}")
    choose_api(page, api)
    say(page, "What does the fox do?")
    expect(conversation(page)).to_contain_text(TEXT)
    expect(conversation(page)).to_contain_text(f"{MODEL}, {api}")
    assert [asked.path for asked in server.asked] == [path]
    assert server.asked[0].body["messages"] == [{"role": "user", "content": "What does the fox do?"}]
    request = until(lambda: one.ask("GET", "/api/requests")[1]["requests"])[0]
    figures = f"GPU box · 1 try · TTFT .* · {request['promptTokens']} tokens in, {request['completionTokens']} out · [\\d.]+ tokens/s"
    expect(conversation(page)).to_contain_text(re.compile(figures))
    assert (request["promptTokens"], request["completionTokens"]) == (5, len(TEXT.split()))


def test_what_was_said_before_goes_along_with_the_next_message(page, problems, one, server):
    go(page, one, f"/playground?model={MODEL}")
    say(page, "First")
    expect(page.get_by_role("link", name="Details of the request")).to_have_count(1)
    say(page, "Second")
    expect(page.get_by_role("link", name="Details of the request")).to_have_count(2)
    said = [(message["role"], message["content"].strip()) for message in server.asked[1].body["messages"]]
    assert said == [("user", "First"), ("assistant", TEXT), ("user", "Second")]


def test_stop_ends_the_answer_and_frees_the_server(page, problems, orchestrator, hanging):
    go(page, orchestrator, f"/playground?model={HANGS}")
    say(page)
    expect(first_word(page)).to_be_visible()
    expect(waiting(page)).to_be_attached()
    assert len(in_flight(orchestrator)) == 1
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(conversation(page)).to_contain_text("Stopped · Snail")
    expect(waiting(page)).to_have_count(0)
    until(lambda: hanging.left == 1)
    until(lambda: not in_flight(orchestrator))
    expect(page.get_by_role("button", name="Send")).to_be_visible()


def test_leaving_the_page_frees_the_server_too(page, problems, orchestrator, hanging):
    go(page, orchestrator, f"/playground?model={HANGS}")
    say(page)
    expect(first_word(page)).to_be_visible()
    until(lambda: len(in_flight(orchestrator)) == 1)
    page.get_by_role("link", name="About").click()
    until(lambda: hanging.left == 1)
    until(lambda: not in_flight(orchestrator))


def test_options_reach_an_ollama_server(page, problems, one, server):
    go(page, one, f"/playground?model={MODEL}")
    page.get_by_label("System prompt").fill("Be brief.")
    for label, value in (("Temperature", "0.5"), ("Top p", "0.9"), ("Max tokens", "3"), ("Seed", "7"), ("Context length", "2048"), ("Keep in memory", "2h")):
        page.get_by_label(label).fill(value)
    say(page)
    expect(conversation(page)).to_contain_text("Ended at the limit of tokens")
    expect(conversation(page)).to_contain_text("3 out")
    body = server.asked[0].body
    assert body["options"] == {"temperature": 0.5, "top_p": 0.9, "num_predict": 3, "seed": 7, "num_ctx": 2048}
    assert body["messages"] == [{"role": "system", "content": "Be brief."}, *MESSAGES]
    assert body["keep_alive"] == "2h"


def test_options_reach_an_openai_server_without_those_that_are_ollamas_alone(page, problems, one, server):
    go(page, one, f"/playground?model={MODEL}")
    page.get_by_label("Context length").fill("2048")
    page.get_by_label("Max tokens").fill("2")
    page.get_by_label("System prompt").fill("Be brief.")
    choose_api(page, "OpenAI")
    expect(page.get_by_label("Context length")).to_have_count(0)
    say(page)
    expect(conversation(page)).to_contain_text("Ended at the limit of tokens")
    expect(conversation(page)).to_contain_text("2 out")
    body = server.asked[0].body
    assert body.pop("messages") == [{"role": "system", "content": "Be brief."}, *MESSAGES]
    assert body == {"model": MODEL, "stream": True, "stream_options": {"include_usage": True}, "max_tokens": 2}


def test_a_fixed_server_is_asked_though_another_is_preferred_and_is_in_the_address(page, problems, one, server, emulation):
    spare = emulation.add(models=(MODEL,))
    add(one, "spare", spare.url, name="Spare", priority=1)
    go(page, one, f"/playground?model={MODEL}")
    choose(page, "Server", "Spare")
    expect(page).to_have_url(re.compile("server=spare"))
    page.reload()
    expect(page.get_by_role("combobox", name="Server", exact=True)).to_have_value("Spare")
    assert "X-Orchestrator-Server: spare" in command(page)
    say(page)
    expect(conversation(page)).to_contain_text("Spare · 1 try")
    assert (len(spare.asked), server.asked) == (1, [])


def test_two_models_answer_side_by_side_to_the_same_message(page, problems, one, server):
    go(page, one, f"/playground?model={MODEL}")
    choose(page, "Compare with", OTHER)
    expect(page).to_have_url(re.compile("with=qwen3"))
    say(page)
    expect(page.get_by_role("link", name="Details of the request")).to_have_count(2)
    heads = [conversation(page).get_by_text(f"{model}, Ollama", exact=True) for model in (MODEL, OTHER)]
    left, right = (head.bounding_box() for head in heads)
    assert left["y"] == right["y"]
    assert left["x"] < right["x"]
    assert {asked.body["model"] for asked in server.asked} == {MODEL, OTHER}
    expect(page.get_by_role("region", name=f"command for {OTHER}")).to_contain_text(OTHER)


@pytest.mark.parametrize("api", ["Ollama", "OpenAI"])
def test_an_error_of_the_server_is_told_in_its_words(page, problems, one, server, api):
    problems.expect("status of 500")
    server.fault = 500
    go(page, one, f"/playground?model={MODEL}")
    choose_api(page, api)
    say(page)
    expect(conversation(page).get_by_role("alert")).to_contain_text("500: emulated fault 500")
    server.fault = 0
    say(page, "Again")
    expect(conversation(page)).to_contain_text(TEXT)


@pytest.mark.parametrize("api", ["Ollama", "OpenAI"])
def test_an_answer_that_breaks_off_says_so_and_keeps_what_there_was(page, problems, orchestrator, hanging, api):
    go(page, orchestrator, f"/playground?model={HANGS}")
    choose_api(page, api)
    say(page)
    expect(first_word(page)).to_be_visible()
    hanging.stop()
    expect(conversation(page).get_by_role("alert")).to_contain_text("The answer was cut short")
    expect(first_word(page)).to_be_visible()


@pytest.mark.parametrize("api", ["Ollama", "OpenAI"])
def test_the_command_asks_for_just_what_the_page_asks_for(page, problems, one, server, api):
    go(page, one, f"/playground?model={MODEL}")
    choose_api(page, api)
    page.get_by_label("System prompt").fill("It's a $HOME; `id` test")
    page.get_by_label("Max tokens").fill("4")
    page.get_by_role("textbox", name="Message").fill("Hello")
    assert "quick" in run(command(page))
    page.get_by_role("button", name="Send").click()
    expect(conversation(page)).to_contain_text("4 out")
    by_command, by_page = server.asked
    assert by_command == by_page
    assert json.dumps(by_page.body).count("$HOME") == 1


def test_an_answer_leads_to_its_request(page, problems, one):
    go(page, one, f"/playground?model={MODEL}")
    say(page)
    page.get_by_role("link", name="Details of the request").click()
    request_id = one.ask("GET", "/api/requests")[1]["requests"][0]["id"]
    expect(page).to_have_url(f"{one.base}/ui/requests?id={request_id}")
    expect(page.get_by_role("dialog", name="Request")).to_contain_text("Answered by GPU box.")
