"""Requests that have ended, for tests."""

from typing import Any

from orchestrator.protocol.http import RequestHeaders
from orchestrator.telemetry.record import RequestRecord
from orchestrator.telemetry.recorder import Kept


def kept(number: int = 0, headers: RequestHeaders | None = None, **members: Any) -> Kept:
    """Request `r<number>`, a success of server a unless told otherwise."""
    made = {"model": "m", "server": "a", "outcome": "ok", "status": 200, "path": "/api/chat", "client": "192.0.2.7", **members}
    request_id = made.pop("request_id", f"r{number}")
    return Kept(RequestRecord(1767323045.0 + number, request_id, made.pop("dialect", "ollama"), made.pop("operation", "chat"), **made), headers)
