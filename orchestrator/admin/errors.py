"""The one error shape of the admin API."""

import msgspec
from msgspec import Struct
from starlette.responses import Response


class ErrorDetail(Struct):
    """code: machine-readable word. message: a sentence for a person, without secrets. field: the member at fault, or null."""

    code: str
    message: str
    field: str | None = None


class ErrorBody(Struct):
    error: ErrorDetail


class AdminError(Exception):
    """Ends a request of the admin API with this status and error."""

    def __init__(self, status: int, code: str, message: str, field: str | None = None, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.detail = ErrorDetail(code, message, field)
        self.headers = headers

    def response(self) -> Response:
        return json(ErrorBody(self.detail), self.status, self.headers)


def invalid(field: str | None, message: str) -> AdminError:
    return AdminError(400, "invalid_value", f"{field}: {message}" if field else message, field)


def unknown_server(server_id: str) -> AdminError:
    return AdminError(404, "unknown_server", f"no server has the id {server_id[:64]!r}")


def json(content: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer; nothing of the admin API is to be kept by a cache."""
    return Response(msgspec.json.encode(content), status, {"Cache-Control": "no-store", **(headers or {})}, "application/json")
