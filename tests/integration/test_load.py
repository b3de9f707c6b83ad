"""A thousand streams at a time, and a server that dies in the middle of them."""

import asyncio
import resource

import pytest

from tests.fakes.scripted import ScriptedServer
from tests.integration.dialects import BOTH, payload
from tests.integration.orchestrated import Orchestrated

STREAMS = 1000
TOKENS = [f"{number} " for number in range(20)]
DESCRIPTORS = 3 * STREAMS + 500
"""Client, upstream and server ends of every stream are in this process."""


@pytest.fixture
def many_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2 * DESCRIPTORS:
        pytest.skip("too few descriptors are allowed here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2 * DESCRIPTORS), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def read(orchestrated, dialect, begun):
    """One stream to its end; begun is called after its first record."""
    async with await orchestrated.send(dialect.ask()) as client:
        answer = await client.head()
        await client.piece(answer)
        begun()
        return await client.rest(answer)


@pytest.mark.parametrize("dialect", BOTH, ids=lambda dialect: dialect.name)
async def test_every_stream_ends_whole_or_with_an_error_record_when_a_server_is_killed(tmp_path, prepared, many_descriptors, dialect):
    go, waiting = asyncio.Event(), [STREAMS]
    all_begun = asyncio.Event()

    def begun():
        waiting[0] -= 1
        if not waiting[0]:
            all_begun.set()

    begin, first_end = dialect.begin(TOKENS), dialect.opening + 1
    script = [*begin[:first_end], go, *begin[first_end:], *dialect.end()]
    whole = payload([*begin, *dialect.end()])
    async with ScriptedServer() as a, ScriptedServer() as b, Orchestrated(tmp_path, prepared) as orchestrated:
        for name, server in (("a", a), ("b", b)):
            server.on(dialect.path, script)
            await orchestrated.register(name, server.url)
        reading = [asyncio.create_task(read(orchestrated, dialect, begun)) for _ in range(STREAMS)]
        async with asyncio.timeout(60):
            await all_begun.wait()
        fleet = orchestrated.plane.fleet.servers
        assert [fleet[name].in_flight for name in "ab"] == [STREAMS // 2] * 2
        await a.down()
        go.set()
        answers = await asyncio.gather(*reading)
        complete = [answer for answer in answers if dialect.is_ended(answer.body)]
        broken = [answer for answer in answers if not dialect.is_ended(answer.body)]
        assert (len(complete), len(broken)) == (STREAMS // 2, STREAMS // 2)
        assert {answer.ended for answer in answers} == {"whole"}
        assert {(answer.header("x-orchestrator-server"), answer.header("x-orchestrator-attempts")) for answer in complete} == {("b", "1")}
        assert {answer.body for answer in complete} == {whole}
        assert {dialect.said(answer.body) for answer in broken} == {TOKENS[0]}
        assert all(dialect.stream_error(answer.body) for answer in broken)
        await orchestrated.quiet()
        assert await orchestrated.outcomes("a") == {"truncated": STREAMS // 2}
        assert await orchestrated.outcomes("b") == {"ok": STREAMS // 2}
        assert (await orchestrated.breaker("a", "m:latest"))["state"] == "open"
        answer = await orchestrated.answer(dialect.ask())
        assert (answer.header("x-orchestrator-server"), dialect.is_ended(answer.body)) == ("b", True)


async def test_what_was_not_answered_yet_goes_to_the_other_server_when_one_is_killed(tmp_path, prepared, many_descriptors):
    """All at once are more than the retry budget allows: every client gets a whole answer or an error, and nothing is counted twice."""
    go = asyncio.Event()
    async with ScriptedServer() as a, ScriptedServer() as b, Orchestrated(tmp_path, prepared, retry_budget=1.0) as orchestrated:
        for name, server in (("a", a), ("b", b)):
            for dialect in BOTH:
                server.on(dialect.path, [go, *dialect.plain("Hi")])
            await orchestrated.register(name, server.url)
        asking = [asyncio.create_task(orchestrated.answer(BOTH[number % 2].ask(stream=False))) for number in range(400)]
        await orchestrated.until(lambda: len(a.requests()) + len(b.requests()) == 400)
        await a.down()
        go.set()
        answers = await asyncio.gather(*asking)
        assert [answer.status for answer in answers] == [200] * 400
        assert {answer.header("x-orchestrator-server") for answer in answers} == {"b"}
        await orchestrated.quiet()
        assert (await orchestrated.outcomes("b")) == {"ok": 400}
