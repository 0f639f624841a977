"""The cards of the local models, as far as the settings and the files tell before anything is loaded."""

from pathlib import Path

import msgspec

from rixin.core.cards import ImageRules, ModelCard
from rixin.engines.control import EnsuredModel
from rixin.engines.draw.engine import LONGEST_EDGE, MOST_IMAGES, SHORTEST_EDGE
from rixin.engines.embedder_protocol import DIMENSIONS, MAX_TOKENS
from rixin.engines.gguf import read_header
from rixin.errors import RixinError
from rixin.settings import DEFAULT_OUTPUT, DEFAULT_WINDOW, DRAWER, EMBEDDER, LOCAL, LocalModel, Settings

_FEATURES = ("tools", "json_mode", "structured_outputs", "reasoning", "logprobs")
_DESCRIBED = (
    "Of images and videos it is told text and layout (words and their places, colors), not the scenes that they show."
)

EMBEDDER_CARD = ModelCard(
    name=EMBEDDER,
    target=EMBEDDER,
    provider=LOCAL,
    operations=("embed",),
    description=f"Multilingual E5 small: vectors of {DIMENSIONS} numbers, for search in about a hundred languages.",
    context_length=MAX_TOKENS,
    output_modalities=("embeddings",),
)
DRAWER_CARD = ModelCard(
    name=DRAWER,
    target=DRAWER,
    provider=LOCAL,
    operations=("draw",),
    description="Infographics from a prompt's own words and numbers, laid out by templates.",
    output_modalities=("image",),
    drawing=ImageRules(
        shortest_edge=SHORTEST_EDGE,
        longest_edge=LONGEST_EDGE,
        steepest=4.0,
        most=MOST_IMAGES,
        formats=("png", "jpeg", "webp", "svg", "pdf"),
    ),
)


def local_cards(settings: Settings) -> list[ModelCard]:
    """One card a local model, the embedded default where none is configured; and those that embed and draw."""
    if not settings.models:
        path = settings.models_dir / f"{settings.engine.default_model}.gguf"
        cards = [_card(LocalModel(name=LOCAL, path=path), settings.engine.default_model)]
    else:
        cards = [_card(model, model.path.name) for model in settings.models]
    if settings.media.vision_adapter:
        cards = [card if "image" in card.input_modalities else _with_adapter(card) for card in cards]
    return [*cards, EMBEDDER_CARD, DRAWER_CARD]


def learned(card: ModelCard, ensured: EnsuredModel) -> ModelCard:
    """The card with the limits that the loaded model really has."""
    return msgspec.structs.replace(
        card,
        context_length=ensured.context_length,
        max_output_length=ensured.max_output_length,
        input_modalities=("text", "image") if ensured.vision else ("text",),
    )


def _with_adapter(card: ModelCard) -> ModelCard:
    """The card of a model that is told of images and videos in words."""
    return msgspec.structs.replace(
        card, description=f"{card.description}. {_DESCRIBED}", described_modalities=("image", "video")
    )


def _card(model: LocalModel, description: str) -> ModelCard:
    window = model.context_length or min(DEFAULT_WINDOW, _trained_context(model.path) or DEFAULT_WINDOW)
    return ModelCard(
        name=model.name,
        target=model.name,
        provider=LOCAL,
        description=description,
        context_length=window,
        max_output_length=min(model.max_output_length or DEFAULT_OUTPUT, window),
        input_modalities=("text", "image") if model.mmproj is not None else ("text",),
        features=_FEATURES,
        strict=model.strict,
    )


def _trained_context(path: Path) -> int | None:
    """The window that a model was trained for; None while the file is not there, or where it does not say."""
    if not path.is_file():
        return None
    try:
        return read_header(path).context_length
    except RixinError:
        return None  # the engine says what is wrong with it, once somebody wants the model
