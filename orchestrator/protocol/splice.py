"""Change one member of a JSON object and nothing else: no re-encoding, so key order, white space, numbers and duplicates stay."""

import re
from json import loads

_SPACE = re.compile(rb"[ \t\r\n]*")
# Possessive (`*+`): an image of many MB is one string, and remembering each step of a match takes 100 bytes a step.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_BRACKETS = re.compile(_STRING.pattern + rb"|[\[\]{}]", re.DOTALL)
_SCALAR = re.compile(rb"[^,\]}\s]+")


def replace_member(body: bytes, name: str, value: bytes) -> bytes:
    """`body` (a valid JSON object) with every top-level member `name` set to the raw JSON `value`; added in front if there is none."""
    spans = [(start, end) for key, start, end in _members(body) if key == name]
    if not spans:
        at = body.index(b"{") + 1
        separator = b"" if _skip(body, at) < len(body) and body[_skip(body, at)] == 0x7D else b","
        return b'%s"%s":%s%s%s' % (body[:at], name.encode(), value, separator, body[at:])
    for start, end in reversed(spans):
        body = body[:start] + value + body[end:]
    return body


def _members(body: bytes) -> list[tuple[str, int, int]]:
    """(key, start, end of its value) of each top-level member, in order."""
    found = []
    at = _skip(body, body.index(b"{") + 1)
    while body[at] != 0x7D:
        key = _STRING.match(body, at)
        assert key is not None, "not a JSON object"
        start = _skip(body, _skip(body, key.end()) + 1)
        end = _end_of_value(body, start)
        found.append((_text(key[0]), start, end))
        at = _skip(body, end)
        if body[at] == 0x2C:
            at = _skip(body, at + 1)
    return found


def _text(key: bytes) -> str:
    if b"\\" not in key:
        return key[1:-1].decode("utf-8", "replace")
    return str(loads(key))


def _skip(body: bytes, at: int) -> int:
    match = _SPACE.match(body, at)
    return match.end() if match else at


def _end_of_value(body: bytes, start: int) -> int:
    first = body[start : start + 1]
    if first == b'"':
        match = _STRING.match(body, start)
    elif first in b"{[":
        return _end_of_brackets(body, start)
    else:
        match = _SCALAR.match(body, start)
    assert match is not None, "not a JSON value"
    return match.end()


def _end_of_brackets(body: bytes, start: int) -> int:
    depth = 0
    for match in _BRACKETS.finditer(body, start):
        token = match[0]
        if token in (b"{", b"["):
            depth += 1
        elif token in (b"}", b"]"):
            depth -= 1
            if depth == 0:
                return match.end()
    raise ValueError("not a JSON value")
