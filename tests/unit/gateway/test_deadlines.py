import pytest

from orchestrator.gateway.deadlines import Deadlines
from orchestrator.gateway.run import Run
from orchestrator.protocol.envelope import Envelope, Route
from tests.fakes import fleets

DEADLINES = Deadlines(connect=5.0, first_event=60.0, first_event_ollama=300.0, answer=600.0, idle=61.0, commit_seconds=600.0)
ROUTE = Route("/v1/chat/completions", "openai", "v1", "chat", "openai")


def deadline(*, stream: bool, speaks: str = "v1", deadline_at: float = 1e9, **own: float) -> float:
    fleet = fleets.fleet(fleets.spec("a", speaks=speaks, **own))
    return DEADLINES.relay(Envelope(ROUTE, b"", "m", stream), fleet.servers["a"], Run(), deadline_at, 1000.0).deadline_at


@pytest.mark.parametrize(("speaks", "seconds"), [("v1", 60.0), ("ollama", 300.0), ("both", 300.0)])
def test_ollama_has_longer_for_its_first_event_because_it_may_load(speaks: str, seconds: float) -> None:
    assert deadline(stream=True, speaks=speaks) == 1000.0 + seconds
    assert deadline(stream=False, speaks=speaks) == 1600.0


def test_a_server_may_have_its_own() -> None:
    own = {"first_event_timeout_seconds": 7.0, "answer_timeout_seconds": 8.0, "connect_timeout_seconds": 9.0, "idle_timeout_seconds": 10.0}
    assert deadline(stream=True, **own) == 1007.0
    assert deadline(stream=False, **own) == 1008.0
    spec = fleets.spec("a", **own)
    assert (DEADLINES.connect_seconds(spec), DEADLINES.connect_seconds(fleets.spec())) == (9.0, 5.0)
    fleet = fleets.fleet(spec, fleets.spec("b"))
    idle = [DEADLINES.relay(Envelope(ROUTE, b"", "m", True), server, Run(), 1e9, 0.0).idle_seconds for server in fleet.servers.values()]
    assert idle == [10.0, 61.0]


def test_no_attempt_outlasts_the_request() -> None:
    assert deadline(stream=True, deadline_at=1001.0) == 1001.0
    assert deadline(stream=False, deadline_at=1001.0) == 1001.0
