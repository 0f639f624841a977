"""The command `rixin`: its verbs, each imported when it is asked for, and what becomes of their errors."""

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from rixin import __version__
from rixin.cli.output import show_error
from rixin.errors import RixinError

VERBS = (
    "serve", "record", "chat", "draw", "models", "pull", "keys", "usage", "users", "teams", "audit", "providers",
    "doctor", "connect", "skills", "config", "db",
)  # fmt: skip
"""In the order of the help text. Each is a module here that exports `app`."""


class VerbGroup(TyperGroup):
    """The verbs. Errors of ours end the program with one line and exit code 1."""

    def list_commands(self, ctx: object) -> list[str]:  # noqa: ARG002 - Typer's signature
        """The verbs' names."""
        return list(VERBS)

    def get_command(self, ctx: object, cmd_name: str) -> TyperCommand | TyperGroup | None:  # noqa: ARG002
        """A verb, imported now; None for an unknown one, which imports all so that the nearest can be suggested."""
        for name in (cmd_name,) if cmd_name in VERBS else VERBS:
            if name not in self.commands:
                self.commands[name] = _load(name)
        command = self.commands.get(cmd_name)
        return command if isinstance(command, TyperCommand | TyperGroup) else None

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> Any:  # noqa: ANN401 - Typer's signature
        """Runs a command line."""
        try:
            return super().main(args, *rest, **extra)
        except RixinError as error:
            if _debugging(sys.argv if args is None else args):
                raise
            show_error(error)
            sys.exit(1)


def _load(name: str) -> TyperCommand | TyperGroup:
    verb: typer.Typer = importlib.import_module(f"rixin.cli.{name}").app
    command = typer.main.get_command(verb)
    command.name = name
    return command  # pyright: ignore[reportReturnType] - it is one of these two; Typer only names their private base


def _debugging(arguments: Sequence[str]) -> bool:
    """Whether the user wants to see where an error came from."""
    flags = " ".join(arguments).replace("=", " ")
    return os.environ.get("RIXIN_LOG_LEVEL") == "debug" or "--log-level debug" in flags


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"rixin {__version__}")
        raise typer.Exit


app = typer.Typer(
    cls=VerbGroup,
    name="rixin",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def rixin(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """Rixin (日新), your own LLM API platform: the SenseNova, OpenAI and Anthropic APIs on this machine."""
