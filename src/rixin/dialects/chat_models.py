"""Which models answer chats, and where the others are to be asked."""

from rixin.core.cards import ModelCard
from rixin.errors import Kind, RixinError

_ELSEWHERE = {"draw": "images at /v1/images/generations", "embed": "embeddings at /v1/embeddings"}
"""What else a model can be asked for."""


def check_chats(card: ModelCard, words: str = "model route not found") -> None:
    """Refuses a model that does not answer chats.

    Args:
        card: The model's.
        words: The dialect's own for a model that is not there.

    Raises:
        RixinError: `MODEL_NOT_FOUND`, saying where the model is to be asked.
    """
    if card.supports("generate"):
        return
    elsewhere = [where for operation, where in _ELSEWHERE.items() if operation in card.operations]
    hint = f"; ask it for {' or '.join(elsewhere)}" if elsewhere else ""
    raise RixinError(Kind.MODEL_NOT_FOUND, f"{words}: {card.name} does not answer chats{hint}", param="model")
