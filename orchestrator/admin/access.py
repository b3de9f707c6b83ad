"""Who may use the admin API: where a token is set its bearer or a browser that exchanged it for a session, else only people at this very machine."""

from collections.abc import Callable
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from orchestrator.admin.errors import AdminError
from orchestrator.admin.session import Sessions
from orchestrator.asgi import App, Receive, Scope, Send

FORWARDING_HEADERS = ("forwarded", "x-real-ip", "via")
FORWARDING_PREFIX = "x-forwarded-"
READING = ("GET", "HEAD", "OPTIONS")


class Guard:
    """The rules, with the sessions that they know."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions

    def check(self, scope: Scope) -> None:
        """Raises AdminError unless this request may use the admin API. An Authorization header counts before any cookie."""
        headers = Headers(scope=scope)
        if not self.sessions.required:
            check_local(scope)
        elif "authorization" in headers or self.sessions.find(headers.getlist("cookie")) is None:
            check_token(headers, self.sessions)
        elif scope["method"] not in READING:
            check_page(scope)

    def check_entrance(self, scope: Scope) -> None:
        """Of the operations on the session itself, which are there for whoever has none yet."""
        if not self.sessions.required:
            check_local(scope)
        if scope["method"] not in READING:
            check_page(scope)

    def admits(self, scope: Scope) -> bool:
        try:
            self.check(scope)
        except AdminError:
            return False
        return True


class Access:
    """ASGI middleware around the admin API. check: raises AdminError if a request may not pass."""

    def __init__(self, app: App, check: Callable[[Scope], None]) -> None:
        self._app = app
        self._check = check

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self._check(scope)
        except AdminError as error:
            await error.response()(scope, receive, send)
            return
        await self._app(scope, receive, send)


def check_token(headers: Headers, sessions: Sessions) -> None:
    """Raises AdminError 401 unless there is exactly one Authorization header and it bears the token."""
    given = headers.getlist("authorization")
    scheme, _, value = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    same = sessions.is_token(value.strip().encode("latin-1"))  # compared even if the scheme is wrong: the time taken says nothing of the token
    if not same or scheme.lower() != "bearer":
        message = "the admin API wants the token of ORCHESTRATOR_ADMIN_TOKEN as Authorization: Bearer, or a session of its UI"
        raise AdminError(401, "unauthorized", message, headers={"WWW-Authenticate": 'Bearer realm="orchestrator"'})


def check_local(scope: Scope) -> None:
    """Raises AdminError 403 unless a program of this machine asks directly, and not a web page of elsewhere through a browser."""
    headers = Headers(scope=scope)
    if not is_loopback((scope.get("client") or ("",))[0]):
        raise _forbidden("the admin API answers this machine only; set ORCHESTRATOR_ADMIN_TOKEN to reach it from elsewhere")
    forwarding = next((name for name in headers if name in FORWARDING_HEADERS or name.startswith(FORWARDING_PREFIX)), None)
    if forwarding:
        raise _forbidden(f"the admin API answers direct requests only, this one has {forwarding}; set ORCHESTRATOR_ADMIN_TOKEN to reach it through a proxy")
    hosts = headers.getlist("host")
    if len(hosts) != 1 or not is_local_host(hosts[0]):
        raise _forbidden("the Host header must be localhost or an IP address")
    origins = headers.getlist("origin")
    if origins and any(not same_origin(origin, hosts[0], str(scope.get("scheme", "http"))) for origin in origins):
        raise _forbidden("web pages of another origin may not use the admin API")
    if {"cross-site", "same-site"} & set(headers.getlist("sec-fetch-site")):
        raise _forbidden("web pages of another origin may not use the admin API")


def check_page(scope: Scope) -> None:
    """Raises AdminError unless a page of our own sent it, 403, and as JSON, 415: a browser adds the cookie to whatever any page sends, but no page
    of elsewhere can claim to be ours or send JSON unasked.
    """
    headers = Headers(scope=scope)
    sites, origins, hosts = (headers.getlist(name) for name in ("sec-fetch-site", "origin", "host"))
    if sites:
        is_ours = sites == ["same-origin"]
    else:  # an older browser, or one that was not asked over https or at localhost
        is_ours = len(origins) == len(hosts) == 1 and same_origin(origins[0], hosts[0], "https" if is_https(scope) else "http")
    if not is_ours:
        raise _forbidden("a session is good for pages of the orchestrator itself only; programs use Authorization: Bearer")
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise AdminError(415, "unsupported_media_type", "by a session every change must be sent with Content-Type: application/json, also without a body")


def is_https(scope: Scope) -> bool:
    """Did the browser use https, to us or to a proxy before us?"""
    forwarded = Headers(scope=scope).get("x-forwarded-proto", "").partition(",")[0].strip().lower()
    return (forwarded or scope.get("scheme")) == "https"


def is_loopback(address: str) -> bool:
    """Of an address or host name; a name counts only if it is localhost."""
    try:
        ip = ip_address(address.strip("[]").partition("%")[0])
    except ValueError:
        return address.lower() == "localhost"
    mapped = getattr(ip, "ipv4_mapped", None)
    return bool(ip.is_loopback or (mapped is not None and mapped.is_loopback))


def is_local_host(host: str) -> bool:
    """localhost or an IP literal, with or without a port: what no foreign name server can make a browser send."""
    try:
        parts = urlsplit(f"//{host}")
        name, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    if parts.path or parts.query or parts.fragment or parts.username is not None:
        return False
    if name == "localhost":
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def same_origin(origin: str, host: str, scheme: str) -> bool:
    default = {"http": ":80", "https": ":443"}.get(scheme, "")
    return origin.lower().removesuffix(default) == f"{scheme}://{host}".lower().removesuffix(default)


def _forbidden(message: str) -> AdminError:
    return AdminError(403, "forbidden", message)
