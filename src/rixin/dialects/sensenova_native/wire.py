"""The structs of a request's body. A field that no struct names is not lost: `request` finds it by its name."""

from typing import Literal

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
    """What all requests for words share. None is absent."""

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


class PromptMessage(Struct, frozen=True, kw_only=True):
    """A message that stands before all turns of a session."""

    role: Literal["system", "user", "assistant"]
    content: str


class SessionBody(Struct, frozen=True, kw_only=True):
    """The body of `POST /v1/llm/chat/sessions`."""

    system_prompt: list[PromptMessage] | None = None


class TurnBody(CommonBody, frozen=True, kw_only=True):
    """The body of `POST /v1/llm/chat-conversations`."""

    session_id: str
    content: str | None = None
    action: Literal["next", "regeneration"] | None = None
    thinking: Thinking | None = None


class TurnNote(Struct, frozen=True, kw_only=True):
    """What this server knows of a turn; no client says it."""

    id: str
    claim: int
    before: int
    """Messages that stand before all turns."""


class WholeTurnBody(TurnBody, frozen=True, kw_only=True):
    """A turn's body with the conversation that it goes on with, which the server has put in."""

    messages: list[WireMessage] = []
    turn: TurnNote | None = None


class Feeling(Struct, frozen=True, kw_only=True):
    """How a character feels toward another one."""

    name: str
    level: int


class Character(Struct, frozen=True, kw_only=True):
    """Who takes part in a character chat."""

    name: str
    gender: str
    identity: str | None = None
    nickname: str | None = None
    feeling_toward: list[Feeling] | None = None
    detail_setting: str | None = None
    other_setting: str | None = None


class RoleSetting(Struct, frozen=True, kw_only=True):
    """Which characters are the user and the model."""

    user_name: str
    primary_bot_name: str


class CharacterMessage(Struct, frozen=True, kw_only=True):
    """What a character said."""

    name: str
    content: str


class CharacterBody(CommonBody, frozen=True, kw_only=True):
    """The body of `POST /v1/llm/character/chat-completions`."""

    messages: list[CharacterMessage]
    character_settings: list[Character]
    role_setting: RoleSetting
