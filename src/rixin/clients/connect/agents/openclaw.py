"""OpenClaw: `openclaw.json`, which is JSON5. Source: its own configuration pages, and runs of 2026.9.6."""

from pathlib import Path

from rixin.clients.connect.agent import PROVIDER, Agent, Environment, FilePlan, home_in
from rixin.clients.connect.connection import Connection, Model
from rixin.clients.connect.edit import Edit, value_at
from rixin.clients.connect.forms.json import FORM
from rixin.core.json import JsonObject, JsonValue

_FREE: JsonObject = {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0}


def home(environ: Environment) -> Path:
    """The directory of its state."""
    named = environ.get("OPENCLAW_STATE_DIR")
    return Path(named) if named else home_in(environ) / ".openclaw"


def plan(connection: Connection, directory: Path) -> list[FilePlan]:
    """The server as a provider beside those that there are, and its model as the first choice."""
    models: list[JsonValue] = [_model(model) for model in connection.chat_models]
    chosen = f"{PROVIDER}/{connection.model.name}"

    def edits(tree: JsonObject) -> list[Edit]:
        provider: JsonObject = {
            "baseUrl": connection.base_url,
            "apiKey": connection.key or f"${{{connection.key_variable}}}",
            "api": "openai-completions",
            "models": models,
        }
        model = value_at(tree, "agents", "defaults", "model")
        primary = ("agents", "defaults", "model", *([] if isinstance(model, str) else ["primary"]))
        made = [Edit(("models", "providers", PROVIDER), provider), Edit(primary, chosen)]
        if isinstance(value_at(tree, "agents", "defaults", "models"), dict):
            # Where there is a list of models to choose from, the chosen one must be on it.
            known = value_at(tree, "agents", "defaults", "models", chosen)
            made.append(Edit(("agents", "defaults", "models", chosen), known or {"alias": PROVIDER}))
        return made

    return [FilePlan(path=directory / "openclaw.json", form=FORM, edits=edits)]


def _model(model: Model) -> JsonObject:
    told: JsonObject = {
        "id": model.name,
        "name": model.name,
        "reasoning": model.reasons,
        "input": [*model.inputs],
        "cost": _FREE,
    }
    if model.context_length is not None:
        told["contextWindow"] = model.context_length
    if model.max_output_length is not None:
        told["maxTokens"] = model.max_output_length
    return told


AGENT = Agent(
    name="openclaw",
    title="OpenClaw",
    program="openclaw",
    first_turn=36_000,
    home=home,
    home_variable="OPENCLAW_STATE_DIR",
    plan=plan,
)
"""OpenClaw, by the Chat Completions API."""
