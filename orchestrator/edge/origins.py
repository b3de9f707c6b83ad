"""Which web pages may use the client surface, and under which names it may be addressed: Ollama's rules."""

import ipaddress
import socket
from collections.abc import Iterable, Sequence

SCHEMES = ("app", "file", "tauri", "vscode-webview", "vscode-file", "chrome-extension", "safari-extension", "moz-extension", "ms-browser-extension")
LOCAL_NAMES = ("localhost", "127.0.0.1", "0.0.0.0")  # noqa: S104 - a name that pages write, nothing listens there
LOCAL_DOMAINS = (".localhost", ".local", ".internal")
PRIVATE = tuple(ipaddress.ip_network(net) for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"))
MAX_REMEMBERED = 1024

STAINLESS = "Arch Async Custom-Poll-Interval Helper-Method Lang Os Package-Version Poll-Helper Retry-Count Runtime Runtime-Version Timeout"
REQUEST_HEADERS = ["Authorization", "Content-Type", "User-Agent", "Accept", "X-Requested-With", "Openai-Beta", *(f"X-Stainless-{w}" for w in STAINLESS.split())]
METHODS = "GET,POST,PUT,PATCH,DELETE,HEAD,OPTIONS"
PREFLIGHT_SECONDS = 43200

Header = tuple[bytes, bytes]


class Origins:
    """The rules for one listener.

    extra: origins allowed besides the defaults; one `*` in each stands for any text, and `*` alone allows all. loopback_only: the listener is bound
    to loopback, so that a foreign Host can only be a page that had its own name resolved to this machine. hostname: of this machine.
    """

    def __init__(self, extra: Sequence[str] = (), loopback_only: bool = True, hostname: str | None = None) -> None:
        self._everyone = "*" in extra
        known = [text.lower() for text in (*extra, *_defaults())]
        self._exact = frozenset(known)
        self._patterns = [(start, end) for start, star, end in (text.partition("*") for text in known) if star]
        self._loopback_only = loopback_only
        self._hostname = (socket.gethostname() if hostname is None else hostname).lower()
        self._hosts: dict[str, bool] = {}

    def allows(self, origin: str | None, host: str) -> bool:
        """May a request of this `Origin` be answered, sent to this `Host`? Without an origin it is no web page's."""
        if origin is None or self._everyone or _is_same(origin, host):
            return True
        shown = origin.lower()
        return shown in self._exact or any(_matches(shown, start, end) for start, end in self._patterns)

    def host_allowed(self, host: str) -> bool:
        """May a request be answered that was sent to this `Host` (with or without port)?"""
        if not self._loopback_only:
            return True
        known = self._hosts.get(host)
        if known is None:
            if len(self._hosts) >= MAX_REMEMBERED:
                self._hosts.clear()
            known = self._hosts[host] = self._is_local(_without_port(host).lower())
        return known

    def answer_headers(self, origin: str | None) -> list[Header]:
        """For an answer to a request of an allowed origin, so that the page may read it."""
        if origin is None:
            return []
        if self._everyone:
            return [(b"access-control-allow-origin", b"*")]
        return [(b"vary", b"Origin"), (b"access-control-allow-origin", origin.encode("latin-1"))]

    def preflight_headers(self, origin: str) -> list[Header]:
        """For the 204 to an `OPTIONS` of an allowed origin."""
        headers = [
            (b"access-control-allow-headers", ",".join(REQUEST_HEADERS).encode()),
            (b"access-control-allow-methods", METHODS.encode()),
            (b"access-control-max-age", str(PREFLIGHT_SECONDS).encode()),
            *self.answer_headers(origin),
        ]
        if not self._everyone:
            headers += [(b"vary", b"Access-Control-Request-Method"), (b"vary", b"Access-Control-Request-Headers")]
        return headers

    def _is_local(self, host: str) -> bool:
        """Public addresses are none, not even this machine's own: who came by one did not come by loopback."""
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return host in ("", "localhost", self._hostname) or host.endswith(LOCAL_DOMAINS)
        return address.is_loopback or address.is_unspecified or any(address in network for network in PRIVATE)


def _defaults() -> Iterable[str]:
    for name in LOCAL_NAMES:
        for scheme in ("http", "https"):
            yield f"{scheme}://{name}"
            yield f"{scheme}://{name}:*"
    for scheme in SCHEMES:
        yield f"{scheme}://*"


def _matches(text: str, start: str, end: str) -> bool:
    return len(text) >= len(start) + len(end) and text.startswith(start) and text.endswith(end)


def _is_same(origin: str, host: str) -> bool:
    return bool(host) and origin in (f"http://{host}", f"https://{host}")


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    name, colon, port = host.rpartition(":")
    return name if colon and ":" not in name and port.isdecimal() else host
