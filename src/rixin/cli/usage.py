"""`rixin usage`: what was used and what that cost, whether the server runs or not."""

import asyncio
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import msgspec
import typer

from rixin.accounts.ledger import Ledger, whole
from rixin.cli import options, output
from rixin.cli.durations import parse_past
from rixin.clock import SystemClock
from rixin.core.csv_text import csv_lines
from rixin.core.prices import decimal_text
from rixin.errors import Kind, RixinError
from rixin.settings import Settings
from rixin.store.database import Database
from rixin.store.usage_sums import Grouping, SumFilter, UsageTotal

app = typer.Typer(add_completion=False)

_FIGURES = ("requests", "errors", "prompt_tokens", "completion_tokens", "cached_tokens")


class By(StrEnum):
    """What has a line of its own."""

    KEY = "key"
    USER = "user"
    TEAM = "team"
    MODEL = "model"
    PROVIDER = "provider"
    DAY = "day"
    HOUR = "hour"


@app.command()
def usage(
    by: Annotated[By, typer.Option("--by", help="What has a line of its own.")] = By.MODEL,
    since: Annotated[str, typer.Option("--since", help="From when on: 24h, 30d, or a date.", metavar="TIME")] = "30d",
    until: Annotated[str | None, typer.Option("--until", help="Until when; now unless given.", metavar="TIME")] = None,
    key: Annotated[str | None, typer.Option("--key", help="Only of the key with this id.", metavar="ID")] = None,
    user: Annotated[str | None, typer.Option("--user", help="Only of the user with this id.", metavar="ID")] = None,
    team: Annotated[str | None, typer.Option("--team", help="Only of the team with this id.", metavar="ID")] = None,
    model: Annotated[str | None, typer.Option("--model", help="Only of this model, by its true name.")] = None,
    provider: Annotated[str | None, typer.Option("--provider", help="Only of what this provider answered.")] = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV, for spreadsheets.")] = False,
    json: options.Json = False,
    config: options.Config = None,
    data_dir: options.DataDir = None,
) -> None:
    """Sum up what was used, and what it cost. Hours and days are those of UTC, and count as a whole."""
    if csv and json:
        raise RixinError(Kind.INVALID_REQUEST, "print either CSV or JSON", param="csv")
    now = SystemClock().now()
    first = parse_past(since, now, "since")
    last = now if until is None else parse_past(until, now, "until")
    if first > last:
        raise RixinError(Kind.INVALID_REQUEST, "--since must not be later than --until", param="since")
    wanted = SumFilter(key_id=key, user_id=user, team_id=team, model=model, provider=provider)
    group_by: Grouping = by.value
    totals = asyncio.run(_totals(options.load_settings(config, data_dir), first, last, group_by, wanted))
    if json:
        data = [msgspec.structs.asdict(total) | {"cost": decimal_text(total.cost)} for total in totals]
        whole_first, whole_last = whole(first, last, group_by)
        output.print_json({"since": whole_first, "until": whole_last, "group_by": group_by, "data": data})
    elif csv:
        output.print_line(csv_lines([UsageTotal.__struct_fields__, *map(_cells, totals)]).rstrip())
    else:
        _print_table(by.value, totals)


async def _totals(
    settings: Settings, since: float, until: float, group_by: Grouping, wanted: SumFilter
) -> list[UsageTotal]:
    database = Database.open(settings)
    try:
        await database.prepare()
        ledger = Ledger(database, journals=settings.journals_dir)
        try:
            await ledger.recover()  # of a server that was killed, and was not started again
            return await ledger.summary(since, until, group_by, wanted)
        finally:
            await ledger.aclose()
    finally:
        await database.aclose()


def _cells(total: UsageTotal) -> list[object]:
    return [*msgspec.structs.astuple(total)[:-1], decimal_text(total.cost)]


def _print_table(by: str, totals: Sequence[UsageTotal]) -> None:
    lines = [
        (total.name or "-", *(f"{getattr(total, name):,}" for name in _FIGURES), _money(total.cost, total.currency))
        for total in totals
    ]
    if len(totals) > 1:
        costs: dict[str, int] = {}
        for total in totals:
            costs[total.currency] = costs.get(total.currency, 0) + total.cost
        sums = (f"{sum(getattr(total, name) for total in totals):,}" for name in _FIGURES)
        lines.append(("all", *sums, " + ".join(_money(cost, currency) for currency, cost in costs.items())))
    output.print_table((by, *(name.removesuffix("_tokens") for name in _FIGURES), "cost"), lines)


def _money(cost: int, currency: str) -> str:
    return f"{decimal_text(cost)} {currency}"
