import json
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from tests.backends.llamacpp import LlamaCpp
from tests.backends.scripted_gguf import SAID, WIDTH


@pytest.fixture(scope="module")
def server() -> Iterator[LlamaCpp]:
    with LlamaCpp() as running:
        yield running


def post(server: LlamaCpp, path: str, **body: object) -> dict:
    request = urllib.request.Request(server.url + path, json.dumps({"model": server.alias, **body}).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def chat(server: LlamaCpp, *, think: bool = False, **body: object) -> dict:
    messages = [{"role": "user", "content": "hi"}]
    answer = post(server, "/v1/chat/completions", messages=messages, max_tokens=64, chat_template_kwargs={"enable_thinking": think}, **body)
    return answer["choices"][0]["message"]


def test_it_says_its_sentence(server: LlamaCpp) -> None:
    assert chat(server)["content"] == SAID


def test_it_calls_a_tool(server: LlamaCpp) -> None:
    tool = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}
    (call,) = chat(server, tools=[tool])["tool_calls"]
    assert call["function"]["name"] == "get_weather"
    assert json.loads(call["function"]["arguments"]) == {"city": "Paris"}


def test_it_reasons(server: LlamaCpp) -> None:
    message = chat(server, think=True)
    assert message["reasoning_content"].strip() == "First consider both sides,"
    assert message["content"].strip() == "Therefore yes!"


def test_it_dies_and_comes_back_on_its_port(server: LlamaCpp) -> None:
    server.kill()
    with pytest.raises(urllib.error.URLError):
        chat(server)
    server.start()
    assert chat(server)["content"] == SAID


def test_it_makes_embeddings() -> None:
    with LlamaCpp("embed", embedding=True) as server:
        answer = post(server, "/v1/embeddings", input=["hi", "ho"])
        assert [len(entry["embedding"]) for entry in answer["data"]] == [WIDTH, WIDTH]
