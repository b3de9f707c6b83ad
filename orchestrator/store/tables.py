"""The tables as the newest migration leaves them."""

from sqlalchemy import Boolean, Column, Float, Index, Integer, MetaData, String, Table, Text

metadata = MetaData()

# Lists, headers and what was learned are JSON text. Secrets are `env:NAME` or sealed text (see secrets). `number` keeps the order of registration.
servers = Table(
    "servers",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("url", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("type", String(16), nullable=False),
    Column("api_key", Text),
    Column("headers", Text, nullable=False),
    Column("max_concurrency", Integer),
    Column("priority", Integer, nullable=False),
    Column("weight", Float, nullable=False),
    Column("tags", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("draining", Boolean, nullable=False),
    Column("models_allow", Text, nullable=False),
    Column("models_deny", Text, nullable=False),
    Column("verify_tls", Boolean, nullable=False),
    Column("connect_timeout_seconds", Float),
    Column("first_event_timeout_seconds", Float),
    Column("answer_timeout_seconds", Float),
    Column("idle_timeout_seconds", Float),
    Column("learned", Text, nullable=False),
)

# Of the charts: the end of an interval in Unix seconds, and what happened in it as JSON. `number` rises with each that is stored.
points = Table(
    "points",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("resolution_seconds", Integer, nullable=False),
    Column("time", Float, nullable=False),
    Column("point", Text, nullable=False),
    Index("points_by_resolution", "resolution_seconds", "number"),
)
