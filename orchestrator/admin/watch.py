"""What changed of the servers since it was looked at last, told to whoever listens. The servers themselves publish nothing."""

from collections import deque
from datetime import datetime
from functools import partial

from msgspec.structs import fields

from orchestrator.admin.activity import Activity
from orchestrator.admin.answers import ServerAnswer, breaker_answer, server_answer
from orchestrator.admin.hub import Hub
from orchestrator.admin.shapes import Changed, CheckAnswer, Level, ModelsChanged, ServerRemoved, ServerState
from orchestrator.fleet.breaker import State
from orchestrator.fleet.fleet import Fleet
from orchestrator.fleet.names import fold
from orchestrator.fleet.server import Server
from orchestrator.fleet.specs import Learned, ServerSpec

MAX_CHECKS = 720  # two hours at the usual interval
PAUSE_SECONDS = 0.9  # between two events of one server
MAX_TOLD = 20  # servers in one look: the others are told in the next
MAX_TURNED = 300  # breakers in one look, or as many as one server has
MANY_BREAKERS = 8  # servers with more are looked at in turns,
TURNS = 4  # so each in the fourth look
NOTES = 5  # of one server at once, then one a minute: one that flaps must not push out everything else
NOTE_SECONDS = 60.0
MEMBERS = {field.name: field.encode_name for field in fields(ServerAnswer) if field.name in ServerSpec.__struct_fields__}
BY_STATUS = ("enabled", "draining")  # members whose change is told as one of status
LEVELS: dict[str, Level] = {
    "down": "error",
    "degraded": "warning",
    "warming": "warning",
    "configError": "warning",
    "rateLimited": "warning",
    "healthy": "info",
    "draining": "info",
    "disabled": "info",
}
WORDS = {"warming": "warming up", "configError": "misconfigured", "rateLimited": "rate limited"}

# Of a breaker that is not closed: its state, whether an operator opened it, when it may be tried. None is the server's own.
Turned = dict[str | None, tuple[State, bool, float]]


class Allowance:
    """NOTES at once, and one more each NOTE_SECONDS."""

    __slots__ = ("_at", "_left")

    def __init__(self, now: float) -> None:
        self._left, self._at = float(NOTES), now

    def take(self, now: float) -> bool:
        self._left, self._at = min(float(NOTES), self._left + (now - self._at) / NOTE_SECONDS), now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Seen:
    """A server as it was when it was looked at or told of last."""

    __slots__ = ("breaker_notes", "check_time", "checks", "learned", "loaded", "mark", "noted", "spec", "status_notes", "told_at", "turned", "up")

    def __init__(self, server: Server, now: float) -> None:
        self.spec: ServerSpec = server.spec
        self.learned: Learned = server.learned
        self.loaded: tuple[object, ...] = server.loaded
        self.check_time: datetime | None = None
        self.checks: deque[CheckAnswer] = deque(maxlen=MAX_CHECKS)
        self.turned: Turned = {}
        self.mark: object = None
        self.told_at = float("-inf")
        self.noted: str | None = None
        self.up = False
        self.status_notes, self.breaker_notes = Allowance(now), Allowance(now)


class Watch:
    """Looks at all servers a few times a second. While nothing changes that is one pass of comparing identities and numbers."""

    def __init__(self, fleet: Fleet, hub: Hub, activity: Activity) -> None:
        self._fleet = fleet
        self._hub = hub
        self._activity = activity
        self._servers: dict[str, Server] = {}
        self._seen: dict[str, Seen] = {}
        self._looks = self._told = self._turned = 0

    @property
    def up(self) -> int:
        """How many servers are healthy or degraded."""
        return sum(seen.up for seen in self._seen.values())

    def begin(self, now: float) -> None:
        """The servers there are now are no news."""
        self._servers = self._fleet.servers
        self._seen = {server.id: Seen(server, now) for server in self._servers.values()}

    def checks(self, server_id: str, most: int = MAX_CHECKS) -> list[CheckAnswer]:
        """The last probes of a server, oldest first."""
        seen = self._seen.get(server_id)
        return list(seen.checks)[-most:] if seen is not None else []

    def look(self, now: float, *, thorough: bool = False) -> None:
        """Tell whatever changed. thorough: no server has to wait for its turn."""
        self._looks += 1
        self._told = self._turned = 0
        if self._fleet.servers is not self._servers:
            self._compare_specs(now)
        for place, (server_id, server) in enumerate(self._servers.items()):
            if thorough or len(server.breakers) <= MANY_BREAKERS or (place + self._looks) % TURNS == 0:
                self._look_at(server, self._seen[server_id], now)

    def _look_at(self, server: Server, seen: Seen, now: float) -> None:
        turned = _turned(server)
        if turned != seen.turned and self._turned < MAX_TURNED:
            self._tell_breakers(server, seen, turned, now)
        status, reason = server.status(now)
        seen.up = status in ("healthy", "degraded")
        if status != seen.noted:
            self._note_status(server.id, seen, status, reason, now)
        if server.last_check_time is not seen.check_time:
            _keep_check(server, seen, status, reason)
        if server.learned is not seen.learned or server.loaded is not seen.loaded:
            self._compare_models(server, seen)
        mark = (server.last_check_time, status, reason, len(server.breakers))
        if mark != seen.mark and now - seen.told_at >= PAUSE_SECONDS and self._told < MAX_TOLD:
            self._told += 1
            seen.mark, seen.told_at = mark, now
            self._hub.publish("server", partial(_state, server, now))

    # The registry

    def _compare_specs(self, now: float) -> None:
        before, self._servers = self._seen, self._fleet.servers
        self._seen = {server_id: before.get(server_id) or Seen(server, now) for server_id, server in self._servers.items()}
        changed = False
        for server_id in before.keys() - self._seen.keys():
            changed = True
            self._hub.publish("server_removed", partial(ServerRemoved, server_id))
            self._activity.note("serverRemoved", "info", server_id, None, f"{server_id} was removed")
        for server_id, server in self._servers.items():
            if server_id not in before:
                changed = True
                self._activity.note("serverAdded", "info", server_id, None, f"{server_id} was added: {server.spec.url}")
            elif names := self._changes(server, self._seen[server_id]):
                changed, self._seen[server_id].mark = True, None
                if told := [name for name in names if name not in BY_STATUS]:
                    self._activity.note("serverChanged", "info", server_id, None, f"{server_id} was changed: {', '.join(told)}")
        if changed:
            self._hub.publish("changed", partial(Changed, "servers"))

    def _changes(self, server: Server, seen: Seen) -> list[str]:
        """Names of the members that are others now."""
        old, new = seen.spec, server.spec
        seen.spec = new
        if old.url != new.url:
            seen.checks.clear()  # another server stands behind it
        return [shown for name, shown in MEMBERS.items() if getattr(old, name) != getattr(new, name)] if old is not new else []

    # One server

    def _note_status(self, server_id: str, seen: Seen, status: str, reason: str, now: float) -> None:
        """A change of status; not one of reason, not that one was found healthy at first, and not the moment before the first probe."""
        if status == "unknown":
            return
        if seen.noted is None and status == "healthy":
            seen.noted = status
        elif seen.status_notes.take(now):
            seen.noted = status
            self._activity.note("serverStatus", LEVELS[status], server_id, None, _status_message(server_id, status, reason))

    def _compare_models(self, server: Server, seen: Seen) -> None:
        before, after = (seen.learned, seen.loaded), (server.learned, server.loaded)
        seen.learned, seen.loaded = after
        if _names(*before) != _names(*after):
            self._hub.publish("models", partial(ModelsChanged, server.id))

    def _tell_breakers(self, server: Server, seen: Seen, turned: Turned, now: float) -> None:
        before, seen.turned, seen.mark = seen.turned, turned, None
        listed = {fold(model.name): model.name for model in (*server.learned.v1_models, *server.learned.models)}
        opened: list[str | None] = []
        closed: list[str | None] = []
        for key in {**before, **turned}:
            was, now_is = before.get(key), turned.get(key)
            breaker = server.breaker if key is None else server.breakers.get(key)
            if was == now_is or breaker is None:
                continue
            self._turned += 1
            name = None if key is None else listed.get(key, key)
            self._hub.publish("breaker", partial(breaker_answer, server.id, name, breaker, now))
            if now_is is None:
                closed.append(name)
            elif was is None or now_is[1] > was[1]:
                opened.append(name)
        if opened and seen.breaker_notes.take(now):
            self._note_breakers(server, "warning", "opened", opened)
        if closed and seen.breaker_notes.take(now):
            self._note_breakers(server, "info", "closed", closed)

    def _note_breakers(self, server: Server, level: Level, verb: str, names: list[str | None]) -> None:
        """All that turned at the same time in one sentence."""
        first = names[0]
        breaker = server.breaker if first is None else server.breakers[fold(first)]
        shown = ", ".join(name if name is not None else "the server itself" for name in names[:3])
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        message = f"breaker of {server.id} {verb} for {shown}{more}: {breaker.reason}"
        self._activity.note("breaker", level, server.id, first if len(names) == 1 else None, message)


def _turned(server: Server) -> Turned:
    """The breakers that are not closed."""
    closed, own = State.CLOSED, server.breaker
    turned: Turned = {key: (one.state, one.forced, one.retry_at) for key, one in server.breakers.items() if one.state is not closed}
    if own.state is not closed:
        turned[None] = (own.state, own.forced, own.retry_at)
    return turned


def _keep_check(server: Server, seen: Seen, status: str, reason: str) -> None:
    time = seen.check_time = server.last_check_time
    if time is not None:
        last = seen.checks[-1] if seen.checks else None
        kept = last.reason if last is not None and last.reason == reason else reason  # hundreds of equal texts, one in memory
        seen.checks.append(CheckAnswer(round(time.timestamp(), 3), status, kept, server.check_seconds))


def _names(learned: Learned, loaded: tuple[object, ...]) -> tuple[object, ...]:
    """What of it the lists of models show."""
    return learned.models, learned.v1_models, [getattr(model, "name", "") for model in loaded]


def _state(server: Server, now: float) -> ServerState:
    answer = server_answer(server, now)
    return ServerState(
        **{name: getattr(answer, name) for name in ServerState.__struct_fields__ if name in ServerAnswer.__struct_fields__},
        check_seconds=server.check_seconds,
    )


def _status_message(server_id: str, status: str, reason: str) -> str:
    if status == "healthy":
        return f"{server_id} is healthy again"
    if status in ("draining", "disabled"):
        return f"{server_id} is {reason}"
    return f"{server_id} is {WORDS.get(status, status)}: {reason}"
