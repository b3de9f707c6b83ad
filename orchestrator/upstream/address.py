"""A server's base URL, taken apart once."""

from urllib.parse import urlsplit

from msgspec import Struct

AZURE_SUFFIXES = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")
DEFAULT_PORTS = {"http": 80, "https": 443}


class Address(Struct, frozen=True):
    """Where a server is. prefix: base path before `/api/...` and `/v1/...`, "" or "/like/this"; host_header: for `Host`."""

    scheme: str
    host: str
    port: int
    host_header: str
    prefix: str

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host_header}{self.prefix}"

    @property
    def is_azure(self) -> bool:
        return is_azure(self.host)


def is_azure(host: str) -> bool:
    return host.endswith(AZURE_SUFFIXES)


def normalise(url: str) -> str:
    """The one spelling of a base URL: lower-case scheme and host, no default port, no trailing `/` or `/v1`.

    Raises ValueError with words for a person.
    """
    parts = urlsplit(url.strip())
    if parts.scheme.lower() not in DEFAULT_PORTS:
        raise ValueError("must start with http:// or https://")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user or password; use apiKey or headers")
    if parts.query or parts.fragment:
        raise ValueError("must not hold a query or fragment")
    host = parts.hostname
    if not host or any(c.isspace() or ord(c) < 33 for c in url.strip()):
        raise ValueError("has no valid host")
    try:
        port, host = parts.port, host.encode("idna").decode() if not host.isascii() else host
    except ValueError:
        raise ValueError("has no valid host or port") from None
    if port == 0:
        raise ValueError("has no valid host or port")
    scheme = parts.scheme.lower()
    shown = f"[{host}]" if ":" in host else host
    place = shown if port in (None, DEFAULT_PORTS[scheme]) else f"{shown}:{port}"
    path = parts.path.rstrip("/")
    if path == "/v1" or path.endswith("/v1"):
        path = path[:-3].rstrip("/")
    return f"{scheme}://{place}{path}"


def parse(url: str) -> Address:
    """The address of a base URL. An Azure host without a path gets `/openai` (protocol note: new-style `/openai/v1/...`)."""
    parts = urlsplit(normalise(url))
    host = parts.hostname or ""
    prefix = parts.path or ("/openai" if is_azure(host) else "")
    return Address(parts.scheme, host, parts.port or DEFAULT_PORTS[parts.scheme], parts.netloc, prefix)
