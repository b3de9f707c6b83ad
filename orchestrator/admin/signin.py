"""The operations on a browser's session: the admin token goes in once, a cookie stands for it from then on."""

import math
from typing import Annotated

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from orchestrator.admin.access import Guard, is_https
from orchestrator.admin.answers import rfc3339
from orchestrator.admin.bodies import read
from orchestrator.admin.errors import AdminError, json
from orchestrator.admin.session import LIFETIME_SECONDS
from orchestrator.admin.shapes import SessionAnswer
from orchestrator.admin.tries import Tries
from orchestrator.clock import Clock


class TokenBody(Struct, forbid_unknown_fields=True):
    token: Annotated[str, Meta(max_length=8192)]


class SessionOperations:
    """Handlers of `/api/session`, which the guard lets in without a session."""

    def __init__(self, guard: Guard, clock: Clock) -> None:
        self._guard = guard
        self._sessions = guard.sessions
        self._tries = Tries()
        self._clock = clock

    async def get(self, request: Request) -> Response:
        admitted = self._guard.admits(request.scope)
        ends = self._sessions.find(request.headers.getlist("cookie")) if admitted else None
        return json(SessionAnswer(self._sessions.required, admitted, rfc3339(ends) if ends else None))

    async def sign_in(self, request: Request) -> Response:
        given = await read(request, TokenBody)
        if not self._sessions.required:
            return json(SessionAnswer(False, True, None))
        self._judge(given.token, request.client.host if request.client else "")
        value, ends = self._sessions.issue()
        answer = json(SessionAnswer(True, True, rfc3339(ends)))
        answer.headers["Set-Cookie"] = self._cookie(value, LIFETIME_SECONDS, request)
        return answer

    async def sign_out(self, request: Request) -> Response:
        if not self._sessions.required:
            return json(SessionAnswer(False, True, None))
        self._sessions.revoke(request.headers.getlist("cookie"))
        answer = json(SessionAnswer(True, False, None))
        answer.headers["Set-Cookie"] = self._cookie("", 0, request)
        return answer

    def _judge(self, token: str, address: str) -> None:
        """Raises AdminError 429 while the address has to wait, 401 if the token is wrong. Nothing is awaited here, so no try slips between."""
        now = self._clock.now()
        wait_seconds = self._tries.wait_seconds(address, now)
        if wait_seconds:
            headers = {"Retry-After": str(math.ceil(wait_seconds))}
            raise AdminError(429, "too_many_tries", f"too many wrong tries: try again in {math.ceil(wait_seconds)} s", headers=headers)
        if not self._sessions.is_token(token.encode("utf-8", "surrogatepass")):
            self._tries.wrong(address, now)
            raise AdminError(401, "wrong_token", "this is not the token of ORCHESTRATOR_ADMIN_TOKEN", "token")
        self._tries.right(address)

    def _cookie(self, value: str, lifetime_seconds: int, request: Request) -> str:
        secure = "; Secure" if is_https(request.scope) else ""
        return f"{self._sessions.cookie}={value}; Path=/; Max-Age={lifetime_seconds}; HttpOnly; SameSite=Strict{secure}"
