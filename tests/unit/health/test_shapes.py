"""Lists in every shape that servers use, and in none."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw

from orchestrator.health import shapes
from orchestrator.health.shapes import entries, members, text, v1_entries, whole
from orchestrator.upstream.control import Answer, Failure

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["models", "data", "error", "id", "name", "model", "size"]), inner, max_size=4),
    max_leaves=12,
)


def answer(value):
    return Answer(200, {}, value if isinstance(value, bytes) else json.dumps(value).encode())


def ids(found):
    return None if found is None else [text(entry.id) for entry in found]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"object": "list", "data": [{"id": "a"}, {"id": "b"}]}, ["a", "b"]),
        ({"data": [{"id": "a"}], "models": [{"id": "b"}]}, ["a"]),
        ({"models": [{"id": "b"}]}, ["b"]),
        ({"data": {"not": "a list"}, "models": [{"id": "b"}]}, ["b"]),
        ([{"id": "a"}], ["a"]),
        ([], []),
        ({"data": []}, []),
        ({"data": None}, []),
        ({"data": [1, "x", None, [], {"id": "a"}]}, ["a"]),
        ({"data": [{"id": "a"}], "error": None}, ["a"]),
        ({"data": [{"id": "a"}], "error": "no"}, None),
        ({"error": "Unexpected endpoint or method. (GET /v1/models)"}, None),
        ({"data": "x"}, None),
        ({}, None),
        ("text", None),
        (7, None),
        (None, None),
        (b"", None),
        (b"<!doctype html>", None),
        (b'{"data":[{"id":"a"}', None),
        (b'{"data":[{"id":"\xff"}]}', None),
        (b'{"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}", None),
        (b"[" * 100_000, None),
    ],
)
def test_a_list_of_v1_is_found_in_any_of_its_shapes(value, found):
    assert ids(v1_entries(answer(value))) == found


@settings(deadline=None)
@given(JSON_VALUES)
def test_no_json_upsets_the_reader(value):
    reply = answer(value)
    assert isinstance(members(reply), dict)
    for entry in v1_entries(reply) or []:
        assert isinstance(json.loads(bytes(entry.raw)), dict)
        assert isinstance(text(entry.id), str)
        assert whole(entry.size) is None or isinstance(whole(entry.size), int)


@settings(deadline=None)
@given(st.binary(max_size=40))
def test_no_bytes_upset_the_reader(body):
    assert v1_entries(answer(body)) is None or body.strip()[:1] in (b"[", b"{")


def test_a_failure_has_no_members_and_no_list():
    assert members(Failure("timeout", "x")) == {}
    assert v1_entries(Failure("timeout", "x")) is None


def test_entries_are_the_bytes_that_came_and_do_not_keep_the_answer_alive():
    body = b'{"data":[ {"b":1.0 , "a":12345678901234567890,"id":"x","b":2} , {"id":"y"}]}'
    first, second = v1_entries(Answer(200, {}, body))
    assert bytes(first.raw) == b'{"b":1.0 , "a":12345678901234567890,"id":"x","b":2}'
    assert not isinstance(memoryview(second.raw).obj, memoryview)
    assert memoryview(second.raw).obj is not body


def test_a_member_called_raw_is_not_mistaken_for_the_entry():
    (entry,) = entries(Raw(b'[{"raw":1,"id":"x"}]'))
    assert bytes(entry.raw) == b'{"raw":1,"id":"x"}'


def test_a_list_without_end_is_cut(monkeypatch):
    monkeypatch.setattr(shapes, "MAX_MODELS", 3)
    assert ids(v1_entries(answer([{"id": str(i)} for i in range(9)]))) == ["0", "1", "2"]


@pytest.mark.parametrize(("raw", "value"), [(b'"a"', "a"), (b'""', ""), (b"1", ""), (b"null", ""), (b"", ""), (b'"\\ud800"', ""), (b'{"a":1}', "")])
def test_only_text_is_text(raw, value):
    assert text(Raw(raw)) == value


@pytest.mark.parametrize(("raw", "value"), [(b"7", 7), (b'"7"', None), (b"1.5", None), (b"", None), (b"null", None), (b"true", None)])
def test_only_whole_numbers_are_whole(raw, value):
    assert whole(Raw(raw)) == value
