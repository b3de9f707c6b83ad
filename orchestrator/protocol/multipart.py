"""The `model` of a form upload (audio transcription and the like)."""

from msgspec import Struct
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from orchestrator.errors import Refusal

MAX_FIELD_BYTES = 4096


class Form(Struct):
    """model and stream as the form has them; start and end frame the model's bytes in the body."""

    model: str = ""
    stream: bool = False
    start: int = 0
    end: int = 0


def read(content_type: bytes, body: bytes) -> Form:
    """Raises Refusal if the body is no such form."""
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if not boundary:
        raise Refusal(400, "invalid_form", "the multipart body has no boundary")
    form, name, header, value = Form(), "", [b"", b""], b""

    def field(data: bytes, start: int, end: int) -> None:
        header[0] += data[start:end]

    def content(data: bytes, start: int, end: int) -> None:
        header[1] += data[start:end]

    def header_end() -> None:
        nonlocal name
        if header[0].lower() == b"content-disposition":
            name = parse_options_header(header[1])[1].get(b"name", b"").decode("utf-8", "replace")
        header[:] = [b"", b""]

    def begin() -> None:
        nonlocal name, value
        name, value = "", b""

    def part(data: bytes, start: int, end: int) -> None:
        nonlocal value
        if name in ("model", "stream") and len(value) + end - start <= MAX_FIELD_BYTES:
            if name == "model":
                form.start, form.end = (start if not value else form.start), end
            value += data[start:end]

    def part_end() -> None:
        if name == "model":
            form.model = value.decode("utf-8", "replace").strip()
        elif name == "stream":
            form.stream = value.strip().lower() in (b"true", b"1")

    callbacks = {
        "on_part_begin": begin, "on_part_data": part, "on_part_end": part_end,
        "on_header_field": field, "on_header_value": content, "on_header_end": header_end,
    }  # fmt: skip
    try:
        parser = MultipartParser(boundary, callbacks)  # type: ignore[arg-type]
        parser.write(body)
        parser.finalize()
    except FormParserError:
        raise Refusal(400, "invalid_form", "the multipart body is malformed") from None
    return form
