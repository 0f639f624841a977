"""The blocks of a prompt and those that a model wrote for it, as one picture's.

What a prompt lays out itself, data above all, is drawn as it stands. A model arranges running text, where it says all
that the text says, and adds to a prompt that says little.
"""

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from rixin.engines.draw.blocks import count, texts_of
from rixin.engines.draw.given import covered
from rixin.engines.draw.numerals import numbers
from rixin.engines.draw.specification import Block, Chart, Figures, Table

ENOUGH: Final = 3
"""Things that a picture should say; a prompt with fewer is helped by what a model wrote."""


def merged(own: Sequence[Block], prose: Sequence[Block], written: Sequence[Block]) -> list[Block]:
    """The blocks to draw, in their order.

    Args:
        own: What the prompt lays out.
        prose: Its running text, in blocks.
        written: By a model; what may be believed of it.
    """
    fresh = [block for block in (_unsaid(block, own) for block in written) if block]
    running = [text for block in prose for text in texts_of(block)]
    told = [text for block in (*own, *fresh) for text in texts_of(block)]
    if fresh and running and covered(running, told):
        return [*own, *fresh]
    return [*own, *prose, *fresh] if sum(map(count, (*own, *prose))) < ENOUGH else [*own, *prose]


def _unsaid(block: Block, own: Sequence[Block]) -> Block | None:
    """What of a block is in no block of the prompt; None where that is nothing, or half of some data."""
    texts = [text for each in own for text in texts_of(each)]
    shown = {number for text in texts for number in numbers(text)}
    match block:
        case Figures():
            items = tuple(item for item in block.items if shown.isdisjoint(numbers(item.value)))
            return replace(block, items=items) if items else None
        case Chart() | Table():
            return block if all(shown.isdisjoint(numbers(text)) for text in texts_of(block)) else None
        case _:
            return None if covered(texts_of(block), texts) else block
