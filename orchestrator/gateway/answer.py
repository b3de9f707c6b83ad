"""Heads of answers to clients, and errors of ours."""

from orchestrator.errors import Refusal
from orchestrator.fleet.outcome import Outcome
from orchestrator.gateway.attempts import Attempt
from orchestrator.gateway.call import CANCELLED, Call
from orchestrator.gateway.relay import Relay
from orchestrator.protocol import errors
from orchestrator.protocol.envelope import Envelope
from orchestrator.protocol.http import CHUNKED, NO_BODY, NOT_RETURNED, header, lines, status_line, whole


def success_head(call: Call, relay: Relay, server: str) -> tuple[bytes, bool]:
    """(head, framed): the server's own head, framed for this client. framed: the body goes out in chunks."""
    head = b"%b%b%bx-orchestrator-server: %b\r\nx-orchestrator-attempts: %d\r\n" % (
        status_line(relay.status), lines(relay.headers, NOT_RETURNED), call.extra, server.encode(), call.attempts,
    )  # fmt: skip
    if not call.keep_alive:
        head += b"connection: close\r\n"
    if relay.status in NO_BODY:
        return head + b"\r\n", False
    if not relay.framing:
        length = b"%d" % relay.held_bytes if relay.complete else header(relay.headers, b"content-length")
        if length is not None:
            return b"%bcontent-length: %b\r\n\r\n" % (head, length), False
    if call.client.chunks:
        return head + CHUNKED, True
    return head + b"\r\n", False


def refusal_bytes(call: Call, refusal: Refusal) -> bytes:
    """A whole error answer in the client's dialect."""
    head = b"content-type: application/json; charset=utf-8\r\n%bx-orchestrator-attempts: %d\r\n" % (call.extra, call.attempts)
    if call.server:
        head += b"x-orchestrator-server: %b\r\n" % call.server.encode()
    if refusal.code == CANCELLED:  # SDKs repeat any other 503 by themselves
        head += b"x-should-retry: false\r\n"
    if refusal.retry_after_seconds is not None:
        head += b"retry-after: %d\r\n" % max(1, round(refusal.retry_after_seconds))
    body = errors.body(call.route.dialect, refusal.status, refusal.code, refusal.message, call.request_id)
    return whole(refusal.status, head, body, keep_alive=call.keep_alive)


def failure_of(attempt: Attempt, envelope: Envelope) -> Refusal:
    """What to say when the last attempt left no answer to pass on. Quotes nothing of the server."""
    server, model = attempt.flight.server.id, envelope.model
    if attempt.outcome is Outcome.AUTH:
        return Refusal(502, "server_misconfigured", f"server '{server}' refused the orchestrator's own credentials or has none")
    if attempt.outcome is Outcome.TIMEOUT:
        return Refusal(504, "upstream_timeout", f"server '{server}' gave no answer for model '{model}' in time")
    if attempt.outcome is Outcome.CONNECT_ERROR:
        return Refusal(502, "upstream_unreachable", f"server '{server}' could not be reached: {attempt.judgement.reason}")
    return Refusal(502, "upstream_closed", f"server '{server}' failed before it answered: {attempt.judgement.reason}")
