"""What clients see besides inference: the lists, preflights, and an answer in the right words to everything else."""

import re
from collections.abc import Callable, Sequence
from urllib.parse import quote

from msgspec import Struct
from starlette.routing import Route

from orchestrator.asgi import Receive, Scope, Send
from orchestrator.clock import Clock
from orchestrator.edge.incoming import RequestIds
from orchestrator.edge.lists import Lists
from orchestrator.edge.origins import Header, Origins
from orchestrator.edge.routes import ROUTES
from orchestrator.fleet.fleet import Fleet
from orchestrator.protocol import errors
from orchestrator.protocol.errors import Dialect

TEXT = b"text/plain"
JSON = b"application/json; charset=utf-8"
V1_JSON = b"application/json"
MODEL = "/v1/models/"
BLOBS = "/api/blobs/"
SHOWN_PATH = 200

READ = ("GET", "HEAD")
METHODS: dict[str, tuple[str, ...]] = {
    "/": READ,
    "/api/version": READ,
    "/api/tags": READ,
    "/api/ps": ("GET",),
    "/v1/models": ("GET",),
    **dict.fromkeys(ROUTES, ("POST",)),
    **dict.fromkeys(("/api/pull", "/api/push", "/api/create", "/api/copy"), ("POST",)),
    "/api/delete": ("DELETE",),
}
MANAGEMENT = {
    "/api/pull": "pulling a model",
    "/api/push": "pushing a model",
    "/api/create": "creating a model",
    "/api/copy": "copying a model",
    "/api/delete": "deleting a model",
}


class Reply(Struct, frozen=True):
    """An answer: status, media type (b"" for none) and body; headers beside those of every answer."""

    status: int
    media_type: bytes = b""
    body: bytes = b""
    headers: tuple[Header, ...] = ()


TO_UI = Reply(302, headers=((b"location", b"/ui/"), (b"vary", b"Accept"), (b"cache-control", b"no-store")))


class Surface:
    """An ASGI application for every path of the client surface that is not taken before: by the inference paths or the admin API."""

    def __init__(self, lists: Lists, origins: Origins, ids: RequestIds) -> None:
        self._lists = lists
        self._origins = origins
        self._ids = ids
        self._pages: dict[str, Callable[[], Reply]] = {
            "/": lambda: Reply(200, TEXT + b"; charset=utf-8", b"Ollama is running"),
            "/api/version": lambda: Reply(200, JSON, lists.version()),
            "/api/tags": lambda: Reply(200, JSON, lists.tags()),
            "/api/ps": lambda: Reply(200, JSON, lists.loaded()),
            "/v1/models": lambda: Reply(200, V1_JSON, lists.v1_models()),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given: dict[bytes, bytes] = {}
        for name, value in scope["headers"]:
            given.setdefault(name, value)
        host = given.get(b"host", b"").decode("latin-1")
        origin = given[b"origin"].decode("latin-1") if b"origin" in given else None
        request_id = self._ids.of(given.get(b"x-request-id"))
        if not (self._origins.host_allowed(host) and self._origins.allows(origin, host)):
            origin, reply = None, Reply(403)  # nothing in it, so that a foreign page learns nothing
        elif scope["path"] == "/" and scope["method"] in READ and b"text/html" in given.get(b"accept", b"").lower():
            reply = TO_UI  # a browser; no client of Ollama asks for HTML
        else:
            reply = self._answer(scope["method"], scope["path"], scope["query_string"], origin, request_id)
        await self._send(reply, scope["method"], origin, request_id, send)

    async def _send(self, reply: Reply, method: str, origin: str | None, request_id: str, send: Send) -> None:
        headers = [*reply.headers, (b"x-request-id", request_id.encode())]
        if reply.media_type:
            headers.append((b"content-type", reply.media_type))
        if reply.status != 204:
            headers += [(b"content-length", b"%d" % len(reply.body)), *self._origins.answer_headers(origin)]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if method == "HEAD" else reply.body})

    def _answer(self, method: str, path: str, query: bytes, origin: str | None, request_id: str) -> Reply:
        methods = _methods(path)
        if method == "OPTIONS" and origin is not None:
            allow = ((b"allow", ", ".join(methods).encode()),) if methods else ()
            return Reply(204, headers=(*allow, *self._origins.preflight_headers(origin)))
        if not methods:
            return _redirect(method, path, query) or _not_found(method, path, request_id)
        if method not in methods:
            return _wrong_method(method, path, methods, request_id)
        if path in self._pages:
            return self._pages[path]()
        if path.startswith(MODEL):
            return self._model(path[len(MODEL) :])
        if path in ROUTES:  # a request that the wire did not take
            return _not_found(method, path, request_id)
        return _not_built(path)

    def _model(self, asked: str) -> Reply:
        found = self._lists.v1_model(asked)
        if found is not None:
            return Reply(200, V1_JSON, found)
        return Reply(404, V1_JSON, errors.body("openai", 404, "model_not_found", f"model '{asked}' not found"))


def routes(fleet: Fleet, clock: Clock, origins: Origins, ids: RequestIds | None = None) -> list[Route]:
    """One route for all paths; to be put behind all others."""
    return [Route("/{path:path}", Surface(Lists(fleet, clock), origins, ids or RequestIds()))]


def _methods(path: str) -> Sequence[str]:
    """The methods of a known path, () of an unknown one."""
    if path.startswith(MODEL) and len(path) > len(MODEL):
        return ("GET",)
    if path.startswith(BLOBS) and path.count("/") == 3 and len(path) > len(BLOBS):
        return ("HEAD", "POST")
    return METHODS.get(path, ())


def _redirect(method: str, path: str, query: bytes) -> Reply | None:
    """For a path that is known but for doubled slashes or one at the end. Only known paths go into it: `//host` would lead elsewhere."""
    single = re.sub("/{2,}", "/", path)
    known = next((one for one in (single, single.rstrip("/")) if _methods(one)), None)
    if known is None:
        return None
    location = quote(known).encode() + (b"?" + query if query else b"")
    return Reply(301 if method in READ else 307, headers=((b"location", location),))


def _not_found(method: str, path: str, request_id: str) -> Reply:
    dialect = _dialect(path)
    if dialect is None:
        return Reply(404, TEXT, b"404 page not found")
    return _error(dialect, 404, "not_found", f"no such path: {method} {path[:SHOWN_PATH]}", request_id)


def _wrong_method(method: str, path: str, methods: Sequence[str], request_id: str) -> Reply:
    allow = ((b"allow", ", ".join(methods).encode()),)
    dialect = _dialect(path)
    if dialect is None:
        return Reply(405, TEXT, b"405 method not allowed", allow)
    reply = _error(dialect, 405, "method_not_allowed", f"{method} is not allowed here, only {' and '.join(methods)}", request_id)
    return Reply(reply.status, reply.media_type, reply.body, allow)


def _not_built(path: str) -> Reply:
    doing = MANAGEMENT.get(path, "uploading model files")
    message = f"{doing} is not possible through the orchestrator; use the address of the server that has or shall have the model"
    return Reply(501, JSON, errors.body("ollama", 501, "not_supported", message))


def _error(dialect: Dialect, status: int, code: str, message: str, request_id: str) -> Reply:
    return Reply(status, V1_JSON, errors.body(dialect, status, code, message, request_id))


def _dialect(path: str) -> Dialect | None:
    """Whose errors a path below `/v1` gets; None elsewhere, where errors of routing are plain text."""
    if path == "/v1/messages" or path.startswith("/v1/messages/"):
        return "anthropic"
    return "openai" if path == "/v1" or path.startswith("/v1/") else None
