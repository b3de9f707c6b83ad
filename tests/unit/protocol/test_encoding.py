import gzip
import zlib

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import Refusal
from orchestrator.protocol.encoding import decode

BODY = b'{"model":"m","messages":[]}'
LIMIT = 10_000


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


ENCODERS = {"gzip": gzip.compress, "x-gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstandard.ZstdCompressor().compress, "identity": bytes}


@pytest.mark.parametrize("name", ENCODERS)
def test_each_encoding_is_undone(name: str) -> None:
    assert decode(ENCODERS[name](BODY), name, LIMIT) == BODY
    assert decode(ENCODERS[name](BODY), f" {name.upper()} ", LIMIT) == BODY


def test_deflate_without_its_wrapper_is_understood() -> None:
    assert decode(raw_deflate(BODY), "deflate", LIMIT) == BODY


def test_several_encodings_are_undone_from_the_last_to_the_first() -> None:
    assert decode(zlib.compress(gzip.compress(BODY)), "gzip, deflate", LIMIT) == BODY


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=5), st.integers(0, 3))
def test_gzip_members_and_zstd_frames_follow_one_another(parts: list[bytes], padding: int) -> None:
    whole = b"".join(parts)
    assert decode(b"".join(map(gzip.compress, parts)) + b"\0" * padding, "gzip", LIMIT) == whole
    if whole:
        assert decode(b"".join(map(ENCODERS["zstd"], parts)), "zstd", LIMIT) == whole


@given(st.binary(max_size=300_000))
def test_bodies_larger_than_a_step_come_out_whole(body: bytes) -> None:
    blown_up = body * 3
    assert decode(gzip.compress(blown_up, 1), "gzip", 1_000_000) == blown_up


@pytest.mark.parametrize("name", ["gzip", "deflate", "zstd"])
def test_a_bomb_is_refused_at_the_limit(name: str) -> None:
    with pytest.raises(Refusal) as refused:
        decode(ENCODERS[name](bytes(50_000_000)), name, LIMIT)
    assert (refused.value.status, refused.value.code) == (413, "body_too_large")


@pytest.mark.parametrize("name", ["gzip", "deflate", "zstd"])
def test_exactly_the_limit_is_accepted(name: str) -> None:
    assert len(decode(ENCODERS[name](bytes(LIMIT)), name, LIMIT)) == LIMIT
    with pytest.raises(Refusal) as refused:
        decode(ENCODERS[name](bytes(LIMIT + 1)), name, LIMIT)
    assert refused.value.status == 413


def test_a_bomb_within_a_bomb_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        decode(gzip.compress(gzip.compress(bytes(50_000_000))), "gzip, gzip", 100_000)
    assert refused.value.status == 413


def test_countless_empty_members_are_refused() -> None:
    """Each of them is cheap, all of them together would keep the process busy for hours."""
    with pytest.raises(Refusal) as refused:
        decode(gzip.compress(b"") * 100_000, "gzip", LIMIT)
    assert refused.value.status == 400


@pytest.mark.parametrize("name", ["gzip", "deflate"])
def test_a_cut_body_is_refused_wherever_it_is_cut(name: str) -> None:
    packed = ENCODERS[name](BODY)
    for end in range(1, len(packed)):
        with pytest.raises(Refusal) as refused:
            decode(packed[:end], name, LIMIT)
        assert (refused.value.status, refused.value.code) == (400, "invalid_encoding")


def test_a_cut_zstd_frame_never_passes_for_the_whole() -> None:
    packed = ENCODERS["zstd"](BODY)
    for end in range(1, len(packed)):
        with pytest.raises(Refusal) as refused:
            decode(packed[:end], "zstd", LIMIT)
        assert refused.value.status == 400


def status_of(body: bytes, name: str) -> int:
    try:
        return 200 if len(decode(body, name, LIMIT)) <= LIMIT else 0
    except Refusal as refusal:
        return refusal.status


@given(st.binary(min_size=1), st.sampled_from(["gzip", "deflate", "zstd"]))
def test_garbage_is_refused_or_decoded_but_never_an_error_of_ours(body: bytes, name: str) -> None:
    assert status_of(body, name) in (200, 400, 413)


def test_an_unknown_encoding_is_named() -> None:
    with pytest.raises(Refusal) as refused:
        decode(BODY, "br", LIMIT)
    assert refused.value.status == 415
    assert "br" in refused.value.message
    with pytest.raises(Refusal) as refused:
        decode(BODY, "x" * 1000, LIMIT)
    assert len(refused.value.message) < 200
