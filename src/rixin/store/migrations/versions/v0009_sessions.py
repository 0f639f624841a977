"""Conversations that clients have us keep."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Makes the table and its indexes."""
    op.create_table(
        "sessions",
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("used_at", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
        sa.Column("claim", sa.Integer, nullable=False),
        sa.Column("claimed_until", sa.Double),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
    op.create_index("sessions_by_use", "sessions", ["owner", "used_at", "size"])
    op.create_index("sessions_by_end", "sessions", ["expires_at"])


def downgrade() -> None:
    """Drops it, with all that it holds."""
    op.drop_table("sessions")
