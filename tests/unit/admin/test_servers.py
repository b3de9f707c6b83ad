"""The operations on servers, over a real database."""

import json

import pytest
from cryptography.fernet import Fernet
from msgspec import Raw

from orchestrator.admin.bodies import MAX_BODY_BYTES
from orchestrator.fleet.specs import Learned, ListedModel, LoadedModel, Observation
from orchestrator.store import servers as store

MASK = "***REDACTED***"
TAGS = Raw(b'{"name":"m:latest","size":5,"digest":"d","details":{"family":"f"},"modified_at":"2026-01-01T00:00:00Z"}')
V1 = Raw(b'{"id":"m","created":7,"owned_by":"o","max_model_len":4096}')
LEARNED = Learned(
    kind="ollama",
    version="0.9.0",
    supports_ollama=True,
    supports_v1=True,
    models=(ListedModel("m:latest", "2026-01-01T00:00:00Z", TAGS), ListedModel("other", "", Raw(b'{"size":"","details":5}'))),
    v1_models=(ListedModel("m", "", V1), ListedModel("odd", "", Raw(b"[]"))),
)
LOADED = LoadedModel("m:latest", 5, 4, "2026-01-01T00:05:00Z", 4096)
HEALTHY = Observation(status="healthy", reason="answers", learned=LEARNED, loaded=(LOADED,), response_seconds=0.0125)


async def test_nothing_is_registered_at_first(admin):
    answer = await admin.ask("GET", "/api/servers")
    assert (answer.status_code, answer.json()) == (200, [])
    assert answer.headers["content-type"] == "application/json"


async def test_add_probes_and_answers_what_was_found(admin):
    admin.prober.found = HEALTHY
    answer = await admin.add("a")
    assert (answer.status_code, answer.headers["location"], admin.prober.checked) == (201, "/api/servers/a", ["a"])
    assert answer.json() == {
        "id": "a",
        "url": "http://a:1",
        "name": "",
        "type": "auto",
        "apiKey": None,
        "headers": {},
        "maxConcurrency": None,
        "priority": 0,
        "weight": 1.0,
        "tags": [],
        "enabled": True,
        "modelsAllow": [],
        "modelsDeny": [],
        "verifyTls": True,
        "connectTimeoutSeconds": None,
        "firstEventTimeoutSeconds": None,
        "answerTimeoutSeconds": None,
        "idleTimeoutSeconds": None,
        "draining": False,
        "healthy": True,
        "status": "healthy",
        "statusReason": "answers",
        "supportsOllama": True,
        "supportsV1": True,
        "kind": "ollama",
        "version": "0.9.0",
        "models": ["m:latest", "other"],
        "v1Models": ["m", "odd"],
        "loadedModels": [{"name": "m:latest", "size": 5, "sizeVram": 4, "expiresAt": "2026-01-01T00:05:00Z", "contextLength": 4096}],
        "inFlight": 0,
        "lastResponseTime": 12.5,
        "lastCheckTime": "2026-01-02T03:04:05.000Z",
        "breakers": {"closed": 1, "open": 0, "halfOpen": 0},
        "outcomes": {
            "ok": 0,
            "clientError": 0,
            "rateLimited": 0,
            "auth": 0,
            "modelMissing": 0,
            "serverError": 0,
            "connectError": 0,
            "timeout": 0,
            "truncated": 0,
            "clientGone": 0,
            "cancelled": 0,
        },
    }


async def test_unreachable_server_is_registered_with_the_reason(admin):
    found = (await admin.add("a")).json()
    assert (found["healthy"], found["status"], found["statusReason"]) == (False, "down", "connection refused")


async def test_add_without_probe(admin):
    answer = await admin.ask("POST", "/api/servers?probe=false", {"id": "a", "url": "http://a"})
    assert (answer.status_code, answer.json()["status"], admin.prober.checked) == (201, "unknown", [])


async def test_unclear_probe_parameter_registers_nothing(admin):
    answer = await admin.ask("POST", "/api/servers?probe=maybe", {"id": "a", "url": "http://a"})
    assert (answer.status_code, answer.json()["error"]["field"], admin.fleet.servers) == (400, "probe", {})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"id": "a", "url": "http://new"}, "id"),
        ({"id": "b", "url": "http://a:1"}, "url"),
        ({"id": "b", "url": "HTTP://A:1/v1/"}, "url"),
        ({"id": "b", "url": "https://x.openai.azure.com/openai"}, "url"),
    ],
)
async def test_taken_id_or_url_is_409(admin, body, field):
    await admin.add("a")
    await admin.add("azure", url="https://x.openai.azure.com")
    answer = await admin.ask("POST", "/api/servers", body)
    assert (answer.status_code, answer.json()["error"]["code"], answer.json()["error"]["field"]) == (409, f"{field}_taken", field)
    assert list(admin.fleet.servers) == ["a", "azure"]


async def test_id_that_another_process_took_is_409(admin, make):
    other = await make()
    await other.add("a")
    answer = await admin.add("a")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")


async def test_list_and_get_give_the_same(admin):
    await admin.add("a")
    await admin.add("b")
    listed = (await admin.ask("GET", "/api/servers")).json()
    assert [server["id"] for server in listed] == ["a", "b"]
    assert (await admin.ask("GET", "/api/servers/b")).json() == listed[1]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/check"), ("POST", "/drain"), ("POST", "/resume"), ("GET", "/models")],
)
async def test_unknown_id_is_404(admin, method, path):
    answer = await admin.ask(method, f"/api/servers/nope{path}", {} if method == "PATCH" else None)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_server")


async def test_secrets_are_masked_and_references_shown_in_every_answer(admin):
    await admin.add("a", apiKey="canary-key", headers={"X-A": "canary-header", "X-B": "env:B"})
    await admin.add("b", apiKey="env:KEY")
    for method, path, body in [("GET", "", None), ("GET", "/a", None), ("PATCH", "/a", {}), ("POST", "/a/check", None), ("POST", "/a/drain", None)]:
        answer = await admin.ask(method, f"/api/servers{path}", body)
        assert answer.status_code == 200
        assert "canary" not in answer.text
        server = answer.json()[0] if path == "" else answer.json()
        assert (server["apiKey"], server["headers"]) == (MASK, {"X-A": MASK, "X-B": "env:B"})
    assert (await admin.ask("GET", "/api/servers/b")).json()["apiKey"] == "env:KEY"


async def test_what_was_read_can_be_sent_back_and_changes_nothing(admin):
    admin.prober.found = HEALTHY
    await admin.add("a", apiKey="canary-key", headers={"X-A": "canary-header"}, maxConcurrency=2, tags=["t"])
    before, spec = (await admin.ask("GET", "/api/servers/a")).json(), admin.fleet.servers["a"].spec
    answer = await admin.ask("PATCH", "/api/servers/a", before)
    assert (answer.status_code, answer.json()) == (200, before)
    assert (admin.fleet.servers["a"].spec.api_key, admin.fleet.servers["a"].spec.headers) == (spec.api_key, spec.headers)


async def test_patch_keeps_the_live_server_and_its_requests_in_flight(admin):
    admin.prober.found = HEALTHY
    await admin.add("a")
    server = admin.fleet.servers["a"]
    server.in_flight = 3
    answer = await admin.ask("PATCH", "/api/servers/a", {"weight": 2, "url": "http://elsewhere"})
    assert admin.fleet.servers["a"] is server
    assert (answer.json()["inFlight"], answer.json()["weight"], answer.json()["models"]) == (3, 2.0, [])
    assert server.wants_probe


async def test_patch_to_a_taken_url_is_409_and_to_its_own_is_fine(admin):
    await admin.add("a")
    await admin.add("b")
    assert (await admin.ask("PATCH", "/api/servers/b", {"url": "http://a:1/"})).status_code == 409
    assert (await admin.ask("PATCH", "/api/servers/b", {"url": "http://B:1/v1"})).json()["url"] == "http://b:1"


async def test_bad_patch_names_the_member_and_changes_nothing(admin):
    await admin.add("a", name="before")
    answer = await admin.ask("PATCH", "/api/servers/a", {"name": "after", "weight": 0})
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "weight")
    assert (await admin.ask("GET", "/api/servers/a")).json()["name"] == "before"


async def test_delete_forgets_the_server(admin, make):
    await admin.add("a")
    answer = await admin.ask("DELETE", "/api/servers/a")
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await admin.ask("GET", "/api/servers/a")).status_code == 404
    assert (await make()).fleet.servers == {}
    assert (await admin.add("a")).status_code == 201


async def test_drain_and_resume_hold_over_a_restart(admin, make):
    admin.prober.found = HEALTHY
    await admin.add("a")
    assert (await admin.ask("POST", "/api/servers/a/drain")).json()["status"] == "draining"
    again = await make()
    assert again.fleet.servers["a"].spec.draining
    assert (await again.ask("POST", "/api/servers/a/resume")).json()["draining"] is False


async def test_what_was_learned_routes_at_once_after_a_restart(admin, make):
    admin.prober.found = HEALTHY
    await admin.add("a")
    again = await make()
    assert again.fleet.servers["a"].learned == LEARNED
    assert again.fleet.find("ollama", "m") is not None
    assert again.fleet.servers["a"].routable(0)


async def test_what_was_learned_behind_another_url_is_forgotten(admin, make):
    admin.prober.found = HEALTHY
    await admin.add("a")
    await admin.ask("PATCH", "/api/servers/a", {"url": "http://elsewhere"})
    assert (await make()).fleet.servers["a"].learned == Learned()


async def test_other_changes_keep_what_was_learned(admin, make):
    admin.prober.found = HEALTHY
    await admin.add("a")
    await admin.ask("PATCH", "/api/servers/a", {"name": "n"})
    assert (await make()).fleet.servers["a"].learned == LEARNED


async def test_check_and_health_check_probe_now(admin):
    await admin.add("a")
    await admin.add("b")
    admin.prober.checked.clear()
    admin.prober.found = HEALTHY
    assert (await admin.ask("POST", "/api/servers/a/check")).json()["healthy"] is True
    answer = (await admin.ask("POST", "/api/health-check")).json()
    assert [server["healthy"] for server in answer] == [True, True]
    assert admin.prober.checked == ["a", "a", "b"]


async def test_models_come_with_what_is_useful_of_their_entries(admin):
    admin.prober.found = HEALTHY
    await admin.add("a", modelsDeny=["other", "odd"])
    assert (await admin.ask("GET", "/api/servers/a/models")).json() == {
        "models": [
            {"name": "m:latest", "modified": "2026-01-01T00:00:00Z", "size": 5, "digest": "d", "details": {"family": "f"}, "loaded": True, "allowed": True},
            {"name": "other", "modified": "", "size": None, "digest": "", "details": None, "loaded": False, "allowed": False},
        ],
        "v1Models": [
            {"name": "m", "created": 7, "ownedBy": "o", "contextLength": 4096, "loaded": True, "allowed": True},
            {"name": "odd", "created": None, "ownedBy": "", "contextLength": None, "loaded": False, "allowed": False},
        ],
    }


async def test_missing_variable_is_a_config_error_naming_it_before_any_probe(make):
    admin = await make(environment={"THERE": "canary"})
    for server_id, member in [("key", {"apiKey": "env:GONE"}), ("header", {"headers": {"X": "env:GONE"}}), ("fine", {"apiKey": "env:THERE"})]:
        await admin.ask("POST", "/api/servers?probe=false", {"id": server_id, "url": f"http://{server_id}", **member})
    for server_id in ("key", "header"):
        found = (await admin.ask("GET", f"/api/servers/{server_id}")).json()
        assert (found["status"], found["statusReason"]) == ("configError", "environment variable GONE is not set")
    answer = await admin.ask("GET", "/api/servers/fine")
    assert answer.json()["status"] == "unknown"
    assert "canary" not in answer.text


async def test_lost_key_is_a_config_error_that_a_new_key_mends(admin, make, key):
    await admin.add("a", apiKey="canary", name="n")
    other = await make(key=Fernet.generate_key())
    found = (await other.ask("GET", "/api/servers/a")).json()
    assert (found["status"], found["healthy"], found["apiKey"]) == ("configError", False, MASK)
    assert "cannot be decrypted" in found["statusReason"]
    assert (await other.ask("PATCH", "/api/servers/a", {"name": "m", "apiKey": MASK})).json()["status"] == "configError"
    assert (await make(key=key)).fleet.servers["a"].spec.api_key.reveal() == "canary"
    assert (await other.ask("PATCH", "/api/servers/a", {"apiKey": "new"})).json()["status"] == "unknown"


async def test_changes_are_told_once_they_are_in_force(admin):
    admin.changes.clear()
    await admin.add("a")
    await admin.ask("PATCH", "/api/servers/a", {"weight": 2})
    await admin.ask("PATCH", "/api/servers/a", {"weight": 0})
    await admin.ask("DELETE", "/api/servers/a")
    assert len(admin.changes) == 3


async def test_locked_database_refuses_changes_and_answers_reads(admin):
    admin.prober.found = HEALTHY
    await admin.add("a")
    before = (await admin.ask("GET", "/api/servers")).json()
    with admin.locked():
        for method, path, body in [
            ("POST", "", {"id": "b", "url": "http://b"}),
            ("PATCH", "/a", {"weight": 2}),
            ("DELETE", "/a", None),
            ("POST", "/a/drain", None),
        ]:
            answer = await admin.ask(method, f"/api/servers{path}", body)
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "database_unavailable")
            assert "retry-after" in answer.headers
        assert (await admin.ask("GET", "/api/servers")).json() == before
        assert (await admin.ask("POST", "/api/servers/a/check")).json()["healthy"] is True
    assert (await admin.add("b")).status_code == 201


async def test_removed_database_refuses_changes_and_answers_reads(admin):
    await admin.add("a")
    admin.path.unlink()
    assert (await admin.add("b")).status_code == 503
    assert (await admin.ask("GET", "/api/servers/a")).status_code == 200
    assert (await admin.ask("GET", "/api/servers/b")).status_code == 404


async def test_what_could_not_be_stored_while_locked_is_stored_later(admin, make):
    await admin.add("a")
    admin.prober.found = HEALTHY
    with admin.locked():
        assert (await admin.ask("POST", "/api/servers/a/check")).json()["models"] == ["m:latest", "other"]
    await admin.registry.save_unsaved()
    assert (await make()).fleet.servers["a"].learned == LEARNED


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded"])
async def test_body_that_is_not_sent_as_json_is_415(admin, content_type):
    headers = {"Content-Type": content_type} if content_type else {}
    answer = await admin.ask("POST", "/api/servers", headers=headers, content=b'{"id":"a","url":"http://a"}')
    assert (answer.status_code, answer.json()["error"]["code"], admin.fleet.servers) == (415, "unsupported_media_type", {})


async def test_json_with_parameters_in_its_type_is_fine(admin):
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert (await admin.ask("POST", "/api/servers", headers=headers, content=b'{"id":"a","url":"http://a"}')).status_code == 201


async def test_compressed_body_is_415(admin):
    answer = await admin.ask("POST", "/api/servers", headers={"Content-Type": "application/json", "Content-Encoding": "gzip"}, content=b"x")
    assert answer.status_code == 415


async def test_broken_json_is_400(admin):
    answer = await admin.ask("POST", "/api/servers", headers={"Content-Type": "application/json"}, content=b'{"id": "a",')
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_json")


async def test_body_beyond_the_limit_is_413(admin):
    content = json.dumps({"id": "a", "url": "http://a", "name": "x" * MAX_BODY_BYTES}).encode()
    answer = await admin.ask("POST", "/api/servers", headers={"Content-Type": "application/json"}, content=content)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/api/servers", "GET, POST, HEAD"),
        ("POST", "/api/servers/a", "GET, PATCH, DELETE, HEAD"),
        ("GET", "/api/health-check", "POST"),
        ("DELETE", "/api/breakers", "GET, HEAD"),
    ],
)
async def test_other_methods_are_405_with_what_is_allowed(admin, method, path, allow):
    answer = await admin.ask(method, path)
    assert (answer.status_code, answer.json()["error"]["code"], answer.headers["allow"]) == (405, "method_not_allowed", allow)


@pytest.mark.parametrize("path", ["/api/servers/", "/api/servers/a/nothing", "/api/servers/a/models/m", "/api/breakers/a", "/api/health-check/a"])
async def test_other_paths_below_are_404_in_the_same_shape(admin, path):
    answer = await admin.ask("GET", path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


async def test_failure_inside_is_500_without_its_words(admin, caplog):
    async def check(_server_id, *, asked=False):
        raise RuntimeError("canary")

    await admin.add("a")
    admin.prober.check = check
    answer = await admin.ask("POST", "/api/servers/a/check")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal_error")
    assert "canary" not in answer.text
    assert "POST /api/servers/a/check failed" in caplog.text


async def test_logs_of_changes_hold_no_secret(admin, caplog):
    caplog.set_level("DEBUG")
    await admin.add("a", apiKey="canary-key", headers={"X-A": "canary-header"})
    await admin.ask("PATCH", "/api/servers/a", {"apiKey": "canary-new"})
    assert "server a registered" in caplog.text
    assert "canary" not in caplog.text.replace(" DEBUG ", "")


def test_no_column_of_the_table_is_forgotten():
    assert {*store.PLAIN, *store.LISTS, "api_key", "headers", "learned", "number"} == {column.name for column in store.servers.columns}
