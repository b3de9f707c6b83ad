"""Every path of the client surface that is no inference, asked as ASGI without a server between."""

import json
from typing import NamedTuple

import pytest
from msgspec import Raw
from starlette.applications import Starlette

from orchestrator.edge.origins import Origins
from orchestrator.edge.routes import ROUTES
from orchestrator.edge.surface import routes
from orchestrator.fleet.fleet import Fleet
from orchestrator.fleet.specs import FleetSpec, Learned, ListedModel, LoadedModel, Observation, ServerSpec
from tests.fakes.clock import FakeClock

DIGEST = "sha256:" + "0" * 64


class Answered(NamedTuple):
    status: int
    headers: list
    body: bytes

    def __getitem__(self, name):
        """The only header of that name, None if there is none."""
        values = [value.decode() for key, value in self.headers if key == name.encode()]
        assert len(values) <= 1, f"{name} comes {len(values)} times"
        return values[0] if values else None

    def names(self):
        return {name.decode() for name, _ in self.headers}

    def json(self):
        return json.loads(self.body)


class Client:
    def __init__(self, app):
        self.app = app

    async def __call__(self, method, path, *, query=b"", host="127.0.0.1:5100", **headers):
        given = [(b"host", host.encode())] + [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
        scope = {"type": "http", "method": method, "path": path, "query_string": query, "headers": given, "root_path": "", "http_version": "1.1"}
        sent = []

        async def receive():
            raise AssertionError("nothing here reads a body")

        async def send(message):
            sent.append(message)

        await self.app(scope, receive, send)
        assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
        return Answered(sent[0]["status"], list(sent[0]["headers"]), sent[1]["body"])


@pytest.fixture
def ask():
    clock, fleet = FakeClock(), Fleet()
    entry = Raw(b'{"name":"m:latest","model":"m:latest"}')
    v1 = tuple(
        ListedModel(name, raw=Raw(json.dumps({"id": name, "object": "model", "created": 1, "owned_by": "x"}).encode())) for name in ("m:latest", "org/a/b")
    )
    learned = Learned("ollama", "0.33.0", True, True, (ListedModel("m:latest", raw=entry),), v1)
    fleet.apply(FleetSpec((ServerSpec(id="a", url="http://a"),)), clock.now())
    fleet.observe("a", Observation(status="healthy", learned=learned, loaded=(LoadedModel("m:latest", raw=entry),)), clock.now(), clock.utc())
    return Client(Starlette(routes=routes(fleet, clock, Origins(hostname="box"))))


class TestPages:
    @pytest.mark.parametrize(
        ("path", "media", "body"),
        [
            ("/", "text/plain; charset=utf-8", b"Ollama is running"),
            ("/api/version", "application/json; charset=utf-8", b'{"version":"0.33.0"}'),
            ("/api/tags", "application/json; charset=utf-8", b'{"models":[{"name":"m:latest","model":"m:latest"}]}'),
            ("/api/ps", "application/json; charset=utf-8", b'{"models":[{"name":"m:latest","model":"m:latest"}]}'),
        ],
    )
    async def test_ollamas_pages(self, ask, path, media, body):
        answer = await ask("GET", path)
        assert (answer.status, answer["content-type"], answer.body, answer["content-length"]) == (200, media, body, str(len(body)))

    @pytest.mark.parametrize("path", ["/", "/api/version", "/api/tags"])
    async def test_a_head_is_the_get_without_its_body(self, ask, path):
        get, head = await ask("GET", path, x_request_id="1"), await ask("HEAD", path, x_request_id="1")
        assert (head.status, head.headers, head.body) == (200, get.headers, b"")

    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    async def test_a_browser_that_opens_the_root_is_sent_to_the_ui(self, ask, method):
        answer = await ask(method, "/", accept="text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
        assert (answer.status, answer["location"], answer["vary"], answer["cache-control"], answer.body) == (302, "/ui/", "Accept", "no-store", b"")

    @pytest.mark.parametrize("accept", ["*/*", "application/json", "", "text/plain", "text/*"])
    async def test_no_other_client_is(self, ask, accept):
        answer = await ask("GET", "/", accept=accept)
        assert (answer.status, answer.body, answer["vary"]) == (200, b"Ollama is running", None)

    @pytest.mark.parametrize(("method", "path"), [("GET", "/api/tags"), ("GET", "/nothing"), ("POST", "/")])
    async def test_nor_is_a_browser_elsewhere(self, ask, method, path):
        assert (await ask(method, path, accept="text/html")).status in (200, 404, 405)

    async def test_openais_list(self, ask):
        answer = await ask("GET", "/v1/models")
        assert (answer["content-type"], [model["id"] for model in answer.json()["data"]]) == ("application/json", ["m:latest", "org/a/b"])

    @pytest.mark.parametrize("asked", ["m", "m:latest", "M", "org/a/b"])
    async def test_one_model_by_any_of_its_names(self, ask, asked):
        answer = await ask("GET", f"/v1/models/{asked}")
        assert (answer.status, answer["content-type"], answer.json()["id"]) == (200, "application/json", asked)

    async def test_a_model_that_nobody_has(self, ask):
        answer = await ask("GET", "/v1/models/no/such")
        assert (answer.status, answer["content-type"]) == (404, "application/json")
        assert answer.json()["error"] == {"message": "model 'no/such' not found", "type": "not_found_error", "param": None, "code": "model_not_found"}

    async def test_no_words_of_a_server_are_in_the_headers(self, ask):
        assert (await ask("GET", "/api/tags")).names() == {"content-type", "content-length", "x-request-id"}


class TestRequestId:
    async def test_the_clients_own_comes_back(self, ask):
        for path in ("/", "/nothing", "/v1/nothing"):
            assert (await ask("GET", path, x_request_id="abc-1"))["x-request-id"] == "abc-1"

    async def test_without_one_each_answer_has_its_own(self, ask):
        ids = [(await ask("GET", "/"))["x-request-id"] for _ in range(3)]
        assert len(set(ids)) == 3

    @pytest.mark.parametrize("bad", ["a b", "x" * 129, "", "é"])
    async def test_one_that_is_not_sane_is_replaced(self, ask, bad):
        assert (await ask("GET", "/", x_request_id=bad))["x-request-id"] not in (bad, None, "")


class TestUnknown:
    @pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS", "BREW"])
    @pytest.mark.parametrize("path", ["/api/nothing", "/nothing", "/api", "/api/blobs/", "/api/blobs/a/b", "/v2/models", "/api/chat/x"])
    async def test_paths_are_answered_as_ollama_does(self, ask, method, path):
        answer = await ask(method, path)
        assert (answer.status, answer["content-type"], answer.body) == (404, "text/plain", b"404 page not found")

    @pytest.mark.parametrize(("method", "path"), [("GET", "/v1/nothing"), ("PUT", "/v1/files/1"), ("GET", "/v1"), ("GET", "/v1/"), ("DELETE", "/v1/x")])
    async def test_paths_below_v1_are_answered_as_openai_does(self, ask, method, path):
        answer = await ask(method, path)
        assert (answer.status, answer["content-type"], answer.json()["error"]["type"]) == (404, "application/json", "not_found_error")
        assert set(answer.json()["error"]) == {"message", "type", "param", "code"}

    async def test_paths_below_messages_are_answered_as_anthropic_does(self, ask):
        answer = await ask("GET", "/v1/messages/batches", x_request_id="r1")
        assert (answer.status, answer.json()["type"], answer.json()["error"]["type"], answer.json()["request_id"]) == (404, "error", "not_found_error", "r1")

    async def test_a_long_path_is_not_repeated_whole(self, ask):
        assert len((await ask("GET", "/v1/" + "x" * 60_000)).body) < 500

    async def test_a_path_of_odd_characters_is_valid_json(self, ask):
        assert (await ask("GET", '/v1/"\u2028\x00<')).json()["error"]["code"] == "not_found"


class TestMethods:
    @pytest.mark.parametrize(
        ("method", "path", "allow"),
        [
            ("GET", "/api/chat", "POST"),
            ("HEAD", "/api/generate", "POST"),
            ("DELETE", "/api/show", "POST"),
            ("POST", "/api/tags", "GET, HEAD"),
            ("POST", "/", "GET, HEAD"),
            ("HEAD", "/api/ps", "GET"),
            ("GET", "/api/pull", "POST"),
            ("POST", "/api/delete", "DELETE"),
            ("GET", f"/api/blobs/{DIGEST}", "HEAD, POST"),
            ("OPTIONS", "/api/chat", "POST"),
        ],
    )
    async def test_another_method_is_told_which_there_are(self, ask, method, path, allow):
        answer = await ask(method, path)
        assert (answer.status, answer["allow"], answer["content-type"]) == (405, allow, "text/plain")
        assert answer.body == (b"" if method == "HEAD" else b"405 method not allowed")

    @pytest.mark.parametrize("path", [path for path in ROUTES if path.startswith("/v1/")])
    async def test_below_v1_in_the_words_of_the_dialect(self, ask, path):
        answer = await ask("GET", path)
        assert (answer.status, answer["allow"], answer["content-type"]) == (405, "POST", "application/json")
        assert answer.json()["error"]["type"] == "invalid_request_error"
        assert ("request_id" in answer.json()) == (path == "/v1/messages")

    @pytest.mark.parametrize("path", ["/v1/models", "/v1/models/m"])
    async def test_a_list_is_only_read(self, ask, path):
        assert ((await ask("DELETE", path)).status, (await ask("DELETE", path))["allow"]) == (405, "GET")

    @pytest.mark.parametrize(
        ("method", "path"),
        [("POST", f"/api/{verb}") for verb in ("pull", "push", "create", "copy")]
        + [("DELETE", "/api/delete"), ("POST", f"/api/blobs/{DIGEST}"), ("HEAD", f"/api/blobs/{DIGEST}")],
    )
    async def test_management_is_refused_with_a_sentence(self, ask, method, path):
        answer = await ask(method, path)
        assert (answer.status, answer["content-type"]) == (501, "application/json; charset=utf-8")
        if method == "HEAD":
            assert answer.body == b""
        else:
            assert list(answer.json()) == ["error"]
            assert len(answer.json()["error"].split()) > 5


class TestSlashes:
    @pytest.mark.parametrize(
        ("method", "path", "status", "location"),
        [
            ("GET", "/api/tags/", 301, "/api/tags"),
            ("HEAD", "/api/tags/", 301, "/api/tags"),
            ("POST", "/api/chat/", 307, "/api/chat"),
            ("GET", "//api//tags", 301, "/api/tags"),
            ("GET", "/v1/models/", 301, "/v1/models"),
            ("GET", "//", 301, "/"),
            ("GET", "//v1/models/a b/", 301, "/v1/models/a%20b/"),
        ],
    )
    async def test_doubled_and_trailing_ones_lead_to_the_path_without(self, ask, method, path, status, location):
        answer = await ask(method, path)
        assert (answer.status, answer["location"], answer.body) == (status, location, b"")

    async def test_the_query_goes_along(self, ask):
        assert (await ask("GET", "/api/tags/", query=b"a=1"))["location"] == "/api/tags?a=1"

    @pytest.mark.parametrize("path", ["//evil.example", "//evil.example/", "/nothing/", "//evil.example/api/tags"])
    async def test_they_lead_nowhere_else(self, ask, path):
        answer = await ask("GET", path)
        assert (answer.status, answer["location"]) == (404, None)


class TestOrigins:
    @pytest.mark.parametrize("path", ["/", "/api/tags", "/nothing", "/v1/models", "/api/pull"])
    @pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
    async def test_a_foreign_page_learns_nothing(self, ask, method, path):
        answer = await ask(method, path, origin="http://foreign.example")
        assert (answer.status, answer.body, answer.names()) == (403, b"", {"content-length", "x-request-id"})

    async def test_a_browser_is_not_sent_to_the_ui_under_a_foreign_name(self, ask):
        answer = await ask("GET", "/", host="evil.example", accept="text/html")
        assert (answer.status, answer["location"]) == (403, None)

    @pytest.mark.parametrize("path", ["/", "/api/tags", "/nothing"])
    async def test_nor_does_one_that_had_its_name_rebound(self, ask, path):
        answer = await ask("GET", path, host="evil.example:5100", origin="http://evil.example:5100")
        assert (answer.status, answer.body) == (403, b"")

    @pytest.mark.parametrize("path", ["/api/tags", "/nothing", "/api/pull", "/v1/nothing"])
    async def test_an_allowed_page_may_read_every_answer(self, ask, path):
        answer = await ask("GET", path, origin="http://localhost:3000")
        assert (answer["access-control-allow-origin"], answer["vary"]) == ("http://localhost:3000", "Origin")

    async def test_a_preflight_of_a_known_path(self, ask):
        answer = await ask("OPTIONS", "/api/chat", origin="http://localhost:3000", access_control_request_method="POST")
        assert (answer.status, answer.body, answer["allow"], answer["access-control-allow-origin"]) == (204, b"", "POST", "http://localhost:3000")
        assert answer["access-control-max-age"] == "43200"
        assert {"Authorization", "Content-Type", "X-Stainless-Retry-Count", "Openai-Beta"} <= set(answer["access-control-allow-headers"].split(","))
        assert "DELETE" in answer["access-control-allow-methods"].split(",")
        assert [value for name, value in answer.headers if name == b"vary"] == [b"Origin", b"Access-Control-Request-Method", b"Access-Control-Request-Headers"]
        assert "content-length" not in answer.names()

    async def test_a_preflight_of_a_path_that_only_a_server_knows(self, ask):
        answer = await ask("OPTIONS", "/v1/rerank", origin="app://x")
        assert (answer.status, answer["allow"]) == (204, None)
