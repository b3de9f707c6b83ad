from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.protocol.http import NOT_RETURNED, NOT_SENT, Headers, RequestHeaders, chunk, header, lines, retry_after_seconds, status_line, unchunked, whole


@pytest.mark.parametrize(
    "name", [b"connection", b"keep-alive", b"proxy-authorization", b"te", b"trailer", b"transfer-encoding", b"upgrade", b"proxy-connection", b"content-length"]
)
def test_hop_by_hop_headers_are_passed_on_in_neither_direction(name: bytes) -> None:
    headers = [(b"accept", b"*/*"), (name, b"x"), (b"x-own", b"1")]
    assert lines(headers, NOT_SENT) == b"accept: */*\r\nx-own: 1\r\n"
    assert lines(headers, NOT_RETURNED) == b"accept: */*\r\nx-own: 1\r\n"
    assert RequestHeaders(headers).lines == b"accept: */*\r\nx-own: 1\r\n"


@pytest.mark.parametrize("name", [b"host", b"authorization", b"x-api-key", b"api-key", b"cookie", b"origin", b"referer", b"expect", b"accept-encoding"])
def test_what_concerns_only_us_never_reaches_a_server(name: bytes) -> None:
    headers = [(name, b"secret"), (b"accept", b"*/*")]
    read = RequestHeaders(headers)
    assert read.lines == lines(headers, NOT_SENT) == b"accept: */*\r\n"
    assert read.seen == {name: b"secret"}


NAMED = [
    [(b"connection", b"x-hop")],
    [(b"connection", b"close, X-Hop")],
    [(b"connection", b"keep-alive"), (b"connection", b"x-hop")],
    [(b"connection", b"x-hop"), (b"connection", b"keep-alive")],
    [(b"connection", b"upgrade"), (b"connection", b" , x-hop ,")],
]


@pytest.mark.parametrize("connection", NAMED)
def test_headers_that_connection_names_are_left_out_wherever_they_stand(connection: Headers) -> None:
    for headers in ([(b"x-hop", b"1"), *connection, (b"accept", b"*/*")], [(b"accept", b"*/*"), *connection, (b"x-hop", b"1")]):
        assert lines(headers, NOT_RETURNED) == b"accept: */*\r\n"
        assert RequestHeaders(headers).lines == b"accept: */*\r\n"


@pytest.mark.parametrize("value", [b"close", b"Keep-Alive", b""])
def test_connection_itself_costs_no_other_header(value: bytes) -> None:
    headers = [(b"connection", value), (b"close", b"1"), (b"x-a", b"1"), (b"x-a", b"2")]
    assert RequestHeaders(headers).lines == b"close: 1\r\nx-a: 1\r\nx-a: 2\r\n"


def test_upstream_cookies_and_our_own_headers_do_not_come_back() -> None:
    headers = [(b"set-cookie", b"a=b"), (b"x-request-id", b"theirs"), (b"x-orchestrator-server", b"fake"), (b"content-encoding", b"gzip"), (b"date", b"now")]
    assert lines(headers, NOT_RETURNED) == b"content-encoding: gzip\r\ndate: now\r\n"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([(b"content-type", b"application/json")], b"application/json"),
        ([(b"x-content-type", b"no"), (b"content-type", b"multipart/form-data; boundary=b")], b"multipart/form-data; boundary=b"),
        ([(b"x", b"content-type: no")], b""),
        ([], b""),
    ],
)
def test_content_type_is_found_among_the_lines(headers: Headers, expected: bytes) -> None:
    assert RequestHeaders(headers).content_type() == expected


def test_header_gives_the_first_value() -> None:
    assert header([(b"a", b"1"), (b"b", b"2"), (b"a", b"3")], b"a") == b"1"
    assert header([], b"a") is None


@given(st.lists(st.binary(min_size=1, max_size=50)))
def test_chunks_are_undone(parts: list[bytes]) -> None:
    assert unchunked(b"".join(map(chunk, parts))) == b"".join(parts)


@pytest.mark.parametrize(("status", "line"), [(200, b"HTTP/1.1 200 OK\r\n"), (499, b"HTTP/1.1 499 Unknown\r\n"), (799, b"HTTP/1.1 799 Unknown\r\n")])
def test_status_lines(status: int, line: bytes) -> None:
    assert status_line(status) == line


def test_whole_answers_carry_their_length() -> None:
    assert whole(404, b"a: b\r\n", b"xyz") == b"HTTP/1.1 404 Not Found\r\na: b\r\ncontent-length: 3\r\n\r\nxyz"
    assert whole(200, b"", b"", keep_alive=False) == b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([], None),
        ([(b"retry-after", b" 0 ")], 0.0),
        ([(b"retry-after", b"1.5")], 1.5),
        ([(b"retry-after", b"99999")], 3600.0),
        ([(b"retry-after-ms", b"1500"), (b"retry-after", b"9")], 1.5),
        ([(b"retry-after-ms", b"x"), (b"retry-after", b"9")], 9.0),
        ([(b"retry-after", b"Fri, 02 Jan 2026 03:04:35 GMT")], 30.0),
        ([(b"retry-after", b"Fri, 02 Jan 2026 03:04:35 -0000")], 30.0),
        ([(b"retry-after", b"Fri, 02 Jan 2026 03:04:00 GMT")], 0.0),
        ([(b"retry-after", b"Fri, 02 Jan 2026 09:04:35 GMT")], 3600.0),
        *(([(b"retry-after", value)], None) for value in (b"", b"soon", b"-3", b"1e3", b"inf", b"nan", b"\xb2", b"\xff")),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_never_without_end(headers, seconds):
    assert retry_after_seconds(headers, NOW) == seconds
