"""Who may use the admin API: the bearer of the token where one is set, else only people at this very machine."""

import hmac
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from orchestrator.admin.errors import AdminError
from orchestrator.asgi import App, Receive, Scope, Send

FORWARDING_HEADERS = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")


class Access:
    """ASGI middleware around the admin API. token: "" where none is set."""

    def __init__(self, app: App, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if self._token:
                check_token(Headers(scope=scope), self._token)
            else:
                check_local(scope)
        except AdminError as error:
            await error.response()(scope, receive, send)
            return
        await self._app(scope, receive, send)


def check_token(headers: Headers, token: bytes) -> None:
    """Raises AdminError 401 unless there is exactly one Authorization header and it bears the token."""
    given = headers.getlist("authorization")
    scheme, _, value = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    # Compared even if the scheme is wrong, and as bytes: the time taken says nothing of the token.
    same = hmac.compare_digest(value.strip().encode("latin-1"), token)
    if not same or scheme.lower() != "bearer":
        message = "the admin API wants the token of ORCHESTRATOR_ADMIN_TOKEN as Authorization: Bearer"
        raise AdminError(401, "unauthorized", message, headers={"WWW-Authenticate": 'Bearer realm="orchestrator"'})


def check_local(scope: Scope) -> None:
    """Raises AdminError 403 unless a program of this machine asks directly, and not a web page of elsewhere through a browser."""
    headers = Headers(scope=scope)
    if not is_loopback((scope.get("client") or ("",))[0]):
        raise _forbidden("the admin API answers this machine only; set ORCHESTRATOR_ADMIN_TOKEN to reach it from elsewhere")
    forwarding = next((name for name in FORWARDING_HEADERS if name in headers), None)
    if forwarding:
        raise _forbidden(f"the admin API answers direct requests only, this one has {forwarding}; set ORCHESTRATOR_ADMIN_TOKEN to reach it through a proxy")
    hosts = headers.getlist("host")
    if len(hosts) != 1 or not is_local_host(hosts[0]):
        raise _forbidden("the Host header must be localhost or an IP address")
    origins = headers.getlist("origin")
    if origins and any(not same_origin(origin, hosts[0], str(scope.get("scheme", "http"))) for origin in origins):
        raise _forbidden("web pages of another origin may not use the admin API")


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
