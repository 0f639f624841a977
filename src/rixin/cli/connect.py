"""`rixin connect`: wires an agent to a server."""

import asyncio
import os
import shutil
import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import msgspec
import typer
from msgspec import Struct

from rixin.cli import options, output
from rixin.cli.client import Client, Target, find_target
from rixin.cli.connect_key import AgentKey
from rixin.cli.connect_server import chat_models, model_named, prompt_speed
from rixin.clients.connect.advice import advice, needs_advice
from rixin.clients.connect.agent import Agent, Launch
from rixin.clients.connect.agents import AGENTS
from rixin.clients.connect.connection import Connection, Model
from rixin.clients.connect.wiring import prepare, restore
from rixin.clock import SystemClock
from rixin.errors import Kind, RixinError
from rixin.settings import Settings
from rixin.store import private_files

app = typer.Typer(add_completion=False)

_TO_BE_MADE = "sk-rx-to-be-made-00000000"


class Name(StrEnum):
    """An agent, by the name in `AGENTS`."""

    CODEX = "codex"
    CLAUDE = "claude"
    OPENCODE = "opencode"
    OPENCLAW = "openclaw"
    HERMES = "hermes"


class Wish(Struct, frozen=True, kw_only=True):
    """What the command line asks for."""

    agent: Agent
    settings: Settings
    target: Target
    key: str | None
    key_variable: str | None
    model: str | None
    small_model: str | None
    dry_run: bool


@app.command(context_settings={"allow_interspersed_args": True})
def run(
    agent: Annotated[Name, typer.Argument(help="The agent.")],
    arguments: Annotated[
        list[str] | None, typer.Argument(help="With --run: the agent's own arguments, after --.", metavar="[-- ARGS]")
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(
            "--url",
            "--base-url",
            help="The server's address; $RIXIN_BASE_URL, then the server on this machine.",
            metavar="URL",
            show_default=False,
        ),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option("--key", "--api-key", help="The agent's key; one is made for it unless given.", metavar="KEY"),
    ] = None,
    key_env: Annotated[
        str | None,
        typer.Option(
            "--key-env", help="A variable that the agent reads the key from; no file holds it.", metavar="VAR"
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="The model; the first one that the server lists if none.")
    ] = None,
    small_model: Annotated[
        str | None, typer.Option("--small-model", help="The model for titles and summaries; the same one if none.")
    ] = None,
    home: Annotated[
        Path | None,
        typer.Option(
            "--home", help="The agent's configuration directory; where it looks itself if none.", metavar="DIR"
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be written, and write nothing.")] = False,
    run_it: Annotated[
        bool, typer.Option("--run", help="Start the agent for this once; its files stay as they are.")
    ] = False,
    restore_it: Annotated[bool, typer.Option("--restore", help="Give back the files as they were before.")] = False,
    force: Annotated[bool, typer.Option("--force", help="With --restore: lose what was edited since.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: options.Config = None,
    data_dir: options.DataDir = None,
) -> None:
    """Wire an agent to a server. Its configuration is edited in place, and can be given back as it was."""
    wired = AGENTS[agent.value]
    if arguments and not run_it:
        raise typer.BadParameter("these are for the agent; --run starts it", param_hint="ARGS")
    if run_it and (home or dry_run or restore_it):
        raise typer.BadParameter(
            f"--run writes no file; set {wired.home_variable} to choose its home", param_hint="--run"
        )
    directory = home.expanduser().absolute() if home else wired.home(os.environ)
    if restore_it:
        for file in restore(wired, directory, force=force):
            output.stdout.print(output.printable(f"{file.path} is as it was before"))
        return
    settings = options.load_settings(config, data_dir)
    ours = {name: value for name, value in os.environ.items() if name.startswith("RIXIN_")}
    wish = Wish(
        agent=wired,
        settings=settings,
        target=find_target(settings, base_url=url, api_key=None, environ=ours),
        key=_given_key(wired, key, key_env),
        key_variable=key_env,
        model=model,
        small_model=small_model,
        dry_run=dry_run,
    )
    program = _program(wired) if run_it else None
    connection = asyncio.run(_connection(wish))
    if program is None or not yes:
        _advise(wish, connection, yes=yes or dry_run)
    if program is not None:
        _start(program, wish, connection, arguments or [])
    _write(wish, connection, directory)


def _given_key(agent: Agent, key: str | None, variable: str | None) -> str | None:
    """The key that the command line gives.

    Raises:
        RixinError: The variable is not one that the agent reads, or not set.
    """
    if variable is None:
        return key
    if agent.key_variable not in (None, variable):
        raise RixinError(Kind.INVALID_REQUEST, f"{agent.title} reads its key from {agent.key_variable} only")
    value = os.environ.get(variable)
    if not value:
        raise RixinError(Kind.INVALID_REQUEST, f"the variable {variable} is not set")
    return value


async def _connection(wish: Wish) -> Connection:
    """The server, asked for what the agent must be told.

    Raises:
        RixinError: It does not run, does not accept the key, or does not serve the model.
    """
    agent_key = AgentKey(wish.settings, wish.target, wish.agent.name)
    key = wish.key or await agent_key.find()
    if key is None and not wish.dry_run:
        key = await agent_key.make()
        output.note(f"made the key {wish.agent.name}; `rixin keys list` shows it, `rixin keys delete` ends it")
    async with Client(msgspec.structs.replace(wish.target, api_key=key or wish.target.api_key)) as client:
        models = await chat_models(client)
        if not models:
            raise RixinError(Kind.MODEL_NOT_FOUND, f"{wish.target.base_url} serves no model for chat at the moment")
        model = await model_named(client, wish.model or models[0].name)
        small = model if wish.small_model is None else await model_named(client, wish.small_model)
    connection = Connection(
        origin=wish.target.base_url.removesuffix("/v1"),
        key=key or _TO_BE_MADE,
        model=model,
        small_model=small.name,
        others=models,
    )
    if wish.key_variable is None:
        return connection
    return msgspec.structs.replace(connection, key_variable=wish.key_variable)


def _advise(wish: Wish, connection: Connection, *, yes: bool) -> None:
    """Says what an agent may expect of a small model, with the wait as measured now, and asks whether to go on."""
    agent, model = wish.agent, connection.model
    if not needs_advice(model):
        return
    known = connection.key != _TO_BE_MADE
    target = msgspec.structs.replace(wish.target, api_key=connection.key) if known else wish.target
    speed = asyncio.run(_speed(target, model))
    output.note(output.printable("\n".join(advice(agent, model, speed))))
    if not yes:
        typer.confirm(f"Connect {agent.title} to {model.name} all the same?", abort=True, err=True)


async def _speed(target: Target, model: Model) -> float:
    async with Client(target) as client:
        return await prompt_speed(client, model.name, SystemClock())


def _write(wish: Wish, connection: Connection, directory: Path) -> None:
    agent = wish.agent
    if wish.key_variable:
        connection = msgspec.structs.replace(connection, key="")
    wiring = prepare(agent, connection, directory)
    if wish.dry_run:
        output.print_line(output.printable(wiring.diff()).rstrip("\n") or "nothing would change")
        return
    if not wiring.needed:
        output.stdout.print(f"{agent.title} is connected already; nothing is changed")
        return
    for file in wiring.apply():
        kept = f"; what was there is in {file.before.name}" if file.before.is_file() else ""
        output.stdout.print(output.printable(f"wrote {file.path}{kept}"))
    output.stdout.print(
        output.printable(f"{agent.title} asks {connection.origin} for {connection.model.name} from now on")
    )
    if wish.key_variable:
        output.note(f"It reads its key from {wish.key_variable}.")
    if shutil.which(agent.program) is None:
        output.note(f"There is no `{agent.program}` on the PATH yet.")
    output.note(f"`rixin connect {agent.name} --restore` gives back what was there.")


def _program(agent: Agent) -> str:
    """Where an agent's program is.

    Raises:
        RixinError: It is not installed, or takes its provider from its own files only.
    """
    if agent.launch is None:
        raise RixinError(
            Kind.INVALID_REQUEST,
            f"{agent.title} takes its provider from its own files only; `rixin connect {agent.name}` writes them",
        )
    program = shutil.which(agent.program)
    if program is None:
        raise RixinError(Kind.NOT_FOUND, f"{agent.title} is not installed: there is no `{agent.program}` on the PATH")
    return program


def _start(program: str, wish: Wish, connection: Connection, arguments: list[str]) -> NoReturn:
    """Becomes the agent."""
    assert wish.agent.launch is not None  # noqa: S101 - `_program` made sure
    directory = wish.settings.server.data_dir / "agents"
    launch = wish.agent.launch(connection, directory)
    _place(launch, directory)
    command = [program, *launch.arguments, *arguments]
    environment = {**os.environ, **launch.environment}
    if sys.platform == "win32":
        sys.exit(subprocess.run(command, env=environment, check=False).returncode)  # noqa: S603 - the agent itself
    os.execve(program, command, environment)  # noqa: S606 - the agent takes this process, and with it every signal


def _place(launch: Launch, directory: Path) -> None:
    """Writes the files that a launch names."""
    for name, tree in launch.files.items():
        try:
            private_files.place(directory / name, msgspec.json.encode(tree))
        except OSError as error:
            raise RixinError(Kind.CONFIGURATION, f"cannot write {directory / name}: {error.strerror}") from None
