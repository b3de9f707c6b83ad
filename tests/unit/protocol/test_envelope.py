import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import Refusal
from orchestrator.protocol.envelope import Envelope, Route, read, unknown_model, with_model

CHAT = Route("/api/chat", "ollama", "ollama", "chat", "ollama", empty="messages")
GENERATE = Route("/api/generate", "ollama", "ollama", "generate", "ollama", empty="prompt")
EMBED = Route("/api/embed", "ollama", "ollama", "embed", "ollama", streams=False, empty="input")
V1_EMBED = Route("/v1/embeddings", "openai", "v1", "v1-embeddings", "openai", streams=False)
SHOW = Route("/api/show", "ollama", "ollama", "show", "ollama", light=True, streams=False)
V1_CHAT = Route("/v1/chat/completions", "openai", "v1", "chat", "openai")
V1_COMPLETIONS = Route("/v1/completions", "openai", "v1", "completions", "openai")
MESSAGES = Route("/v1/messages", "anthropic", "v1", "messages", "messages")
RERANK = Route("/v1/rerank", "openai", "v1", "rerank", "opaque")
ROUTES = [CHAT, GENERATE, EMBED, SHOW, V1_CHAT, V1_COMPLETIONS, MESSAGES, RERANK]
OURS = [route for route in ROUTES if route.dialect == "ollama"]
THEIRS = [route for route in ROUTES if route.dialect != "ollama"]


def packed(**members: Any) -> bytes:
    return json.dumps(members).encode()


def refused(route: Route, body: bytes) -> tuple[int, str]:
    with pytest.raises(Refusal) as caught:
        read(route, body)
    return caught.value.status, caught.value.message


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
def test_every_dialect_names_its_model(route: Route) -> None:
    body = packed(model="org/m:tag", messages=[{"role": "user", "content": "hé"}])
    envelope = read(route, body)
    assert envelope.model == "org/m:tag"
    assert envelope.body is body


@pytest.mark.parametrize("given_stream", ["absent", None, True, False])
def test_streaming_is_the_default_of_ollama_alone(given_stream: object) -> None:
    members = {"model": "m", "messages": [1]} | ({} if given_stream == "absent" else {"stream": given_stream})
    assert read(CHAT, packed(**members)).stream is (given_stream is not False)
    assert read(V1_CHAT, packed(**members)).stream is (given_stream is True)
    assert read(MESSAGES, packed(**members)).stream is (given_stream is True)


@pytest.mark.parametrize("route", [SHOW, EMBED, V1_EMBED], ids=lambda route: route.path)
@pytest.mark.parametrize("more", [{}, {"stream": True}])
def test_what_is_never_answered_in_a_stream_is_none(route: Route, more: dict[str, Any]) -> None:
    assert read(route, packed(model="m", input="hi", **more)).stream is False


@pytest.mark.parametrize(
    ("members", "expected"), [({"model": "", "name": "n"}, "n"), ({"name": "n"}, "n"), ({"model": "m", "name": "n"}, "m"), ({"model": None, "name": "n"}, "n")]
)
def test_first_of_model_and_name_that_is_not_empty_wins(members: dict[str, Any], expected: str) -> None:
    assert read(SHOW, packed(**members)).model == expected


# ---- load and unload

NOTHING_ASKED = [{}, {"messages": None}, {"messages": []}, {"messages": "", "options": None}]
ZEROS = [0, -0, 0.0, -0.0, "0", "0s", "0m", "0ms", "0h0m0s", "-0s", "+0s", "0.0s", ".0s", "0us", "0µs", "0μs", "0ns"]
NOT_ZEROS = [5, 0.5, -1, "5m", "10m", "1h30m", "-1s", "300ms", "0m1s", "0.1s", 10, 1e3, "1e0", "", "s", "m", None, True, False, [], [0], {}]


@pytest.mark.parametrize("members", NOTHING_ASKED)
@pytest.mark.parametrize("keep_alive", ZEROS)
def test_zero_in_any_spelling_unloads(keep_alive: object, members: dict[str, Any]) -> None:
    body = json.dumps({"model": "m", "keep_alive": keep_alive, **members}, ensure_ascii=False).encode()
    assert read(CHAT, body).intent == "unload"


@pytest.mark.parametrize("spelling", [b"0e5", b"-0E-2", b"0.000", b'"0"', b'"000"'])
def test_zero_as_other_encoders_write_it_unloads(spelling: bytes) -> None:
    assert read(GENERATE, b'{"model":"m","keep_alive": %b }' % spelling).intent == "unload"


@pytest.mark.parametrize("keep_alive", NOT_ZEROS)
def test_anything_but_zero_loads(keep_alive: object) -> None:
    assert read(GENERATE, packed(model="m", keep_alive=keep_alive, prompt="")).intent == "load"


@pytest.mark.parametrize("prompt", [" ", "x", "0", '"', "null", "[]"])
@pytest.mark.parametrize("keep_alive", [0, "5m"])
def test_a_request_with_a_prompt_infers_whatever_its_keep_alive(prompt: str, keep_alive: object) -> None:
    assert read(GENERATE, packed(model="m", prompt=prompt, keep_alive=keep_alive)).intent == "infer"


def test_an_empty_list_with_spaces_asks_nothing() -> None:
    assert read(CHAT, b'{"model":"m","messages":[ \n ],"keep_alive":0}').intent == "unload"
    assert read(CHAT, b'{"model":"m","messages":[ {} ],"keep_alive":0}').intent == "infer"


def test_a_member_that_another_endpoint_reads_does_not_count() -> None:
    assert read(GENERATE, packed(model="m", messages=[{"role": "user"}], keep_alive=0)).intent == "unload"
    assert read(CHAT, packed(model="m", prompt="x")).intent == "load"
    assert read(EMBED, packed(model="m", input="x", keep_alive=0)).intent == "infer"
    assert read(SHOW, packed(model="m", keep_alive=0)).intent == "infer"
    assert read(V1_CHAT, packed(model="m", keep_alive=0)).intent == "infer"


def test_an_endless_keep_alive_is_not_gone_through() -> None:
    assert read(CHAT, b'{"model":"m","keep_alive":"%b"}' % (b"0" * 3_000_000 + b"x")).intent == "load"


# ---- several answers


@pytest.mark.parametrize(
    ("members", "choices"),
    [
        ({}, 1),
        ({"n": None}, 1),
        ({"n": 3}, 3),
        ({"prompt": "one"}, 1),
        ({"prompt": ["a", "b"]}, 2),
        ({"prompt": ["a", "b"], "n": 2}, 4),
        ({"prompt": [1, 2, 3]}, 1),
        ({"prompt": [[1, 2], [3]]}, 2),
        ({"prompt": []}, 1),
        ({"n": "x"}, 1),
    ],
)
def test_answers_are_counted(members: dict[str, Any], choices: int) -> None:
    assert read(V1_COMPLETIONS, packed(model="m", **members)).choices == choices


# ---- what is wrong with a body


@pytest.mark.parametrize("route", OURS, ids=lambda route: route.path)
def test_empty_body_in_the_words_of_ollama(route: Route) -> None:
    assert refused(route, b"") == (400, "missing request body")


@pytest.mark.parametrize("route", THEIRS, ids=lambda route: route.path)
def test_empty_body_in_the_words_of_v1(route: Route) -> None:
    assert refused(route, b"") == (400, "EOF")


@pytest.mark.parametrize("body", [b"{", b'{"model"', b'{"model":"m"', b'{"model":"m",', b" ", b'{"model":"m","messages":["x', b'{"a":[1,2'])
def test_a_body_that_ends_too_early_says_so(body: bytes) -> None:
    for route in ROUTES:
        status, message = refused(route, body)
        assert status == 400
        assert "EOF" in message or "offset" in message


@pytest.mark.parametrize(
    "body", [b"model=m", b"<html>", b"{'model':'m'}", b'{"model":"m",}', b"\xff\xfe", b'\xef\xbb\xbf{"model":"m"}', b'{"model":"m" "x":1}']
)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    for route in ROUTES:
        assert refused(route, body)[0] == 400


@pytest.mark.parametrize("body", [b"[]", b"5", b'"model"', b"null", b"true", b'[{"model":"m"}]'])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    for route in ROUTES:
        assert refused(route, body) == (400, "the body must be a JSON object")


@pytest.mark.parametrize("model", [5, True, ["m"], {"m": 1}])
def test_a_model_that_is_no_text_is_refused(model: object) -> None:
    for route in ROUTES:
        assert refused(route, packed(model=model)) == (400, "model must be a string")


def test_half_an_emoji_in_the_model_is_refused() -> None:
    assert refused(CHAT, rb'{"model":"\ud83d"}') == (400, "model must be a string")


@pytest.mark.parametrize("body", [b"{}", b'{"model":""}', b'{"model":null}', packed(model="m" * 513), b'{"Model":5}'])
def test_no_model_in_the_words_of_each_endpoint(body: bytes) -> None:
    assert refused(CHAT, body) == (400, "model is required")
    assert refused(V1_CHAT, body) == (400, "model is required")
    assert refused(MESSAGES, body) == (400, "model is required")
    assert refused(GENERATE, body) == (404, "model '' not found")
    assert refused(EMBED, body) == (404, "model '' not found")
    status, message = refused(RERANK, body)
    assert status == 404
    assert "/v1/rerank" in message


def test_other_members_of_a_wrong_type_are_the_servers_to_judge() -> None:
    body = b'{"stream":"no","model":"m","n":"x","keep_alive":{},"messages":5}'
    for route in ROUTES:
        envelope = read(route, body)
        assert (envelope.model, envelope.body) == ("m", body)
    assert read(CHAT, b'{"model":"m","stream":"no","keep_alive":0}').intent == "unload"


@pytest.mark.parametrize("body", [rb'{"model":"m","messages":["\ud83d"]}', b'{"model":"m","options":{"seed":NaN}}', b'{"model":"m","messages":["\xff"]}'])
def test_what_some_servers_take_goes_on_as_it_came(body: bytes) -> None:
    """Half an emoji from JavaScript, NaN from Python, broken UTF-8: servers differ in what they accept."""
    for route in ROUTES:
        envelope = read(route, body)
        assert (envelope.model, envelope.body) == ("m", body)


@pytest.mark.parametrize("rest", [b"x", b"{}", b"\0", b" \n}", b'{"model":"other"}'])
def test_bytes_after_the_object_are_cut_off(rest: bytes) -> None:
    for route in ROUTES:
        assert read(route, b'{"model":"m"}' + rest) == read(route, b'{"model":"m"}')


def test_white_space_around_the_object_stays() -> None:
    body = b' \r\n\t{"model" : "m"}\n\n'
    assert read(CHAT, body).body == body


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_endless_nesting_is_an_error_of_the_client(opening: bytes) -> None:
    assert refused(V1_CHAT, b'{"model":"m","x":' + opening * 200_000)[0] == 400


@given(st.binary(max_size=200) | st.text().map(str.encode))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for route in ROUTES:
        try:
            assert read(route, body).model
        except Refusal:
            continue


@given(
    st.dictionaries(
        st.sampled_from(["model", "name", "stream", "n", "prompt", "messages", "keep_alive", "x"]),
        st.none() | st.integers() | st.text(max_size=5) | st.lists(st.integers(), max_size=2),
    )
)
def test_any_object_is_read_as_json_reads_it(members: dict[str, Any]) -> None:
    model = members.get("model")
    if isinstance(model, str) and model:
        envelope = read(V1_CHAT, packed(**members))
        assert (envelope.model, envelope.stream) == (model, members.get("stream") is True)
    else:
        assert refused(V1_CHAT, packed(**members))[0] == 400


# ---- the name that goes out


def test_the_clients_own_bytes_go_out_where_the_server_knows_the_name() -> None:
    envelope = read(CHAT, b'{"model":"m" , "x":1.0}')
    assert with_model(envelope, "m") is envelope.body


def test_only_the_name_is_replaced() -> None:
    envelope = read(V1_CHAT, b'{"x":1.0, "model":"m","big":12345678901234567890,"model":"m"}')
    assert with_model(envelope, 'a"\u00e9') == '{"x":1.0, "model":"a\\"\u00e9","big":12345678901234567890,"model":"a\\"\u00e9"}'.encode()


FORM_ROUTE = Route("/v1/audio/transcriptions", "openai", "v1", "audio/transcriptions", "opaque")
FORM = (
    b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper\r\n--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n\0\xffmodel\r\n--b--\r\n'
)


def form(body: bytes = FORM) -> Envelope:
    return read(FORM_ROUTE, body, b"Multipart/Form-Data; boundary=b")


def test_a_form_names_its_model() -> None:
    envelope = form()
    assert (envelope.model, envelope.body, envelope.stream) == ("whisper", FORM, False)
    assert with_model(envelope, "whisper") is FORM
    assert with_model(envelope, "big/whisper") == FORM.replace(b"whisper", b"big/whisper")


@pytest.mark.parametrize("name", [b"", b"w" * 600, b"x" * 5000])
def test_a_form_without_a_usable_model_is_an_unknown_path(name: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        form(FORM.replace(b"whisper", name))
    assert caught.value.status == 404


# ---- nobody has it


@pytest.mark.parametrize(
    ("route", "message"),
    [
        (CHAT, "model 'a/b' not found"),
        (GENERATE, "model 'a/b' not found"),
        (EMBED, 'model "a/b" not found, try pulling it first'),
        (SHOW, "model 'a/b:latest' not found"),
        (V1_CHAT, "model 'a/b' not found"),
        (Route("/v1/embeddings", "openai", "v1", "v1-embeddings", "openai"), "model 'a/b' not found"),
    ],
    ids=lambda value: getattr(value, "path", ""),
)
def test_an_unknown_model_in_the_words_of_each_endpoint(route: Route, message: str) -> None:
    refusal = unknown_model(route, "a/b")
    assert (refusal.status, refusal.code, refusal.message) == (404, "model_not_found", message)


def test_show_keeps_a_tag_and_knows_illegal_names() -> None:
    assert unknown_model(SHOW, "host:5000/m").message == "model 'host:5000/m:latest' not found"
    assert unknown_model(SHOW, "m:7b").message == "model 'm:7b' not found"
    assert unknown_model(SHOW, "../m").status == 400
