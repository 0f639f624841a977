"""`rixin audit`: who did what, and whether nobody has touched the record of it."""

from typing import Annotated

import typer

from rixin.accounts.people import People
from rixin.cli import options, output
from rixin.cli.opened import run_with
from rixin.cli.people import people_of
from rixin.store.audit import AuditFilter

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def audit() -> None:
    """Show and verify the audit log."""


@app.command("list")
def list_audit(
    actor: Annotated[str | None, typer.Option("--actor", help="Who did it, by id.")] = None,
    action: Annotated[str | None, typer.Option("--action", help="Such as `key.create`.")] = None,
    target: Annotated[str | None, typer.Option("--target", help="What it was done to, by id.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many, the latest ones.")] = 100,
    config: options.Config = None,
    data_dir: options.DataDir = None,
    json: options.Json = False,
) -> None:
    """List what was done, the latest first."""
    wanted = AuditFilter(actor=actor, action=action, target=target)
    settings = options.load_settings(config, data_dir)
    rows = run_with(people_of(settings), lambda people: people.audit.list(wanted, limit=limit))
    if json:
        output.print_json(rows)
        return
    output.print_table(
        ("no", "time", "who", "from", "did", "to", "detail"),
        (
            (
                str(row.sequence),
                output.time_text(row.time),
                f"{row.actor_name} ({row.actor})",
                row.address or "-",
                row.action,
                row.target or "-",
                "" if row.detail == "{}" else row.detail,
            )
            for row in rows
        ),
    )


@app.command()
def verify(config: options.Config = None, data_dir: options.DataDir = None, json: options.Json = False) -> None:
    """Find rows that were changed or removed.

    Inserted ones too: it names them, and the exit code is 1 then.
    """

    async def work(people: People) -> bool:
        verdict = await people.audit.verify()
        if json:
            output.print_json(verdict)
            return not verdict.problems
        for problem in verdict.problems:
            output.stdout.print(problem.message)
        if not verdict.problems:
            output.stdout.print(f"{verdict.rows} rows are as they were written; the last one is {verdict.head or '-'}")
        return not verdict.problems

    if not run_with(people_of(options.load_settings(config, data_dir)), work):
        raise typer.Exit(1)
