"""What the routes of this dialect give, and what stands beside them: models and files in OpenAI's shape."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from rixin.core.json import JsonObject
from rixin.dialects.description import AnyObject, Description, DialectDescription, answered, generated, ranges, words
from rixin.dialects.openai_chat.bounds import BOUNDS, MAX_MESSAGES, MAX_NAME, MAX_STOPS
from rixin.dialects.openai_chat.embeddings import MAX_INPUTS, EmbeddingBody
from rixin.dialects.openai_chat.image_requests import MAX_IMAGES, MAX_PROMPT, MOST, EditBody, GenerationBody
from rixin.dialects.openai_chat.messages import ROLES
from rixin.dialects.openai_chat.wire import ChatBody, CompletionBody


class ErrorDetail(Struct, frozen=True):
    """What went wrong."""

    message: str
    type: str
    """A stable word for programs, such as `invalid_request_error`."""
    code: str
    """A gRPC number as text, or a word of OpenAI's."""
    param: str | UnsetType | None = UNSET
    """The field that is at fault, such as `messages[0].role`."""


class ErrorBody(Struct, frozen=True):
    """The body of every error."""

    error: ErrorDetail


class PromptDetails(Struct, frozen=True):
    """Of the prompt's tokens."""

    cached_tokens: int
    audio_tokens: int


class CompletionDetails(Struct, frozen=True):
    """Of the answer's tokens."""

    reasoning_tokens: int


class Usage(Struct, frozen=True):
    """Counts of tokens."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptDetails
    completion_tokens_details: CompletionDetails
    knowledge_tokens: int | UnsetType = UNSET


class CalledFunction(Struct, frozen=True):
    """A function and its arguments, JSON as text."""

    name: str
    arguments: str


class CalledCustom(Struct, frozen=True):
    """A custom tool and its free text."""

    name: str
    input: str


class ToolCall(Struct, frozen=True):
    """A call of a tool."""

    index: int
    id: str
    type: Literal["function", "custom"]
    function: CalledFunction | UnsetType = UNSET
    custom: CalledCustom | UnsetType = UNSET


class AnswerMessage(Struct, frozen=True):
    """What the model said; its thoughts are in the field that its card names."""

    role: Literal["assistant"]
    content: str | UnsetType | None = UNSET
    reasoning: str | UnsetType = UNSET
    reasoning_content: str | UnsetType = UNSET
    refusal: str | UnsetType = UNSET
    tool_calls: list[ToolCall] | UnsetType = UNSET


class ChatChoice(Struct, frozen=True):
    """One of `n` answers."""

    index: int
    message: AnswerMessage
    finish_reason: str
    logprobs: AnyObject | UnsetType | None = UNSET
    stop_reason: str | UnsetType = UNSET


class ChatCompletion(Struct, frozen=True):
    """A whole answer."""

    id: str
    request_id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[ChatChoice]
    usage: Usage | UnsetType = UNSET


class TextChoice(Struct, frozen=True):
    """One of `n` continuations."""

    index: int
    text: str
    finish_reason: str
    logprobs: AnyObject | None


class TextCompletion(Struct, frozen=True):
    """A prompt's continuation."""

    id: str
    request_id: str
    object: Literal["text_completion"]
    created: int
    model: str
    choices: list[TextChoice]
    usage: Usage | UnsetType = UNSET


class Embedding(Struct, frozen=True):
    """A vector: numbers, or little-endian 32-bit floats in base64."""

    object: Literal["embedding"]
    index: int
    embedding: list[float] | str


class EmbeddingUsage(Struct, frozen=True):
    """Counts of tokens."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingList(Struct, frozen=True):
    """The vectors, in the order of the texts."""

    object: Literal["list"]
    data: list[Embedding]
    model: str
    usage: EmbeddingUsage


class DrawnImage(Struct, frozen=True):
    """An image: by a link, or its bytes in base64."""

    url: str | UnsetType = UNSET
    b64_json: str | UnsetType = UNSET
    revised_prompt: str | UnsetType = UNSET


class ImageTokenDetails(Struct, frozen=True):
    """Of the tokens that went in."""

    image_tokens: int
    text_tokens: int


class ImageUsage(Struct, frozen=True):
    """Counts of tokens and images."""

    input_tokens: int
    output_tokens: int
    total_tokens: int
    input_tokens_details: ImageTokenDetails | UnsetType = UNSET
    images_count: int | UnsetType = UNSET


class ImageList(Struct, frozen=True):
    """The images, and what else an upstream told of them."""

    created: int
    data: list[DrawnImage]
    output_format: str
    size: str | UnsetType = UNSET
    quality: str | UnsetType = UNSET
    usage: ImageUsage | UnsetType = UNSET


class Prices(Struct, frozen=True):
    """Prices of one token, as decimal text."""

    prompt: str
    completion: str
    currency: str | UnsetType = UNSET
    """US dollars unless told."""


class Model(Struct, frozen=True):
    """A model. Unknown limits are left out."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str
    name: str
    description: str
    input_modalities: list[str]
    output_modalities: list[str]
    pricing: Prices
    supported_features: list[str]
    context_length: int | UnsetType = UNSET
    max_output_length: int | UnsetType = UNSET
    supported_sampling_parameters: list[str] | UnsetType = UNSET


class ModelList(Struct, frozen=True):
    """The models that a key may ask for."""

    object: Literal["list"]
    data: list[Model]


class FileObject(Struct, frozen=True):
    """A file."""

    id: str
    object: Literal["file"]
    bytes: int
    created_at: int
    filename: str
    purpose: str
    status: Literal["uploaded", "processed", "error"]
    expires_at: int | UnsetType = UNSET


class FileList(Struct, frozen=True):
    """A page of files."""

    object: Literal["list"]
    data: list[FileObject]
    first_id: str | None
    last_id: str | None
    has_more: bool


class DeletedFile(Struct, frozen=True):
    """A file that is no more."""

    id: str
    object: Literal["file"]
    deleted: Literal[True]


_NAMED: JsonObject = {"minLength": 1, "maxLength": MAX_NAME}

DESCRIPTION = DialectDescription(
    title="OpenAI Chat Completions",
    about="As OpenAI and the SenseNova token platform have them.",
    error=ErrorBody,
    details={
        **ranges(BOUNDS),
        "model": _NAMED,
        "WireMessage.role": words(ROLES),
        "ChatBody.messages": {"minItems": 1, "maxItems": MAX_MESSAGES},
        "CompletionBody.prompt": {"minItems": 1, "maxItems": 1},
        "CompletionBody.logprobs": ranges({"logprobs": BOUNDS["top_logprobs"]})["logprobs"],
        "EmbeddingBody.input": {"minItems": 1, "maxItems": MAX_INPUTS},
        "EmbeddingBody.dimensions": {"minimum": 1},
        "GenerationBody.prompt": {"minLength": 1, "maxLength": MAX_PROMPT},
        "GenerationBody.n": {"minimum": 1, "maximum": MOST},
        "EditBody.prompt": {"minLength": 1, "maxLength": MAX_PROMPT},
        "EditBody.n": {"minimum": 1, "maximum": MOST},
        "EditBody.images": {"minItems": 1, "maxItems": MAX_IMAGES},
        "stop": {"minLength": 1, "maxItems": MAX_STOPS},
        "FunctionDefinition.name": _NAMED,
        "CustomDefinition.name": _NAMED,
    },
    routes={
        "/v1/chat/completions": Description(
            summary="Answer a conversation", body=ChatBody, answers=generated(ChatCompletion), asks_model=True
        ),
        "/v1/completions": Description(
            summary="Continue a text", body=CompletionBody, answers=generated(TextCompletion), asks_model=True
        ),
        "/v1/embeddings": Description(
            summary="Turn texts into vectors", body=EmbeddingBody, answers=answered(EmbeddingList), asks_model=True
        ),
        "/v1/images/generations": Description(
            summary="Draw images", body=GenerationBody, answers=generated(ImageList), asks_model=True
        ),
        "/v1/images/edits": Description(
            summary="Make images of others", body=EditBody, answers=generated(ImageList), asks_model=True
        ),
    },
)
