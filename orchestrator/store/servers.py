"""The registered servers: rows <-> ServerSpec."""

from typing import Any

import msgspec
from sqlalchemy import RowMapping, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from orchestrator.fleet.specs import FleetSpec, Learned, Secret, ServerSpec
from orchestrator.store.secrets import Sealed, Secrets
from orchestrator.store.tables import servers

NAMES = msgspec.json.Decoder(tuple[str, ...])
HEADERS = msgspec.json.Decoder(dict[str, str])
LEARNED = msgspec.json.Decoder(Learned)
PLAIN = tuple(c.name for c in servers.columns if c.name not in ("number", "api_key", "headers", "tags", "models_allow", "models_deny", "learned"))
LISTS = ("tags", "models_allow", "models_deny")

SEALED_FAULT = "{} cannot be decrypted: the key in secret.key or ORCHESTRATOR_SECRET_KEY is not the one it was stored with; bring that key back or set {} again"


class Servers:
    """The table of servers. Every method works in the transaction of the connection it is given."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._learned: dict[str, tuple[int, Learned]] = {}  # by id, with the hash of its text: lists are long and seldom change

    async def load(self, connection: AsyncConnection) -> FleetSpec:
        """Every server in the order of registration. A row that cannot be used has its `fault` set."""
        rows = (await connection.execute(select(servers).order_by(servers.c.number))).mappings().all()
        self._learned = {row["id"]: self._decoded(row["id"], row["learned"]) for row in rows}
        return FleetSpec(tuple(self._spec(row) for row in rows))

    async def insert(self, connection: AsyncConnection, spec: ServerSpec) -> None:
        await connection.execute(insert(servers).values(self._row(spec)))

    async def update(self, connection: AsyncConnection, spec: ServerSpec) -> None:
        await connection.execute(update(servers).where(servers.c.id == spec.id).values(self._row(spec)))

    async def delete(self, connection: AsyncConnection, server_id: str) -> None:
        await connection.execute(delete(servers).where(servers.c.id == server_id))

    async def save_learned(self, connection: AsyncConnection, server_id: str, url: str, learned: Learned) -> None:
        """What probes found behind this url; nothing if the server has another by now."""
        here = (servers.c.id == server_id) & (servers.c.url == url)
        await connection.execute(update(servers).where(here).values(learned=_text(learned)))

    def _row(self, spec: ServerSpec) -> dict[str, Any]:
        return {
            **{name: getattr(spec, name) for name in PLAIN},
            **{name: _text(getattr(spec, name)) for name in LISTS},
            "api_key": None if spec.api_key is None else self._secrets.seal(spec.api_key),
            "headers": _text({name: self._secrets.seal(secret) for name, secret in spec.headers.items()}),
            "learned": _text(spec.learned),
        }

    def _spec(self, row: RowMapping) -> ServerSpec:
        api_key = None if row["api_key"] is None else self._secrets.open(row["api_key"])
        headers: dict[str, Secret] = {}
        lists: dict[str, Any] = {}
        fault = None
        try:
            headers = {name: self._secrets.open(text) for name, text in HEADERS.decode(row["headers"]).items()}
            lists = {name: NAMES.decode(row[name]) for name in LISTS}
        except msgspec.DecodeError:
            fault = "its row in the database is damaged; delete this server and add it again"
        plain: dict[str, Any] = {name: row[name] for name in PLAIN}
        return ServerSpec(**plain, **lists, api_key=api_key, headers=headers, fault=fault or _sealed(api_key, headers), learned=self._learned[row["id"]][1])

    def _decoded(self, server_id: str, text: str) -> tuple[int, Learned]:
        before, now = self._learned.get(server_id), hash(text)
        return before if before is not None and before[0] == now else (now, _learned(text))


def _sealed(api_key: Secret | None, headers: dict[str, Secret]) -> str | None:
    """Which secret cannot be used, in words."""
    if isinstance(api_key, Sealed):
        return SEALED_FAULT.format("the stored apiKey", "apiKey")
    name = next((name for name, secret in headers.items() if isinstance(secret, Sealed)), None)
    return None if name is None else SEALED_FAULT.format(f"the stored header {name}", "it")


def _learned(text: str) -> Learned:
    """Nothing where it cannot be read: the next probe finds out anew."""
    try:
        return LEARNED.decode(text)
    except msgspec.DecodeError:
        return Learned()


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()
