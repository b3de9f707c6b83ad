"""The admin UI over HTTP: one page for every path below `/ui/`, and the files that it is made of."""

import re
import secrets
from collections.abc import Callable
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from orchestrator.admin.bundle import Bundle, File
from orchestrator.asgi import Receive, Scope, Send

ROOT = "/ui/"
ASSETS = "assets/"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{}'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
ALWAYS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
NOT_BUILT = b"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>Orchestrator: the UI is not built</title></head>
<body>
<h1>The admin UI is not built</h1>
<p>The orchestrator itself runs. To build its UI, install Node.js 20.19 or newer and run <code>make ui</code> in the source tree, then load this page again.</p>
<p>An orchestrator that was installed without its UI gets it by installing it again where Node.js is there.</p>
</body>
</html>
"""


class Pages:
    """ASGI application of `/ui` and everything below it. host_allowed: may a request be answered that was sent to this Host?"""

    def __init__(self, bundle: Bundle, host_allowed: Callable[[str], bool]) -> None:
        self._bundle = bundle
        self._host_allowed = host_allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        if not self._host_allowed(headers.get("host", "")):
            response = Response(status_code=403)  # nothing in it: a foreign name that leads here learns nothing
        elif scope["method"] not in ("GET", "HEAD"):
            response = Response("405 method not allowed", 405, {"Allow": "GET, HEAD"}, "text/plain")
        else:
            response = await self._answer(scope["path"], headers, scope["query_string"])
        response.headers.update(ALWAYS)
        if scope["method"] == "HEAD":
            response.body = b""
        await response(scope, receive, send)

    async def _answer(self, path: str, headers: Headers, query: bytes) -> Response:
        if not path.startswith(ROOT):
            location = ROOT + (f"?{quote(query, safe='=&%+')}" if query else "")
            return Response(status_code=307, headers={"Location": location, "Cache-Control": "no-store"})
        name = path[len(ROOT) :]
        file = await self._bundle.file(name, gzip=takes_gzip(headers.get("accept-encoding", "")))
        if file is not None:
            return self._file(name, file, headers.get("if-none-match", ""))
        if name.startswith(ASSETS):
            return Response("404 page not found", 404, {"Cache-Control": "no-store"}, "text/plain")
        return self._page()

    def _page(self) -> Response:
        nonce = secrets.token_urlsafe(16)
        body = self._bundle.page(nonce)
        headers = {"Content-Security-Policy": POLICY.format(nonce), "Cache-Control": "no-store"}
        return Response(NOT_BUILT if body is None else body, 503 if body is None else 200, headers, "text/html; charset=utf-8")

    def _file(self, name: str, file: File, known: str) -> Response:
        # The name of an asset holds a hash of its content: it never changes.
        headers = {"Cache-Control": "public, max-age=31536000, immutable" if name.startswith(ASSETS) else "no-cache", "ETag": file.etag}
        if self._bundle.has_forms(name):
            headers["Vary"] = "Accept-Encoding"
        if file.etag in known:
            return Response(status_code=304, headers=headers)
        if file.compressed:
            headers["Content-Encoding"] = "gzip"
        return Response(file.body, 200, headers, file.media_type)


def routes(bundle: Bundle, host_allowed: Callable[[str], bool]) -> list[BaseRoute]:
    pages = Pages(bundle, host_allowed)
    return [Route("/ui", pages), Route("/ui/{rest:path}", pages)]


def takes_gzip(accepted: str) -> bool:
    """Of an Accept-Encoding header: is gzip in it, and not refused by q=0?"""
    for part in accepted.lower().split(","):
        name, _, weight = part.partition(";")
        if name.strip() == "gzip":
            return re.fullmatch(r"q=0(\.0*)?", weight.strip()) is None
    return False
