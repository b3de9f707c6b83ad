"""The stream of events that an open page follows."""

import asyncio
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from orchestrator.admin.errors import AdminError, invalid
from orchestrator.admin.hub import MAX_LISTENERS, TOPICS, Hub, Listener
from orchestrator.asgi import Receive, Scope, Send

PATH = "/api/events"
DEFAULT_TOPICS = ("metrics", "servers", "activity")
HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
RETRY = b"retry: 2000\n\n"


class EventOperations:
    """Handler of `/api/events`."""

    def __init__(self, hub: Hub, admits: Callable[[Scope], bool]) -> None:
        """admits: may who sent this request still use the admin API? A session can end while its stream is open."""
        self._hub = hub
        self._admits = admits

    async def stream(self, request: Request) -> Response:
        topics = _topics(request.query_params.get("topics", ""))
        if request.method == "HEAD":
            return Response(headers=HEADERS)
        if self._hub.closed:
            raise AdminError(503, "shutting_down", "the orchestrator is shutting down", headers={"Retry-After": "5"})
        if len(self._hub.listeners) >= MAX_LISTENERS:
            raise AdminError(503, "too_many_streams", f"{MAX_LISTENERS} event streams are open already", headers={"Retry-After": "5"})
        last_id = request.headers.get("last-event-id") or request.query_params.get("lastEventId", "")
        return EventStream(self._hub, self._hub.join(topics, last_id), self._admits)


class EventStream(Response):
    """Sends what the hub has for one listener until the client leaves, its session ends or the hub closes."""

    def __init__(self, hub: Hub, listener: Listener, admits: Callable[[Scope], bool]) -> None:
        super().__init__(headers=HEADERS)
        del self.headers["content-length"]
        self._hub = hub
        self._listener = listener
        self._admits = admits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        watching = asyncio.create_task(self._end_when_gone(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": RETRY, "more_body": True})
            # One at a time: a client that does not read holds up its own queue, and only a little in the buffer of its connection.
            while (frame := await self._listener.next()) is not None and self._admits(scope):
                await send({"type": "http.response.body", "body": frame, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            watching.cancel()
            self._hub.leave(self._listener)

    async def _end_when_gone(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._hub.leave(self._listener)


def _topics(text: str) -> tuple[str, ...]:
    """Raises AdminError 400 that names a topic that there is not."""
    asked = tuple(topic for topic in text.split(",") if topic) or DEFAULT_TOPICS
    for topic in asked:
        if topic not in TOPICS:
            raise invalid("topics", f"there is no topic {topic[:64]!r}, only {', '.join(TOPICS)}")
    return asked
