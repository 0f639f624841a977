"""Responses that clients may come back to."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Makes the table and its indexes."""
    op.create_table(
        "responses",
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
    op.create_index("responses_by_age", "responses", ["owner", "created_at", "size"])
    op.create_index("responses_by_end", "responses", ["expires_at"])


def downgrade() -> None:
    """Drops it, with all that it holds."""
    op.drop_table("responses")
