"""An agent as this room knows it. Each is one file in `agents/`."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct

from rixin.clients.connect.connection import Connection
from rixin.clients.connect.edit import Edit, Form
from rixin.core.json import JsonObject

Environment: TypeAlias = Mapping[str, str]

PROVIDER = "rixin"
"""What the server is called in an agent's configuration."""


class FilePlan(Struct, frozen=True, kw_only=True):
    """What shall become of one of the agent's files."""

    path: Path
    form: Form
    edits: Callable[[JsonObject], Sequence[Edit]]
    """The edits, given what the file says now."""


class Launch(Struct, frozen=True, kw_only=True):
    """How the agent is started for once, its files untouched."""

    arguments: tuple[str, ...] = ()
    """To stand before the user's."""
    environment: dict[str, str] = {}
    """To be added to the user's."""
    files: dict[str, JsonObject] = {}
    """JSON files of ours that the arguments name, by their names in the directory that was given."""


class Agent(Struct, frozen=True, kw_only=True):
    """What must be known of an agent to wire it."""

    name: str
    title: str
    program: str
    """The command that starts it."""
    first_turn: int
    """Bytes of its first request, as measured with a short prompt."""
    home: Callable[[Environment], Path]
    """Where it keeps its configuration, by the environment that it would be started in."""
    home_variable: str
    """The variable that names another home."""
    plan: Callable[[Connection, Path], list[FilePlan]]
    """What its files become; the path is its home. The last one is the one that makes the others count."""
    launch: Callable[[Connection, Path], Launch] | None = None
    """How it is started for once; the path is a directory for files of ours. None where only its own files tell it."""
    key_variable: str | None = None
    """The only variable that it takes a key from; None where any can be named in its configuration."""
    least_window: int = 0
    """Tokens below which it refuses a model."""


def home_in(environ: Environment) -> Path:
    """The user's home directory."""
    home = environ.get("HOME")
    return Path(home) if home else Path.home()
