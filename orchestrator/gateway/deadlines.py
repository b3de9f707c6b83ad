"""How long each phase of an attempt may take: the fleet's defaults, or the server's own."""

from msgspec import Struct

from orchestrator.fleet.server import Server
from orchestrator.fleet.specs import ServerSpec
from orchestrator.gateway.relay import Relay
from orchestrator.gateway.run import Run
from orchestrator.protocol.envelope import Envelope


class Deadlines(Struct, frozen=True):
    """Seconds. commit: for waiting and all attempts together, until there is something to answer with."""

    connect: float
    first_event: float
    first_event_ollama: float
    answer: float
    idle: float
    commit_seconds: float

    def connect_seconds(self, spec: ServerSpec) -> float:
        return spec.connect_timeout_seconds or self.connect

    def relay(self, envelope: Envelope, server: Server, run: Run, deadline_at: float, now: float) -> Relay:
        """A relay that knows its deadlines. Ollama may first have to load the model."""
        spec = server.spec
        answer_at = min(now + (spec.answer_timeout_seconds or self.answer), deadline_at)
        first_at = answer_at
        if envelope.stream:
            limit = spec.first_event_timeout_seconds or (self.first_event_ollama if server.learned.supports_ollama else self.first_event)
            first_at = min(now + limit, deadline_at)
        return Relay(envelope, server, run, spec.idle_timeout_seconds or self.idle, first_at, answer_at)
