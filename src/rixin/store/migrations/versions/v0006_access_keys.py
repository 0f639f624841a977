"""Access keys: keys whose secret signs tokens, and so must be stored, encrypted."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Adds the columns; every key that there is stays an API key."""
    op.add_column("keys", sa.Column("kind", sa.Text, nullable=False, server_default="api"))
    op.add_column("keys", sa.Column("sealed", sa.LargeBinary))


def downgrade() -> None:
    """Removes them, and the access keys, which count for nothing without their secrets."""
    op.execute("DELETE FROM keys WHERE kind = 'access'")
    op.drop_column("keys", "sealed")
    op.drop_column("keys", "kind")
