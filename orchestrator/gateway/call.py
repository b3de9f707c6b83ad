"""One inference request of a client, from its last body byte to the end of its answer."""

import asyncio
from typing import Protocol

from orchestrator.gateway import relay
from orchestrator.gateway.relay import Relay
from orchestrator.gateway.run import Run
from orchestrator.protocol.envelope import Route
from orchestrator.protocol.http import RequestHeaders


class Client(relay.Client, Protocol):
    """The connection that the answer goes to."""

    def answered(self) -> None:
        """The answer has ended; the next request of the connection may begin."""


class Call:
    """path: with its query, as it goes upstream. extra: ready header lines for every answer (request id, CORS). relay: the one
    that is being copied, for flow control. committed: bytes of an answer have gone out, so no other can follow.
    gone: the client has left. attempts, server: how many servers were asked, and which was the last.
    """

    __slots__ = (
        "attempts",
        "body",
        "client",
        "committed",
        "extra",
        "gone",
        "headers",
        "loop",
        "keep_alive",
        "path",
        "relay",
        "request_id",
        "route",
        "run",
        "server",
        "started_at",
    )

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
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.loop = loop
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
        self.committed = self.gone = False
        self.run = Run()
        self.attempts = 0
        self.server = ""

    def leave(self) -> None:
        """The client has gone. If its answer had ended just before, that end counts (it may be the very reason)."""
        self.gone = True
        if self.relay is None or not self.relay.is_over:
            self.cancel()

    def cancel(self) -> None:
        """End the call wherever it waits."""
        self.run.cancel()
