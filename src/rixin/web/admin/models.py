"""The catalog: every name that can be asked for."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from rixin.core.image_sizes import offered_sizes
from rixin.routing.catalog import Resolution
from rixin.web.admin.guard import router as guarded_router
from rixin.web.admin.services import Services

router = guarded_router("models")


class PricingView(BaseModel):
    """What it costs, as decimal text in units of a currency. What nobody told is "0"."""

    model_config = ConfigDict(from_attributes=True)

    prompt: str
    """A million prompt tokens."""
    completion: str
    """A million completion tokens."""
    cached: str | None
    """A million prompt tokens that were cached; as others where absent."""
    request: str
    """One request, whatever its tokens."""
    currency: str


class CandidateView(BaseModel):
    """A way to answer for a name."""

    model_config = ConfigDict(from_attributes=True)

    provider: str
    """`local` for models of this machine."""
    model: str
    """Its own name for it."""
    priority: int
    """The lowest number is asked first."""
    weight: float
    """The share of requests among those of one priority."""


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
    pricing: PricingView
    candidates: list[CandidateView] = []
    """Who answers for the name: the lowest priority first, and of those the largest weight."""


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
        data=[_view(resolution) for resolution in services.resolutions()],
        presets=[SamplingView.model_validate(preset) for preset in services.presets.values()],
    )


def _view(resolution: Resolution) -> ModelView:
    view = ModelView.model_validate(resolution.card)
    if resolution.card.drawing is not None:
        view.sizes = list(offered_sizes(resolution.card.drawing))
    ranked = sorted(resolution.candidates, key=lambda candidate: (candidate.priority, -candidate.weight))
    view.candidates = [CandidateView.model_validate(candidate) for candidate in ranked]
    return view
