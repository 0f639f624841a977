"""`rixin db`: the schema of the database, copies of it, and its root secret."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from rixin.accounts import root_secret
from rixin.accounts.root_secret import RootSecret
from rixin.accounts.rotation import Rotated, rotate
from rixin.cli import options, output
from rixin.cli.data_lock import data_lock
from rixin.cli.sealed_columns import SEALED_COLUMNS
from rixin.errors import Kind, RixinError
from rixin.settings import Settings
from rixin.store.database import Database
from rixin.store.meta import MetaTable
from rixin.store.schema import REVISIONS

app = typer.Typer(no_args_is_help=True, add_completion=False)
T = TypeVar("T")

_FOLLOWING = "secret.key.next"
"""Beside `secret.key`: the secret that takes its place, until it has."""


@app.callback()
def db() -> None:
    """Look after the database. It has a schema, copies, and a root secret that it is sealed with."""


@app.command()
def status(config: options.Config = None, data_dir: options.DataDir = None, json: options.Json = False) -> None:
    """Show the database and its revision. Tell whether the schema is this program's."""
    settings = options.load_settings(config, data_dir)

    async def work(database: Database) -> tuple[str | None, str | None]:
        if isinstance(database.place, Path) and not database.place.exists():
            return None, None  # looking at it would make it
        revision = await database.revision()
        return revision, None if revision is None else await MetaTable(database).get(root_secret.META_NAME)

    revision, secret = _with_database(settings, work)
    current = revision == REVISIONS[-1]
    if json:
        found = {"database": _name(settings), "revision": revision, "needed": REVISIONS[-1], "current": current}
        output.print_json({**found, "root_secret": secret})
        return
    state = "up to date" if current else f"this program needs {REVISIONS[-1]}: run rixin db upgrade"
    facts = {"database": _name(settings), "revision": f"{revision or 'none'} ({state})", "root secret": secret or "-"}
    output.print_table(("what", "is"), facts.items())


@app.command()
def upgrade(config: options.Config = None, data_dir: options.DataDir = None) -> None:
    """Bring the schema up to date. A SQLite file is copied first; make a copy of a PostgreSQL database yourself."""
    settings = options.load_settings(config, data_dir)

    async def work(database: Database) -> tuple[Path | None, str | None]:
        return await database.migrate(), await database.revision()

    copy, revision = _with_database(settings, work)
    if copy is not None:
        output.note(f"The database as it was is in {copy}.")
    output.print_line(f"The database {_name(settings)} has revision {revision}.")


@app.command()
def backup(
    to: Annotated[Path, typer.Argument(help="The file to write; it must not be there.", metavar="FILE")],
    config: options.Config = None,
    data_dir: options.DataDir = None,
) -> None:
    """Copy the database into a file. Servers may use it meanwhile.

    A PostgreSQL database is copied by pg_dump, for pg_restore. Keep the root secret with it, or it opens nothing.
    """
    if to.exists():
        raise RixinError(Kind.CONFIGURATION, f"{to} is there already")
    settings = options.load_settings(config, data_dir)
    _with_database(settings, lambda database: database.back_up(to.absolute()))
    output.print_line(f"Copied {_name(settings)} to {to}.")


@app.command("rotate-secret")
def rotate_secret(
    new: Annotated[
        Path | None,
        typer.Option(
            "--new-secret-file", help="A file with the new secret; a new one is made unless given.", metavar="FILE"
        ),
    ] = None,
    config: options.Config = None,
    data_dir: options.DataDir = None,
) -> None:
    """Seal all that is sealed with a new root secret. Stop every server first.

    API keys, access keys and the audit log stay good. Logins and the links of files end, and so do the thoughts that
    clients hold for us. It may be interrupted: run it again with the same secrets.
    """
    settings = options.load_settings(config, data_dir)
    given = settings.secret_key is not None or settings.server.shares_database
    if given and new is None:
        raise RixinError(
            Kind.CONFIGURATION,
            "the root secret was given, so its successor must be too: make a file with `openssl rand -hex 32`, and "
            "name it with --new-secret-file",
        )
    current, following = settings.server.data_dir / root_secret.FILE_NAME, settings.server.data_dir / _FOLLOWING
    with contextlib.nullcontext() if settings.server.shares_database else data_lock(settings.server.data_dir):
        successor = root_secret.load_file(following) if new is None else root_secret.parse(_read(new), str(new))
        done = _rotated(settings, root_secret.load(settings), successor)
        if new is None:
            following.replace(current)
    output.print_line(f"Sealed {done.resealed} values with the root secret {successor.key_id}.")
    if done.unreadable:
        output.note(f"{done.unreadable} values could not be opened with the old secret, and stay as they are.")
    if new is not None:
        output.note(f"Start every server with the secret in {new} from now on.")


def _rotated(settings: Settings, old: RootSecret, new: RootSecret) -> Rotated:
    async def work(database: Database) -> Rotated:
        await database.prepare()
        return await rotate(database, old, new, SEALED_COLUMNS, _tell)

    return _with_database(settings, work)


def _tell(table: str, done: Rotated) -> None:
    output.note(f"{table}: {done.resealed} values sealed anew")


def _with_database(settings: Settings, work: Callable[[Database], Awaitable[T]]) -> T:
    async def run() -> T:
        database = Database.open(settings)
        try:
            return await work(database)
        except RixinError as error:
            if error.kind is not Kind.OVERLOADED:
                raise
            message = f"cannot use the database {database.name}: {error.detail}"
            raise RixinError(Kind.CONFIGURATION, message) from error
        finally:
            await database.aclose()

    return asyncio.run(run())


def _name(settings: Settings) -> str:
    return Database.open(settings).name


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise RixinError(Kind.CONFIGURATION, f"cannot read {path}: {error}") from None
