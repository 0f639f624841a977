"""opencode: `opencode.json`, or `opencode.jsonc` where that is what there is. Observed with 1.18.33."""

from pathlib import Path

import msgspec

from rixin.clients.connect.agent import PROVIDER, Agent, Environment, FilePlan, Launch, home_in
from rixin.clients.connect.connection import Connection, Model
from rixin.clients.connect.edit import Edit
from rixin.clients.connect.forms.json import FORM
from rixin.core.json import JsonObject

SCHEMA = "https://opencode.ai/config.json"


def settings(connection: Connection) -> dict[tuple[str, ...], JsonObject | str]:
    """What its configuration must say, by path."""
    key = connection.key or f"{{env:{connection.key_variable}}}"
    return {
        ("provider", PROVIDER): {
            "npm": "@ai-sdk/openai-compatible",
            "name": "Rixin",
            "options": {"baseURL": connection.base_url, "apiKey": key},
            "models": {model.name: _model(model) for model in connection.chat_models},
        },
        ("model",): f"{PROVIDER}/{connection.model.name}",
        ("small_model",): f"{PROVIDER}/{connection.small_model}",
    }


def _model(model: Model) -> JsonObject:
    told: JsonObject = {
        "name": model.name,
        "tool_call": True,
        "reasoning": model.reasons,
        "attachment": "image" in model.input_modalities,
        "modalities": {"input": [*model.inputs], "output": ["text"]},
    }
    if model.context_length is not None:  # it takes both limits or none
        told["limit"] = {
            "context": model.context_length,
            "output": model.max_output_length or model.context_length // 4,
        }
    return told


def home(environ: Environment) -> Path:
    """The directory of its configuration."""
    base = environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else home_in(environ) / ".config") / "opencode"


def plan(connection: Connection, directory: Path) -> list[FilePlan]:
    """The file that there is; of two, the one that it reads last."""
    name = "opencode.jsonc" if (directory / "opencode.jsonc").is_file() else "opencode.json"

    def edits(tree: JsonObject) -> list[Edit]:
        schema = [] if tree else [Edit(("$schema",), SCHEMA)]
        return [*schema, *(Edit(path, value) for path, value in settings(connection).items())]

    return [FilePlan(path=directory / name, form=FORM, edits=edits)]


def launch(connection: Connection, directory: Path) -> Launch:  # noqa: ARG001 - an agent's signature
    """Its configuration in the environment, which it lays over that of its files."""
    shown = msgspec.structs.replace(connection, key="")
    tree: JsonObject = {}
    for path, value in settings(shown).items():
        tree |= {path[0]: {path[1]: value} if path[1:] else value}
    return Launch(
        environment={
            connection.key_variable: connection.key,
            "OPENCODE_CONFIG_CONTENT": msgspec.json.encode(tree).decode(),
        }
    )


AGENT = Agent(
    name="opencode",
    title="opencode",
    program="opencode",
    first_turn=31_000,
    home=home,
    home_variable="XDG_CONFIG_HOME",
    plan=plan,
    launch=launch,
)
"""opencode, by the Chat Completions API."""
