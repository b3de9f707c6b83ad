"""Structured logs: one JSON object a line. Request lines are gathered and written a few times a second."""

import logging
from datetime import UTC, datetime
from typing import BinaryIO

import msgspec

from orchestrator.telemetry.record import RequestRecord

MAX_BUFFERED = 20_000


class JsonFormatter(logging.Formatter):
    """level, time, logger, message, and the type of an exception with its traceback."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


def configure(level: str) -> None:
    """Everything that is logged goes to standard error as JSON lines."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # Chatty libraries: their debug lines hold addresses and headers.
    for name in ("aiosqlite", "sqlalchemy", "apscheduler", "aiohttp", "asyncio", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)


class RequestLog:
    """One line per request. Bounded: when the output is stuck, lines are lost and counted, requests are not."""

    __slots__ = ("_encoder", "_output", "_records", "enabled", "lost")

    def __init__(self, output: BinaryIO, *, enabled: bool) -> None:
        self._output = output
        self._records: list[RequestRecord] = []
        self._encoder = msgspec.json.Encoder()
        self.enabled = enabled
        self.lost = 0

    def add(self, record: RequestRecord) -> None:
        if not self.enabled:
            return
        if len(self._records) >= MAX_BUFFERED:
            self.lost += 1
        else:
            self._records.append(record)

    def flush(self) -> None:
        """Write what was gathered."""
        if not self._records:
            return
        records, self._records = self._records, []
        try:
            self._output.write(self._encoder.encode_lines(records))
            self._output.flush()
        except (OSError, ValueError):
            self.lost += len(records)
