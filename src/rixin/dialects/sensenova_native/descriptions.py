"""What the routes of this dialect give: chats, sessions, embeddings, models, files and knowledge bases."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from rixin.dialects.description import (
    JSON,
    Answer,
    AnyObject,
    Description,
    DialectDescription,
    answered,
    generated,
    ranges,
    words,
)
from rixin.dialects.sensenova_native.bounds import CHARACTER, CHAT, COMPLETION
from rixin.dialects.sensenova_native.embeddings import MAX_INPUTS, EmbeddingBody
from rixin.dialects.sensenova_native.knowledge import AttachBody, BaseBody
from rixin.dialects.sensenova_native.messages import ROLES
from rixin.dialects.sensenova_native.wire import CharacterBody, ChatBody, CompletionBody, SessionBody, TurnBody
from rixin.errors import Kind


class ErrorDetail(Struct, frozen=True):
    """What went wrong."""

    code: int
    """A gRPC number, which decides the HTTP status."""
    message: str
    details: list[AnyObject]


class ErrorBody(Struct, frozen=True):
    """The body of every error."""

    error: ErrorDetail


class Usage(Struct, frozen=True):
    """Counts of tokens."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    knowledge_tokens: int | UnsetType = UNSET


class ChatChoice(Struct, frozen=True):
    """One of `n` answers."""

    index: int
    message: str
    role: Literal["assistant"]
    finish_reason: str
    reasoning_content: str | UnsetType = UNSET


class ChatData(Struct, frozen=True):
    """An answer."""

    id: str
    choices: list[ChatChoice]
    usage: Usage


class ChatAnswer(Struct, frozen=True):
    """A whole answer."""

    data: ChatData


class TextChoice(Struct, frozen=True):
    """One of `n` continuations."""

    index: int
    text: str
    role: Literal["assistant"]
    finish_reason: str


class TextData(Struct, frozen=True):
    """A continuation."""

    id: str
    choices: list[TextChoice]
    usage: Usage


class TextAnswer(Struct, frozen=True):
    """A prompt's continuation."""

    data: TextData


class CharacterChoice(Struct, frozen=True):
    """One of `n` replies."""

    index: int
    message: str
    finish_reason: str


class CharacterData(Struct, frozen=True):
    """What the character says."""

    id: str
    reply: str
    choices: list[CharacterChoice]
    usage: Usage


class CharacterAnswer(Struct, frozen=True):
    """The reply of a character."""

    data: CharacterData


class TurnData(Struct, frozen=True):
    """A turn's answer."""

    message: str
    finish_reason: str
    session_id: str
    turn_id: str
    usage: Usage


class TurnAnswer(Struct, frozen=True):
    """A whole answer."""

    data: TurnData


class SessionAnswer(Struct, frozen=True):
    """A session that has begun."""

    session_id: str


class Embedding(Struct, frozen=True):
    """A vector."""

    index: int
    embedding: list[float]


class EmbeddingsAnswer(Struct, frozen=True):
    """The vectors, in the order of the texts."""

    embeddings: list[Embedding]
    usage: Usage


class Model(Struct, frozen=True):
    """A model."""

    id: str
    object: Literal["MODEL"]
    type: str
    owned_by: str
    root: str
    created_at: str
    updated_at: str


class ModelList(Struct, frozen=True):
    """The models that a key may ask for."""

    object: Literal["LIST"]
    data: list[Model]


class FileObject(Struct, frozen=True):
    """A file."""

    id: str
    status: str
    scheme: str
    description: str
    user_provided_filename: str
    size: int
    created_at: str
    updated_at: str
    expires_at: str | UnsetType = UNSET


class FileAnswer(Struct, frozen=True):
    """One file."""

    file: FileObject


class FileList(Struct, frozen=True):
    """All files."""

    files: list[FileObject]


class KnowledgeFile(Struct, frozen=True):
    """A file of a knowledge base; `progress` goes from 0 to 1."""

    id: str
    user_provided_filename: str
    status: str
    progress: float
    created_at: str
    updated_at: str
    error: str | UnsetType = UNSET


class KnowledgeFiles(Struct, frozen=True):
    """The files of a knowledge base."""

    files: list[KnowledgeFile]


class KnowledgeBase(Struct, frozen=True):
    """A knowledge base."""

    id: str
    description: str
    status: Literal["UPLOADED", "VALID"]
    files: list[KnowledgeFile]
    created_at: str
    updated_at: str


class KnowledgeBaseAnswer(Struct, frozen=True):
    """One knowledge base."""

    knowledge_base: KnowledgeBase


class KnowledgeBaseList(Struct, frozen=True):
    """The knowledge bases of an account."""

    knowledge_bases: list[KnowledgeBase]


class Empty(Struct, frozen=True):
    """Nothing, as an object."""


DESCRIPTION = DialectDescription(
    title="SenseNova native",
    about="As the SenseNova V6 platform has it; its clients sign tokens with an access key.",
    error=ErrorBody,
    details={
        **ranges(CHAT.rules),
        **{f"CompletionBody.{name}": detail for name, detail in ranges(COMPLETION.rules).items()},
        **{f"CharacterBody.{name}": detail for name, detail in ranges(CHARACTER.rules).items()},
        "model": {"minLength": 1},
        "messages": {"minItems": 1},
        "WireMessage.role": words(ROLES),
        "EmbeddingBody.input": {"minItems": 1, "maxItems": MAX_INPUTS},
    },
    routes={
        "/v1/llm/chat-completions": Description(
            summary="Answer a conversation", body=ChatBody, answers=generated(ChatAnswer), asks_model=True
        ),
        "/v1/llm/completions": Description(
            summary="Continue a text", body=CompletionBody, answers=generated(TextAnswer), asks_model=True
        ),
        "/v1/llm/embeddings": Description(
            summary="Turn texts into vectors", body=EmbeddingBody, answers=answered(EmbeddingsAnswer), asks_model=True
        ),
        "/v1/llm/chat-conversations": Description(
            summary="Take a turn of a session",
            body=TurnBody,
            answers=generated(TurnAnswer),
            asks_model=True,
            errors=frozenset({Kind.NOT_FOUND, Kind.CONCURRENT}),
        ),
        "/v1/llm/character/chat-completions": Description(
            summary="Let a character answer", body=CharacterBody, answers=answered(CharacterAnswer), asks_model=True
        ),
    },
)
BEGIN_SESSION = Description(summary="Begin a session", body=SessionBody, answers=answered(SessionAnswer))
NOT_SERVED = Description(
    summary="What the platform has and this server has not",
    parameters={"path": "Anything else."},
    answers={501: Answer(about="Not implemented.", content={JSON: ErrorBody})},
)

_TAG = "Knowledge bases"
_BASE = {"knowledge_base_id": "The base's id."}
_FILE = {**_BASE, "file_id": "The file's id."}
LIST_BASES = Description(summary="List knowledge bases", tag=_TAG, answers=answered(KnowledgeBaseList))
CREATE_BASE = Description(
    summary="Make a knowledge base",
    tag=_TAG,
    body=BaseBody,
    body_optional=True,
    answers=answered(KnowledgeBaseAnswer),
    errors=frozenset({Kind.NOT_FOUND, Kind.CONFLICT}),
)
SHOW_BASE = Description(
    summary="Show a knowledge base", tag=_TAG, parameters=_BASE, answers=answered(KnowledgeBaseAnswer)
)
CHANGE_BASE = Description(
    summary="Change a knowledge base",
    tag=_TAG,
    parameters=_BASE,
    body=BaseBody,
    body_optional=True,
    answers=answered(KnowledgeBaseAnswer),
    errors=frozenset({Kind.CONFLICT}),
)
DELETE_BASE = Description(summary="Delete a knowledge base", tag=_TAG, parameters=_BASE, answers=answered(Empty))
LIST_BASE_FILES = Description(
    summary="List a knowledge base's files", tag=_TAG, parameters=_BASE, answers=answered(KnowledgeFiles)
)
ATTACH_FILE = Description(
    summary="Put a file into a knowledge base",
    tag=_TAG,
    parameters=_BASE,
    body=AttachBody,
    answers=answered(KnowledgeBaseAnswer),
    errors=frozenset({Kind.CONFLICT, Kind.NOT_IMPLEMENTED}),
)
SHOW_BASE_FILE = Description(
    summary="Find a knowledge base's file",
    tag=_TAG,
    parameters=_FILE,
    answers={302: Answer(about="Where it is.", headers={"location": "A link to the file's content."})},
)
DETACH_FILE = Description(
    summary="Take a file out of a knowledge base", tag=_TAG, parameters=_FILE, answers=answered(Empty)
)
