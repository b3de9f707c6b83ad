"""What passes through: which server is asked, under which name, and that the bytes stay the same."""

import asyncio
import json

import pytest

from tests.fakes import wire
from tests.fakes.scripted import cut, hang, reset
from tests.integration.client import post
from tests.integration.dialects import BOTH, OLLAMA, OPENAI

pytestmark = pytest.mark.asyncio(loop_scope="module")
both = pytest.mark.parametrize("dialect", BOTH, ids=lambda dialect: dialect.name)
PIN = "X-Orchestrator-Server"


# ---- bytes


BODIES = [
    b'{"model":"m","messages":[],"z":1,"a":2}',
    b' \n{ "stream" : false ,\t"model" : "m" , "messages" : [ ] }\r\n',
    b'{"model":"m","messages":[{"role":"user","content":"\\u00e4 \xc3\xa4 \xe2\x80\xa8 \xf0\x9f\x98\x80"}]}',
    b'{"temperature":1.0,"seed":12345678901234567890123,"top_p":1e-7,"model":"m","messages":[]}',
    b'{"model":"m","model":"m","options":{"model":"other"},"messages":[]}',
    b'{"messages":[],"tools":[{"function":{"parameters":{"z":{},"a":{}}}}],"unknown":{"deep":[[[]]]},"model":"m"}',
]


@both
@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
async def test_a_request_body_goes_out_as_it_came(orchestrated, fleet, dialect, body):
    a = await fleet.add("a")
    a.on(dialect.path, dialect.plain("Hi"))
    assert (await orchestrated.answer(post(dialect.path + "?a=%20b&c", body))).status == 200
    (seen,) = a.requests()
    assert (seen.body, seen.path, seen.method) == (body, dialect.path + "?a=%20b&c", "POST")
    assert seen.header("content-type") == "application/json"


@both
async def test_bytes_after_the_json_value_are_ignored(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    a.on(dialect.path, dialect.plain("Hi"))
    assert (await orchestrated.answer(post(dialect.path, b'{"model":"m","messages":[]} and more'))).status == 200
    assert a.requests()[0].body == b'{"model":"m","messages":[]}'


@both
@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain", None])
async def test_json_is_sent_as_json_whatever_the_client_called_it(orchestrated, fleet, dialect, content_type):
    a = await fleet.add("a")
    a.on(dialect.path, dialect.plain("Hi"))
    assert (await orchestrated.answer(post(dialect.path, b'{"model":"m","messages":[]}', {"Content-Type": content_type}))).status == 200
    assert [value for name, value in a.requests()[0].headers if name == "content-type"] == ["application/json"]


@both
@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 1_000_000, 8 << 20])
async def test_plain_answers_of_any_size_come_back_as_they_were(orchestrated, fleet, dialect, size):
    a = await fleet.add("a")
    body = b'{"x":"' + bytes(range(0x80, 0x100)) * (size // 128) + b"x" * (size % 128) + b'"}'
    a.on(dialect.path, wire.plain(body))
    answer = await orchestrated.answer(dialect.ask(stream=False))
    assert (answer.status, answer.body == body, answer.header("content-length")) == (200, True, str(len(body)))
    assert answer.header("x-orchestrator-attempts") == "1"


@pytest.mark.parametrize("size", [0, 1, 65536, 1_000_000])
async def test_answers_of_other_operations_may_be_any_bytes(orchestrated, fleet, size):
    a = await fleet.add("a")
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    a.on("/v1/audio/speech", wire.plain(body, content_type="audio/wav"))
    answer = await orchestrated.answer(post("/v1/audio/speech", {"model": "m", "input": "Hi"}))
    assert (answer.status, answer.body == body, answer.header("x-orchestrator-attempts")) == (200, True, "1")


@both
async def test_large_requests_arrive_whole(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    a.on(dialect.path, dialect.plain("Hi"))
    request = dialect.ask(stream=False, images=["x" * (20 << 20)])
    assert (await orchestrated.answer(request)).status == 200
    assert a.requests()[0].body == request.partition(b"\r\n\r\n")[2]


# ---- which server


@both
async def test_a_pinned_request_goes_to_its_server_alone(orchestrated, fleet, dialect):
    a, b = await fleet.add("a"), await fleet.add("b")
    a.on(dialect.path, dialect.stream(["a"]))
    b.on(dialect.path, dialect.stream(["b"]))
    assert dialect.said((await orchestrated.answer(dialect.ask(headers={PIN: "b"}))).body) == "b"
    b.on(dialect.path, dialect.error(500, "boom"))
    answer = await orchestrated.answer(dialect.ask(headers={PIN: "b"}))
    assert (answer.status, dialect.error_text(answer), answer.header("x-orchestrator-server")) == (500, "boom", "b")
    assert a.requests() == []


@both
@pytest.mark.parametrize(("pin", "model", "status", "word"), [
    ("nobody", "m", 400, "not registered"),
    ("b", "n", 404, "does not have model 'n'"),
    ("c", "m", 503, "down"),
    ("d", "m", 503, "draining"),
    ("a b\x7f", "m", 400, "not registered"),
], ids=["unknown", "without the model", "down", "draining", "nonsense"])  # fmt: skip
async def test_a_pin_that_cannot_be_kept_is_an_error_that_says_why(orchestrated, fleet, dialect, pin, model, status, word):
    a, b = await fleet.add("a", models=["m:latest", "n:latest"]), await fleet.add("b")
    c, d = await fleet.add("c"), await fleet.add("d")
    await c.down()
    for _ in range(3):
        await orchestrated.admin("POST", "/api/servers/c/check")
    await orchestrated.admin("POST", "/api/servers/d/drain")
    answer = await orchestrated.answer(dialect.ask(model=model, headers={PIN: pin}))
    if "\x7f" in pin:
        assert answer.status == 400
    else:
        assert (answer.status, answer.header("x-orchestrator-attempts")) == (status, "0")
        assert word in dialect.error_text(answer)
    assert [server.requests() for server in (a, b, c, d)] == [[]] * 4


async def test_a_pin_keeps_to_the_servers_of_its_protocol(orchestrated, fleet):
    await fleet.add("a")
    b = await fleet.add("b", "openai")
    answer = await orchestrated.answer(OLLAMA.ask(headers={PIN: "b"}))
    assert (answer.status, b.requests()) == (404, [])
    assert "Ollama's protocol" in OLLAMA.error_text(answer)


@both
async def test_equal_servers_take_turns(orchestrated, fleet, dialect):
    servers = [await fleet.add(name, priority=0) for name in "abc"]
    for server in servers:
        server.on(dialect.path, dialect.stream(["Hi"]))
    for _ in range(12):
        await orchestrated.answer(dialect.ask())
    assert [len(server.requests()) for server in servers] == [4, 4, 4]


@both
async def test_the_server_with_the_fewest_requests_in_flight_is_asked(orchestrated, fleet, dialect):
    servers = [await fleet.add(name, priority=0) for name in "abc"]
    for server in servers:
        server.on(dialect.path, [*dialect.begin(["Hi"]), hang])
    clients = []
    for number in range(1, 10):
        clients.append(await orchestrated.send(dialect.ask()))
        await orchestrated.until(lambda number=number: sum(len(server.requests()) for server in servers) == number)
    assert [len(server.requests()) for server in servers] == [3, 3, 3]
    for client in clients:
        client.close()
    await orchestrated.quiet()


@both
async def test_a_lower_priority_number_goes_first_whatever_is_in_flight(orchestrated, fleet, dialect):
    b, a = await fleet.add("b", priority=5), await fleet.add("a", priority=1)
    a.on(dialect.path, [*dialect.begin(["Hi"]), hang])
    clients = [await orchestrated.send(dialect.ask()) for _ in range(5)]
    await a.request(dialect.path, 5)
    assert b.requests() == []
    for client in clients:
        client.close()
    await orchestrated.quiet()


# ---- model names


@pytest.mark.parametrize("asked", ["m", "m:latest", "M", "M:LATEST", "library/m", "registry.ollama.ai/library/m:latest"])
@both
async def test_an_ollama_server_gets_the_name_as_the_client_wrote_it(orchestrated, fleet, dialect, asked):
    a = await fleet.add("a")
    a.on(dialect.path, dialect.plain("Hi"))
    request = dialect.ask(stream=False, model=asked)
    assert (await orchestrated.answer(request)).status == 200
    assert a.requests()[0].body == request.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize(("listed", "asked"), [("Org/Model-7B", "org/model-7b"), ("m", "m:latest"), ("m:latest", "M"), ("gpt-4o", "GPT-4O")])
async def test_another_server_gets_the_name_that_it_lists(orchestrated, fleet, listed, asked):
    a = await fleet.add("a", "openai", [listed])
    a.on(OPENAI.path, OPENAI.plain("Hi"))
    body = b'{"a":1.0, "model" : "' + asked.encode() + b'" ,"messages":[]}'
    assert (await orchestrated.answer(post(OPENAI.path, body))).status == 200
    assert a.requests()[0].body == body.replace(asked.encode(), listed.encode())


async def test_each_server_gets_its_own_spelling_on_failover(orchestrated, fleet):
    a, b = await fleet.add("a", "openai", ["Model"]), await fleet.add("b", "openai", ["model"])
    c = await fleet.add("c", "both", ["model:latest"])
    for server in (a, b):
        server.on(OPENAI.path, [reset])
    c.on(OPENAI.path, OPENAI.plain("Hi"))
    answer = await orchestrated.answer(OPENAI.ask(stream=False, model="MODEL"))
    assert answer.status == 200
    assert [json.loads(server.requests()[0].body)["model"] for server in (a, b, c)] == ["Model", "model", "MODEL"]


async def test_an_exact_spelling_goes_before_a_similar_one(orchestrated, fleet):
    a, b = await fleet.add("a", "openai", ["Model"]), await fleet.add("b", "openai", ["model"])
    b.on(OPENAI.path, OPENAI.plain("Hi"))
    assert (await orchestrated.answer(OPENAI.ask(stream=False, model="model"))).header("x-orchestrator-server") == "b"
    assert a.requests() == []


async def test_denied_models_are_not_reached(orchestrated, fleet):
    a = await fleet.add("a", models=["m:latest", "secret:latest"], modelsDeny=["secret*"])
    for dialect in BOTH:
        assert (await orchestrated.answer(dialect.ask(model="secret"))).status == 404
    assert a.requests() == []


# ---- load and unload

LOAD = {"model": "m"}
UNLOADS = [0, 0.0, "0", "0s", "0m"]


def loaded(done_reason):
    return wire.answer({"model": "m", "created_at": wire.CREATED_TIME, "response": "", "done": True, "done_reason": done_reason})


async def test_a_load_goes_to_where_the_model_is_in_memory(orchestrated, fleet):
    a, b = await fleet.add("a"), await fleet.add("b")
    b.on("/api/ps", wire.loaded(["m:latest"]))
    await orchestrated.admin("POST", "/api/servers/b/check")
    b.on("/api/generate", loaded("load"))
    answer = await orchestrated.answer(post("/api/generate", {"model": "m", "keep_alive": "5m"}))
    assert (answer.status, answer.header("x-orchestrator-server"), answer.json()["done_reason"]) == (200, "b", "load")
    assert a.requests() == []


@pytest.mark.parametrize("keep_alive", UNLOADS)
@pytest.mark.parametrize(("path", "more"), [("/api/generate", {}), ("/api/generate", {"prompt": ""}), ("/api/chat", {"messages": []})], ids=str)
async def test_an_unload_reaches_every_server_that_has_it_loaded(orchestrated, fleet, keep_alive, path, more):
    a, b, c = await fleet.add("a", maxConcurrency=1), await fleet.add("b"), await fleet.add("c")
    for name, server in (("a", a), ("c", c)):
        server.on("/api/ps", wire.loaded(["m:latest"]))
        await orchestrated.admin("POST", f"/api/servers/{name}/check")
    for server in (a, b, c):
        server.on(path, loaded("unload"))
    request = post(path, {"model": "m", "keep_alive": keep_alive, **more})
    answer = await orchestrated.answer(request)
    assert (answer.status, answer.json()["done_reason"]) == (200, "unload")
    assert [[seen.body for seen in server.requests()] for server in (a, b, c)] == [[request.partition(b"\r\n\r\n")[2]], [], [request.partition(b"\r\n\r\n")[2]]]
    assert orchestrated.plane.fleet.servers["a"].resident == set()


async def test_an_unload_of_what_nobody_has_loaded_goes_to_one_server(orchestrated, fleet):
    a, b = await fleet.add("a"), await fleet.add("b")
    for server in (a, b):
        server.on("/api/generate", loaded("unload"))
    assert (await orchestrated.answer(post("/api/generate", {"model": "m", "keep_alive": 0}))).status == 200
    assert len(a.requests()) + len(b.requests()) == 1


async def test_a_load_that_fails_where_the_model_is_in_memory_goes_elsewhere(orchestrated, fleet):
    a, b = await fleet.add("a"), await fleet.add("b")
    b.on("/api/ps", wire.loaded(["m:latest"]))
    await orchestrated.admin("POST", "/api/servers/b/check")
    a.on("/api/generate", loaded("load"))
    b.on("/api/generate", [reset])
    answer = await orchestrated.answer(post("/api/generate", {"model": "m"}))
    assert (answer.status, answer.header("x-orchestrator-server"), answer.header("x-orchestrator-attempts")) == (200, "a", "2")
    assert len(b.requests()) == 1


async def test_an_unload_that_fails_somewhere_names_the_server(orchestrated, fleet):
    servers = {name: await fleet.add(name) for name in "abc"}
    for name, server in servers.items():
        server.on("/api/ps", wire.loaded(["m:latest"]))
        await orchestrated.admin("POST", f"/api/servers/{name}/check")
        server.on("/api/generate", wire.ollama_error(500, "canary") if name == "b" else loaded("unload"))
    answer = await orchestrated.answer(post("/api/generate", {"model": "m", "keep_alive": 0}))
    assert (answer.status, OLLAMA.error_text(answer)) == (502, "model 'm' may still be loaded on b (HTTP 500)")
    assert [len(server.requests()) for server in servers.values()] == [1, 1, 1]


async def test_what_is_only_looked_up_takes_no_slot(orchestrated, fleet):
    a = await fleet.add("a", maxConcurrency=1)
    a.on(OLLAMA.path, [*OLLAMA.begin(["Hi"]), hang])
    a.on("/api/show", [hang])
    async with await orchestrated.send(OLLAMA.ask()) as client, await orchestrated.send(post("/api/show", {"model": "m"})):
        await client.until(b'"Hi"')
        await a.request("/api/show")
        assert (await orchestrated.server_state("a"))["inFlight"] == 1


async def test_an_unload_does_not_wait_for_a_slot(orchestrated, fleet):
    a = await fleet.add("a", maxConcurrency=1)
    a.on("/api/ps", wire.loaded(["m:latest"]))
    await orchestrated.admin("POST", "/api/servers/a/check")
    a.on(OLLAMA.path, [*OLLAMA.begin(["Hi"]), hang])
    a.on("/api/generate", loaded("unload"))
    async with await orchestrated.send(OLLAMA.ask()) as client:
        await client.until(b'"Hi"')
        assert (await orchestrated.answer(post("/api/generate", {"model": "m", "keep_alive": 0}))).status == 200
    await orchestrated.quiet()


# ---- other paths


def form(model, boundary="X-y_z"):
    parts = [
        b'Content-Disposition: form-data; name="file"; filename="model"\r\nContent-Type: audio/wav\r\n\r\n' + bytes(range(256)) * 100,
        b'Content-Disposition: form-data; name="model"\r\n\r\n' + model.encode(),
        b'Content-Disposition: form-data; name="language"\r\n\r\nen',
    ]
    mark = b"--" + boundary.encode()
    body = b"".join(mark + b"\r\n" + part + b"\r\n" for part in parts) + mark + b"--\r\n"
    return body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}


async def test_a_form_upload_goes_to_a_server_that_has_its_model(orchestrated, fleet):
    a, b = await fleet.add("a"), await fleet.add("b", "openai", ["Whisper-1"])
    b.on("/v1/audio/transcriptions", wire.answer({"text": "Hi"}))
    for asked in ("Whisper-1", "whisper-1"):
        body, headers = form(asked)
        answer = await orchestrated.answer(post("/v1/audio/transcriptions", body, headers))
        assert (answer.status, answer.json()) == (200, {"text": "Hi"})
        seen = b.requests()[-1]
        assert seen.body == form("Whisper-1")[0]
        assert seen.header("content-type") == headers["Content-Type"]
    assert a.requests() == []


@pytest.mark.parametrize("path", ["/v1/rerank", "/v1/images/generations", "/v1/messages/count_tokens", "/v1/a/b/c"])
async def test_any_other_post_with_a_model_is_sent_on(orchestrated, fleet, path):
    a, b = await fleet.add("a", models=["n:latest"]), await fleet.add("b")
    b.on(path, wire.answer({"own": [1.0, 2]}))
    body = b'{"query": "x", "model": "m", "documents": []}'
    answer = await orchestrated.answer(post(path, body))
    assert (answer.status, answer.body) == (200, b'{"own":[1.0,2]}')
    assert (b.requests()[0].body, a.requests()) == (body, [])


async def test_the_first_byte_of_an_unknown_path_is_the_commit(orchestrated, fleet):
    a, b = await fleet.add("a"), await fleet.add("b")
    events = [b"data: \x00anything\n\n", b"data: more\n\n"]
    a.on("/v1/other", [*wire.chunked(events, wire.SSE), hang])
    b.on("/v1/other", [*wire.chunked(events, wire.SSE), wire.LAST_CHUNK])
    async with await orchestrated.send(post("/v1/other", {"model": "m", "stream": True})) as client:
        await client.until(b"more")
    await orchestrated.quiet()
    a.on("/v1/other", [reset])
    answer = await orchestrated.answer(post("/v1/other", {"model": "m", "stream": True}))
    assert (answer.body, answer.header("x-orchestrator-server")) == (b"".join(events), "b")


@pytest.mark.parametrize(("path", "script"), [
    ("/api/embed", wire.answer({"model": "m", "embeddings": [[0.1, 0.2]]})),
    ("/api/embeddings", wire.answer({"embedding": [0.1]})),
    ("/api/show", wire.answer({"model_info": {}})),
    ("/api/generate", wire.ollama_generate(["Hel", "lo"])),
    ("/v1/embeddings", wire.answer({"data": []})),
    ("/v1/completions", wire.answer({"choices": []})),
], ids=lambda value: value if isinstance(value, str) else "")  # fmt: skip
async def test_other_operations_pass_and_fail_over(orchestrated, fleet, path, script):
    a, b = await fleet.add("a"), await fleet.add("b")
    a.on(path, cut(script, 30))
    b.on(path, script)
    answer = await orchestrated.answer(post(path, {"model": "m", "input": "Hi", "prompt": "Hi"}))
    assert (answer.status, answer.ended, answer.header("x-orchestrator-server"), answer.header("x-orchestrator-attempts")) == (200, "whole", "b", "2")


@pytest.mark.parametrize("path", ["/api/pull", "/api/push", "/api/create", "/api/copy"])
async def test_models_are_not_managed_yet(orchestrated, fleet, path):
    a = await fleet.add("a")
    answer = await orchestrated.answer(post(path, {"model": "m"}))
    assert answer.status == 501
    OLLAMA.error_text(answer)
    assert a.requests() == []


# ---- what is wrong with a request


@both
@pytest.mark.parametrize("body", [
    b"", b"{", b"[]", b"null", b'"text"', b"nonsense", b"{}", b'{"model": 5, "messages": []}', b'{"model": "", "messages": []}', b'{"model": null}',
    b'{"model": "' + b"x" * 600 + b'"}', b"\xff\xfe{}", b'{"model": "m", "messages": ' + b"[" * 5000, b'{"model": "\x00"}',
], ids=range(14))  # fmt: skip
async def test_a_request_that_cannot_be_routed_is_a_4xx_of_its_dialect(orchestrated, fleet, dialect, body):
    a = await fleet.add("a")
    answer = await orchestrated.answer(post(dialect.path, body))
    assert answer.status in (400, 404)
    assert dialect.error_text(answer)
    assert (a.requests(), answer.header("x-orchestrator-attempts")) == ([], "0")


@both
async def test_secrets_stay_out_of_what_clients_and_logs_get(orchestrated, fleet, dialect, caplog, capfd):
    a = await fleet.add("a", key="canary-key", apiKey="canary-key", headers={"X-Canary": "canary-header"})
    texts = []
    for script in (dialect.stream(["Hi"]), [reset], dialect.error(401, "canary-body"), [b"HTTP/1.1 canary-body\r\n\r\n", hang]):
        a.on(dialect.path, script)
        texts.append(str(await orchestrated.answer(dialect.ask(headers={"Authorization": "Bearer canary-client"}))))
        await orchestrated.admin("POST", "/api/servers/a/check")
    texts += [str(await orchestrated.server_state("a")), str(await orchestrated.admin("GET", "/api/breakers")), caplog.text, *capfd.readouterr()]
    await asyncio.sleep(0)
    assert "canary" not in "".join(texts).replace("X-Canary", "")
    assert a.requests()[0].header("authorization") == "Bearer canary-key"
