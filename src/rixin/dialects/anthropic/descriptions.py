"""What the routes of this dialect give, and its list of models."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from rixin.dialects.anthropic.messages import ROLES
from rixin.dialects.anthropic.tools import CHOICES
from rixin.dialects.anthropic.wire import CountBody, MessagesBody
from rixin.dialects.description import AnyObject, Description, DialectDescription, answered, generated, ranges, words
from rixin.dialects.openai_chat.bounds import BOUNDS, MAX_MESSAGES, MAX_NAME


class ErrorDetail(Struct, frozen=True):
    """What went wrong."""

    type: str
    message: str


class ErrorBody(Struct, frozen=True):
    """The body of every error."""

    type: Literal["error"]
    error: ErrorDetail
    request_id: str


class Usage(Struct, frozen=True):
    """Counts of tokens; what was read from a cache is not among the input's."""

    input_tokens: int
    output_tokens: int
    cache_creation_input_tokens: int
    cache_read_input_tokens: int


class MessageAnswer(Struct, frozen=True):
    """A whole answer."""

    id: str
    type: Literal["message"]
    role: Literal["assistant"]
    model: str
    content: list[AnyObject]
    """Blocks of type `text`, `thinking` or `tool_use`."""
    stop_reason: str
    stop_sequence: str | None
    usage: Usage


class TokenCount(Struct, frozen=True):
    """The length of a prompt."""

    input_tokens: int


class Model(Struct, frozen=True):
    """A model. Unknown limits are left out."""

    type: Literal["model"]
    id: str
    display_name: str
    created_at: str
    lifecycle: str
    max_input_tokens: int | UnsetType = UNSET
    max_tokens: int | UnsetType = UNSET


class ModelPage(Struct, frozen=True):
    """A page of the models that a key may ask for."""

    data: list[Model]
    has_more: bool
    first_id: str | None
    last_id: str | None


DESCRIPTION = DialectDescription(
    title="Anthropic Messages",
    about="As Anthropic has them and Claude Code speaks them.",
    error=ErrorBody,
    details={
        **ranges({name: BOUNDS[name] for name in ("temperature", "top_p", "top_k", "max_tokens")}),
        "model": {"minLength": 1},
        "messages": {"minItems": 1, "maxItems": MAX_MESSAGES},
        "WireMessage.role": words(ROLES),
        "WireTool.name": {"minLength": 1, "maxLength": MAX_NAME},
        "WireToolChoice.type": words((*CHOICES, "tool")),
    },
    routes={
        "/v1/messages": Description(
            summary="Answer a conversation", body=MessagesBody, answers=generated(MessageAnswer), asks_model=True
        ),
        "/v1/messages/count_tokens": Description(
            summary="Count a request's tokens", body=CountBody, answers=answered(TokenCount), asks_model=True
        ),
    },
)
