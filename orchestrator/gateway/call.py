"""One inference request of a client, from its last body byte to the end of its answer."""

import asyncio
from typing import Protocol

from orchestrator.gateway import relay
from orchestrator.gateway.relay import Relay
from orchestrator.protocol.envelope import Route
from orchestrator.protocol.http import RequestHeaders


class Client(relay.Client, Protocol):
    """The connection that the answer goes to."""

    def answered(self) -> None:
        """The answer has ended; the next request of the connection may begin."""


class Call:
    """path: with its query, as it goes upstream. extra: ready header lines for every answer (request id, CORS). relay: the one
    that is being copied, for flow control. committed: bytes of an answer have gone out, so no other can follow.
    """

    __slots__ = ("body", "client", "committed", "extra", "headers", "keep_alive", "path", "relay", "request_id", "route", "started_at", "task")

    def __init__(
        self,
        client: Client,
        route: Route,
        path: bytes,
        headers: RequestHeaders,
        body: bytes,
        *,
        request_id: str,
        extra: bytes,
        keep_alive: bool,
        started_at: float,
    ) -> None:
        self.client = client
        self.route = route
        self.path = path
        self.headers = headers
        self.body = body
        self.request_id = request_id
        self.extra = extra
        self.keep_alive = keep_alive
        self.started_at = started_at
        self.relay: Relay | None = None
        self.committed = False
        self.task: asyncio.Task[None] | None = None
