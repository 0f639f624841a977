"""`rixin keys` on a real database."""

import asyncio
import json
import re
from pathlib import Path

import pytest

from rixin.accounts import root_secret
from rixin.accounts.account import Account
from rixin.accounts.keys import KeyRing
from rixin.clock import SystemClock
from rixin.dialects.sensenova_native.tokens import mint
from rixin.errors import RixinError
from rixin.store.database import Database
from tests.cli.program import Invoke, settings_on


def whose(secret: str, data_dir: Path) -> Account:
    """Whose key it is, as a server on the same data directory finds it."""
    settings = settings_on(data_dir)

    async def ask() -> Account:
        database = Database.open(settings)
        try:
            return await KeyRing(database, root_secret.load(settings), SystemClock()).authenticate(secret, None)
        finally:
            await database.aclose()

    return asyncio.run(ask())


def create(invoke: Invoke, *arguments: str) -> dict[str, str]:
    """A key made with `--json`."""
    result = invoke("keys", "create", *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def listed(invoke: Invoke) -> list[dict[str, object]]:
    """All keys."""
    return json.loads(invoke("keys", "list", "--json").stdout)


def test_a_key_is_printed_once_and_counts(invoke: Invoke, data_dir: Path) -> None:
    """Standard output holds the key and nothing else, so that it can be piped; a server knows it."""
    result = invoke("keys", "create", "laptop")
    assert re.fullmatch(r"sk-rx-[\w-]{43}\n", result.stdout)
    account = whose(result.stdout.strip(), data_dir)
    assert (account.name, account.scopes) == ("laptop", {"inference"})
    assert result.stdout.strip() not in invoke("keys", "list").output


def test_json_holds_id_and_key(invoke: Invoke) -> None:
    """`keys create NAME --json` prints exactly `id` and `key`."""
    created = create(invoke, "laptop")
    assert set(created) == {"id", "key"}
    assert created["id"] == listed(invoke)[0]["id"]


def test_a_key_can_be_narrowed(invoke: Invoke, data_dir: Path) -> None:
    """Scopes, models, plan and expiry are the key's own."""
    created = create(
        invoke, "ci", "--scope", "inference", "--scope", "metrics", "--model", "qwen*", "--plan", "sensenova-v6",
        "--expires", "30d",
    )  # fmt: skip
    account = whose(created["key"], data_dir)
    assert account.scopes == {"inference", "metrics"}
    assert (account.models, account.plan) == (("qwen*",), "sensenova-v6")
    now = SystemClock().now()
    assert account.expires_at is not None
    assert now + 29 * 86400 < account.expires_at <= now + 30 * 86400


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--scope", "root"], "scopes must be one or more of admin, inference, metrics"),
        (["--plan", "gold"], "there is no plan 'gold'; those that there are: "),
        (["--expires", "never"], "'never' is no time"),
        (["--model", ""], "models"),
    ],
)
def test_what_a_key_cannot_be_is_told(invoke: Invoke, arguments: list[str], says: str) -> None:
    """A bad argument is an error that names it, and makes no key."""
    result = invoke("keys", "create", "ci", *arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert says in result.stderr
    assert listed(invoke) == []


def test_a_table_shows_what_keys_may_do(invoke: Invoke) -> None:
    """The list names each key by how it begins, and its state."""
    created = create(invoke, "laptop", "--scope", "admin")
    create(invoke, "phone")
    invoke("keys", "disable", "phone")
    lines = invoke("keys", "list").stdout.splitlines()
    assert len(lines) == 3
    assert [word for word in lines[1].split() if word] [:5] == [
        created["id"], "laptop", created["key"][:10], "active", "admin",
    ]  # fmt: skip
    assert "disabled" in lines[2]


@pytest.mark.parametrize("by", ["id", "name", "key"])
def test_a_key_is_disabled_enabled_and_deleted(invoke: Invoke, data_dir: Path, by: str) -> None:
    """A key goes by its id, its name or itself; each change counts for a server on the same data."""
    created = create(invoke, "laptop")
    create(invoke, "other")
    which = {"id": created["id"], "name": "laptop", "key": created["key"]}[by]
    assert invoke("keys", "disable", which).stdout == f"disabled laptop ({created['id']})\n"
    with pytest.raises(RixinError, match="disabled"):
        whose(created["key"], data_dir)
    assert invoke("keys", "enable", which).exit_code == 0
    assert whose(created["key"], data_dir).name == "laptop"
    assert invoke("keys", "delete", which, "--yes").exit_code == 0
    assert [key["name"] for key in listed(invoke)] == ["other"]


@pytest.mark.parametrize(("answer", "left"), [("y\n", 0), ("n\n", 1), ("", 1)])
def test_deleting_asks_first(invoke: Invoke, answer: str, left: int) -> None:
    """Without --yes the user is asked; no answer is no."""
    create(invoke, "laptop")
    invoke("keys", "delete", "laptop", stdin=answer)
    assert len(listed(invoke)) == left


def test_a_key_that_is_not_there_is_told(invoke: Invoke) -> None:
    """An unknown key is an error, not silence."""
    result = invoke("keys", "disable", "laptop")
    assert result.exit_code == 1
    assert "there is no such key" in result.stderr


def test_a_name_that_several_keys_have_is_not_guessed(invoke: Invoke) -> None:
    """Two keys of one name are told apart by id, and the error names the ids."""
    ids = [create(invoke, "laptop")["id"] for _ in range(2)]
    result = invoke("keys", "delete", "laptop", "--yes")
    assert result.exit_code == 1
    assert all(id_ in result.stderr for id_ in ids)
    assert len(listed(invoke)) == 2


@pytest.mark.bare
def test_the_data_directory_is_private(invoke: Invoke, data_dir: Path) -> None:
    """What the first command makes is for its owner only."""
    create(invoke, "laptop")
    assert data_dir.stat().st_mode & 0o077 == 0
    assert (data_dir / "secret.key").stat().st_mode & 0o077 == 0


def test_an_access_key_is_printed_once_and_signs_tokens(invoke: Invoke, data_dir: Path) -> None:
    """`keys create --access-key --json` prints exactly three fields, and `keys token --json` two."""
    pair = create(invoke, "script", "--access-key", "--model", "qwen*")
    assert set(pair) == {"id", "access_key_id", "secret_access_key"}
    minted = invoke("keys", "token", "--json")
    assert minted.exit_code == 0, minted.output
    token = json.loads(minted.stdout)
    assert set(token) == {"token", "expires_at"}
    assert SystemClock().now() + 1700 < token["expires_at"] <= SystemClock().now() + 1800
    account = whose(token["token"], data_dir)
    assert (account.id, account.name, account.models) == (pair["id"], "script", ("qwen*",))
    own = mint(pair["access_key_id"], pair["secret_access_key"], int(SystemClock().now()))
    assert whose(own, data_dir) == account
    everything = invoke("keys", "list").output + invoke("keys", "list", "--json").stdout
    assert pair["access_key_id"] in everything
    assert pair["secret_access_key"] not in everything


def test_an_access_key_is_printed_for_a_shell(invoke: Invoke) -> None:
    """Standard output holds the variables that the platform's SDK reads, and a token alone is one line."""
    result = invoke("keys", "create", "script", "--access-key")
    assert re.fullmatch(
        r"SENSENOVA_ACCESS_KEY_ID=ak-rx-[\w-]{20}\nSENSENOVA_SECRET_ACCESS_KEY=sk-ak-[\w-]{43}\n", result.stdout
    )
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]{43}\n", invoke("keys", "token").stdout)


def test_a_token_is_of_the_access_key_that_is_named(invoke: Invoke, data_dir: Path) -> None:
    """By id, by name or by access key id; where several could be meant, they are told."""
    assert "there is no access key" in invoke("keys", "token").output
    create(invoke, "laptop")
    first, second = (create(invoke, name, "--access-key") for name in ("one", "two"))
    refused = invoke("keys", "token")
    assert refused.exit_code == 1
    assert first["access_key_id"] in refused.output
    assert second["access_key_id"] in refused.output
    for which in (second["id"], "two", second["access_key_id"]):
        result = invoke("keys", "token", which, "--expires", "2h", "--json")
        token = json.loads(result.stdout)
        assert token["expires_at"] > SystemClock().now() + 7100
        assert whose(token["token"], data_dir).id == second["id"]
    assert invoke("keys", "token", "laptop").exit_code == 1
    assert invoke("keys", "disable", second["access_key_id"]).exit_code == 0
