"""The table of server kinds, and how a server's kind is told from its host and from what it answers."""

from collections.abc import Collection

from msgspec import Struct

from orchestrator.upstream.address import AZURE_SUFFIXES

OLLAMA = "ollama"
CUSTOM = "custom"


class Kind(Struct, frozen=True):
    """One kind. label: as people read it. hosts: host names or, with a leading dot, suffixes that are this kind for certain.

    owners: values of `owned_by` in its `/v1/models`. banners: starts of its `Server` header, lower case.
    """

    id: str
    label: str
    hosts: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    banners: tuple[str, ...] = ()


KINDS: dict[str, Kind] = {
    kind.id: kind
    for kind in (
        Kind(OLLAMA, "Ollama"),
        Kind("vllm", "vLLM", owners=("vllm",)),
        Kind("sglang", "SGLang", owners=("sglang",)),
        Kind("llamacpp", "llama.cpp", owners=("llamacpp",), banners=("llama.cpp",)),
        Kind("lmstudio", "LM Studio", owners=("organization_owner",)),
        Kind("openai", "OpenAI", hosts=("api.openai.com",)),
        Kind("azure", "Azure OpenAI", hosts=AZURE_SUFFIXES),
        Kind("openrouter", "OpenRouter", hosts=("openrouter.ai",)),
        Kind(CUSTOM, "OpenAI-compatible"),
    )
}


def label(kind: str) -> str:
    """The name for people; "" for a server that was never reached."""
    return KINDS[kind].label if kind in KINDS else kind


def of_host(host: str) -> Kind | None:
    """The kind that a host name alone tells: the hosted services. None of them speaks Ollama."""
    for kind in KINDS.values():
        if any(host == known or (known.startswith(".") and host.endswith(known)) for known in kind.hosts):
            return kind
    return None


def recognise(host: str, *, speaks_ollama: bool, owners: Collection[str] = (), banner: str = "") -> str:
    """The id of the kind of a server that answers. owners: its models' `owned_by`; banner: its `Server` header, "" if none."""
    if speaks_ollama:
        return OLLAMA
    hosted = of_host(host)
    if hosted is not None:
        return hosted.id
    shown = banner.lower()
    for kind in KINDS.values():
        if any(owner in owners for owner in kind.owners) or (kind.banners and shown.startswith(kind.banners)):
            return kind.id
    return CUSTOM
