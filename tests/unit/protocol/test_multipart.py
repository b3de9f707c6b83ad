import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import Refusal
from orchestrator.protocol.multipart import Form, read

TYPE = b"multipart/form-data; boundary=frontier"


def part(name: str, value: bytes, more: bytes = b"") -> bytes:
    return b'--frontier\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n%b\r\n' % (name.encode(), more, value)


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--frontier--\r\n"


FILE = part("file", b"\x00\xff--frontie model\r\n\r\n", b'; filename="a.wav"\r\nContent-Type: audio/wav')


def test_model_is_found_with_its_place() -> None:
    body = form(FILE, part("model", b"whisper-1"), part("temperature", b"0"))
    found = read(TYPE, body)
    assert found.model == "whisper-1"
    assert body[found.start : found.end] == b"whisper-1"


@given(st.binary(max_size=300).filter(lambda data: b"\r\n--frontier" not in data), st.text("abc/:.-", min_size=1, max_size=30))
def test_the_place_is_right_whatever_the_file_holds(data: bytes, name: str) -> None:
    body = form(part("file", data), part("model", name.encode()), part("prompt", data))
    found = read(TYPE, body)
    assert (found.model, body[found.start : found.end]) == (name, name.encode())


@pytest.mark.parametrize(("value", "stream"), [(b"true", True), (b"True", True), (b" 1 ", True), (b"false", False), (b"", False), (b"yes", False)])
def test_stream_is_read(value: bytes, stream: bool) -> None:
    assert read(TYPE, form(part("stream", value), part("model", b"m"))).stream is stream


def test_a_form_without_model_says_so() -> None:
    assert read(TYPE, form(FILE)) == Form()
    assert read(TYPE, form(part("model", b""))).model == ""


def test_header_names_are_read_in_any_case_and_others_ignored() -> None:
    body = b'--frontier\r\ncontent-type: text/plain\r\nCONTENT-DISPOSITION: form-data; NAME="model"\r\n\r\nm\r\n--frontier--\r\n'
    assert read(TYPE, body).model == "m"


def test_an_oversized_field_is_not_collected() -> None:
    assert len(read(TYPE, form(part("model", b"x" * 100_000))).model) <= 4096


@pytest.mark.parametrize("content_type", [b"multipart/form-data", b"multipart/form-data; boundary=", b"multipart/form-data; charset=utf-8"])
def test_a_form_without_boundary_is_refused(content_type: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        read(content_type, form(FILE))
    assert (refused.value.status, refused.value.code) == (400, "invalid_form")


@pytest.mark.parametrize("body", [b"no form at all", b"--other\r\n\r\nx", b"--frontier\r\nContent Disposition: x\r\n\r\nm\r\n--frontier--"])
def test_a_malformed_form_is_refused(body: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        read(TYPE, body)
    assert refused.value.status == 400


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with contextlib.suppress(Refusal):
        assert isinstance(read(TYPE, b"--frontier\r\n" + body), Form)
