"""The stream of events over real sockets."""

import asyncio

import pytest

from orchestrator.admin.hub import QUEUE_BYTES
from orchestrator.admin.shapes import ServerRemoved
from tests.fakes.scripted import ScriptedServer
from tests.integration.dialects import BOTH, OLLAMA
from tests.integration.orchestrated import Orchestrated
from tests.integration.page import Page

both = pytest.mark.parametrize("dialect", BOTH, ids=lambda dialect: dialect.name)
NOWHERE = {"url": "http://127.0.0.1:9"}


@pytest.fixture
async def running(tmp_path, prepared):
    async with Orchestrated(tmp_path, prepared, shutdown_grace_seconds=60.0) as orchestrated:
        yield orchestrated


async def listeners_gone(orchestrated):
    await orchestrated.until(lambda: not orchestrated.plane.live.hub.listeners)


async def stuffed(orchestrated):
    """Publishes until a client that does not read has missed something."""
    hub = orchestrated.plane.live.hub
    [listener] = hub.listeners
    most = 0
    while b"event: resync" not in b"".join(list(listener._frames)[:1]):
        hub.publish("server_removed", lambda: ServerRemoved("x" * 60_000))
        most = max(most, listener._bytes)
        await asyncio.sleep(0)
    return most


async def test_seven_tabs_see_the_same_as_it_happens(running):
    pages = [await Page.of(running.port) for _ in range(7)]
    assert {page.answer.status for page in pages} == {200}
    assert pages[0].answer.header("cache-control") == "no-store"
    await running.register("a", NOWHERE["url"])
    for page in pages:
        await page.until("server", lambda data: data["id"] == "a" and data["status"] == "down")
        assert [data["kind"] for data in page.of_name("event")] == ["serverAdded", "serverStatus"]
        assert page.of_name("changed") == [{"what": "servers"}]
    await running.admin("DELETE", "/api/servers/a", expected=204)
    for page in pages:
        assert await page.until("server_removed") == {"id": "a"}
        await page.until("metrics", lambda data: data["servers"] == 0)
        numbers = [event.number for event in page.events]
        assert numbers == sorted(set(numbers))
        page.close()
    await listeners_gone(running)


@both
async def test_a_request_is_seen_in_flight_then_among_those_that_ended(running, dialect):
    go = asyncio.Event()
    async with ScriptedServer() as server, await Page.of(running.port, "?topics=requests,inflight,metrics") as page:
        server.on(dialect.path, [*dialect.begin(["Hel"]), go, *dialect.end()])
        await running.register("a", server.url)
        client = await running.send(dialect.ask(True))
        rows = (await page.until("inflight", lambda data: data["total"] == 1 and data["inFlight"][0]["phase"] == "answering"))["inFlight"]
        assert (rows[0]["server"], rows[0]["dialect"], rows[0]["model"]) == ("a", dialect.name, "m")
        go.set()
        answer = await client.answer()
        told = await page.until("requests")
        assert [(row["id"], row["outcome"], row["server"], row["failure"]) for row in told["requests"]] == [(answer.header("x-request-id"), "ok", "a", None)]
        assert await page.until("inflight", lambda data: data["total"] == 0) == {"inFlight": [], "total": 0}
        await page.until("metrics", lambda data: data["inFlight"] == 0)
        assert sum(data["requests"] for data in page.of_name("metrics")) == 1
        assert sum(data["firstTokenP50Seconds"] is not None for data in page.of_name("metrics")) == 1


async def test_a_breaker_is_seen_to_turn(running):
    async with ScriptedServer() as server, await Page.of(running.port, "?topics=servers,activity") as page:
        await running.register("a", server.url)
        await running.turn("a", "open", "m")
        assert (await page.until("breaker"))["state"] == "open"
        assert "opened by an operator" in (await page.until("event", lambda data: data["kind"] == "breaker"))["message"]
        await running.turn("a", "close", "m")
        assert (await page.until("breaker"))["state"] == "closed"


async def test_what_an_operator_does_is_told_however_fast_it_is_undone(running):
    await running.register("a", NOWHERE["url"], probe=False)
    await running.admin("DELETE", "/api/servers/a", expected=204)
    told = (await running.admin("GET", "/api/activity"))["events"]
    assert [event["kind"] for event in told if event["server"] == "a" and event["kind"] != "serverStatus"] == ["serverRemoved", "serverAdded"]


@pytest.mark.parametrize("by_header", [True, False], ids=["header", "parameter"])
async def test_a_page_that_lost_its_connection_gets_what_it_missed(running, by_header):
    page = await Page.of(running.port)
    await running.register("a", NOWHERE["url"], probe=False)
    await page.until("server")
    page.client.reset()
    await listeners_gone(running)
    await running.register("b", NOWHERE["url"] + "1", probe=False)
    await running.until(lambda: "b" in running.plane.live._watch._seen)
    query, headers = ("", {"Last-Event-ID": page.last_id}) if by_header else (f"?lastEventId={page.last_id}", None)
    async with await Page.of(running.port, query, headers) as again:
        assert (await again.until("hello"))["resumed"] is True
        assert (await again.until("event"))["message"] == "b was added: http://127.0.0.1:91"
        assert (await again.until("server"))["id"] == "b"
        assert not [data for data in again.of_name("event") if data["kind"] == "serverAdded" and data["server"] == "a"]


async def test_after_a_restart_a_page_is_told_to_fetch_anew(tmp_path, prepared):
    async with Orchestrated(tmp_path, prepared) as before, await Page.of(before.port) as page:
        await page.until("metrics")
        last = page.last_id
    async with Orchestrated(tmp_path, prepared) as after, await Page.of(after.port, f"?lastEventId={last}") as page:
        assert (await page.until("hello"))["resumed"] is False


async def test_a_page_that_does_not_read_grows_nothing_and_is_told_when_it_does(running):
    async with await Page.of(running.port, "?topics=servers", receive_bytes=4096) as page:
        assert await stuffed(running) <= QUEUE_BYTES
        await page.until("resync")
        await running.register("a", NOWHERE["url"], probe=False)
        assert (await page.until("server", lambda data: data["id"] == "a"))["id"] == "a"


async def test_a_page_that_does_not_read_holds_up_no_other(running):
    async with await Page.of(running.port, "?topics=servers", receive_bytes=4096) as slow:
        await stuffed(running)
        async with await Page.of(running.port) as page, ScriptedServer() as server:
            server.on("/api/chat", [*OLLAMA.begin(["x"]), *OLLAMA.end()])
            await running.register("a", server.url)
            assert (await running.answer(OLLAMA.ask(True))).status == 200
            await page.until("metrics", lambda data: data["requests"] == 1)
        slow.client.reset()
    await listeners_gone(running)


@pytest.mark.parametrize("leave", ["close", "reset", "finish"])
async def test_a_page_that_leaves_frees_its_queue(running, leave):
    page = await Page.of(running.port)
    await page.until("hello")
    getattr(page.client, leave)()
    await listeners_gone(running)
    page.close()


async def test_streams_end_at_once_when_the_process_stops_though_requests_go_on(running):
    go = asyncio.Event()
    async with ScriptedServer() as server:
        server.on("/api/chat", [*OLLAMA.begin(["x"]), go, *OLLAMA.end()])
        await running.register("a", server.url)
        client = await running.send(OLLAMA.ask(True))
        await client.until(b"x")
        pages = [await Page.of(running.port) for _ in range(7)]
        running.begin_to_stop()
        assert [await page.end() for page in pages] == ["whole"] * 7
        for page in pages:
            page.close()
        assert running.gateway.calls, "the request had to wait for nobody"
        go.set()
        await client.closed()
        await running.stop()


async def test_a_page_that_does_not_read_does_not_hold_up_the_end(running, caplog):
    async with await Page.of(running.port, "?topics=servers", receive_bytes=4096) as stuck:
        await stuffed(running)
        running.begin_to_stop()
        await listeners_gone(running)
        await running.stop()
        assert await stuck.end() in ("reset", "cut")
    assert not [record.message for record in caplog.records if "exceeded" in record.message], "it was waited for as long as anything is"


async def test_a_cancelled_request_is_told_of(running):
    async with ScriptedServer() as server, await Page.of(running.port, "?topics=activity") as page:
        server.on("/api/chat", [*OLLAMA.begin(["x"]), asyncio.Event()])
        await running.register("a", server.url)
        client = await running.send(OLLAMA.ask(True))
        await client.until(b"x")
        [call] = running.gateway.calls
        await running.admin("POST", f"/api/requests/{call.request_id}/cancel", {})
        told = await page.until("event", lambda data: data["kind"] == "requestCancelled")
        assert call.request_id in told["message"]
        await running.quiet()
