"""What can be said to be wrong, apart from how it is said on each surface."""


class OrchestratorError(Exception):
    """Base of every error of ours; its text is for a person and holds no secret."""


class ConfigError(OrchestratorError):
    """The settings, the key file or the database cannot be used; names the key or the file."""


class Refusal(OrchestratorError):
    """A request that gets an error instead of an answer, before any dialect is chosen.

    status: HTTP status. code: machine-readable word (`model_not_found`, `queue_full`, ...).
    retry_after_seconds: sent as Retry-After when not None.
    """

    def __init__(self, status: int, code: str, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.retry_after_seconds = retry_after_seconds
