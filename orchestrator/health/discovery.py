"""From the answers to a probe's requests to what a server is and has. Pure; nothing of an answer but names, versions and list entries gets out."""

from datetime import datetime
from enum import Enum

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from orchestrator.fleet.specs import Learned, ListedModel, LoadedModel, Observation, ProbeStatus
from orchestrator.health.shapes import Entry, entries, members, text, v1_entries, whole
from orchestrator.protocol.http import retry_after_seconds
from orchestrator.upstream.control import Failure, Reply
from orchestrator.upstream.kinds import recognise

MAX_VERSION = 64
VOLATILE = ("created", "permission")  # vLLM, SGLang and llama.cpp make them anew for each answer
GONE = (404, 405, 410, 501)


class Verdict(Enum):
    """What is to be believed of a family after a probe.

    PRESENT: it answered with the right shape. ABSENT: a definite answer that it is not there. UNSURE: no or no useful answer, so what was believed
    stands; likewise REFUSED (credentials), LIMITED (429) and WARMING (loading its model), which say why.
    """

    PRESENT = "present"
    ABSENT = "absent"
    UNSURE = "unsure"
    REFUSED = "refused"
    LIMITED = "limited"
    WARMING = "warming"


class Family(Struct, frozen=True):
    """One family of routes, `/api` or `/v1`, as a probe found it.

    owners: the models' `owned_by`; banner: the `Server` header. timed_out: for want of an answer within the deadline.
    """

    verdict: Verdict
    reason: str = ""
    models: tuple[ListedModel, ...] = ()
    version: str = ""
    owners: frozenset[str] = frozenset()
    banner: str = ""
    retry_after_seconds: float | None = None
    timed_out: bool = False


NOT_ASKED = Family(Verdict.ABSENT)
STATUSES: dict[Verdict, ProbeStatus] = {Verdict.REFUSED: "configError", Verdict.LIMITED: "rateLimited", Verdict.WARMING: "warming"}


def read_ollama(tags: Reply, version: Reply, before: Learned, time: datetime) -> Family:
    """The `/api` family from `/api/tags` and `/api/version`. Only both together make an Ollama: others emulate the list alone.

    A version that does not come in time is taken as before on a server that was an Ollama.
    """
    listed = read_tags(tags, time)
    if listed.verdict is not Verdict.PRESENT:
        return listed
    numbered = read_version(version, time)
    if numbered.verdict is Verdict.PRESENT:
        return replace(listed, version=numbered.version)
    if numbered.verdict is Verdict.ABSENT or not before.supports_ollama:
        return numbered
    return replace(listed, version=before.version)


def read_tags(tags: Reply, time: datetime) -> Family:
    """The models of `/api/tags`."""
    found = judged(tags, "/api/tags", time)
    if found is not None:
        return found
    answered = members(tags)
    listed = entries(answered.get("models")) if "error" not in answered else None
    if listed is None:
        return Family(Verdict.ABSENT, "/api/tags: no list of models")
    models, sizes_are_numbers = _tagged(listed)
    return Family(Verdict.PRESENT, models=models) if sizes_are_numbers else Family(Verdict.ABSENT, "/api/tags: an imitation of Ollama's")


def read_version(version: Reply, time: datetime) -> Family:
    """The number of `/api/version`."""
    found = judged(version, "/api/version", time)
    if found is not None:
        return found
    number = text(members(version).get("version"))
    return Family(Verdict.PRESENT, version=number[:MAX_VERSION]) if number else Family(Verdict.ABSENT, "/api/version: no version")


def read_v1(listed: Reply, time: datetime) -> Family:
    """The `/v1` family from `/v1/models`: an object with `data` or else `models`, or a bare array."""
    found = judged(listed, "/v1/models", time)
    if found is not None:
        return found
    found_entries = v1_entries(listed)
    if found_entries is None or isinstance(listed, Failure):
        return Family(Verdict.ABSENT, "/v1/models: no list of models")
    named = [(text(entry.id) or text(entry.model) or text(entry.name), entry) for entry in found_entries]
    models = tuple(ListedModel(name, raw=entry.raw) for name, entry in named if name)
    owners = frozenset(text(entry.owned_by) for _, entry in named) - {""}
    return Family(Verdict.PRESENT, models=models, owners=owners, banner=listed.headers.get("server", ""))


def read_loaded(ps: Reply) -> tuple[LoadedModel, ...] | None:
    """`/api/ps`; None where it was not answered."""
    if isinstance(ps, Failure) or ps.status != 200:
        return None
    listed = entries(members(ps).get("models"))
    if listed is None:
        return None
    return tuple(
        LoadedModel(name, whole(one.size) or 0, whole(one.size_vram) or 0, text(one.expires_at), whole(one.context_length), one.raw)
        for one in listed
        if (name := text(one.name) or text(one.model))
    )


def conclude(ollama: Family, v1: Family, loaded: tuple[LoadedModel, ...] | None, before: Learned, host: str) -> Observation:
    """What a probe says of a server. Healthy if either family is present; else the reason is that of the family that counts."""
    if Verdict.PRESENT not in (ollama.verdict, v1.verdict):
        return _unhealthy(ollama, v1, before)
    learned = _learned(ollama, v1, before, host)
    return Observation(
        status="healthy",
        reason="; ".join(family.reason for family in (ollama, v1) if family.verdict not in (Verdict.PRESENT, Verdict.ABSENT)),
        learned=learned,
        loaded=loaded if ollama.verdict is Verdict.PRESENT else None if learned.supports_ollama else (),
    )


def _unhealthy(ollama: Family, v1: Family, before: Learned) -> Observation:
    """The families that count: those that it was known to speak, if they are not definitely gone; else whichever may be there."""
    both = (ollama, v1)
    known = [family for family, believed in zip(both, (before.supports_ollama, before.supports_v1), strict=True) if believed]
    counting = [f for f in known if f.verdict is not Verdict.ABSENT] or [f for f in both if f.verdict is not Verdict.ABSENT] or [f for f in both if f.reason]
    for verdict, status in STATUSES.items():
        found = next((family for family in counting if family.verdict is verdict), None)
        if found is not None:
            return Observation(status=status, reason=found.reason, retry_after_seconds=found.retry_after_seconds)
    return Observation(
        status="down", reason="; ".join(dict.fromkeys(family.reason for family in counting)), timed_out=all(family.timed_out for family in counting)
    )


def _learned(ollama: Family, v1: Family, before: Learned, host: str) -> Learned:
    """A family keeps what was believed of it unless the answer was definite."""
    speaks_ollama, models, version = before.supports_ollama, before.models, before.version
    if ollama.verdict in (Verdict.PRESENT, Verdict.ABSENT):
        speaks_ollama, models, version = ollama.verdict is Verdict.PRESENT, _settled(ollama.models, before.models), ollama.version
    speaks_v1, v1_models = before.supports_v1, before.v1_models
    if v1.verdict in (Verdict.PRESENT, Verdict.ABSENT):
        speaks_v1, v1_models = v1.verdict is Verdict.PRESENT, _settled(v1.models, before.v1_models)
    kind = before.kind
    if speaks_ollama or v1.verdict is Verdict.PRESENT:
        kind = recognise(host, speaks_ollama=speaks_ollama, owners=v1.owners, banner=v1.banner)
    return Learned(kind, version, speaks_ollama, speaks_v1, models, v1_models)


def _settled(models: tuple[ListedModel, ...], before: tuple[ListedModel, ...]) -> tuple[ListedModel, ...]:
    """Entries that differ from those of before in nothing but volatile members stay as they were, so that an unchanged list compares equal, in any order."""
    known = {model.name: model for model in before}
    settled = tuple(known[model.name] if _same(model, known.get(model.name)) else model for model in models)
    unchanged = len(settled) == len(known) and all(model is known.get(model.name) for model in settled)
    return before if unchanged else settled


def _same(model: ListedModel, before: ListedModel | None) -> bool:
    if before is None:
        return False
    if bytes(model.raw) == bytes(before.raw):
        return model == before
    return model.modified_time == before.modified_time and _steady(model.raw) == _steady(before.raw)


def _steady(raw: Raw) -> dict[str, object]:
    members: dict[str, object] = msgspec.json.decode(raw)
    return {name: value for name, value in members.items() if name not in VOLATILE}


def judged(reply: Reply, path: str, time: datetime) -> Family | None:
    """What the status alone tells; None for a success, whose body has to tell. No word of the answer goes into the reason."""
    if isinstance(reply, Failure):
        if reply.kind == "config":
            return Family(Verdict.REFUSED, reply.reason)
        return Family(Verdict.UNSURE, f"{path}: {reply.reason}", timed_out=reply.kind == "timeout")
    status = reply.status
    said = f"{path} answered {status}"
    if 200 <= status < 300:
        return None
    if status in (401, 403):
        return Family(Verdict.REFUSED, f"{said}: the key is missing or not accepted")
    if status == 429:
        wait = retry_after_seconds([(name.encode(), value.encode("latin-1", "replace")) for name, value in reply.headers.items()], time)
        return Family(Verdict.LIMITED, f"{said}: too many requests", retry_after_seconds=wait)
    if status == 503 and b"loading model" in reply.body[:10_000].lower():
        return Family(Verdict.WARMING, "the server is loading its model")
    if 300 <= status < 400:
        return Family(Verdict.ABSENT, f"{said}: a redirect, which is not followed")
    return Family(Verdict.ABSENT if status in GONE else Verdict.UNSURE, said)


def _tagged(listed: list[Entry]) -> tuple[tuple[ListedModel, ...], bool]:
    """The models of `/api/tags`, and whether no size is a text as llama.cpp writes it."""
    named = ((text(entry.name) or text(entry.model), entry) for entry in listed)
    models = tuple(ListedModel(name, text(entry.modified_at), entry.raw) for name, entry in named if name)
    return models, not any(bytes(entry.size).startswith(b'"') for entry in listed)
