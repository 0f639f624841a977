"""People, teams, whose keys are whose, who has logged in, and the audit log."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0009"


def upgrade() -> None:
    """Makes the tables; every key that there is stays the operator's, and may do what it might."""
    op.add_column("keys", sa.Column("user_id", sa.Text))
    op.add_column("keys", sa.Column("team_id", sa.Text))
    op.add_column("keys", sa.Column("dialects", sa.JSON, nullable=False, server_default="[]"))
    op.add_column("keys", sa.Column("networks", sa.JSON, nullable=False, server_default="[]"))
    op.create_index("keys_by_user", "keys", ["user_id"])
    op.create_index("keys_by_team", "keys", ["team_id"])
    _people()
    _logins()
    _audit()


def downgrade() -> None:
    """Drops them, and the keys that could do more without them."""
    for table in ("audit_head", "audit", "logins", "members", "teams", "identities", "users"):
        op.drop_table(table)
    op.execute(
        "DELETE FROM keys WHERE user_id IS NOT NULL OR team_id IS NOT NULL"
        " OR CAST(dialects AS TEXT) <> '[]' OR CAST(networks AS TEXT) <> '[]'"
    )
    op.drop_index("keys_by_team", "keys")
    op.drop_index("keys_by_user", "keys")
    for column in ("networks", "dialects", "team_id", "user_id"):
        op.drop_column("keys", column)


def _people() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False, unique=True),
        sa.Column("password", sa.Text),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("plan", sa.Text),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("disabled_at", sa.Double),
        sa.Column("last_login_at", sa.Double),
    )
    op.create_table(
        "identities",
        sa.Column("issuer", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
    )
    op.create_index("identities_by_user", "identities", ["user_id"])
    op.create_table(
        "teams",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("plan", sa.Text),
        sa.Column("created_at", sa.Double, nullable=False),
    )
    op.create_table(
        "members",
        sa.Column("team_id", sa.Text, primary_key=True),
        sa.Column("user_id", sa.Text, primary_key=True),
        sa.Column("role", sa.Text, nullable=False),
    )
    op.create_index("members_by_user", "members", ["user_id"])


def _logins() -> None:
    op.create_table(
        "logins",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("method", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("used_at", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
    )
    op.create_index("logins_by_user", "logins", ["user_id"])
    op.create_index("logins_by_end", "logins", ["expires_at"])


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("time", sa.Double, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("actor_name", sa.Text, nullable=False),
        sa.Column("address", sa.Text),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("target", sa.Text),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("previous", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
    )
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("seal", sa.Text, nullable=False),
    )
    op.bulk_insert(head, [{"id": 1, "sequence": 0, "hash": "", "seal": ""}])
