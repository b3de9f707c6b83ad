"""What a body may say, member by member."""

import json

import pytest
from msgspec.structs import fields

from orchestrator.admin.answers import ServerAnswer
from orchestrator.admin.bodies import ServerBody, ServerPatch, decode
from orchestrator.admin.errors import AdminError
from orchestrator.admin.fields import MASK, changed_spec, new_spec
from orchestrator.fleet.specs import Secret, ServerSpec

STORED = ServerSpec(
    id="a",
    url="http://a",
    name="n",
    api_key=Secret("canary-key"),
    headers={"X-One": Secret("canary-1"), "X-Two": Secret("canary-2")},
    max_concurrency=2,
    tags=("t",),
)


def new(**members):
    return new_spec(decode(json.dumps({"id": "a", "url": "http://a", **members}).encode(), ServerBody))


def patched(before=STORED, **members):
    return changed_spec(decode(json.dumps(members).encode(), ServerPatch), before)


def refusal(make, **members):
    with pytest.raises(AdminError) as caught:
        make(**members)
    assert caught.value.status == 400
    assert "canary" not in str(caught.value)
    return caught.value.detail


def test_only_id_and_url_are_needed():
    assert new() == ServerSpec(id="a", url="http://a")


@pytest.mark.parametrize("field", ["id", "url"])
def test_missing_member_is_named(field):
    body = {"id": "a", "url": "http://a"}
    del body[field]
    with pytest.raises(AdminError) as caught:
        new_spec(decode(json.dumps(body).encode(), ServerBody))
    assert (caught.value.detail.code, caught.value.detail.field) == ("missing_field", field)


def test_every_member_is_taken():
    spec = new(
        name="N",
        type="ollama",
        apiKey="env:KEY",
        headers={"X-A": "v"},
        maxConcurrency=1,
        priority=-2,
        weight=1,
        tags=["x", "x", "y"],
        enabled=False,
        modelsAllow=["m*"],
        modelsDeny=["[ab]?"],
        verifyTls=False,
        connectTimeoutSeconds=1,
        firstEventTimeoutSeconds=2.5,
        answerTimeoutSeconds=3,
        idleTimeoutSeconds=4,
    )
    assert spec == ServerSpec(
        id="a",
        url="http://a",
        name="N",
        type="ollama",
        api_key=Secret("env:KEY"),
        headers={"X-A": Secret("v")},
        max_concurrency=1,
        priority=-2,
        weight=1.0,
        tags=("x", "y"),
        enabled=False,
        models_allow=("m*",),
        models_deny=("[ab]?",),
        verify_tls=False,
        connect_timeout_seconds=1.0,
        first_event_timeout_seconds=2.5,
        answer_timeout_seconds=3.0,
        idle_timeout_seconds=4.0,
    )


@pytest.mark.parametrize(
    ("given", "kept"),
    [("HTTP://Host:80/", "http://host"), ("https://openrouter.ai/api/v1/", "https://openrouter.ai/api"), ("http://h:1/base", "http://h:1/base")],
)
def test_url_is_kept_in_one_spelling(given, kept):
    assert new(url=given).url == kept


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", ""),
        ("id", "a/b"),
        ("id", "a b"),
        ("id", ".."),
        ("id", "."),
        ("id", "x" * 65),
        ("id", "é"),
        ("id", 5),
        ("id", None),
        ("id", "a\n"),
        ("url", ""),
        ("url", "ftp://h"),
        ("url", "h:1"),
        ("url", "http://"),
        ("url", "http://u:canary@h"),
        ("url", "http://h?x=1"),
        ("url", "http://h:99999"),
        ("url", 5),
        ("url", None),
        ("name", 5),
        ("name", "x" * 201),
        ("name", "a\u0000b"),
        ("type", "other"),
        ("type", 1),
        ("apiKey", 5),
        ("apiKey", ""),
        ("apiKey", "env:"),
        ("apiKey", "env:1A"),
        ("apiKey", "env:A-B"),
        ("apiKey", "canary\n"),
        ("apiKey", "canary\r\nX: y"),
        ("apiKey", "canaryé"),
        ("apiKey", " canary"),
        ("apiKey", MASK),
        ("headers", []),
        ("headers", {"X": 5}),
        ("headers", {"X A": "canary"}),
        ("headers", {"": "v"}),
        ("headers", {"X": "canary\n"}),
        ("headers", {"X": "env:"}),
        ("headers", {"X": MASK}),
        ("headers", {"Host": "v"}),
        ("headers", {"content-LENGTH": "1"}),
        ("headers", {"Connection": "close"}),
        ("headers", {"Transfer-Encoding": "chunked"}),
        ("headers", {"X-A": "1", "x-a": "2"}),
        ("headers", {f"X-{n}": "v" for n in range(51)}),
        ("maxConcurrency", 0),
        ("maxConcurrency", 1.5),
        ("maxConcurrency", "1"),
        ("maxConcurrency", True),
        ("priority", "high"),
        ("priority", 10**30),
        ("weight", 0),
        ("weight", -1),
        ("weight", "1"),
        ("tags", "t"),
        ("tags", [1]),
        ("tags", [""]),
        ("tags", ["a\tb"]),
        ("enabled", 1),
        ("enabled", "yes"),
        ("modelsAllow", "m"),
        ("modelsAllow", [""]),
        ("modelsDeny", [5]),
        ("verifyTls", 0),
        ("connectTimeoutSeconds", 0),
        ("firstEventTimeoutSeconds", -1),
        ("answerTimeoutSeconds", "1"),
        ("idleTimeoutSeconds", 1e9),
    ],
)
def test_bad_value_names_its_member_and_quotes_no_secret(field, value):
    detail = refusal(new, **{field: value})
    assert (detail.code, detail.field) == ("invalid_value", field)
    assert detail.message.startswith(f"{field}: ")


@pytest.mark.parametrize("field", ["status", "draining", "api_key", "nope"])
def test_unknown_member_is_named(field):
    detail = refusal(new, **{field: 1})
    assert (detail.code, detail.field) == ("unknown_field", field)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"id":"a"}x', b'{"name": "\\ud800"}', b"[" * 100_000])
def test_what_is_no_json_is_said_to_be_none(body):
    with pytest.raises(AdminError) as caught:
        decode(body, ServerBody)
    assert caught.value.status == 400
    assert caught.value.detail.code in ("invalid_json", "invalid_value")


@pytest.mark.parametrize("body", [b"[]", b"null", b"5"])
def test_what_is_no_object_is_a_bad_value_of_no_member(body):
    with pytest.raises(AdminError) as caught:
        decode(body, ServerBody)
    assert (caught.value.detail.code, caught.value.detail.field) == ("invalid_value", None)


@pytest.mark.parametrize("body", [b'{"id":"abc\xff"}', b'{"id":"a","tags":["abc","\xc3"]}'])
def test_of_what_is_no_utf8_no_position_is_told(body):
    with pytest.raises(AdminError) as caught:
        decode(body, ServerBody)
    assert (caught.value.detail.code, str(caught.value)) == ("invalid_json", "the body is not valid JSON: it is not UTF-8")


def test_empty_patch_changes_nothing():
    assert patched() == STORED


def test_members_of_a_patch_replace_and_the_others_stay():
    assert patched(name="new", tags=[]) == ServerSpec(
        id="a", url="http://a", name="new", api_key=STORED.api_key, headers=STORED.headers, max_concurrency=2, tags=()
    )


def test_null_clears_to_the_default():
    assert patched(name=None, apiKey=None, headers=None, maxConcurrency=None, tags=None, weight=None, enabled=None) == ServerSpec(id="a", url="http://a")


def test_mask_keeps_the_key():
    assert patched(apiKey=MASK).api_key == Secret("canary-key")


def test_mask_keeps_a_header_in_any_case_and_null_or_absence_removes_one():
    assert patched(headers={"x-one": MASK, "X-New": "v"}).headers == {"x-one": Secret("canary-1"), "X-New": Secret("v")}
    assert patched(headers={"X-One": MASK, "X-Two": None}).headers == {"X-One": Secret("canary-1")}


def test_mask_of_what_is_not_stored_is_refused():
    assert refusal(patched, before=ServerSpec(id="a", url="http://a"), apiKey=MASK).field == "apiKey"
    assert refusal(patched, headers={"X-Other": MASK}).field == "headers"


def test_id_cannot_be_changed_but_be_sent_back():
    assert patched(id="a") == STORED
    assert refusal(patched, id="b").field == "id"


def test_url_cannot_be_cleared():
    assert refusal(patched, url=None).field == "url"


def test_patch_accepts_every_member_of_an_answer_and_no_other():
    members = {field.encode_name for field in fields(ServerAnswer)}
    assert members == {field.encode_name for field in fields(ServerPatch)}
    assert refusal(patched, nope=1).field == "nope"
