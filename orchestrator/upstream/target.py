"""Where and how to speak to each server: its pool, its base path, its credentials."""

import os
import ssl

from orchestrator.fleet.specs import ServerSpec
from orchestrator.upstream.address import parse
from orchestrator.upstream.auth import headers
from orchestrator.upstream.wire import Pool


class Target:
    """One server as the data plane speaks to it. Replaced when the spec changes in what matters here; its requests in flight go on."""

    __slots__ = ("_host", "_own", "_prefix", "pool", "spec")

    def __init__(self, spec: ServerSpec, tls: ssl.SSLContext | None) -> None:
        address = parse(spec.url)
        self.spec = spec
        self.pool = Pool(address.host, address.port, tls)
        self._prefix = address.prefix.encode()
        self._host = b"host: %b\r\n" % address.host_header.encode()
        secrets = [*spec.headers.values(), *([spec.api_key] if spec.api_key else [])]
        # References are resolved at each request, plain values once.
        self._own = None if any(secret.variable for secret in secrets) else self._host + _lines(headers(spec, {}))

    def head(self, path: bytes, client: bytes, length: int) -> bytes:
        """The head of a request but for the empty line. client: the client's header lines.

        Raises ConfigError if a key cannot be resolved.
        """
        own = self._own
        if own is None:
            own = self._host + _lines(headers(self.spec, os.environ))
        if self.spec.headers:  # ours win over the client's of the same name
            ours = tuple(f"{name.lower()}:".encode() for name in self.spec.headers)
            client = b"".join(line for line in client.splitlines(keepends=True) if not line.startswith(ours))
        return b"POST %b%b HTTP/1.1\r\n%b%baccept-encoding: identity\r\ncontent-length: %d\r\n" % (self._prefix, path, own, client, length)


class Targets:
    """The target of each server, by id."""

    __slots__ = ("_contexts", "_targets", "_retired")

    def __init__(self) -> None:
        self._targets: dict[str, Target] = {}
        self._retired: list[Pool] = []
        self._contexts: dict[bool, ssl.SSLContext] = {}

    def of(self, spec: ServerSpec) -> Target:
        """Made at first use. Raises ConfigError if a key cannot be resolved."""
        target = self._targets.get(spec.id)
        if target is not None:
            if target.spec is spec:
                return target
            if _same(target.spec, spec):
                target.spec = spec
                return target
            self._retire(target)
        target = self._targets[spec.id] = Target(spec, self._tls(spec))
        return target

    def keep(self, ids: set[str]) -> None:
        """Forget the servers that are no longer registered."""
        for gone in self._targets.keys() - ids:
            self._retire(self._targets.pop(gone))

    def sweep(self, now: float) -> None:
        for target in self._targets.values():
            target.pool.sweep(now)
        for pool in self._retired:
            pool.sweep(now)
        self._retired = [pool for pool in self._retired if pool.connections]

    def close(self) -> None:
        for target in self._targets.values():
            target.pool.close()
        for pool in self._retired:
            pool.close()

    def _retire(self, target: Target) -> None:
        target.pool.close()
        self._retired.append(target.pool)

    def _tls(self, spec: ServerSpec) -> ssl.SSLContext | None:
        if not spec.url.startswith("https:"):
            return None
        context = self._contexts.get(spec.verify_tls)
        if context is None:
            context = self._contexts[spec.verify_tls] = ssl.create_default_context()
            if not spec.verify_tls:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
        return context


def _same(a: ServerSpec, b: ServerSpec) -> bool:
    return (a.url, a.verify_tls, a.api_key, a.headers) == (b.url, b.verify_tls, b.api_key, b.headers)


def _lines(found: list[tuple[str, str]]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in found).encode("latin-1")
