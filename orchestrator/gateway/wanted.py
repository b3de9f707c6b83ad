"""Which model a request is for, and which servers may be asked for it."""

from orchestrator.errors import Refusal
from orchestrator.fleet.fleet import Fleet
from orchestrator.gateway.call import Call
from orchestrator.protocol import envelope as envelopes
from orchestrator.protocol.envelope import Envelope
from orchestrator.routing.candidates import Wanted


def wanted_of(fleet: Fleet, call: Call, envelope: Envelope) -> Wanted:
    """Raises Refusal if nobody has the model, or the server that the client names cannot be meant."""
    route = call.route
    found = fleet.find(route.family, envelope.model)
    pin = call.headers.seen.get(b"x-orchestrator-server")
    if pin is not None and (name := pin.decode("latin-1").strip()) not in fleet.servers:
        raise Refusal(400, "unknown_server", f"server '{name[:64]}' named in X-Orchestrator-Server is not registered")
    if found is None:
        raise envelopes.unknown_model(route, envelope.model)
    model, hosts = found
    if pin is not None:
        hosts = tuple(host for host in hosts if host.server.spec.id == name)
        if not hosts:
            family = "Ollama's" if route.family == "ollama" else "OpenAI's"
            raise Refusal(404, "model_not_found", f"server '{name[:64]}' does not have model '{envelope.model}' in {family} protocol")
    return Wanted(model, envelope.model, hosts, set(), light=route.light, family=route.family if pin is None else None)
