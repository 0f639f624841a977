"""Files that clients leave with us; their bytes are elsewhere."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Makes the table and its indexes."""
    op.create_table(
        "files",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("shape", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double),
        sa.Column("description", sa.Text, nullable=False),
    )
    op.create_index("files_by_owner", "files", ["owner", "key"])
    op.create_index("files_by_end", "files", ["expires_at"])
    unsettled = sa.text("status IN ('uploading', 'deleting')")
    op.create_index("files_unsettled", "files", ["status"], sqlite_where=unsettled, postgresql_where=unsettled)


def downgrade() -> None:
    """Drops it, with all that it knows of files; their bytes stay where they are."""
    op.drop_table("files")
