import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest

from orchestrator.telemetry import logs
from orchestrator.telemetry.logs import JsonFormatter, RequestLog, configure
from orchestrator.telemetry.record import RequestRecord


def record(number: int = 0) -> RequestRecord:
    return RequestRecord(1767323045.0 + number, f"r{number}", "ollama", "chat", model="m")


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, put back as it was."""
    logger = logging.getLogger()
    handlers, level = logger.handlers[:], logger.level
    levels = {name: logging.getLogger(name).level for name in ("aiosqlite", "sqlalchemy", "apscheduler", "aiohttp", "asyncio", "alembic")}
    yield logger
    logger.handlers[:] = handlers
    logger.setLevel(level)
    for name, value in levels.items():
        logging.getLogger(name).setLevel(value)


def test_a_log_line_is_one_json_object() -> None:
    made = logging.LogRecord("a.b", logging.WARNING, "f", 1, "line %s\nend \u2028", ("one",), None)
    text = JsonFormatter().format(made)
    assert "\n" not in text
    line = json.loads(text)
    assert (line["level"], line["logger"], line["message"]) == ("warning", "a.b", "line one\nend \u2028")
    assert line["time"].endswith("+00:00")


def test_an_exception_is_told_with_its_traceback() -> None:
    try:
        raise ValueError("it broke")
    except ValueError:
        made = logging.LogRecord("a", logging.ERROR, "f", 1, "x", (), sys.exc_info())
    assert "ValueError: it broke" in json.loads(JsonFormatter().format(made))["exception"]


def test_everything_logged_is_json_and_libraries_are_quiet(root: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    configure("debug")
    logging.getLogger("orchestrator.x").debug("ours")
    logging.getLogger("aiohttp.client").debug("theirs: authorization secret")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["message"] for line in lines] == ["ours"]


def test_request_lines_are_gathered_and_written_at_a_flush() -> None:
    output = io.BytesIO()
    log = RequestLog(output, enabled=True)
    log.add(record(1))
    log.add(record(2))
    assert output.getvalue() == b""
    log.flush()
    log.flush()
    assert [json.loads(line)["requestId"] for line in output.getvalue().splitlines()] == ["r1", "r2"]


def test_nothing_is_kept_where_nothing_is_logged() -> None:
    output = io.BytesIO()
    log = RequestLog(output, enabled=False)
    log.add(record())
    log.flush()
    assert (output.getvalue(), log.lost) == (b"", 0)


def test_lines_are_lost_and_counted_when_nobody_takes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MAX_BUFFERED", 3)
    output = io.BytesIO()
    log = RequestLog(output, enabled=True)
    for number in range(5):
        log.add(record(number))
    assert log.lost == 2
    log.flush()
    assert len(output.getvalue().splitlines()) == 3
    log.add(record())
    assert log.lost == 2


def test_an_output_that_is_gone_stops_nobody() -> None:
    output = io.BytesIO()
    log = RequestLog(output, enabled=True)
    log.add(record())
    output.close()
    log.flush()
    assert log.lost == 1
    log.add(record())
    log.flush()
    assert log.lost == 2
