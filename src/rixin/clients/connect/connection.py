"""What an agent is told of the server: where it is, with which key, and what its models can do."""

from typing import Self

from msgspec import Struct

from rixin.core.cards import ModelCard
from rixin.core.estimate import BYTES_PER_TOKEN


class Model(Struct, frozen=True, kw_only=True):
    """What the server says of a model. Unknown limits are None, and are not told to any agent."""

    name: str
    owned_by: str = ""
    context_length: int | None = None
    max_output_length: int | None = None
    input_modalities: tuple[str, ...] = ("text",)
    output_modalities: tuple[str, ...] = ("text",)
    features: tuple[str, ...] = ()

    @classmethod
    def of(cls, card: ModelCard) -> Self:
        """What a server says of a model that it has this card of."""
        return cls(
            name=card.name,
            owned_by=card.owned_by,
            context_length=card.context_length,
            max_output_length=card.max_output_length,
            input_modalities=card.accepted_modalities,
            output_modalities=card.output_modalities,
            features=card.features,
        )

    @property
    def reasons(self) -> bool:
        """Whether it thinks before it answers."""
        return "reasoning" in self.features

    @property
    def inputs(self) -> list[str]:
        """What agents may give it: `text`, and `image` where it sees."""
        return ["text", *(["image"] if "image" in self.input_modalities else [])]


class Connection(Struct, frozen=True, kw_only=True):
    """How an agent reaches the server."""

    origin: str
    """The server's address without `/v1`."""
    key: str
    """The API key; empty where the agent shall find it in `key_variable`."""
    model: Model
    small_model: str
    """For titles, summaries and other side work."""
    others: tuple[Model, ...] = ()
    """What else the server lists for chat; the chosen model may be among them."""
    key_variable: str = "RIXIN_API_KEY"
    """The variable of the agent's environment that holds the key where no file does."""

    def __repr__(self) -> str:
        return f"Connection({self.origin!r}, {self.model.name!r})"

    @property
    def base_url(self) -> str:
        """Where its OpenAI routes are."""
        return f"{self.origin}/v1"

    @property
    def chat_models(self) -> list[Model]:
        """The chosen model and all others, once each."""
        return [self.model, *(model for model in self.others if model.name != self.model.name)]


def tokens_of(size: int) -> int:
    """About how many tokens a request of an agent is; `size` in bytes."""
    return size // BYTES_PER_TOKEN
