import json

from tests.fakes import wire


def records(pieces: list[bytes]) -> list[dict[str, object]]:
    """The JSON values of a chunked NDJSON answer."""
    body = [piece.partition(b"\r\n")[2] for piece in pieces[1:]]
    return [json.loads(record) for record in body if record.strip()]


def test_each_chunk_says_its_length() -> None:
    assert wire.chunk(b"x" * 31) == b"1f\r\n" + b"x" * 31 + b"\r\n"


def test_an_ollama_stream_ends_with_metrics() -> None:
    *tokens, last = records(wire.ollama_chat(["a", "b"]))
    assert [record["done"] for record in tokens] == [False, False]
    assert last["done"] is True
    assert last["eval_count"] == 2


def test_a_truncated_ollama_stream_has_no_done_record_but_a_clean_end() -> None:
    pieces = wire.ollama_chat(["a"], done=False)
    assert pieces[-1] == wire.LAST_CHUNK
    assert b'"done":true' not in b"".join(pieces)


def test_an_openai_stream_can_lack_each_of_its_ends() -> None:
    whole = b"".join(wire.openai_sse(["a"], usage=True))
    assert whole.index(b'"finish_reason":"stop"') < whole.index(b'"usage"') < whole.index(b"[DONE]")
    assert b"[DONE]" not in b"".join(wire.openai_sse(["a"], done=False))
    assert b'"finish_reason":"stop"' not in b"".join(wire.openai_sse(["a"], finish=False))


def test_a_plain_answer_has_its_length() -> None:
    (piece,) = wire.answer({"é": 1})
    head, _, body = piece.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    assert json.loads(body) == {"é": 1}


def test_no_answer_has_two_framings() -> None:
    assert b"Content-Length" not in wire.openai_begin(["a"])[0]
    assert b"Transfer-Encoding" not in wire.openai_plain("a")[0]
