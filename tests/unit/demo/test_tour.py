import pytest

from orchestrator.demo.asking import Answer
from orchestrator.demo.place import Place
from orchestrator.demo.speech import TEXT
from orchestrator.demo.tour import FLEET, KEY_VARIABLE, REQUESTS, _environment, _fault_of, _faults_of_failover, _print_table


def answer(**changes: object) -> Answer:
    fields = {
        "dialect": "ollama",
        "model": "m:latest",
        "stream": True,
        "server": "attic",
        "attempts": "1",
        "first_token_seconds": 0.0521,
        "tokens": 20,
        "text": TEXT,
    }
    return Answer(**{**fields, **changes})  # type: ignore[arg-type]


def test_a_whole_answer_of_a_known_server_is_right() -> None:
    assert _fault_of(answer()) == ""


@pytest.mark.parametrize(
    ("changes", "told"),
    [({"fault": "503: busy"}, "503: busy"), ({"text": TEXT[:-1]}, "not whole"), ({"tokens": 0}, "not whole"), ({"server": "-"}, "X-Orchestrator-Server")],
)
def test_anything_else_is_wrong(changes: dict, told: str) -> None:
    assert told in _fault_of(answer(**changes))


def test_a_failover_takes_another_server_and_two_attempts() -> None:
    assert _faults_of_failover("workshop", answer(attempts="2")) == []
    assert len(_faults_of_failover("workshop", answer(attempts="1"))) == 1
    assert len(_faults_of_failover("attic", answer(attempts="1"))) == 2


def test_the_table_is_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    _print_table([answer(), answer(model="a-much-longer-model:latest", stream=False, tokens=7)])
    lines = capsys.readouterr().out.strip("\n").split("\n")
    assert len({line.index(word) for line, word in zip(lines, ("mode ", "stream", "plain"), strict=True)}) == 1
    assert len({len(line) for line in lines}) == 1
    assert "52 ms" in lines[1]


def test_children_get_a_key_and_none_of_the_callers_settings(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORCHESTRATOR_ADMIN_TOKEN", "secret")
    place = Place()
    first, second = (_environment(tmp_path, place) for _ in range(2))  # type: ignore[arg-type]
    place.close()
    assert "ORCHESTRATOR_ADMIN_TOKEN" not in first
    assert first["ORCHESTRATOR_PORT"] == str(place.port)
    assert len(first[KEY_VARIABLE]) > 20
    assert first[KEY_VARIABLE] != second[KEY_VARIABLE]


def test_the_fleet_has_one_server_of_each_kind_and_one_wants_a_key() -> None:
    assert sorted(server.speaks for server in FLEET) == ["both", "ollama", "openai"]
    assert [server.speaks for server in FLEET if server.key] == ["openai"]


def test_requests_come_plain_and_streaming_in_both_protocols() -> None:
    assert {(dialect, stream) for dialect, _, stream in REQUESTS} == {("ollama", True), ("ollama", False), ("openai", True), ("openai", False)}
