"""`GET /api/events` as ASGI sees it."""

import asyncio

import pytest

from orchestrator.admin.hub import MAX_LISTENERS, TOPICS
from tests.unit.admin.conftest import LOCAL

SOON_SECONDS = 10


class Stream:
    """One request of a client that is there until it leaves. It reads at once unless it is stuck."""

    def __init__(self, app, query="", headers=(), method="GET"):
        self.scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": "/api/events",
            "raw_path": b"/api/events",
            "query_string": query.encode(),
            "headers": [(b"host", b"localhost"), *headers],
            "client": LOCAL,
            "server": ("127.0.0.1", 5100),
        }
        self.app = app
        self.status = None
        self.headers = {}
        self.body = b""
        self.ended = False
        self.left = asyncio.Event()
        self.reads = asyncio.Event()
        self.reads.set()
        self.task = None
        self._asked = False

    async def __aenter__(self):
        self.task = asyncio.create_task(self.app(self.scope, self._receive, self._send))
        await self.until(lambda: self.status is not None)
        return self

    async def __aexit__(self, *_):
        self.left.set()
        self.reads.set()
        await self.end()

    async def end(self):
        async with asyncio.timeout(SOON_SECONDS):
            await self.task

    async def until(self, condition):
        async with asyncio.timeout(SOON_SECONDS):
            while not condition():
                await asyncio.sleep(0)

    async def _receive(self):
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message):
        await self.reads.wait()
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.body += message["body"]
            self.ended = not message.get("more_body", False)


async def test_the_stream_begins_with_how_to_come_back_and_hello(admin):
    async with Stream(admin.app) as stream:
        await stream.until(lambda: b"event: hello" in stream.body)
        assert stream.status == 200
        assert stream.body.startswith(b"retry: 2000\n\nid: ")
        assert stream.headers == {"content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no"}


async def test_events_are_sent_as_they_come(admin):
    async with Stream(admin.app) as stream:
        admin.live.activity.note("started", "info", None, None, "one\r\ntwo\u2028three")
        await stream.until(lambda: b"event: event" in stream.body)
        assert b'"message":"one\\r\\ntwo' in stream.body
        assert not stream.ended


async def test_without_topics_all_are_sent_but_requests_and_what_is_in_flight(admin):
    async with Stream(admin.app):
        assert {topic for topic in TOPICS if admin.live.hub.wants(topic)} == {"metrics", "servers", "activity"}


@pytest.mark.parametrize("query", ["topics=requests,inflight", "topics=requests%2Cinflight", "topics=,requests,,inflight,"])
async def test_the_topics_asked_for_are_sent(admin, query):
    async with Stream(admin.app, query):
        assert {topic for topic in TOPICS if admin.live.hub.wants(topic)} == {"requests", "inflight"}


@pytest.mark.parametrize("topic", ["server", "Metrics", "x" * 500, "<b>"])
async def test_an_unknown_topic_is_refused_by_its_name(admin, topic):
    answer = await admin.ask("GET", f"/api/events?topics=metrics,{topic}")
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "topics")
    assert topic[:64] in answer.json()["error"]["message"]
    assert not admin.live.hub.listeners


@pytest.mark.parametrize("by_header", [True, False])
async def test_a_client_comes_back_with_the_last_id_it_got(admin, by_header):
    async with Stream(admin.app):
        last = f"{admin.live.hub.boot}-{admin.live.hub._number}"
    admin.live.activity.note("started", "info", None, None, "meanwhile")
    query, headers = ("", [(b"last-event-id", last.encode())]) if by_header else (f"lastEventId={last}", [])
    async with Stream(admin.app, query, headers) as stream:
        await stream.until(lambda: b"meanwhile" in stream.body)
        assert b'"resumed":true' in stream.body


async def test_a_client_that_leaves_frees_its_queue(admin):
    async with Stream(admin.app) as stream:
        assert len(admin.live.hub.listeners) == 1
        stream.left.set()
        await stream.end()
        assert not admin.live.hub.listeners


async def test_a_client_that_leaves_while_it_is_stuck_frees_its_queue(admin):
    async with Stream(admin.app) as stream:
        stream.reads.clear()
        admin.live.activity.note("started", "info", None, None, "x")
        await asyncio.sleep(0)
        stream.left.set()
        await stream.until(lambda: not admin.live.hub.listeners)


async def test_streams_end_properly_when_the_orchestrator_stops(admin):
    async with Stream(admin.app) as stream, Stream(admin.app) as other:
        admin.live.close()
        await stream.end()
        await other.end()
        assert stream.ended
        assert other.ended
    answer = await admin.ask("GET", "/api/events")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "shutting_down")


async def test_streams_are_limited(admin):
    listeners = [admin.live.hub.join(["metrics"], "") for _ in range(MAX_LISTENERS)]
    answer = await admin.ask("GET", "/api/events")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "too_many_streams")
    assert "retry-after" in answer.headers
    admin.live.hub.leave(listeners[0])
    async with Stream(admin.app) as stream:
        assert stream.status == 200


async def test_a_head_request_opens_no_stream(admin):
    async with Stream(admin.app, method="HEAD") as stream:
        await stream.end()
        assert (stream.status, stream.body, stream.headers["content-type"]) == (200, b"", "text/event-stream")
        assert not admin.live.hub.listeners


async def test_strangers_get_no_stream(make):
    admin = await make(token="right")
    async with Stream(admin.app) as stream:
        assert stream.status == 401
    async with Stream(admin.app, headers=[(b"authorization", b"Bearer right")]) as stream:
        assert stream.status == 200
