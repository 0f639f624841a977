"""`rixin usage` on a real database."""

import asyncio
import csv
import io
import json
import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from rixin.accounts.journal import Journal
from rixin.accounts.ledger import Ledger
from rixin.clock import SystemClock
from rixin.core.prices import PriceList
from rixin.settings import ModelPrice
from rixin.store.database import Database
from rixin.store.usage_row import UsageRow
from tests.cli.program import Invoke, settings_on

NOW = SystemClock().now()
ROW = UsageRow(
    time=NOW - 60, id="1", key_id="key_1", key_name="Ada", dialect="openai_chat", operation="generate",
    model_asked="gpt-5", model="m1", provider="up", status=200, prompt_tokens=1000, completion_tokens=50, total_ms=2.5,
)  # fmt: skip


def keep(data_dir: Path, *rows: UsageRow) -> None:
    """Stores rows as a server does."""
    settings = settings_on(data_dir)

    async def store() -> None:
        database = Database.open(settings)
        await database.prepare()
        ledger = Ledger(database, PriceList({"m1": ModelPrice(prompt=2, completion=4)}))
        for row in rows:
            ledger.record(row)
        await ledger.aclose()
        await database.aclose()

    asyncio.run(store())


@pytest.fixture
def used(data_dir: Path) -> Path:
    """A data directory with three requests."""
    other = replace(ROW, id="2", key_id="key_2", key_name="Bob", model="=m2", provider="down", user_id="u")
    old = replace(ROW, id="3", time=NOW - 60 * 86400)
    keep(data_dir, ROW, other, old)
    return data_dir


def test_a_table_shows_the_last_thirty_days(invoke: Invoke, used: Path) -> None:
    """A line for each model, and one for all; money to the last decimal."""
    lines = [line.split() for line in invoke("usage").stdout.splitlines()]
    assert lines == [
        ["MODEL", "REQUESTS", "ERRORS", "PROMPT", "COMPLETION", "CACHED", "COST"],
        ["=m2", "1", "0", "1,000", "50", "0", "0", "USD"],
        ["m1", "1", "0", "1,000", "50", "0", "0.0022", "USD"],
        ["all", "2", "0", "2,000", "100", "0", "0.0022", "USD"],
    ]


@pytest.mark.parametrize(
    ("arguments", "groups"),
    [
        (["--by", "key"], {"key_1": 1, "key_2": 1}),
        (["--by", "key", "--since", "90d"], {"key_1": 2, "key_2": 1}),
        (["--by", "user", "--since", "90d"], {"": 2, "u": 1}),
        (["--by", "provider", "--key", "key_2"], {"down": 1}),
        (["--by", "model", "--user", "u"], {"=m2": 1}),
        (["--since", "90d", "--until", "30d"], {"m1": 1}),
        (["--model", "m1", "--provider", "down"], {}),
    ],
)
def test_json_tells_what_was_asked_for(
    invoke: Invoke, used: Path, arguments: list[str], groups: dict[str, int]
) -> None:
    """By what, since when, until when, and whose."""
    result = invoke("usage", "--json", *arguments)
    assert {total["group"]: total["requests"] for total in json.loads(result.stdout)["data"]} == groups


def test_csv_is_for_spreadsheets(invoke: Invoke, used: Path) -> None:
    """Names of the columns, a line for each group, and no formula."""
    rows = list(csv.DictReader(io.StringIO(invoke("usage", "--csv").stdout)))
    assert [(row["group"], row["prompt_tokens"], row["cost"], row["currency"]) for row in rows] == [
        ("'=m2", "1000", "0", "USD"),
        ("m1", "1000", "0.0022", "USD"),
    ]


@pytest.mark.parametrize(
    "arguments", [["--since", "soon"], ["--until", "x"], ["--since", "1d", "--until", "2d"], ["--csv", "--json"]]
)
def test_what_makes_no_sense_is_refused(invoke: Invoke, data_dir: Path, arguments: list[str]) -> None:
    """Before anything is read."""
    assert invoke("usage", *arguments).exit_code == 1
    assert not data_dir.exists()


def test_what_a_killed_server_left_is_counted(invoke: Invoke, used: Path) -> None:
    """The server need not be started again to know what it had served."""
    journal = Journal.open(used / "journal")
    journal.settle(replace(ROW, id="left"))
    os.close(journal._file.descriptor)  # pyright: ignore[reportPrivateUsage] - as when a process dies
    journal._lock.close()  # pyright: ignore[reportPrivateUsage] - as above
    for _ in range(2):
        totals = json.loads(invoke("usage", "--json", "--model", "m1").stdout)["data"]
        assert [total["requests"] for total in totals] == [2]
    assert list((used / "journal").iterdir()) == []
