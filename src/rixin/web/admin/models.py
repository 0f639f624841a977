"""The catalog: every name that can be asked for."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from rixin.core.cards import ModelCard
from rixin.core.image_sizes import offered_sizes
from rixin.web.admin.guard import router as guarded_router
from rixin.web.admin.services import Services

router = guarded_router("models")


class ModelView(BaseModel):
    """What is known of a model. Unknown limits are absent."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    target: str
    """The true model: the name itself unless it is an alias."""
    provider: str
    operations: list[str]
    description: str
    owned_by: str
    context_length: int | None
    max_output_length: int | None
    input_modalities: list[str]
    output_modalities: list[str]
    features: list[str]
    efforts: list[str]
    quantization: str | None
    strict: bool | Literal["opaque"]
    plan: str | None
    """The quota plan that its makers publish."""
    presets: list[str]
    """Names of the sampling presets that its makers recommend."""
    sizes: list[str] = []
    """Of one that draws: sizes to choose from, all of them or common ones."""


class SamplingView(BaseModel):
    """Sampling parameters that are recommended for a kind of work; what is absent is left as it is."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    description: str
    temperature: float | None
    top_p: float | None
    top_k: int | None
    min_p: float | None
    presence_penalty: float | None
    repetition_penalty: float | None
    reasoning_effort: str | None


class ModelList(BaseModel):
    """All models, and the sampling presets that some of them name."""

    data: list[ModelView]
    presets: list[SamplingView]


@router.get("/models")
async def list_models(services: Services) -> ModelList:
    """Lists every name that can be asked for, aliases included."""
    return ModelList(
        data=[_view(card) for card in services.models()],
        presets=[SamplingView.model_validate(preset) for preset in services.presets.values()],
    )


def _view(card: ModelCard) -> ModelView:
    view = ModelView.model_validate(card)
    if card.drawing is not None:
        view.sizes = list(offered_sizes(card.drawing))
    return view
