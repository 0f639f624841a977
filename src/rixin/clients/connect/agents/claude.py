"""Claude Code: `settings.json`, whose `env` wins over the environment that it is started in. Observed with 2.1.330."""

from pathlib import Path

from rixin.clients.connect.agent import Agent, Environment, FilePlan, Launch, home_in
from rixin.clients.connect.connection import Connection
from rixin.clients.connect.edit import Edit
from rixin.clients.connect.forms.json import FORM
from rixin.core.json import JsonObject

_FAMILIES = ("OPUS", "SONNET", "FABLE")
_LEAST_OUTPUT = 32000
"""Tokens of an answer that it asks for of a model that it does not know."""
_SETTINGS = "claude-settings.json"


def variables(connection: Connection) -> dict[str, str | None]:
    """What its environment must say; None where a variable would get in the way."""
    model = connection.model
    output = model.max_output_length
    return {
        "ANTHROPIC_BASE_URL": connection.origin,
        "ANTHROPIC_AUTH_TOKEN": connection.key or None,
        # Would be sent beside the token, and two different credentials are refused.
        "ANTHROPIC_API_KEY": None,
        "ANTHROPIC_MODEL": model.name,
        **{f"ANTHROPIC_DEFAULT_{family}_MODEL": model.name for family in _FAMILIES},
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": connection.small_model,
        # It takes a model that it does not know for one of a million tokens, and would never compact in time.
        "CLAUDE_CODE_MAX_CONTEXT_TOKENS": None if model.context_length is None else str(model.context_length),
        "CLAUDE_CODE_MAX_OUTPUT_TOKENS": str(output) if output is not None and output < _LEAST_OUTPUT else None,
        # Otherwise a text that changes with each request stands first, and no prompt is found in any cache.
        "CLAUDE_CODE_ATTRIBUTION_HEADER": "0",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }


def home(environ: Environment) -> Path:
    """The directory of its settings."""
    named = environ.get("CLAUDE_CONFIG_DIR")
    return Path(named) if named else home_in(environ) / ".claude"


def plan(connection: Connection, directory: Path) -> list[FilePlan]:
    """Its user settings."""

    def edits(_: JsonObject) -> list[Edit]:
        return [Edit(("env", name), value) for name, value in variables(connection).items()]

    return [FilePlan(path=directory / "settings.json", form=FORM, edits=edits)]


def launch(connection: Connection, directory: Path) -> Launch:
    """A settings file of its own: what the user's settings say of the same variables would win over the environment."""
    tell = {name: value or "" for name, value in variables(connection).items()}
    return Launch(arguments=("--settings", str(directory / _SETTINGS)), files={_SETTINGS: {"env": {**tell}}})


AGENT = Agent(
    name="claude",
    title="Claude Code",
    program="claude",
    first_turn=49_000,
    home=home,
    home_variable="CLAUDE_CONFIG_DIR",
    plan=plan,
    launch=launch,
    key_variable="ANTHROPIC_AUTH_TOKEN",
)
"""Claude Code, by the Messages API."""
