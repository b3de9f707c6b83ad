"""Spellings of model names: which mean the same model, and which a server is allowed to serve."""

from fnmatch import fnmatchcase

LATEST = ":latest"
DEFAULT_PREFIXES = ("registry.ollama.ai/library/", "registry.ollama.ai/", "library/")


def without_latest(name: str) -> str:
    """`llama3:latest` -> `llama3`; case kept."""
    return name[: -len(LATEST)] if name[-7:].lower() == LATEST else name


def fold(name: str) -> str:
    """The key under which all spellings of a model meet: lower case, no default host, namespace or tag."""
    key = without_latest(name).lower()
    for prefix in DEFAULT_PREFIXES:
        if key.startswith(prefix):
            return key[len(prefix) :]
    return key


def allowed(name: str, allow: tuple[str, ...], deny: tuple[str, ...]) -> bool:
    """Globs over the name with and without `:latest`, any case. Deny wins; an empty allow list allows all."""
    names = (name.lower(), without_latest(name).lower())

    def matches(globs: tuple[str, ...]) -> bool:
        return any(fnmatchcase(n, glob.lower()) for glob in globs for n in names)

    return not matches(deny) and (not allow or matches(allow))
