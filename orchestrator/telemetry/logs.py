"""Structured logs: one JSON object a line. Request lines are written as the recorder hands them on."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import BinaryIO

import msgspec

from orchestrator.telemetry.recorder import Kept

CHATTY = ("aiosqlite", "sqlalchemy", "apscheduler", "aiohttp", "asyncio", "alembic")  # their debug lines hold addresses and headers


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
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)


class RequestLog:
    """A reader of the recorder that writes one line per request. Lines that cannot be written are lost and counted."""

    __slots__ = ("_encoder", "_output", "enabled", "lost")

    def __init__(self, output: BinaryIO, *, enabled: bool) -> None:
        self._output = output
        self._encoder = msgspec.json.Encoder()
        self.enabled = enabled
        self.lost = 0

    def read(self, batch: Sequence[Kept]) -> None:
        """Write a line of each; never their headers."""
        if not self.enabled:
            return
        try:
            self._output.write(self._encoder.encode_lines([kept.record for kept in batch]))
            self._output.flush()
        except (OSError, ValueError):
            self.lost += len(batch)
