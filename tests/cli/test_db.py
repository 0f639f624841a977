"""`rixin db`, as it is run, on each kind of database."""

import json
import os
from collections.abc import Generator
from pathlib import Path

import pytest
from sqlalchemy import URL

from rixin.store.schema import REVISIONS
from tests.cli.program import rixin, serving, until
from tests.support import postgresql
from tests.support.databases import KINDS, Place, execute, new_place, url_of

SECRETS = bytes(range(32)).hex(), bytes(range(50, 82)).hex()


@pytest.fixture(params=KINDS)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Place]:
    """Where a database is that has nothing in it yet, of each kind in turn."""
    with new_place(request.param, tmp_path, migrated=False) as place:
        yield place


def environment(place: Place, secret: str = SECRETS[0]) -> dict[str, str]:
    """What tells the program of a database, and of its secret."""
    return {"RIXIN_DATABASE_URL": url_of(place), "RIXIN_SECRET_KEY": secret}


async def status(place: Place, data_dir: Path) -> dict[str, object]:
    """What `rixin db status` tells a program."""
    run = await rixin("db", "status", "--json", data_dir=data_dir, env=environment(place))
    assert run.code == 0, run.err
    return json.loads(run.out)


async def test_a_database_is_made_and_told_of(empty: Place, tmp_path: Path) -> None:
    """It has no revision before the upgrade, and the program's own one after it, done as often as one likes."""
    before = await status(empty, tmp_path / "data")
    assert (before["revision"], before["current"]) == (None, False)
    for _ in range(2):
        assert (await rixin("db", "upgrade", data_dir=tmp_path / "data", env=environment(empty))).code == 0
    after = await status(empty, tmp_path / "data")
    assert (after["revision"], after["needed"], after["current"]) == (REVISIONS[-1], REVISIONS[-1], True)
    shown = await rixin("db", "status", data_dir=tmp_path / "data", env=environment(empty))
    assert "up to date" in shown.out


async def test_a_server_needs_a_shared_schema_to_be_there(tmp_path: Path) -> None:
    """On PostgreSQL that nobody upgraded, `serve` ends with the command that does it."""
    with new_place("postgresql", tmp_path, migrated=False) as place:
        run = await rixin("serve", "--port", "0", data_dir=tmp_path / "data", env=environment(place))
        assert run.code == 1
        assert "rixin db upgrade" in run.err


@pytest.mark.bare
async def test_a_server_needs_a_shared_secret(tmp_path: Path) -> None:
    """On PostgreSQL no secret is made; without one, or with a wrong one, `serve` ends and says what to do."""
    with new_place("postgresql", tmp_path) as place:
        bare = await rixin("serve", "--port", "0", data_dir=tmp_path / "a", env={"RIXIN_DATABASE_URL": url_of(place)})
        assert bare.code == 1
        assert "RIXIN_SECRET_KEY" in bare.err
        assert not list((tmp_path / "a").glob("secret.key*"))
        assert (await rixin("keys", "create", "a", data_dir=tmp_path / "a", env=environment(place))).code == 0
        wrong = await rixin("serve", "--port", "0", data_dir=tmp_path / "a", env=environment(place, SECRETS[1]))
        assert wrong.code == 1
        assert "root secret" in wrong.err


async def test_what_cannot_be_reached_is_told(tmp_path: Path) -> None:
    """A database that nobody serves is named, with why; nothing is made, and no password is shown."""
    away = {"RIXIN_DATABASE_URL": f"postgresql://me:canary@/name?host={tmp_path}", "RIXIN_SECRET_KEY": SECRETS[0]}
    run = await rixin("db", "status", data_dir=tmp_path / "data", env=away)
    assert run.code == 1
    assert "postgresql://me:***@" in run.err
    assert "canary" not in run.err
    nothing = {"RIXIN_DATABASE_URL": f"sqlite:///{tmp_path}/none.db"}
    run = await rixin("db", "backup", str(tmp_path / "copy"), data_dir=tmp_path / "data", env=nothing)
    assert run.code == 1
    assert "none.db" in run.err
    assert not list(tmp_path.glob("*.db"))


async def test_a_copy_can_be_used(place: Place, tmp_path: Path) -> None:
    """What was in the database is in the copy, which nobody else may read; a file that is there is left alone."""
    # The machine's own `pg_dump` may be older than the server of the tests.
    path = os.environ["PATH"]
    if isinstance(place, URL):
        path = f"{postgresql.server().programs}{os.pathsep}{path}"
    execute(place, "INSERT INTO meta VALUES ('a', 'kept')")
    copy = tmp_path / "copy"
    environ = {**environment(place), "PATH": path}
    run = await rixin("db", "backup", str(copy), data_dir=tmp_path / "data", env=environ)
    assert run.code == 0, run.err
    assert copy.stat().st_mode & 0o777 == 0o600
    if isinstance(place, Path):
        assert execute(copy, "SELECT value FROM meta") == [("kept",)]
    else:
        assert copy.read_bytes().startswith(b"PGDMP")
    again = await rixin("db", "backup", str(copy), data_dir=tmp_path / "data", env=environment(place))
    assert again.code == 1


async def test_a_rotated_secret_takes_the_place_of_the_old_one(place: Place, tmp_path: Path) -> None:
    """Keys go on under the new one; the old one is refused."""
    data = tmp_path / "data"
    made = await rixin("keys", "create", "name", "--access-key", "--json", data_dir=data, env=environment(place))
    pair = json.loads(made.out)
    (tmp_path / "new").write_text(SECRETS[1])
    bare = await rixin("db", "rotate-secret", data_dir=data, env=environment(place))
    assert bare.code == 1
    assert "--new-secret-file" in bare.err
    new = str(tmp_path / "new")
    run = await rixin("db", "rotate-secret", "--new-secret-file", new, data_dir=data, env=environment(place))
    assert run.code == 0, run.err
    token = ("keys", "token", pair["access_key_id"])
    assert (await rixin(*token, data_dir=data, env=environment(place, SECRETS[1]))).code == 0
    assert (await rixin(*token, data_dir=data, env=environment(place))).code == 1


@pytest.mark.bare
async def test_a_servers_own_secret_is_replaced_by_another_of_its_own(tmp_path: Path) -> None:
    """Where the secret is in the data directory, so is the new one; not while a server runs there."""
    data = tmp_path / "data"
    made = await rixin("keys", "create", "name", "--access-key", "--json", data_dir=data)
    before = (data / "secret.key").read_bytes()
    async with serving(data) as server:
        await until(server, "http://127.0.0.1")
        assert (await rixin("db", "rotate-secret", data_dir=data)).code == 1
    run = await rixin("db", "rotate-secret", data_dir=data)
    assert run.code == 0, run.err
    assert (data / "secret.key").read_bytes() != before
    assert (data / "secret.key").stat().st_mode & 0o777 == 0o600
    assert not (data / "secret.key.next").exists()
    assert (await rixin("keys", "token", json.loads(made.out)["access_key_id"], data_dir=data)).code == 0
