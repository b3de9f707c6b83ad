import json

import pytest
from msgspec.structs import replace

from orchestrator.edge.incoming import Incoming, RequestIds, Shared, broken, error_bytes
from orchestrator.edge.origins import Origins
from orchestrator.edge.routes import find
from orchestrator.errors import Refusal
from orchestrator.gateway.call import Call
from orchestrator.protocol.http import Headers
from tests.fakes.client import FakeClient
from tests.fakes.clock import FakeClock
from tests.unit.edge.wires import LIMITS, Gate

JSON = (b"content-type", b"application/json")


def shared() -> Shared:
    return Shared(Gate(), LIMITS, Origins((), loopback_only=True, hostname="box"), FakeClock(), RequestIds())  # type: ignore[arg-type]


def incoming(url: bytes = b"/api/chat", headers: Headers | None = None, body: bytes = b"{}") -> Incoming:
    made = Incoming(b"POST", url, "1.1", [(b"host", b"localhost:5100"), *(headers or [])], keep_alive=True)
    made.add(body)
    return made


def call(of: Incoming) -> Call:
    import asyncio

    route = find(of.url.partition(b"?")[0])
    assert route is not None
    loop = asyncio.new_event_loop()
    try:
        return of.call(FakeClient(), route, shared(), loop, keep_alive=True)
    finally:
        loop.close()


@pytest.mark.parametrize("content_type", [[], [(b"content-type", b"application/x-www-form-urlencoded")], [(b"content-type", b"text/plain")]])
def test_json_is_called_json_whatever_the_client_called_it(content_type: Headers) -> None:
    for url in (b"/api/chat", b"/v1/chat/completions", b"/v1/rerank"):
        made = call(incoming(url, [(b"x-a", b"1"), *content_type]))
        assert made.headers.lines == b"x-a: 1\r\ncontent-type: application/json\r\n"


def test_what_is_no_json_on_an_unknown_path_keeps_its_type() -> None:
    form = (b"content-type", b"multipart/form-data; boundary=b")
    assert call(incoming(b"/v1/audio/transcriptions", [form], b"--b\r\n")).headers.content_type() == form[1]


def test_a_type_with_a_charset_stays() -> None:
    made = call(incoming(headers=[(b"content-type", b"application/json; charset=utf-8")]))
    assert made.headers.lines == b"content-type: application/json; charset=utf-8\r\n"


def test_a_body_in_several_pieces_is_one() -> None:
    made = incoming(body=b"a")
    made.add(b"b")
    made.add(b"c")
    assert (made.body(), made.body_bytes) == (b"abc", 3)


def test_a_body_that_will_not_be_served_is_not_kept() -> None:
    made = incoming(body=b"a")
    made.refusal = Refusal(413, "x", "y")
    made.add(bytes(1000))
    assert (made.body(), made.body_bytes) == (b"a", 1001)


@pytest.mark.parametrize(
    ("url", "path"),
    [(b"/a?b=c#d", b"/a?b=c"), (b"http://host:1/a/b?c", b"/a/b?c"), (b"http://host", b"/"), (b"*", b"*"), (b"host:443", b"/"), (b"", b"/")],
)
def test_paths_of_every_form_of_url(url: bytes, path: bytes) -> None:
    assert incoming(url).path() == path


@pytest.mark.parametrize("host", [b"evil.example", b"evil.example:5100", b"8.8.8.8"])
def test_a_foreign_host_is_refused(host: bytes) -> None:
    made = Incoming(b"POST", b"/api/chat", "1.1", [(b"host", host)], keep_alive=True)
    with pytest.raises(Refusal) as caught:
        call(made)
    assert (caught.value.status, caught.value.code) == (403, "forbidden_host")


def test_a_foreign_origin_is_refused() -> None:
    with pytest.raises(Refusal) as caught:
        call(incoming(headers=[(b"origin", b"https://evil.example")]))
    assert caught.value.code == "forbidden_origin"


def test_ids_are_unique_and_those_of_sane_clients_are_kept() -> None:
    ids = RequestIds()
    assert len({ids.next() for _ in range(1000)} | {RequestIds().next() for _ in range(10)}) == 1010
    assert ids.of(b"my-id_1.2") == "my-id_1.2"
    for insane in (None, b"", b"a b", b"a\tb", b"x" * 129, b"\xe9"):
        assert ids.of(insane) not in ("", None)
        assert ids.of(insane).isalnum()


# ---- errors


def parts(answer: bytes) -> tuple[int, bytes, bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), head, body


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (b"/api/chat?x", {"error": "why"}),
        (b"/v1/x", {"error": {"message": "why", "type": "api_error", "param": None, "code": "c"}}),
        (b"/v1/messages", {"type": "error", "error": {"type": "overloaded_error", "message": "why"}, "request_id": "abc"}),
    ],
)
def test_errors_speak_the_dialect_of_the_path(url: bytes, expected: object) -> None:
    status, head, body = parts(
        error_bytes(incoming(url, [(b"x-request-id", b"abc")]), Refusal(503, "c", "why", retry_after_seconds=0.1), shared(), keep_alive=True)
    )
    assert (status, json.loads(body)) == (503, expected)
    assert b"\r\nx-request-id: abc\r\n" in head
    assert b"\r\nretry-after: 1\r\n" in head
    assert b"content-type: application/json" in head
    assert b"connection: close" not in head


def test_errors_elsewhere_are_text() -> None:
    for of in (None, broken("what is that"), incoming(b"/metrics")):
        status, head, body = parts(error_bytes(of, Refusal(400, "c", "why"), shared(), keep_alive=False))
        assert (status, body) == (400, b"why")
        assert b"text/plain" in head
        assert head.endswith(b"connection: close")


@pytest.mark.parametrize("code", ["forbidden_origin", "forbidden_host"])
def test_a_foreign_page_learns_nothing(code: str) -> None:
    status, _, body = parts(error_bytes(incoming(), Refusal(403, code, "why"), shared(), keep_alive=True))
    assert (status, body) == (403, b"")


def test_bytes_that_are_no_http_are_refused_with_words() -> None:
    refusal = broken("malformed HTTP request: Invalid method").refusal
    assert refusal is not None
    assert (refusal.status, refusal.message) == (400, "malformed HTTP request: Invalid method")


@pytest.mark.parametrize(
    ("headers", "version", "status"),
    [
        ([], "1.1", 400),
        ([(b"host", b"a"), (b"host", b"b")], "1.1", 400),
        ([(b"host", b"a"), (b"transfer-encoding", b"gzip, chunked")], "1.1", 400),
        ([(b"host", b"a"), (b"transfer-encoding", b"gzip"), (b"transfer-encoding", b"chunked")], "1.1", 400),
        ([(b"host", b"a"), (b"expect", b"a miracle")], "1.1", 417),
        ([], "1.0", None),
        ([(b"host", b"a"), (b"expect", b"100-Continue"), (b"transfer-encoding", b"Chunked")], "1.1", None),
    ],
)
def test_what_no_answer_could_be_right_to_is_refused(headers, version, status):
    refusal = Incoming(b"POST", b"/v1/chat/completions", version, headers, keep_alive=True).unservable()
    assert (refusal.status if refusal else None) == status


def test_errors_on_admin_paths_have_the_shape_of_the_admin_api():
    told = replace(shared(), admin_roots=(b"/api/servers",))
    raw = error_bytes(incoming(b"/api/servers/a"), Refusal(413, "body_too_large", "too large"), told, keep_alive=False)
    assert json.loads(raw.partition(b"\r\n\r\n")[2]) == {"error": {"code": "body_too_large", "message": "too large", "field": None}}
