"""The operations on requests: those that ended lately, those in flight, and ending one."""

import heapq
import logging
from collections.abc import Callable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Raw, Struct
from starlette.requests import Request
from starlette.responses import Response

from orchestrator.admin.answers import camel
from orchestrator.admin.errors import AdminError, invalid, json
from orchestrator.admin.shapes import AttemptAnswer, CancelAnswer, Failure, Header, InFlightAnswer, RequestAnswer, RequestDetail
from orchestrator.admin.slices import Slices
from orchestrator.clock import Clock
from orchestrator.fleet.names import fold
from orchestrator.fleet.outcome import Outcome
from orchestrator.gateway.call import Call
from orchestrator.gateway.gateway import Gateway
from orchestrator.protocol.errors import Dialect
from orchestrator.telemetry.headers import shown
from orchestrator.telemetry.recent import MAX_KEPT, Recent
from orchestrator.telemetry.record import RequestRecord
from orchestrator.telemetry.recorder import Kept, Recorder

log = logging.getLogger(__name__)
PATH = "/api/requests/"
MAX_IN_FLIGHT = 1000
BY_OPERATOR = "cancelled by an operator"
OUTCOMES = {outcome.label: camel(outcome.label) for outcome in Outcome}
# By the outcome alone; all others by the status.
FAILURES: dict[str, Failure | None] = {
    "ok": None,
    "cancelled": "cancelled",
    "client_gone": "clientGone",
    "truncated": "truncated",
    "timeout": "timeout",
    "queue_timeout": "timeout",
    "rate_limited": "rateLimited",
    "client_error": "clientError",
}


class Filter(Struct, rename="camel", kw_only=True):
    """Query of the list; what is not given lets everything through. q: part of the id, model, server, path, client or reason, in any case."""

    server: str = ""
    model: str = ""
    dialect: Dialect | None = None
    failure: Failure | Literal["any", "none"] | None = None
    q: str = ""
    min_seconds: Annotated[float, Meta(ge=0)] = 0.0
    limit: Annotated[int, Meta(ge=1, le=MAX_KEPT)] = MAX_KEPT


class RequestOperations:
    """Handlers of `/api/requests`. on_cancel: told the id of what was cancelled."""

    def __init__(self, gateway: Gateway, recorder: Recorder, recent: Recent, clock: Clock, on_cancel: Callable[[str], None] = lambda _request_id: None) -> None:
        self._gateway = gateway
        self._recorder = recorder
        self._recent = recent
        self._clock = clock
        self._on_cancel = on_cancel

    async def list(self, request: Request) -> Response:
        wanted = _filter(request)
        self._recorder.flush()  # what has just ended is there too
        in_flight = in_flight_answers(self._gateway, self._clock.now())
        total, ended = self._recent.total, self._recent.newest_first()
        rows: list[Raw] = []
        slices = Slices()
        for kept in ended:
            if len(rows) == wanted.limit:
                break
            if _matches(wanted, kept.record):
                rows.append(Raw(msgspec.json.encode(request_answer(kept))))
            await slices.pause()
        return json({"requests": rows, "inFlight": in_flight, "total": total})

    async def get(self, request: Request) -> Response:
        request_id = str(request.scope["path"]).removeprefix(PATH)  # as a whole: an id may end as the path of an operation does
        self._recorder.flush()
        kept = self._recent.find(request_id)
        if kept is None:
            raise _unknown(request_id)
        headers = None if kept.headers is None else [Header(name, value) for name, value in shown(kept.headers)]
        return json(RequestDetail(**msgspec.structs.asdict(request_answer(kept)), headers=headers))

    async def cancel(self, request: Request) -> Response:
        request_id = str(request.path_params["request_id"])
        count = self._gateway.cancel(request_id, BY_OPERATOR)
        if not count:
            self._recorder.flush()
            if self._recent.find(request_id) is None:
                raise _unknown(request_id)
            raise AdminError(409, "ended", "the request has already ended")
        log.info("request %s %s", request_id, BY_OPERATOR)
        self._on_cancel(request_id)
        return json(CancelAnswer(count))


def failure_of(record: RequestRecord) -> Failure | None:
    """Why the request counts as failed, None for a success."""
    if record.outcome in FAILURES:
        return FAILURES[record.outcome]
    if record.status == 504:
        return "timeout"
    if record.status == 429:
        return "rateLimited"
    return "clientError" if 400 <= record.status < 500 else "serverError"


def request_answer(kept: Kept) -> RequestAnswer:
    record = kept.record
    return RequestAnswer(
        id=record.request_id,
        time=record.time,
        client=record.client,
        dialect=record.dialect,
        operation=record.operation,
        path=record.path,
        model=record.model,
        stream=record.stream,
        server=record.server,
        outcome=OUTCOMES.get(record.outcome, record.outcome),
        failure=failure_of(record),
        status=record.status,
        reason=record.reason,
        attempts=_attempts(record),
        queued_seconds=record.queued_seconds,
        connected_seconds=record.connected_seconds,
        first_event_seconds=record.first_event_seconds,
        duration_seconds=record.duration_seconds,
        prompt_tokens=record.prompt_tokens,
        completion_tokens=record.completion_tokens,
    )


def in_flight_answers(gateway: Gateway, now: float, most: int = MAX_IN_FLIGHT) -> list[InFlightAnswer]:
    """The oldest, first."""
    return [_in_flight(call, now) for call in heapq.nsmallest(most, gateway.calls, key=lambda call: call.started_at)]


def _in_flight(call: Call, now: float) -> InFlightAnswer:
    record, flight = call.record, call.flight
    return InFlightAnswer(
        id=call.request_id,
        time=record.time,
        client=record.client,
        dialect=record.dialect,
        operation=record.operation,
        path=record.path,
        model=record.model,
        stream=record.stream,
        server=flight.server.id if flight is not None else "",
        phase="queued" if flight is None else "answering" if call.committed else "waiting",
        attempts=call.attempts,
        age_seconds=round(now - call.started_at, 3),
        idle_seconds=round(call.relay.idle(now), 3) if call.relay is not None else None,
    )


def _attempts(record: RequestRecord) -> list[AttemptAnswer]:
    """Those that failed, and the one with which the request ended."""
    found = [AttemptAnswer(one.server, OUTCOMES[one.outcome], one.reason, one.started_seconds, one.seconds) for one in record.attempts]
    if record.queued_seconds is not None:
        outcome = OUTCOMES.get(record.outcome, OUTCOMES["cancelled"])  # as the server's own outcomes count what we ended
        found.append(AttemptAnswer(record.server, outcome, record.reason, record.queued_seconds, record.duration_seconds))
    return found


def _filter(request: Request) -> Filter:
    given = {name: value for name, value in request.query_params.items() if value}
    try:
        return msgspec.convert(given, Filter, strict=False)
    except msgspec.ValidationError as error:
        words, _, field = str(error).replace("`", "").partition(" - at $.")
        raise invalid(field or None, words) from None


def _matches(wanted: Filter, record: RequestRecord) -> bool:
    if record.duration_seconds < wanted.min_seconds or (wanted.dialect is not None and record.dialect != wanted.dialect):
        return False
    if wanted.model and fold(record.model) != fold(wanted.model):
        return False
    if wanted.server and wanted.server not in (record.server, *(attempt.server for attempt in record.attempts)):
        return False
    if wanted.failure is not None:
        failure = failure_of(record)
        if wanted.failure != failure and wanted.failure != ("none" if failure is None else "any"):
            return False
    sought = wanted.q.lower()
    return not sought or any(sought in text.lower() for text in (record.request_id, record.model, record.server, record.path, record.client, record.reason))


def _unknown(request_id: str) -> AdminError:
    return AdminError(404, "unknown_request", f"none of the last {MAX_KEPT} requests has the id {request_id[:128]!r}")
