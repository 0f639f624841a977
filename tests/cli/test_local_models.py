"""The cards of local models, before anything is loaded."""

from pathlib import Path

from rixin.cli.local_models import local_cards
from rixin.settings import EMBEDDER, LocalModel, Media, Settings

BLIND = LocalModel(name="blind", path=Path("a.gguf"))
SEEING = LocalModel(name="seeing", path=Path("b.gguf"), mmproj=Path("c.gguf"))


def test_an_adapter_is_on_the_cards_of_those_that_see_nothing() -> None:
    """Their descriptions say what they are told; the others have no need of it, nor has the embedder."""
    cards = local_cards(Settings(models=(BLIND, SEEING), media=Media(vision_adapter=True)))
    assert [(card.name, card.input_modalities, card.accepted_modalities) for card in cards] == [
        ("blind", ("text",), ("text", "image", "video")),
        ("seeing", ("text", "image"), ("text", "image")),
        (EMBEDDER, ("text",), ("text",)),
    ]
    assert "it is told text and layout" in cards[0].description
    assert "not the scenes" in cards[0].description
    assert "told" not in cards[1].description


def test_without_an_adapter_cards_promise_nothing() -> None:
    """It is off unless it is wanted."""
    blind, _ = local_cards(Settings(models=(BLIND,)))
    assert blind.accepted_modalities == ("text",)
    assert blind.description == "a.gguf"
