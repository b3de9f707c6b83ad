"""Compressed request bodies: decoded before routing and sent on plain, within the size limit."""

import zlib

import zstandard

from orchestrator.errors import Refusal


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


def _inflate(body: bytes, limit: int, bits: int) -> bytes:
    """Members of a gzip file one after the other; `limit` + 1 bytes at most."""
    out = b""
    while body and len(out) <= limit:
        stream = zlib.decompressobj(bits)
        out += stream.decompress(body, limit + 1 - len(out))
        if not stream.eof and len(out) <= limit:
            raise EOFError
        body = stream.unused_data.lstrip(b"\0")
    return out


def _gzip(body: bytes, limit: int) -> bytes:
    return _inflate(body, limit, 31)


def _deflate(body: bytes, limit: int) -> bytes:
    """zlib-wrapped as the standard has it, or raw as some clients send it."""
    try:
        return _inflate(body, limit, 15)
    except zlib.error:
        return _inflate(body, limit, -15)


def _zstd(body: bytes, limit: int) -> bytes:
    with zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(body, read_across_frames=True) as reader:
        out = reader.read(limit + 1)
    if not out and body:
        raise EOFError
    return out


_DECODERS = {"gzip": _gzip, "x-gzip": _gzip, "deflate": _deflate, "zstd": _zstd}
