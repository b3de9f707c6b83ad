"""What an answer says about who failed: pure, from what a relay holds."""

from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from orchestrator.fleet.outcome import Outcome
from orchestrator.gateway.relay import Relay
from orchestrator.protocol.events import Event
from orchestrator.protocol.http import Headers, header, retry_after_seconds


class Judgement(Struct, frozen=True):
    """reason: for logs and breakers, quotes nothing of the server. text: what makes two failures the same one (see Attempts).

    final: if a second server says the same, a third would too (not so where servers are merely busy or in between others).
    """

    outcome: Outcome
    reason: str = ""
    retry_after_seconds: float | None = None
    text: bytes = b""
    final: bool = False


class _WithError(Struct):
    error: object = None


_decoder = msgspec.json.Decoder(_WithError)
COMMITTING = (Event.USEFUL, Event.FINISH, Event.DONE)
OK = Judgement(Outcome.OK)


def judge(relay: Relay) -> Judgement:
    """The outcome of an attempt as far as it is known when its relay is ready."""
    failure, status = relay.failure, relay.status
    if relay.first in COMMITTING:  # the first useful event is the commit point, whatever the same read brought after it
        return OK
    if failure is not None:
        return Judgement(Outcome.TIMEOUT if failure.kind == "timeout" else Outcome.SERVER_ERROR, failure.reason)
    if 200 <= status < 300:
        if relay.first is Event.ERROR:
            return Judgement(Outcome.SERVER_ERROR, "error event at the start of the stream", text=relay.first_payload, final=True)
        if relay.framing or not relay.complete:
            return OK
        return _whole(relay.held_body, relay.style, header(relay.headers, b"content-encoding"))
    return _refused(status, relay.headers, relay.held_body)


def _whole(body: bytes, style: str, encoding: bytes | None) -> Judgement:
    """Some servers say 200 and then what went wrong, and some proxies put a page of theirs in the place of an answer.

    A body that came compressed although we asked for it plain is not looked into.
    """
    if encoding not in (None, b"identity"):
        return OK
    if style != "opaque" and body[:1] not in (b"{", b"[") and body.lstrip()[:1] not in (b"{", b"["):
        return Judgement(Outcome.SERVER_ERROR, "HTTP 200 without JSON", text=body[:1000])
    if body.find(b'"error"', 0, 4096) >= 0:
        try:
            if _decoder.decode(body).error:
                return Judgement(Outcome.SERVER_ERROR, "HTTP 200 with an error", text=body, final=True)
        except (msgspec.DecodeError, UnicodeDecodeError):
            pass
    return OK


def _refused(status: int, headers: Headers, body: bytes) -> Judgement:
    reason = f"HTTP {status}"
    if status in (401, 403):
        return Judgement(Outcome.AUTH, f"the server refused our credentials ({reason})")
    wait = retry_after_seconds(headers, datetime.now(UTC))
    if status == 429 or (status == 503 and wait is not None):
        return Judgement(Outcome.RATE_LIMITED, reason, wait, b"%d %b" % (status, body))
    if status in (404, 405) or (status == 400 and b'"model_not_found"' in body[:2000]):
        return Judgement(Outcome.MODEL_MISSING, f"the server lacks the model or the path ({reason})")
    if 400 <= status < 500 or status == 501:
        return Judgement(Outcome.CLIENT_ERROR, reason)
    return Judgement(Outcome.SERVER_ERROR, reason, text=b"%d %b" % (status, body), final=status == 500)
