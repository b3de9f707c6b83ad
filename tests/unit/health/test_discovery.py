"""What answers make of a server: recorded ones of real servers, and those of impostors and troubled ones."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from orchestrator.fleet.specs import Learned, ListedModel
from orchestrator.health.discovery import NOT_ASKED, Family, Verdict, conclude, read_loaded, read_ollama, read_v1
from orchestrator.upstream.control import Answer, Failure

GOLDEN = Path(__file__).parents[2] / "golden"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NOTHING = Learned()
TIMEOUT = Failure("timeout", "no answer within 5 s")
REFUSED = Failure("connect", "connection refused")
SECRET = b"Incorrect API key provided: sk-secret"


def golden(name):
    head, _, body = (GOLDEN / f"{name}.response").read_bytes().partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return Answer(int(first.split(" ")[1]), {k.lower(): v for k, v in (line.split(":", 1) for line in lines)}, body)


def answer(value, status=200, **headers):
    return Answer(status, headers, value if isinstance(value, bytes) else json.dumps(value).encode())


def names(models):
    return [model.name for model in models]


def tags(*models, **more):
    return answer({"models": [{"name": name, "model": name, "size": 5} for name in models], **more})


def v1(*models, **members):
    return answer({"object": "list", "data": [{"id": name, **members} for name in models]})


def probe(*, tags=REFUSED, version=REFUSED, ps=REFUSED, models=REFUSED, before=NOTHING, host="h", asks_ollama=True):
    """As the prober puts it together."""
    ollama = read_ollama(tags, version, before, NOW) if asks_ollama else NOT_ASKED
    return conclude(ollama, read_v1(models, NOW), read_loaded(ps), before, host)


VERSION = answer({"version": "0.33.0"})
MISSING = answer({"error": "not found"}, 404)


class TestRealServers:
    def test_an_ollama(self):
        seen = probe(tags=golden("ollama/tags"), version=golden("ollama/version"), ps=golden("ollama/ps"), models=golden("ollama/v1-models"))
        learned = seen.learned
        assert (seen.status, learned.kind, learned.version, learned.supports_ollama, learned.supports_v1) == ("healthy", "ollama", "0.0.0", True, True)
        assert names(learned.models) == names(learned.v1_models) == ["count:latest", "embed:latest", "scripted:latest"]
        assert learned.models[0].modified_time == "2026-11-21T10:12:46.615493031Z"
        assert b'{"models":[' + b",".join(bytes(model.raw) for model in learned.models) + b"]}" == golden("ollama/tags").body

    def test_what_an_ollama_has_loaded(self):
        (loaded,) = read_loaded(golden("ollama/ps"))
        assert (loaded.name, loaded.size, loaded.size_vram, loaded.context_length) == ("scripted:latest", 5936256, 5936256, 4096)
        assert loaded.expires_at == "2026-11-21T10:45:27.781587609Z"
        assert b'{"models":[' + bytes(loaded.raw) + b"]}" == golden("ollama/ps").body
        assert read_loaded(golden("ollama/ps-none")) == ()

    def test_a_llama_cpp_without_ollamas_routes(self):
        seen = probe(tags=golden("llamacpp/tags"), version=golden("llamacpp/ollama-version"), models=golden("llamacpp/models"))
        assert (seen.status, seen.learned.kind, seen.learned.supports_ollama, seen.learned.supports_v1) == ("healthy", "llamacpp", False, True)
        assert names(seen.learned.v1_models) == ["scripted"]
        assert seen.loaded == ()

    def test_a_llama_cpp_that_imitates_the_list_is_no_ollama(self):
        listed = golden("llamacpp/models")
        for version in (golden("llamacpp/ollama-version"), VERSION):
            seen = probe(tags=listed, version=version, models=listed)
            assert (seen.learned.kind, seen.learned.supports_ollama, seen.learned.models) == ("llamacpp", False, ())

    def test_a_list_made_anew_for_each_answer_compares_equal(self):
        first = probe(tags=MISSING, version=MISSING, models=golden("llamacpp/models")).learned
        later = golden("llamacpp/models")
        later = replace(later, body=later.body.replace(b'"created":1795256134', b'"created":1795259999'))
        assert probe(tags=MISSING, version=MISSING, models=later, before=first).learned == first
        changed = replace(later, body=later.body.replace(b'"n_ctx":4096', b'"n_ctx":8192'))
        assert probe(tags=MISSING, version=MISSING, models=changed, before=first).learned != first


class TestShapes:
    def test_lm_studios_friendly_errors_are_no_ollama(self):
        friendly = answer({"error": "Unexpected endpoint or method. (GET /api/tags)"})
        seen = probe(tags=friendly, version=friendly, ps=friendly, models=v1("qwen", owned_by="organization_owner"))
        assert (seen.learned.kind, seen.learned.supports_ollama) == ("lmstudio", False)

    def test_only_friendly_errors_are_not_healthy(self):
        friendly = answer({"error": "Unexpected endpoint or method."})
        seen = probe(tags=friendly, version=friendly, ps=friendly, models=friendly)
        assert (seen.status, seen.reason) == ("down", "/api/tags: no list of models; /v1/models: no list of models")

    def test_tags_without_a_version_are_no_ollama(self):
        for version in (MISSING, answer({"version": 3}), answer({"version": ""}), answer({"error": "x"}), answer([]), answer(b"<html>")):
            assert read_ollama(tags("m"), version, NOTHING, NOW).verdict is Verdict.ABSENT

    def test_a_version_without_tags_is_no_ollama(self):
        assert read_ollama(MISSING, VERSION, NOTHING, NOW).verdict is Verdict.ABSENT

    @pytest.mark.parametrize("body", [{"models": None}, {"models": []}])
    def test_an_empty_ollama_is_one(self, body):
        assert read_ollama(answer(body), VERSION, NOTHING, NOW) == Family(Verdict.PRESENT, version="0.33.0")

    def test_tags_with_an_error_are_no_list(self):
        assert read_ollama(tags("m", error="busy"), VERSION, NOTHING, NOW).verdict is Verdict.ABSENT

    def test_a_version_of_any_length_is_cut(self):
        assert len(read_ollama(tags("m"), answer({"version": "9" * 1000}), NOTHING, NOW).version) == 64

    def test_entries_without_a_name_do_not_count(self):
        listed = answer({"models": [{"size": 1}, {"name": ""}, {"model": "by-model", "name": None}, {"name": "m", "size": 1}, "x", None]})
        assert names(read_ollama(listed, VERSION, NOTHING, NOW).models) == ["by-model", "m"]
        assert names(read_v1(answer({"data": [{"object": "model"}, {"id": None}, {"name": "n"}, {"model": "m"}, {"id": "i", "name": "x"}]}), NOW).models) == [
            "n", "m", "i",
        ]  # fmt: skip
        assert [one.name for one in read_loaded(answer({"models": [{"size": 1}, {"model": "m"}]}))] == ["m"]

    def test_a_bare_array_and_null_data_are_lists(self):
        assert names(read_v1(answer([{"id": "together"}]), NOW).models) == ["together"]
        assert read_v1(answer({"object": "list", "data": None}), NOW) == Family(Verdict.PRESENT)

    def test_loaded_models_of_another_shape_count_as_not_answered(self):
        assert [read_loaded(reply) for reply in (MISSING, TIMEOUT, answer([]), answer({"models": 3}), answer({}))] == [None] * 5

    def test_a_kind_follows_the_server_not_the_family(self):
        assert probe(models=v1("m", owned_by="vllm"), tags=MISSING).learned.kind == "vllm"
        assert probe(models=v1("m"), asks_ollama=False, host="r.openai.azure.com").learned.kind == "azure"
        assert probe(models=v1("m"), tags=MISSING).learned.kind == "custom"


BEFORE = Learned("ollama", "0.30.0", True, True, (ListedModel("old:latest"),), (ListedModel("old:latest"),))


class TestBelief:
    @pytest.mark.parametrize("unsure", [TIMEOUT, REFUSED, answer(b"", 500), answer(b"", 502), answer({}, 401), answer({}, 429), answer({}, 400)])
    def test_a_family_without_a_definite_answer_keeps_what_was_believed(self, unsure):
        seen = probe(tags=tags("new"), version=VERSION, models=unsure, before=BEFORE)
        assert (seen.status, seen.learned.supports_v1, names(seen.learned.v1_models)) == ("healthy", True, ["old:latest"])
        assert names(seen.learned.models) == ["new"]
        assert seen.reason.startswith("/v1/models")
        seen = probe(tags=unsure, version=VERSION, models=v1("new"), before=BEFORE)
        assert (seen.status, seen.learned.kind, seen.learned.version, names(seen.learned.models)) == ("healthy", "ollama", "0.30.0", ["old:latest"])
        assert seen.loaded is None

    @pytest.mark.parametrize("definite", [answer({}, 404), answer({}, 405), answer({}, 410), answer({}, 501), answer({}, 302), answer({}), answer(b"<html>")])
    def test_a_definite_answer_clears_a_family(self, definite):
        seen = probe(tags=tags("m"), version=VERSION, models=definite, before=BEFORE)
        assert (seen.status, seen.learned.supports_v1, seen.learned.v1_models, seen.reason) == ("healthy", False, (), "")
        seen = probe(tags=definite, version=VERSION, models=v1("m"), before=BEFORE)
        assert (seen.learned.supports_ollama, seen.learned.models, seen.learned.version, seen.loaded) == (False, (), "", ())

    def test_an_ollama_whose_version_does_not_come_in_time_stays_one_with_its_new_list(self):
        seen = probe(tags=tags("new"), version=TIMEOUT, models=TIMEOUT, before=BEFORE)
        assert (seen.status, seen.learned.version, names(seen.learned.models)) == ("healthy", "0.30.0", ["new"])

    def test_a_list_alone_does_not_make_a_new_server_an_ollama(self):
        assert probe(tags=tags("new"), version=TIMEOUT, models=MISSING).status == "down"

    def test_nothing_is_forgotten_when_nothing_answers(self):
        for reply in (TIMEOUT, REFUSED, MISSING, answer({}, 500)):
            seen = probe(tags=reply, version=reply, ps=reply, models=reply, before=BEFORE)
            assert (seen.status, seen.learned, seen.loaded) == ("down", None, None)

    def test_the_order_of_a_list_is_no_news(self):
        first = probe(tags=tags("a", "b"), version=VERSION, models=v1("a", "b")).learned
        assert probe(tags=tags("b", "a"), version=VERSION, models=v1("b", "a"), before=first).learned == first

    @pytest.mark.parametrize("models", [("a",), ("a", "b", "c"), ("a", "c")])
    def test_another_model_is_news(self, models):
        first = probe(tags=tags("a", "b"), version=VERSION, models=MISSING).learned
        assert names(probe(tags=tags(*models), version=VERSION, models=MISSING, before=first).learned.models) == list(models)

    def test_a_model_pulled_again_is_news(self):
        def at(time):
            return answer({"models": [{"name": "m", "modified_at": time}]})

        first = probe(tags=at("2026-01-01T00:00:00Z"), version=VERSION, models=MISSING).learned
        assert probe(tags=at("2026-01-02T00:00:00Z"), version=VERSION, models=MISSING, before=first).learned != first


class TestTrouble:
    def test_a_model_being_loaded_is_warming(self):
        loading = answer({"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}, 503)
        assert probe(tags=loading, version=loading, ps=loading, models=loading).status == "warming"
        assert probe(models=loading, asks_ollama=False).status == "warming"

    def test_another_503_is_a_failure(self):
        assert probe(tags=MISSING, models=answer({"error": "overloaded"}, 503)).status == "down"

    @pytest.mark.parametrize("status", [401, 403])
    def test_a_refused_key_is_a_config_error_that_quotes_nothing(self, status):
        refused = answer(SECRET, status)
        for seen in (probe(tags=MISSING, version=MISSING, models=refused), probe(tags=refused, version=refused, models=refused)):
            assert (seen.status, seen.learned) == ("configError", None)
            assert str(status) in seen.reason
            assert "secret" not in seen.reason

    def test_a_missing_variable_is_named(self):
        failure = Failure("config", "environment variable KEY is not set")
        seen = probe(tags=failure, version=failure, ps=failure, models=failure)
        assert (seen.status, seen.reason) == ("configError", "environment variable KEY is not set")

    def test_a_refusal_where_nothing_was_spoken_before_is_not_held_against_a_known_server(self):
        known = replace(BEFORE, supports_ollama=False, models=(), kind="openai")
        seen = probe(tags=answer({}, 403), version=answer({}, 403), models=TIMEOUT, before=known)
        assert (seen.status, seen.timed_out) == ("down", True)

    def test_a_key_wanted_by_the_one_family_that_is_left(self):
        only_ollama = replace(BEFORE, supports_v1=False, v1_models=())
        seen = probe(tags=MISSING, version=MISSING, models=answer({}, 401), before=only_ollama)
        assert seen.status == "configError"

    def test_too_many_requests(self):
        seen = probe(tags=MISSING, models=answer({}, 429, **{"retry-after": "17"}))
        assert (seen.status, seen.retry_after_seconds) == ("rateLimited", 17.0)
        seen = probe(tags=MISSING, models=answer({}, 429, **{"retry-after": "Fri, 02 Jan 2026 03:04:35 GMT"}))
        assert seen.retry_after_seconds == 30.0
        assert probe(tags=MISSING, models=answer({}, 429)).retry_after_seconds is None

    def test_one_healthy_family_is_enough(self):
        for other in (answer({}, 401), answer({}, 429), answer({"error": "Loading model"}, 503), TIMEOUT):
            assert probe(tags=tags("m"), version=VERSION, models=other).status == "healthy"
            assert probe(tags=other, version=other, models=v1("m")).status == "healthy"

    def test_a_timeout_is_told_from_other_failures(self):
        assert probe(tags=TIMEOUT, version=TIMEOUT, ps=TIMEOUT, models=TIMEOUT).timed_out
        assert probe(tags=TIMEOUT, version=TIMEOUT, models=MISSING, before=BEFORE).timed_out
        assert probe(models=TIMEOUT, asks_ollama=False).timed_out
        assert not probe(tags=TIMEOUT, version=TIMEOUT, models=REFUSED).timed_out
        assert not probe(models=MISSING, asks_ollama=False).timed_out

    def test_a_busy_ollama_that_only_tells_its_version_has_timed_out(self):
        assert probe(tags=TIMEOUT, version=VERSION, models=TIMEOUT, before=BEFORE).timed_out

    def test_the_reason_says_what_was_asked_and_what_came(self):
        assert probe(models=answer(SECRET, 500), asks_ollama=False).reason == "/v1/models answered 500"
        assert probe().reason == "/api/tags: connection refused; /v1/models: connection refused"
        assert probe(models=answer(b"", 301), asks_ollama=False).reason == "/v1/models answered 301: a redirect, which is not followed"
