"""`rixin users`: the people of a server, whether it runs or not."""

from typing import Annotated

import typer

from rixin.accounts.people import People
from rixin.accounts.roles import ROLES
from rixin.accounts.user_rules import UserChange, UserWish
from rixin.cli import options, output
from rixin.cli.keys import check_plan
from rixin.cli.opened import run_with
from rixin.cli.paging import every
from rixin.cli.people import people_of
from rixin.errors import Kind, RixinError
from rixin.settings import Role, Settings
from rixin.store.users import User

app = typer.Typer(no_args_is_help=True, add_completion=False)

Which = Annotated[str, typer.Argument(help="The user's id or e-mail address.", metavar="USER")]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from the first line of the standard input.")
]


@app.callback()
def users() -> None:
    """Make, list and change users.

    A running server heeds it within seconds.
    """


@app.command()
def create(
    email: Annotated[str, typer.Argument(help="By which they log in.")],
    name: Annotated[str | None, typer.Option("--name", help="What to call them; their address unless given.")] = None,
    role: Annotated[Role, typer.Option("--role", help=f"What they are: {', '.join(ROLES)}.")] = "member",
    plan: Annotated[str | None, typer.Option("--plan", help="The plan that all their keys share.")] = None,
    password_stdin: PasswordStdin = False,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="They log in by a provider of identities, or are given one later.")
    ] = False,
    config: options.Config = None,
    data_dir: options.DataDir = None,
    json: options.Json = False,
) -> None:
    """Make a user. The password is asked for, unless an option says otherwise."""
    settings = options.load_settings(config, data_dir)
    check_plan(plan, settings)
    password = None if no_password else _password(from_stdin=password_stdin)
    wish = UserWish(email=email, name=name or email, role=role, plan=plan, password=password)
    user = run_with(people_of(settings), lambda people: people.users.create(wish))
    if json:
        output.print_json(user)
    else:
        output.stdout.print(f"made {output.printable(user.email)} ({user.id}), who is {user.role}")


@app.command("list")
def list_users(config: options.Config = None, data_dir: options.DataDir = None, json: options.Json = False) -> None:
    """List the users."""
    found = run_with(people_of(options.load_settings(config, data_dir)), lambda people: every(people.users.list))
    if json:
        output.print_json(found)
        return
    output.print_table(
        ("id", "e-mail", "name", "role", "plan", "state", "made", "last login"),
        (
            (
                user.id,
                user.email,
                user.name,
                user.role,
                user.plan or "-",
                "active" if user.disabled_at is None else "disabled",
                output.time_text(user.created_at),
                output.time_text(user.last_login_at),
            )
            for user in found
        ),
    )


@app.command()
def role(
    which: Which,
    role: Annotated[Role, typer.Argument(help=f"What they are from now on: {', '.join(ROLES)}.")],
    config: options.Config = None,
    data_dir: options.DataDir = None,
) -> None:
    """Give a user another role. They must log in again."""
    _change(which, UserChange(role=role), options.load_settings(config, data_dir), f"now {role}")


@app.command()
def plan(
    which: Which,
    plan: Annotated[str, typer.Argument(help="The plan that all their keys share; `none` takes it away.")],
    config: options.Config = None,
    data_dir: options.DataDir = None,
) -> None:
    """Give a user another plan."""
    settings = options.load_settings(config, data_dir)
    wanted = None if plan == "none" else plan
    check_plan(wanted, settings)
    _change(which, UserChange(plan=wanted), settings, f"now on {plan}")


@app.command()
def disable(which: Which, config: options.Config = None, data_dir: options.DataDir = None) -> None:
    """Keep a user out.

    With all their keys, until they are enabled again.
    """
    _change(which, UserChange(disabled=True), options.load_settings(config, data_dir), "disabled")


@app.command()
def enable(which: Which, config: options.Config = None, data_dir: options.DataDir = None) -> None:
    """Let a disabled user in again."""
    _change(which, UserChange(disabled=False), options.load_settings(config, data_dir), "enabled")


@app.command()
def password(
    which: Which,
    password_stdin: PasswordStdin = False,
    config: options.Config = None,
    data_dir: options.DataDir = None,
) -> None:
    """Give a user a password. They must log in again."""
    settings = options.load_settings(config, data_dir)
    new = _password(from_stdin=password_stdin)

    async def work(people: People) -> User:
        user = await find(people, which)
        await people.users.set_password(user.id, new)
        return user

    user = run_with(people_of(settings), work)
    output.stdout.print(f"{output.printable(user.email)} ({user.id}) has a new password")


@app.command()
def delete(
    which: Which,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: options.Config = None,
    data_dir: options.DataDir = None,
) -> None:
    """Remove a user with all their keys.

    What they used stays on record.
    """
    if not yes:
        typer.confirm(f"Remove the user {which} with all their keys?", abort=True, err=True)

    async def work(people: People) -> User:
        user = await find(people, which)
        await people.users.delete(user.id)
        return user

    user = run_with(people_of(options.load_settings(config, data_dir)), work)
    output.stdout.print(f"removed {output.printable(user.email)} ({user.id})")


async def find(people: People, which: str) -> User:
    """The user with an id or an e-mail address. Raises `NOT_FOUND`."""
    known = which.strip().lower()
    for user in await every(people.users.list):
        if known in (user.id, user.email):
            return user
    raise RixinError(Kind.NOT_FOUND, "there is no such user; `rixin users list` shows those that there are")


def _change(which: str, change: UserChange, settings: Settings, done: str) -> None:
    async def work(people: People) -> User:
        return await people.users.change((await find(people, which)).id, change)

    user = run_with(people_of(settings), work)
    output.stdout.print(f"{output.printable(user.email)} ({user.id}) is {done}")


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        return typer.get_text_stream("stdin").readline().rstrip("\r\n")
    given: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return given
