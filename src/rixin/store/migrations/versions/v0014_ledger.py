"""Users, teams, prices and costs of requests, and sums of them by the hour and by the day."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

_TOKENS = ("prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens", "knowledge_tokens")
_PRICES = ("cost", "price_prompt", "price_completion", "price_cached", "price_request")
_PARTIAL = {"usage_by_user": "user_id", "usage_by_team": "team_id"}
_WHOLE = {"usage_by_model": "model", "usage_by_model_asked": "model_asked", "usage_by_provider": "provider"}


def upgrade() -> None:
    """Adds the columns, which say nothing of the requests that there are; makes the sums, of these too."""
    op.add_column("usage", sa.Column("user_id", sa.Text))
    op.add_column("usage", sa.Column("team_id", sa.Text))
    op.add_column("usage", sa.Column("currency", sa.Text, nullable=False, server_default="USD"))
    for column in _PRICES:
        op.add_column("usage", sa.Column(column, sa.BigInteger, nullable=False, server_default="0"))
    op.drop_column("usage", "day")
    if op.get_bind().dialect.name != "sqlite":  # whose integers have all the same size
        for column in _TOKENS:
            op.alter_column("usage", column, type_=sa.BigInteger)
    for index, column in _WHOLE.items():
        op.create_index(index, "usage", [column, "time"])
    for index, column in _PARTIAL.items():
        there = sa.column(column).is_not(None)
        op.create_index(index, "usage", [column, "time"], sqlite_where=there, postgresql_where=there)
    op.create_table(
        "usage_sums",
        sa.Column("span", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("start", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("key_id", sa.Text, primary_key=True),
        sa.Column("user_id", sa.Text, primary_key=True),
        sa.Column("team_id", sa.Text, primary_key=True),
        sa.Column("model", sa.Text, primary_key=True),
        sa.Column("provider", sa.Text, primary_key=True),
        sa.Column("currency", sa.Text, primary_key=True),
        sa.Column("key_name", sa.Text, nullable=False),
        sa.Column("requests", sa.BigInteger, nullable=False),
        sa.Column("errors", sa.BigInteger, nullable=False),
        sa.Column("estimated", sa.BigInteger, nullable=False),
        *(sa.Column(column, sa.BigInteger, nullable=False) for column in (*_TOKENS, "cost")),
        sqlite_with_rowid=False,
    )
    for span in (3600, 86400):
        op.execute(_sums(span))


def downgrade() -> None:
    """Drops them. What requests used stays, without whose it was, and what it cost."""
    op.drop_table("usage_sums")
    for index in (*_PARTIAL, *_WHOLE):
        op.drop_index(index, "usage")
    op.add_column("usage", sa.Column("day", sa.Integer, nullable=False, server_default="0"))
    op.execute(f"UPDATE usage SET day = {_floor('time / 86400')}")  # noqa: S608 - no value is anybody's
    for column in ("user_id", "team_id", "currency", *_PRICES):
        op.drop_column("usage", column)
    if op.get_bind().dialect.name != "sqlite":
        for column in _TOKENS:
            op.alter_column("usage", column, type_=sa.Integer)


def _sums(span: int) -> str:
    start = f"{_floor(f'time / {span}')} * {span}"
    tokens = ", ".join(f"SUM({column})" for column in _TOKENS)
    whose = "key_id, '', '', model, provider, currency"
    failed, estimated = "CASE WHEN error IS NULL THEN 0 ELSE 1 END", "CASE WHEN estimated THEN 1 ELSE 0 END"
    sums = f"MAX(key_name), COUNT(*), SUM({failed}), SUM({estimated}), {tokens}, 0"
    groups = f"{start}, key_id, model, provider, currency"
    return f"INSERT INTO usage_sums SELECT {span}, {start}, {whose}, {sums} FROM usage GROUP BY {groups}"  # noqa: S608 - as above


def _floor(value: str) -> str:
    # Instants are never negative: what SQLite cuts off is what PostgreSQL would round.
    cast = f"CAST({value} AS INTEGER)" if op.get_bind().dialect.name == "sqlite" else f"CAST(FLOOR({value}) AS BIGINT)"
    return f"({cast})"
