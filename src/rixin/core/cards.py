"""Model cards: what is known of a model. Unknown limits stay None; nothing is invented."""

from typing import Literal, TypeAlias

from msgspec import Struct

Operation: TypeAlias = Literal["generate", "embed", "draw", "count"]


class FieldRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a model's documented table says of one request field.

    Bounds are inclusive unless their `_open` flag is set. `default` is what the model uses when the field is absent:
    it is told, never sent.
    """

    minimum: float | None = None
    maximum: float | None = None
    minimum_open: bool = False
    maximum_open: bool = False
    default: float | str | bool | None = None
    values: tuple[str, ...] | None = None

    def admits(self, value: float) -> bool:
        """Whether a number lies within the bounds."""
        if self.minimum is not None and (value < self.minimum or (self.minimum_open and value == self.minimum)):
            return False
        return not (
            self.maximum is not None and (value > self.maximum or (self.maximum_open and value == self.maximum))
        )

    def range_text(self) -> str:
        """The bounds as a reader writes them: `[0,2]`, `(0,1]`, at least 1."""
        if self.minimum is None and self.maximum is None:
            return "any number"
        left = "(-inf" if self.minimum is None else f"{'(' if self.minimum_open else '['}{_number(self.minimum)}"
        right = "inf)" if self.maximum is None else f"{_number(self.maximum)}{')' if self.maximum_open else ']'}"
        return f"{left},{right}"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)


class SamplingPreset(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sampling parameters that a model's makers recommend for a kind of work. Never applied unasked."""

    name: str
    description: str
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    presence_penalty: float | None = None
    repetition_penalty: float | None = None
    reasoning_effort: str | None = None


class Pricing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Price of a million tokens, in `currency`, as decimal strings so that no cent is lost."""

    prompt: str = "0"
    completion: str = "0"
    cached: str | None = None
    """Prompt tokens that the model had read before; None where they cost what others do."""
    request: str = "0"
    """One request, whatever its tokens."""
    currency: str = "USD"


class ImageRules(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a model that draws can be asked for. Sizes are `WIDTHxHEIGHT` in pixels."""

    sizes: tuple[str, ...] = ()
    """All that it draws; empty where the bounds below say it."""
    multiple: int = 1
    """Each edge is a multiple of it."""
    shortest_edge: int = 1
    longest_edge: int = 16_384
    steepest: float | None = None
    """The longer edge by the shorter one, at most."""
    nearest: bool = False
    """Whether another size is brought to the nearest that it draws, and the client told; it is refused otherwise."""
    most: int = 10
    """Images of one request."""
    prompt_tokens: int | None = None
    """Tokens that a prompt may have, by estimate."""
    formats: tuple[str, ...] = ("png", "jpeg", "webp")
    most_edited: int = 0
    """Images that it edits at once; 0 for one that only draws."""


class StreamConventions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a model's streams look on the chat wire."""

    open_finish_reason: str | None = None
    """`finish_reason` of a chunk that does not finish: None, or `""` as the SenseNova models have it."""
    usage_by_default: bool = False
    """Whether the usage chunk is sent when the client did not say."""


class ModelCard(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that the house knows of a model under one name that clients may ask for."""

    name: str
    target: str
    """The true model: equal to `name` unless this card is an alias's."""
    provider: str = "local"
    operations: tuple[Operation, ...] = ("generate",)
    description: str = ""
    owned_by: str = "rixin"
    created: int = 0
    """When the model appeared, in seconds since the epoch; 0 where unknown."""
    context_length: int | None = None
    max_output_length: int | None = None
    input_modalities: tuple[str, ...] = ("text",)
    described_modalities: tuple[str, ...] = ()
    """What it takes none of and is told of in words."""
    output_modalities: tuple[str, ...] = ("text",)
    features: tuple[str, ...] = ()
    """Of `tools`, `json_mode`, `structured_outputs`, `reasoning`, `logprobs`."""
    fields: dict[str, FieldRule] = {}
    """The documented request fields. Empty: no table is known, and strict mode cannot apply."""
    strict: bool | Literal["opaque"] = False
    efforts: tuple[str, ...] = ()
    reasoning_field: Literal["reasoning", "reasoning_content"] = "reasoning_content"
    stream: StreamConventions = StreamConventions()
    quantization: str | None = None
    pricing: Pricing = Pricing()
    presets: tuple[str, ...] = ()
    """Names of the sampling presets (`SamplingPreset`) that its makers recommend."""
    aliases: tuple[str, ...] = ()
    plan: str | None = None
    """The name of the quota plan that the model's makers publish."""
    drawing: ImageRules | None = None
    """Of a model that draws; None where nobody has said what it can be asked for."""

    @property
    def accepted_modalities(self) -> tuple[str, ...]:
        """What clients may send it, as it is or to be described."""
        return tuple(dict.fromkeys((*self.input_modalities, *self.described_modalities)))

    def supports(self, operation: Operation) -> bool:
        """Whether this model can do an operation."""
        return operation in self.operations
