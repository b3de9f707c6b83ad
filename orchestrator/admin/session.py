"""Sessions of browsers: a signed cookie that stands for the admin token, so that a page never has to keep it.

What is signed says when it ends, and the key comes from the token: a session survives a restart and ends when the token changes.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime

from orchestrator.clock import Clock

LIFETIME_SECONDS = 12 * 3600
MAX_REVOKED = 10_000
MAX_LOOKED_AT = 8  # of one name: pages of sibling domains may set cookies that stand beside ours


class Sessions:
    """Issues, finds and revokes them. token: "" where none is set. place: tells orchestrators on one host apart, such as the data folder."""

    def __init__(self, token: str, place: str, clock: Clock) -> None:
        self.required = bool(token)
        self._token = token.encode()
        self._key = hmac.digest(self._token, b"orchestrator admin session", hashlib.sha256)
        self._clock = clock
        self._revoked: dict[str, int] = {}  # nonce -> when its session would have ended
        self.cookie = f"orchestrator_session_{hmac.new(self._key, f'name {place}'.encode(), hashlib.sha256).hexdigest()[:8]}"

    def is_token(self, text: bytes) -> bool:
        """In a time that says nothing of the token. False where none is set."""
        return hmac.compare_digest(text, self._token) and self.required

    def issue(self) -> tuple[str, datetime]:
        """The value of a new cookie, and when its session ends."""
        ends = int(self._now()) + LIFETIME_SECONDS
        said = f"{ends}.{secrets.token_urlsafe(16)}"
        return f"{said}.{self._signature(said)}", datetime.fromtimestamp(ends, UTC)

    def find(self, headers: Iterable[str]) -> datetime | None:
        """When the session ends that these Cookie headers hold, None if they hold none that is good."""
        for value in self._values(headers):
            ends, nonce = self._read(value)
            if ends and nonce not in self._revoked:
                return datetime.fromtimestamp(ends, UTC)
        return None

    def revoke(self, headers: Iterable[str]) -> None:
        """End the sessions that these Cookie headers hold."""
        now = self._now()
        self._revoked = {nonce: ends for nonce, ends in self._revoked.items() if ends > now}
        for value in self._values(headers):
            ends, nonce = self._read(value)
            if ends:
                self._revoked[nonce] = ends
        while len(self._revoked) > MAX_REVOKED:
            del self._revoked[next(iter(self._revoked))]

    def _values(self, headers: Iterable[str]) -> list[str]:
        pairs = (pair.strip().partition("=") for header in headers for pair in header.split(";"))
        return [value for name, _, value in pairs if name == self.cookie][:MAX_LOOKED_AT]

    def _read(self, value: str) -> tuple[int, str]:
        """(end, nonce) of a session that we signed and that has not ended, else (0, "")."""
        said, _, signature = value.rpartition(".")
        if not self.required or not hmac.compare_digest(signature.encode(), self._signature(said).encode()):
            return 0, ""
        ends, _, nonce = said.partition(".")
        return (int(ends), nonce) if int(ends) > self._now() else (0, "")

    def _signature(self, said: str) -> str:
        return hmac.new(self._key, f"session {said}".encode(), hashlib.sha256).hexdigest()

    def _now(self) -> float:
        return self._clock.utc().timestamp()
