"""`rixin teams`: people whose keys count together, whether the server runs or not."""

from typing import Annotated

import typer

from rixin.accounts.people import People
from rixin.accounts.roles import TEAM_ROLES, TeamRole
from rixin.accounts.teams import TeamChange
from rixin.cli import options, output
from rixin.cli.keys import check_plan
from rixin.cli.opened import run_with
from rixin.cli.paging import every
from rixin.cli.people import people_of
from rixin.cli.users import find as find_user
from rixin.errors import Kind, RixinError
from rixin.store.teams import Member, Team
from rixin.store.users import User

app = typer.Typer(no_args_is_help=True, add_completion=False)

Which = Annotated[str, typer.Argument(help="The team's id or name.", metavar="TEAM")]
WhichUser = Annotated[str, typer.Argument(help="The user's id or e-mail address.", metavar="USER")]


@app.callback()
def teams() -> None:
    """Make, list and change teams.

    A running server heeds it within seconds.
    """


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    plan: Annotated[str | None, typer.Option("--plan", help="The plan that all its keys share.")] = None,
    config: options.Config = None,
    data_dir: options.DataDir = None,
    json: options.Json = False,
) -> None:
    """Make a team."""
    settings = options.load_settings(config, data_dir)
    check_plan(plan, settings)
    team = run_with(people_of(settings), lambda people: people.teams.create(name, plan))
    if json:
        output.print_json(team)
    else:
        output.stdout.print(f"made {output.printable(team.name)} ({team.id})")


@app.command("list")
def list_teams(config: options.Config = None, data_dir: options.DataDir = None, json: options.Json = False) -> None:
    """List the teams."""
    found = run_with(people_of(options.load_settings(config, data_dir)), lambda people: every(people.teams.list))
    if json:
        output.print_json(found)
        return
    output.print_table(
        ("id", "name", "plan", "made"),
        ((team.id, team.name, team.plan or "-", output.time_text(team.created_at)) for team in found),
    )


@app.command()
def members(
    which: Which, config: options.Config = None, data_dir: options.DataDir = None, json: options.Json = False
) -> None:
    """List who is in a team."""

    async def work(people: People) -> list[Member]:
        return await people.teams.members((await _find(people, which)).id)

    found = run_with(people_of(options.load_settings(config, data_dir)), work)
    if json:
        output.print_json(found)
        return
    output.print_table(
        ("id", "e-mail", "name", "role"), ((one.user_id, one.email, one.name, one.role) for one in found)
    )


@app.command()
def plan(
    which: Which,
    plan: Annotated[str, typer.Argument(help="The plan that all its keys share; `none` takes it away.")],
    config: options.Config = None,
    data_dir: options.DataDir = None,
) -> None:
    """Give a team another plan."""
    settings = options.load_settings(config, data_dir)
    wanted = None if plan == "none" else plan
    check_plan(wanted, settings)

    async def work(people: People) -> Team:
        return await people.teams.change((await _find(people, which)).id, TeamChange(plan=wanted))

    team = run_with(people_of(settings), work)
    output.stdout.print(f"{output.printable(team.name)} ({team.id}) is now on {plan}")


@app.command()
def add(
    which: Which,
    user: WhichUser,
    role: Annotated[TeamRole, typer.Option("--role", help=f"What they are in it: {', '.join(TEAM_ROLES)}.")] = "member",
    config: options.Config = None,
    data_dir: options.DataDir = None,
) -> None:
    """Bring a user into a team.

    Or give them another role in it.
    """

    async def work(people: People) -> tuple[Team, User]:
        team, found = await _both(people, which, user)
        await people.teams.put_member(team.id, found.id, role)
        return team, found

    team, found = run_with(people_of(options.load_settings(config, data_dir)), work)
    output.stdout.print(f"{output.printable(found.email)} is in {output.printable(team.name)} as {role}")


@app.command()
def remove(which: Which, user: WhichUser, config: options.Config = None, data_dir: options.DataDir = None) -> None:
    """Take a user out of a team. Their keys for it count no more."""

    async def work(people: People) -> tuple[Team, User]:
        team, found = await _both(people, which, user)
        await people.teams.remove_member(team.id, found.id)
        return team, found

    team, found = run_with(people_of(options.load_settings(config, data_dir)), work)
    output.stdout.print(f"{output.printable(found.email)} is not in {output.printable(team.name)} any more")


@app.command()
def delete(
    which: Which,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: options.Config = None,
    data_dir: options.DataDir = None,
) -> None:
    """Remove a team with its keys.

    What they used stays on record.
    """
    if not yes:
        typer.confirm(f"Remove the team {which} with all its keys?", abort=True, err=True)

    async def work(people: People) -> Team:
        team = await _find(people, which)
        await people.teams.delete(team.id)
        return team

    team = run_with(people_of(options.load_settings(config, data_dir)), work)
    output.stdout.print(f"removed {output.printable(team.name)} ({team.id})")


async def _find(people: People, which: str) -> Team:
    for team in await every(people.teams.list):
        if which in (team.id, team.name):
            return team
    raise RixinError(Kind.NOT_FOUND, "there is no such team; `rixin teams list` shows those that there are")


async def _both(people: People, which: str, user: str) -> tuple[Team, User]:
    return await _find(people, which), await find_user(people, user)
