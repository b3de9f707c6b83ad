"""One probe: all its requests at the same time, and what follows from their answers. Touches nothing."""

import asyncio
from collections.abc import Mapping

import aiohttp
from msgspec import Struct
from msgspec.structs import replace

from orchestrator.clock import Clock
from orchestrator.fleet.specs import Learned, Observation, ServerSpec
from orchestrator.health.discovery import NOT_ASKED, conclude, read_loaded, read_ollama, read_v1
from orchestrator.upstream.address import parse
from orchestrator.upstream.control import Answer, Reply, get
from orchestrator.upstream.kinds import of_host

V1_MODELS, TAGS, VERSION, PS = "/v1/models", "/api/tags", "/api/version", "/api/ps"


class Probe(Struct, frozen=True):
    """replies: by path, of those that were asked. seen: what they say together."""

    replies: dict[str, Reply]
    seen: Observation


async def ask(
    session: aiohttp.ClientSession, spec: ServerSpec, before: Learned, clock: Clock, *, timeout_seconds: float, environment: Mapping[str, str]
) -> Probe:
    """Ask the server behind a spec what it is. before: what was believed of it. timeout_seconds: for each request."""
    host = parse(spec.url).host
    wants_ollama = spec.type == "ollama" or (spec.type == "auto" and of_host(host) is None)
    paths = (V1_MODELS, TAGS, VERSION, PS) if wants_ollama else (V1_MODELS,)
    given = await asyncio.gather(*(get(session, spec, path, timeout_seconds=timeout_seconds, environment=environment) for path in paths))
    replies, time = dict(zip(paths, given, strict=True)), clock.utc()
    ollama, loaded = NOT_ASKED, None
    if wants_ollama:
        ollama, loaded = read_ollama(replies[TAGS], replies[VERSION], before, time), read_loaded(replies[PS])
    seen = conclude(ollama, read_v1(replies[V1_MODELS], time), loaded, before, host)
    answered = [reply.seconds for reply in given if isinstance(reply, Answer)]
    return Probe(replies, replace(seen, response_seconds=min(answered, default=None)))
