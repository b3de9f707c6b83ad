import io
import json
import logging
import sys

import pytest

from orchestrator.protocol.http import RequestHeaders
from orchestrator.telemetry.logs import JsonFormatter, RequestLog, configure
from tests.unit.telemetry.kept import kept


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


def test_everything_logged_is_json_and_libraries_are_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    configure("debug")
    logging.getLogger("orchestrator.x").debug("ours")
    logging.getLogger("aiohttp.client").debug("theirs: authorization secret")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["message"] for line in lines] == ["ours"]


def test_a_line_is_written_for_every_request_of_a_batch() -> None:
    output = io.BytesIO()
    log = RequestLog(output, enabled=True)
    log.read([kept(1), kept(2)])
    assert [json.loads(line)["requestId"] for line in output.getvalue().splitlines()] == ["r1", "r2"]


def test_no_header_reaches_the_log() -> None:
    output = io.BytesIO()
    RequestLog(output, enabled=True).read([kept(1, RequestHeaders([(b"authorization", b"Bearer canary"), (b"user-agent", b"canary")]))])
    assert b"canary" not in output.getvalue()
    assert output.getvalue().endswith(b"}\n")


def test_nothing_is_written_where_nothing_is_logged() -> None:
    output = io.BytesIO()
    log = RequestLog(output, enabled=False)
    log.read([kept()])
    assert (output.getvalue(), log.lost) == (b"", 0)


def test_an_output_that_is_gone_stops_nobody() -> None:
    output = io.BytesIO()
    log = RequestLog(output, enabled=True)
    output.close()
    log.read([kept(1), kept(2)])
    log.read([kept(3)])
    assert log.lost == 3
