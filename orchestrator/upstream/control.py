"""The one aiohttp session for probes and management, and requests on it that always end: in time, bounded, without redirects."""

import asyncio
import os
import ssl
from collections.abc import Mapping
from typing import Literal

import aiohttp
from msgspec import Struct
from yarl import URL

from orchestrator import __version__
from orchestrator.errors import ConfigError
from orchestrator.fleet.specs import ServerSpec
from orchestrator.upstream.address import parse
from orchestrator.upstream.auth import headers

MAX_CONNECTIONS = 256
MAX_BODY_BYTES = 32 * 1024 * 1024

FailureKind = Literal["timeout", "connect", "broken", "too_large", "config"]


class Answer(Struct, frozen=True):
    """A whole HTTP answer of any status. headers: lower-case names, the first of each. seconds: until the last byte."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float = 0.0


class Failure(Struct, frozen=True):
    """No answer. reason: our own words, nothing of the server's and no secret.

    kind: timeout (not whole within the deadline), connect (not reached), broken (no valid HTTP, or cut), too_large, config (could not be sent).
    """

    kind: FailureKind
    reason: str


Reply = Answer | Failure


def open_session() -> aiohttp.ClientSession:
    """A session for `get` and `post`; close it at the end.

    Each request has a connection of its own: a probe asks whether the server can be reached, and a kept connection that the server closes in the
    same moment would look like a failure.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=MAX_CONNECTIONS, force_close=True),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None),
        headers={"User-Agent": f"orchestrator/{__version__}", "Accept": "application/json", "Accept-Encoding": "identity"},
        trust_env=False,
    )


async def get(session: aiohttp.ClientSession, spec: ServerSpec, path: str, *, timeout_seconds: float, environment: Mapping[str, str] = os.environ) -> Reply:
    """GET a path below the server's base URL with its credentials. Raises nothing but cancellation.

    timeout_seconds: for everything, from name resolution to the last byte of the body.
    """
    return await _send(session, "GET", spec, path, None, timeout_seconds, environment)


async def post(
    session: aiohttp.ClientSession, spec: ServerSpec, path: str, body: bytes, *, timeout_seconds: float, environment: Mapping[str, str] = os.environ
) -> Reply:
    """POST this JSON, as `get` asks."""
    return await _send(session, "POST", spec, path, body, timeout_seconds, environment)


async def _send(
    session: aiohttp.ClientSession, method: str, spec: ServerSpec, path: str, body: bytes | None, timeout_seconds: float, environment: Mapping[str, str]
) -> Reply:
    started = asyncio.get_running_loop().time()
    try:
        sent = headers(spec, environment)
        if body is not None:
            sent.append(("Content-Type", "application/json"))
        url = URL(parse(spec.url).url + path, encoded=True)
        async with (
            asyncio.timeout(timeout_seconds),
            session.request(method, url, headers=sent, data=body, allow_redirects=False, ssl=spec.verify_tls) as response,
        ):
            answered = await _body(response)
            if answered is None:
                return Failure("too_large", f"the answer is larger than {MAX_BODY_BYTES >> 20} MiB")
            found: dict[str, str] = {}
            for name, value in response.headers.items():
                found.setdefault(name.lower(), value)
            return Answer(response.status, found, answered, asyncio.get_running_loop().time() - started)
    except ConfigError as error:
        return Failure("config", str(error))
    except TimeoutError:
        return Failure("timeout", f"no answer within {timeout_seconds:g} s")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return _failure(error)


async def _body(response: aiohttp.ClientResponse) -> bytes | None:
    """The whole body; None if it is too large."""
    parts, size = [], 0
    while part := await response.content.read(1 << 16):
        size += len(part)
        if size > MAX_BODY_BYTES:
            return None
        parts.append(part)
    return b"".join(parts)


def _failure(error: Exception) -> Failure:
    """In our own words: texts of exceptions may quote what was sent or received."""
    match error:
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError() | ssl.SSLError():
            return Failure("connect", "no TLS connection: the certificate is not valid for this host, or TLS is not spoken there")
        case aiohttp.ClientConnectorDNSError():
            return Failure("connect", "the host name does not resolve")
        case aiohttp.ClientConnectorError(os_error=ConnectionRefusedError()):
            return Failure("connect", "connection refused")
        case aiohttp.ClientConnectorError() | aiohttp.InvalidURL():
            return Failure("connect", "the host cannot be reached")
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientPayloadError() | OSError():
            return Failure("broken", "the connection broke before the answer was whole")
        case aiohttp.ClientError():
            return Failure("broken", "the answer is not valid HTTP")
        case _:
            return Failure("config", "the configured headers cannot be sent")
