"""What a language model is asked to write for a picture."""

from collections.abc import AsyncGenerator, Callable
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias

import msgspec
from msgspec import Struct

from rixin.core.cards import ModelCard
from rixin.core.json import JsonObject
from rixin.engines.draw.schema import schema_of
from rixin.engines.draw.specification import (
    Block,
    Chart,
    Comparison,
    Figures,
    Hierarchy,
    Listing,
    Quote,
    Sections,
    Steps,
    Table,
    Timeline,
)
from rixin.engines.draw.subject import compares, goes_on, is_chinese

DEADLINE: Final = 60.0
"""Seconds that a model has."""
_LONGEST_PROMPT: Final = 2400
"""Characters of a prompt that a small model is shown; what stands further down is drawn from the prompt alone."""
_LONGEST_WHOLE_PROMPT: Final = 16_000
_FEW_TOKENS: Final = 280
_MANY_TOKENS: Final = 4000
_WINDOW: Final = 16_384
"""Tokens that a context must have for a whole specification, its prompt included."""
_PARTS: Final = (2, 4)
"""The fewest and the most members of a list in what a small model writes."""
_KINDS: Final = (Figures, Steps, Sections, Comparison, Timeline, Chart, Quote, Listing, Table, Hierarchy)
_INSTRUCTIONS: Final = Path(__file__).with_name("instructions.toml")


class Task(Struct, frozen=True, kw_only=True):
    """What a model is given."""

    instructions: str
    prompt: str
    schema: JsonObject
    """Its answer must be JSON under this schema."""
    max_tokens: int


Ask: TypeAlias = Callable[[ModelCard], Task]
"""What is asked of a model, by its card."""
Write: TypeAlias = Callable[[Ask], AsyncGenerator[str, None]]
"""Has a model write, and gives its answer as it comes. May raise whatever it does."""


def task(prompt: str, card: ModelCard) -> Task:
    """What a model is asked for a prompt."""
    if is_small(card):
        kind = _kind(prompt)
        return Task(
            instructions=_instructions().few[str(kind.__struct_config__.tag)]["zh" if is_chinese(prompt) else "en"],
            prompt=prompt[:_LONGEST_PROMPT],
            schema=schema_of([kind], look=False, parts=_PARTS),
            max_tokens=_FEW_TOKENS,
        )
    return Task(
        instructions=_instructions().whole,
        prompt=prompt[:_LONGEST_WHOLE_PROMPT],
        schema=schema_of(_KINDS),
        max_tokens=min(_MANY_TOKENS, card.max_output_length or _MANY_TOKENS),
    )


def is_small(card: ModelCard) -> bool:
    """Whether a model is asked for one block of a kind that is chosen for it, and not for a whole specification.

    The embedded models are: on two cores the default one writes some twenty tokens a second when nobody else computes
    and five when others do, and a whole specification has hundreds. Asked for one all the same it fills most of it
    with words of the example, repeats itself from block to block, and takes the palette, the layout and the first
    kind of block that it was shown. One block of four parts it fills well, in a fifth of the tokens. A model with a
    small window or short answers could not end a whole one either.
    """
    return (
        card.provider == "local"
        or (card.context_length or _WINDOW) < _WINDOW
        or (card.max_output_length or _MANY_TOKENS) < _MANY_TOKENS // 2
    )


def _kind(prompt: str) -> type[Block]:
    """The kind of block that a prompt's words call for, of those that take no numbers."""
    if compares(prompt):
        return Comparison
    return Steps if goes_on(prompt) else Sections


class _Instructions(Struct, frozen=True):
    """What models are told."""

    whole: str
    few: dict[str, dict[str, str]]
    """By the kind of block and the language."""


@cache
def _instructions() -> _Instructions:
    return msgspec.toml.decode(_INSTRUCTIONS.read_bytes(), type=_Instructions)
