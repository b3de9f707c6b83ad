"""The credentials and extra headers of a server, resolved at the moment they are sent."""

from collections.abc import Mapping

from orchestrator.errors import ConfigError
from orchestrator.fleet.specs import Secret, ServerSpec
from orchestrator.upstream.address import is_azure, parse


def resolve(secret: Secret, environment: Mapping[str, str]) -> str:
    """The secret itself. Raises ConfigError that names the variable if it is not set or cannot be sent."""
    name = secret.variable
    value = secret.reveal() if name is None else environment.get(name, "")
    if name is not None and not value:
        raise ConfigError(f"environment variable {name} is not set")
    if any(c in value for c in "\r\n\0") or not value.isascii():
        raise ConfigError(
            f"environment variable {name} holds characters that no header can carry" if name else "the key holds characters that no header can carry"
        )
    return value.strip()


def headers(spec: ServerSpec, environment: Mapping[str, str]) -> list[tuple[str, str]]:
    """Authorization (Azure: api-key) and the extra headers, in that order; an extra header of the same name wins.

    Raises ConfigError that names the variable, never the value.
    """
    found = [(name, resolve(secret, environment)) for name, secret in spec.headers.items()]
    if spec.api_key is not None:
        key = resolve(spec.api_key, environment)
        name, value = ("api-key", key) if is_azure(parse(spec.url).host) else ("Authorization", f"Bearer {key}")
        if name.lower() not in {given.lower() for given, _ in found}:
            found.insert(0, (name, value))
    return found
