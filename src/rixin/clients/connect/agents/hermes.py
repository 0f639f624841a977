"""Hermes Agent: `config.yaml`. Source: its own reading of it (`hermes_cli/config.py`), and runs of 0.19.0."""

from pathlib import Path

from rixin.clients.connect.agent import PROVIDER, Agent, Environment, FilePlan, home_in
from rixin.clients.connect.connection import Connection
from rixin.clients.connect.edit import Edit
from rixin.clients.connect.forms.yaml import FORM
from rixin.core.json import JsonObject


def home(environ: Environment) -> Path:
    """The directory of its configuration."""
    named = environ.get("HERMES_HOME")
    return Path(named) if named else home_in(environ) / ".hermes"


def plan(connection: Connection, directory: Path) -> list[FilePlan]:
    """The server as a named provider, and its model as the default one."""
    model = connection.model
    key: JsonObject = {"api_key": connection.key} if connection.key else {"key_env": connection.key_variable}
    provider: JsonObject = {
        "name": "Rixin",
        "base_url": connection.base_url,
        **key,
        "api_mode": "chat_completions",
        "model": model.name,
    }

    chosen: JsonObject = {"default": model.name, "provider": PROVIDER, "context_length": model.context_length}

    def edits(tree: JsonObject) -> list[Edit]:
        named: list[Edit] = [Edit(("model",), chosen)]  # a bare name in an older file
        if not isinstance(tree.get("model"), str):
            named = [Edit(("model", key), value) for key, value in chosen.items()]
        return [*named, Edit(("providers", PROVIDER), provider)]

    return [FilePlan(path=directory / "config.yaml", form=FORM, edits=edits)]


AGENT = Agent(
    name="hermes",
    title="Hermes Agent",
    program="hermes",
    first_turn=53_000,
    home=home,
    home_variable="HERMES_HOME",
    plan=plan,
    least_window=64_000,
)
"""Hermes Agent, by the Chat Completions API."""
