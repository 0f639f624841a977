"""The cards of local models, before anything is loaded."""

from pathlib import Path

from rixin.cli.local_models import local_cards
from rixin.settings import EMBEDDER, LocalModel, Media, Settings

BLIND = LocalModel(name="blind", path=Path("a.gguf"))
SEEING = LocalModel(name="seeing", path=Path("b.gguf"), mmproj=Path("c.gguf"))


def test_an_adapter_is_on_the_cards_of_those_that_see_nothing() -> None:
    """Their descriptions say what they are told; the others have no need of it, nor has the embedder."""
    settings = Settings(models=(BLIND, SEEING), media=Media(vision_adapter=True))
    cards = {card.name: card for card in local_cards(settings)}
    assert cards["blind"].input_modalities == ("text",)
    assert cards["blind"].accepted_modalities == ("text", "image", "video")
    assert "it is told text and layout" in cards["blind"].description
    assert "not the scenes" in cards["blind"].description
    assert cards["seeing"].accepted_modalities == ("text", "image")
    assert "told" not in cards["seeing"].description
    assert cards[EMBEDDER].accepted_modalities == ("text",)


def test_without_an_adapter_cards_promise_nothing() -> None:
    """It is off unless it is wanted."""
    blind, *_ = local_cards(Settings(models=(BLIND,)))
    assert blind.accepted_modalities == ("text",)
    assert blind.description == "a.gguf"
