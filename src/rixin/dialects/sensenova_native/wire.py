"""The structs of a request's body. A field that no struct names is not lost: `request` finds it by its name."""

from msgspec import Struct

from rixin.dialects.openai_chat.wire import Thinking

NAME = "sensenova_native"


class ContentPart(Struct, frozen=True, kw_only=True):
    """One part of a message's content: `type` is the name of the one field that holds it."""

    type: str | None = None
    text: str | None = None
    image_url: str | None = None
    image_file_id: str | None = None
    image_base64: str | None = None
    video_url: str | None = None
    video_file_id: str | None = None


class WireMessage(Struct, frozen=True, kw_only=True):
    """A turn of the conversation."""

    role: str
    content: str | list[ContentPart]


class CommonBody(Struct, frozen=True, kw_only=True):
    """What chat and text completions share. None is absent."""

    model: str
    n: int | None = None
    max_new_tokens: int | None = None
    repetition_penalty: float | None = None
    temperature: float | None = None
    top_p: float | None = None
    stream: bool | None = None
    user: str | None = None


class ChatBody(CommonBody, frozen=True, kw_only=True):
    """The body of `POST /v1/llm/chat-completions`."""

    messages: list[WireMessage]
    thinking: Thinking | None = None


class CompletionBody(CommonBody, frozen=True, kw_only=True):
    """The body of `POST /v1/llm/completions`."""

    prompt: str
    stop: str | list[str] | None = None
