"""The registered servers."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "servers",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("id", sa.String(64), nullable=False, unique=True),
        sa.Column("url", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("type", sa.String(16), nullable=False),
        sa.Column("api_key", sa.Text),
        sa.Column("headers", sa.Text, nullable=False),
        sa.Column("max_concurrency", sa.Integer),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("weight", sa.Float, nullable=False),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("draining", sa.Boolean, nullable=False),
        sa.Column("models_allow", sa.Text, nullable=False),
        sa.Column("models_deny", sa.Text, nullable=False),
        sa.Column("verify_tls", sa.Boolean, nullable=False),
        sa.Column("connect_timeout_seconds", sa.Float),
        sa.Column("first_event_timeout_seconds", sa.Float),
        sa.Column("answer_timeout_seconds", sa.Float),
        sa.Column("idle_timeout_seconds", sa.Float),
        sa.Column("learned", sa.Text, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("servers")
