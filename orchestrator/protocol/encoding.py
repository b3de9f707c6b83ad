"""Compressed request bodies: decoded before routing and sent on plain, within the size limit."""

import re
import zlib
from collections.abc import Callable
from typing import Protocol

import zstandard

from orchestrator.errors import Refusal

STEP_BYTES = 1024  # the worst that one step can blow up to is 32 MiB (zstd)
MAX_MEMBERS = 4096
_PADDING = re.compile(rb"\0*+")


class _Stream(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: memoryview, /) -> bytes: ...


def decode(body: bytes, encoding: str, limit: int) -> bytes:
    """The body without its Content-Encoding (a comma list, applied in order). Raises Refusal 400, 413 or 415."""
    for name in reversed([part.strip().lower() for part in encoding.split(",")]):
        if name in ("", "identity"):
            continue
        decoder = _DECODERS.get(name)
        if decoder is None:
            raise Refusal(415, "unsupported_encoding", f"content-encoding {name[:40]} is not supported; send identity, gzip, deflate or zstd")
        try:
            body = decoder(body, limit)
        except (zlib.error, zstandard.ZstdError, EOFError):
            raise Refusal(400, "invalid_encoding", f"the body is not valid {name}") from None
        if len(body) > limit:
            raise Refusal(413, "body_too_large", f"the decompressed body is larger than {limit} bytes")
    return body


def _members(body: bytes, limit: int, new_stream: Callable[[], _Stream]) -> bytes:
    """What the members of a gzip file or the frames of zstd hold together, or a little more than `limit` of it.

    Fed in steps: so a bomb is noticed early, and a stream copies what follows its end, which with millions of tiny members
    would be the whole body each time.
    """
    out, view, at, members = bytearray(), memoryview(body), 0, 0
    while at < len(body) and len(out) <= limit:
        stream = new_stream()
        while not stream.eof and at < len(body) and len(out) <= limit:
            step = view[at : at + STEP_BYTES]
            out += stream.decompress(step)
            at += len(step) - len(stream.unused_data)
        members += 1
        if (not stream.eof and len(out) <= limit) or members > MAX_MEMBERS:
            raise EOFError
        padding = _PADDING.match(body, at)
        at = padding.end() if padding else at
    return bytes(out)


def _gzip(body: bytes, limit: int) -> bytes:
    return _members(body, limit, lambda: zlib.decompressobj(31))


def _deflate(body: bytes, limit: int) -> bytes:
    """zlib-wrapped as the standard has it, or raw as some clients send it."""
    try:
        return _members(body, limit, lambda: zlib.decompressobj(15))
    except zlib.error:
        return _members(body, limit, lambda: zlib.decompressobj(-15))


def _zstd(body: bytes, limit: int) -> bytes:
    return _members(body, limit, zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj)


_DECODERS = {"gzip": _gzip, "x-gzip": _gzip, "deflate": _deflate, "zstd": _zstd}
