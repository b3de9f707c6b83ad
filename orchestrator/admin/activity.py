"""What happened lately, in sentences: the recent events of the admin UI."""

from collections import deque

from starlette.requests import Request
from starlette.responses import Response

from orchestrator.admin.errors import invalid, json
from orchestrator.admin.hub import Hub
from orchestrator.admin.shapes import ActivityAnswer, EventAnswer, EventKind, Level
from orchestrator.clock import Clock

MAX_EVENTS = 500
MAX_MESSAGE = 300


class Activity:
    """The last events, in memory."""

    def __init__(self, clock: Clock, hub: Hub) -> None:
        self._clock = clock
        self._hub = hub
        self._number = 0
        self._events: deque[EventAnswer] = deque(maxlen=MAX_EVENTS)

    def note(self, kind: EventKind, level: Level, server: str | None, model: str | None, message: str) -> None:
        """Something happened. server, model: what it is about, None if it is about none. message: for a person, without secrets."""
        self._number += 1
        event = EventAnswer(
            number=self._number,
            time=round(self._clock.unix(), 3),
            kind=kind,
            level=level,
            server=server,
            model=model,
            message=message if len(message) <= MAX_MESSAGE else message[: MAX_MESSAGE - 1] + "…",
        )
        self._events.append(event)
        self._hub.publish("event", lambda: event)

    def cancelled(self, request_id: str) -> None:
        """An operator ended a request."""
        self.note("requestCancelled", "info", None, None, f"request {request_id} was cancelled by an operator")

    def newest_first(self, limit: int = MAX_EVENTS) -> list[EventAnswer]:
        return list(reversed(self._events))[:limit]


class ActivityOperations:
    """Handler of `/api/activity`."""

    def __init__(self, activity: Activity) -> None:
        self._activity = activity

    async def list(self, request: Request) -> Response:
        return json(ActivityAnswer(self._activity.newest_first(whole_number(request, "limit", MAX_EVENTS, MAX_EVENTS))))


def whole_number(request: Request, name: str, default: int, most: int) -> int:
    """A query parameter from 1 to `most`. Raises AdminError 400."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) <= 9 and 1 <= int(text) <= most):
        raise invalid(name, f"must be a whole number from 1 to {most}")
    return int(text)
