"""How an attempt can end, and what that means to the breaker, to a retry and to the estimators: one table."""

from enum import Enum


class Outcome(Enum):
    """name, strikes the breaker of (none, model, server), may be retried elsewhere, its time teaches.

    A success is OK alone. CLIENT_ERROR is the request's own doing (4xx, 501). A strike on `server` counts for
    every model of it: it could not be reached at all.
    """

    OK = ("ok", "none", False, True)
    CLIENT_ERROR = ("client_error", "none", False, False)
    RATE_LIMITED = ("rate_limited", "model", True, False)
    AUTH = ("auth", "none", True, False)
    MODEL_MISSING = ("model_missing", "none", True, False)
    SERVER_ERROR = ("server_error", "model", True, False)
    CONNECT_ERROR = ("connect_error", "server", True, False)
    TIMEOUT = ("timeout", "model", True, False)
    TRUNCATED = ("truncated", "model", False, False)
    CLIENT_GONE = ("client_gone", "none", False, False)

    def __init__(self, label: str, strikes: str, retryable: bool, teaches: bool) -> None:
        self.label = label
        self.strikes = strikes
        self.retryable = retryable
        self.teaches = teaches
