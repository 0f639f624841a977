"""Knowledge bases: their documents, the passages of these, and the full text of the passages' tokens.

The tokens are made by the program, separated by spaces, so that no database needs to know how a language is cut.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_SQLITE = (
    """CREATE VIRTUAL TABLE knowledge_text
    USING fts5(tokens, content='knowledge_passages', content_rowid='id', tokenize='unicode61')""",
    """CREATE TRIGGER knowledge_text_insert AFTER INSERT ON knowledge_passages
    BEGIN INSERT INTO knowledge_text(rowid, tokens) VALUES (new.id, new.tokens); END""",
    """CREATE TRIGGER knowledge_text_delete AFTER DELETE ON knowledge_passages
    BEGIN INSERT INTO knowledge_text(knowledge_text, rowid, tokens) VALUES ('delete', old.id, old.tokens); END""",
)
_POSTGRESQL = "CREATE INDEX knowledge_text ON knowledge_passages USING gin (to_tsvector('simple', tokens))"


def upgrade() -> None:
    """Makes the tables, their indexes, and the full text."""
    op.create_table(
        "knowledge_bases",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
    )
    op.create_index("knowledge_bases_by_owner", "knowledge_bases", ["owner", "id"])
    op.create_table(
        "knowledge_documents",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("base_id", sa.Text, nullable=False),
        sa.Column("file_id", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("passages", sa.Integer),
        sa.Column("indexed", sa.Integer, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("embedder", sa.Text),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
        sa.Column("claimed_by", sa.Text),
        sa.Column("claimed_until", sa.Double),
        sqlite_autoincrement=True,
    )
    there = sa.text("status <> 'deleting'")
    op.create_index(
        "knowledge_documents_by_file",
        "knowledge_documents",
        ["base_id", "file_id"],
        unique=True,
        sqlite_where=there,
        postgresql_where=there,
    )
    unsettled = sa.text("status IN ('uploaded', 'deleting')")
    op.create_index(
        "knowledge_documents_unsettled",
        "knowledge_documents",
        ["status", "id"],
        sqlite_where=unsettled,
        postgresql_where=unsettled,
    )
    op.create_table(
        "knowledge_passages",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("document_id", sa.Integer, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("entry", sa.Integer, nullable=False),
        sa.Column("question", sa.Boolean, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("answer", sa.Text),
        sa.Column("heading", sa.Text, nullable=False),
        sa.Column("page", sa.Integer),
        sa.Column("tokens", sa.Text, nullable=False),
        sa.Column("vector", sa.LargeBinary),
    )
    op.create_index("knowledge_passages_by_place", "knowledge_passages", ["document_id", "position"], unique=True)
    missing = sa.text("vector IS NULL")
    op.create_index(
        "knowledge_passages_to_embed",
        "knowledge_passages",
        ["document_id", "position"],
        sqlite_where=missing,
        postgresql_where=missing,
    )
    if op.get_bind().dialect.name == "sqlite":
        for statement in _SQLITE:
            op.execute(statement)
    else:
        op.execute(_POSTGRESQL)


def downgrade() -> None:
    """Drops all of it."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE knowledge_text")
    op.drop_table("knowledge_passages")
    op.drop_table("knowledge_documents")
    op.drop_table("knowledge_bases")
