"""The line of attribution that Claude Code puts at the head of its system prompt.

It changes with every request, so that no upstream but its own could keep a prompt in its cache.
"""

import re

from rixin.core.json import JsonObject, JsonValue

_LINE = re.compile(r"\s*x-anthropic-bill+ing-header\s*:[^\n]*(?:\n\s*)?", re.IGNORECASE)


def without_billing(text: str) -> str:
    """A text without the line, if that is how it begins."""
    match = _LINE.match(text)
    return text if match is None else text[match.end() :]


def drop_billing(body: JsonObject) -> None:
    """Takes the line out of a body's `system`, whether that is a text or a list of blocks."""
    system = body.get("system")
    if isinstance(system, str):
        plain: JsonValue = without_billing(system)
    elif isinstance(system, list):
        plain = _without_block(system)
    else:
        return
    if plain:
        body["system"] = plain
    else:
        del body["system"]


def _without_block(blocks: list[JsonValue]) -> list[JsonValue]:
    match blocks:
        case [{"text": str(text)} as first, *rest]:
            plain = without_billing(text)
            return blocks if plain == text else [{**first, "text": plain}, *rest] if plain else rest
        case _:
            return blocks
