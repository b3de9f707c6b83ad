import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.protocol.splice import replace_member

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=8)
SPACES = st.text(" \t\r\n", max_size=3)
NAME = "model"
SPELLINGS = ['"model"', '"\\u006dodel"', '"mod\\u0065l"', '"\\u006D\\u006F\\u0064\\u0065\\u006C"']


@st.composite
def members(draw: st.DrawFn) -> tuple[str, str, str]:
    """(what stands before the value, the value, what stands behind it) of one member as some client might write it."""
    named = draw(st.booleans())
    key = draw(st.sampled_from(SPELLINGS)) if named else json.dumps(draw(st.text().filter(lambda k: k != NAME)), ensure_ascii=draw(st.booleans()))
    value = json.dumps(draw(VALUES), ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 1])))
    return f"{draw(SPACES)}{key}{draw(SPACES)}:{draw(SPACES)}", value, draw(SPACES)


def written(parts: list[tuple[str, str, str]], value: str | None = None) -> bytes:
    """The object of these members; with value, every member `model` gets it."""
    texts = [before + (value if value is not None and is_named(before) else given) + behind for before, given, behind in parts]
    return (" {" + ",".join(texts) + "}\n").encode("utf-8", "surrogatepass")


def is_named(before: str) -> bool:
    key = before.strip().removesuffix(":").strip()
    return bool(json.loads(key) == NAME)


@given(st.lists(members(), min_size=1, max_size=5), VALUES)
def test_only_the_value_of_the_member_changes(parts: list[tuple[str, str, str]], value: object) -> None:
    raw = json.dumps(value)
    body = written(parts)
    if not any(is_named(before) for before, _, _ in parts):
        parts = [(f'"{NAME}":', raw, ""), *parts]
    changed = replace_member(body, NAME, raw.encode())
    assert changed == written(parts, raw)
    before, after = json.loads(body), json.loads(changed)
    assert after[NAME] == value
    before.pop(NAME, None)
    after.pop(NAME)
    assert after == before


@pytest.mark.parametrize("body", [b"{}", b" { } ", b"\t{\r\n}\n"])
def test_member_is_added_to_an_empty_object(body: bytes) -> None:
    changed = replace_member(body, "model", b'"n"')
    assert json.loads(changed) == {"model": "n"}
    assert changed.replace(b'"model":"n"', b"") == body


def test_every_duplicate_is_replaced_because_servers_differ_in_which_they_read() -> None:
    assert replace_member(b'{"model":"a","x":1,"model" : {"b":[]}}', "model", b'"n"') == b'{"model":"n","x":1,"model" : "n"}'


def test_nested_members_of_the_same_name_stay() -> None:
    body = b'{"tools":[{"model":"a"}],"s":"\\"model\\":\\"x\\"}","model":"m","z":{"model":{"model":1}}}'
    assert replace_member(body, "model", b'"n"') == body.replace(b'"model":"m"', b'"model":"n"')


@pytest.mark.parametrize("number", [b"1.0", b"12345678901234567890123", b"1e400", b"-0", b"1E+2"])
def test_numbers_are_not_written_anew(number: bytes) -> None:
    body = b'{"a":%b,"model":"m","b":[%b]}' % (number, number)
    assert replace_member(body, "model", b'"n"') == body.replace(b'"m"', b'"n"')


def test_broken_utf8_in_other_members_goes_on_as_it_came() -> None:
    body = b'{"a\xff":"\xfe","model":"m"}'
    assert replace_member(body, "model", b'"n"') == b'{"a\xff":"\xfe","model":"n"}'


@pytest.mark.parametrize("wrapped", [b'"%b"', b'["%b"]', b'[{"url":"%b"}]'])
def test_a_long_string_costs_no_more_memory_than_its_copy(wrapped: bytes) -> None:
    """An image in base64 with escaped slashes; matching it step by step once took a hundred times its size."""
    import tracemalloc

    body = b'{"image":' + wrapped % (b"iVBORw0KGgo\\/" * 100_000) + b',"model":"m"}'
    tracemalloc.start()
    try:
        assert replace_member(body, "model", b'"n"').endswith(b',"model":"n"}')
        assert tracemalloc.get_traced_memory()[1] < 6 * len(body)
    finally:
        tracemalloc.stop()
