"""What providers are checked against, for every verb; nothing here is heavy."""

from collections.abc import Mapping
from importlib.resources import files

from rixin.dialects.anthropic import DIALECT as ANTHROPIC
from rixin.dialects.base import Dialect
from rixin.dialects.gemini import DIALECT as GEMINI
from rixin.dialects.openai_chat import DIALECT as OPENAI_CHAT
from rixin.dialects.openai_responses import DIALECT as OPENAI_RESPONSES
from rixin.dialects.sensenova_native import DIALECT as SENSENOVA_NATIVE
from rixin.profiles.presets import load_presets
from rixin.routing.known_provider import Rules

DIALECTS: dict[str, Dialect] = {
    dialect.name: dialect for dialect in (OPENAI_CHAT, OPENAI_RESPONSES, ANTHROPIC, GEMINI, SENSENOVA_NATIVE)
}
"""All that we speak, by name."""

assert OPENAI_CHAT.upstream is not None  # noqa: S101 - a constant of ours
OPENAI_UPSTREAM = OPENAI_CHAT.upstream
"""What the engines of this machine are spoken to in, and what recordings are kept in."""


def provider_rules(environ: Mapping[str, str]) -> Rules:
    """What providers are checked against, and completed from."""
    presets = load_presets(files("rixin.profiles").joinpath("presets.toml").read_bytes())
    dialects = [name for name, dialect in DIALECTS.items() if dialect.upstream is not None]
    return Rules(presets=presets, dialects=dialects, environ=environ)
