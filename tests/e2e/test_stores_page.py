"""The page about stores: its commands work as they are printed, and what it says of figures is so."""

import os
from pathlib import Path

from rixin.accounts import batch_writer, known_keys
from rixin.store import postgresql as backend
from tests.cli.program import environment
from tests.support import postgresql
from tests.support.databases import execute, new_place, tables, url_of
from tests.support.pages import DOCS, blocks, run

PAGE = DOCS / "stores.md"
PRINTED = "postgresql://rixin:password@db.example.com/rixin"


def test_the_commands_on_postgresql(tmp_path: Path) -> None:
    """They make the tables of a new database, tell of it, and copy it."""
    with new_place("postgresql", tmp_path, migrated=False) as place:
        path = f"{postgresql.server().programs}{os.pathsep}{os.environ['PATH']}"
        commands = "".join(blocks(PAGE, "sh")).replace(PRINTED, f"'{url_of(place)}'")
        assert "example.com" not in commands
        done = run(commands, "", environment(tmp_path / "data") | {"PATH": path})
        assert "up to date" in done.stdout
        assert "Copied" in done.stdout
        assert "keys" in tables(place)
        assert execute(place, "SELECT count(*) FROM alembic_version") == [(1,)]


def test_the_figures() -> None:
    """Connections, seconds and rows are those of the program."""
    page = PAGE.read_text(encoding="utf-8")
    assert f"{backend.Postgresql.writers + backend.Postgresql.readers} connections" in page
    assert f"counts for {known_keys.FRESH_FOR:.0f} seconds" in page
    assert f"{batch_writer.MAX_PENDING:,} rows" in page
