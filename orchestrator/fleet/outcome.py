"""How an attempt can end, and what that means to the breaker, to a retry and to the estimators: one table."""

from enum import Enum


class Outcome(Enum):
    """name, strikes the breaker of (none, model, server), may be retried elsewhere, its time teaches, cost the server work.

    A success is OK alone. CLIENT_ERROR is the request's own doing (4xx, 501). A strike on `server` counts for
    every model of it: it could not be reached at all. CANCELLED is what we ended ourselves: an operator wished it, or the process stops.
    """

    OK = ("ok", "none", False, True, True)
    CLIENT_ERROR = ("client_error", "none", False, False, False)
    RATE_LIMITED = ("rate_limited", "model", True, False, False)
    AUTH = ("auth", "none", True, False, False)
    MODEL_MISSING = ("model_missing", "none", True, False, False)
    SERVER_ERROR = ("server_error", "model", True, False, True)
    CONNECT_ERROR = ("connect_error", "server", True, False, False)
    TIMEOUT = ("timeout", "model", True, False, True)
    TRUNCATED = ("truncated", "model", False, False, True)
    CLIENT_GONE = ("client_gone", "none", False, False, True)
    CANCELLED = ("cancelled", "none", False, False, True)

    def __init__(self, label: str, strikes: str, retryable: bool, teaches: bool, costs: bool) -> None:
        self.label = label
        self.strikes = strikes
        self.retryable = retryable
        self.teaches = teaches
        self.costs = costs
