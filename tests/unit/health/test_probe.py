"""One probe over real sockets; what its answers mean is told in test_discovery, what becomes of it in test_prober."""

import pytest

from orchestrator.fleet.specs import Learned, Secret, ServerSpec
from orchestrator.health.probe import PS, TAGS, V1_MODELS, VERSION, ask
from orchestrator.upstream.control import Answer, Failure, open_session
from tests.fakes import wire
from tests.fakes.clock import FakeClock
from tests.fakes.scripted import Gate, ScriptedServer, hang


@pytest.fixture
async def session():
    async with open_session() as session:
        yield session


async def probed(session, server, before=None, timeout_seconds=5.0, **members):
    spec = ServerSpec(id="a", url=server.url, **members)
    return await ask(session, spec, before or Learned(), FakeClock(), timeout_seconds=timeout_seconds, environment={})


async def test_the_replies_are_kept_by_path_beside_what_they_say(session):
    async with ScriptedServer("both", ["m"]) as server:
        probe = await probed(session, server)
    assert list(probe.replies) == [V1_MODELS, TAGS, VERSION, PS]
    assert all(isinstance(reply, Answer) for reply in probe.replies.values())
    assert (probe.seen.status, probe.seen.learned.version, probe.seen.loaded) == ("healthy", "0.33.0", ())
    assert probe.seen.response_seconds == min(reply.seconds for reply in probe.replies.values())


async def test_everything_is_asked_at_the_same_time(session):
    gate = Gate(4)
    async with ScriptedServer("nothing") as server:
        server.on("*", [gate, *wire.plain(b"", 404)])
        assert (await probed(session, server)).seen.status == "down"


@pytest.mark.parametrize(("members", "paths"), [({"type": "openai"}, [V1_MODELS]), ({"type": "ollama"}, [V1_MODELS, TAGS, VERSION, PS])])
async def test_the_type_says_what_is_asked(session, members, paths):
    async with ScriptedServer("both") as server:
        assert list((await probed(session, server, **members)).replies) == paths
        assert sorted(seen.path for seen in server.seen) == sorted(paths)


async def test_the_deadline_is_that_of_each_request(session):
    async with ScriptedServer("both") as server:
        server.on("/api/version", [hang])
        probe = await probed(session, server, Learned(supports_ollama=True, version="1"), timeout_seconds=0.2)
    assert probe.replies[VERSION] == Failure("timeout", "no answer within 0.2 s")
    assert (probe.seen.status, probe.seen.learned.version) == ("healthy", "1")


async def test_without_its_key_nothing_is_sent(session):
    async with ScriptedServer("both") as server:
        probe = await probed(session, server, api_key=Secret("env:MISSING_KEY"))
        assert server.seen == []
    assert (probe.seen.status, probe.seen.reason, probe.seen.response_seconds) == ("configError", "environment variable MISSING_KEY is not set", None)
