"""What the routes of this dialect give, and its list of models."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from rixin.dialects.description import (
    EVENTS,
    JSON,
    Answer,
    AnyObject,
    Description,
    DialectDescription,
    Query,
    ServerSentEvent,
    answered,
    ranges,
    words,
)
from rixin.dialects.gemini.contents import ROLES
from rixin.dialects.gemini.wire import GenerateBody
from rixin.dialects.openai_chat.bounds import BOUNDS, MAX_MESSAGES


class ErrorDetail(Struct, frozen=True):
    """What went wrong."""

    code: int
    """The HTTP status."""
    message: str
    status: str
    """A code of Google's, such as `INVALID_ARGUMENT`."""
    details: list[AnyObject] | UnsetType = UNSET


class ErrorBody(Struct, frozen=True):
    """The body of every error."""

    error: ErrorDetail


class Content(Struct, frozen=True):
    """What the model said, in parts."""

    role: Literal["model"]
    parts: list[AnyObject]


class Candidate(Struct, frozen=True, rename="camel"):
    """One of the answers."""

    content: Content
    index: int
    finish_reason: str | UnsetType = UNSET


class Usage(Struct, frozen=True, rename="camel"):
    """Counts of tokens; those of nothing are left out."""

    prompt_token_count: int
    candidates_token_count: int
    total_token_count: int
    cached_content_token_count: int | UnsetType = UNSET
    thoughts_token_count: int | UnsetType = UNSET
    tool_use_prompt_token_count: int | UnsetType = UNSET


class GeneratedContent(Struct, frozen=True, rename="camel"):
    """An answer, or what is new of it."""

    candidates: list[Candidate] | UnsetType = UNSET
    usage_metadata: Usage | UnsetType = UNSET
    model_version: str | UnsetType = UNSET
    response_id: str | UnsetType = UNSET
    error: ErrorDetail | UnsetType = UNSET
    """Of a stream that broke."""


class CountBody(GenerateBody, frozen=True, rename="camel"):
    """A request, or a request within one, that is to be counted."""

    generate_content_request: GenerateBody | None = None


class TokenCount(Struct, frozen=True, rename="camel"):
    """The length of a prompt."""

    total_tokens: int


class Model(Struct, frozen=True, rename="camel"):
    """A model. Unknown limits are left out."""

    name: str
    version: str
    display_name: str
    description: str
    supported_generation_methods: list[str]
    thinking: bool
    input_token_limit: int | UnsetType = UNSET
    output_token_limit: int | UnsetType = UNSET


class ModelPage(Struct, frozen=True, rename="camel"):
    """A page of the models that a key may ask for."""

    models: list[Model]
    next_page_token: str | UnsetType = UNSET


_NUMBERS = {
    "temperature": BOUNDS["temperature"],
    "topP": BOUNDS["top_p"],
    "topK": BOUNDS["top_k"],
    "maxOutputTokens": BOUNDS["max_tokens"],
    "candidateCount": BOUNDS["n"],
    "seed": BOUNDS["seed"],
    "presencePenalty": BOUNDS["presence_penalty"],
    "frequencyPenalty": BOUNDS["frequency_penalty"],
}
_MODEL = {"model": "The model's name."}

DESCRIPTION = DialectDescription(
    title="Gemini",
    about="As Google has it and Gemini CLI speaks it. Names may be in snake case too.",
    error=ErrorBody,
    details={
        **{f"WireConfig.{name}": detail for name, detail in ranges(_NUMBERS).items()},
        "contents": {"minItems": 1, "maxItems": MAX_MESSAGES},
        "WireContent.role": words(ROLES),
    },
    routes={
        "/v1beta/models/{model}:generateContent": Description(
            summary="Answer a conversation",
            parameters=_MODEL,
            body=GenerateBody,
            answers=answered(GeneratedContent),
            asks_model=True,
        ),
        "/v1beta/models/{model}:streamGenerateContent": Description(
            summary="Answer a conversation as a stream",
            parameters=_MODEL,
            query={"alt": Query("`sse` for events; one JSON array otherwise.", Literal["sse", "json"])},
            body=GenerateBody,
            answers={200: Answer(about="The stream.", content={EVENTS: ServerSentEvent, JSON: list[GeneratedContent]})},
            asks_model=True,
        ),
        "/v1beta/models/{model}:countTokens": Description(
            summary="Count a request's tokens",
            parameters=_MODEL,
            body=CountBody,
            answers=answered(TokenCount),
            asks_model=True,
        ),
    },
)
