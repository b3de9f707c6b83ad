"""What happened lately, for the charts of the admin UI."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "points",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("resolution_seconds", sa.Integer, nullable=False),
        sa.Column("time", sa.Float, nullable=False),
        sa.Column("point", sa.Text, nullable=False),
    )
    op.create_index("points_by_resolution", "points", ["resolution_seconds", "number"])


def downgrade() -> None:
    op.drop_table("points")
