"""Chats among characters, of whom the model plays one: `POST /v1/llm/character/chat-completions`.

Source: the platform's Python SDK.

Decisions where the source leaves one:

- The cast is told in a system message. What the model's character said is the assistant's, all else the user's; who
  speaks is said before the words where it is neither of the two.
- Answers are not streamed: to ask for it is an error.
"""

import msgspec

from rixin.core.json import JsonObject, JsonValue
from rixin.core.messages import Message, TextPart
from rixin.core.requests import Generate, Request
from rixin.core.responses import Response
from rixin.core.usage import Usage
from rixin.dialects.base import Call, CardOf, Stamp
from rixin.dialects.decoding import decode, decode_fields
from rixin.dialects.openai_chat.bounds import MAX_MESSAGES, check_size
from rixin.dialects.openai_chat.request import read_extra
from rixin.dialects.sensenova_native.bounds import CHARACTER
from rixin.dialects.sensenova_native.finish import finish_word
from rixin.dialects.sensenova_native.request import read_common
from rixin.dialects.sensenova_native.response import beside, with_beside, words_of
from rixin.dialects.sensenova_native.usage import render_usage
from rixin.dialects.sensenova_native.wire import Character, CharacterBody, CharacterMessage, RoleSetting
from rixin.errors import invalid

MAX_CHARACTERS = 64
MAX_LENGTHS = {
    "name": 50,
    "gender": 50,
    "identity": 200,
    "nickname": 50,
    "detail_setting": 500,
    "other_setting": 2000,
}
"""Characters that the fields of a setting may have."""
LEVELS = {1: "a little", 2: "rather", 3: "very"}
"""How close a character feels to another one."""

_CHARACTER = msgspec.json.Decoder(CharacterBody)
_FIELDS = frozenset(CharacterBody.__struct_fields__)
_ENCODER = msgspec.json.Encoder()


def parse_character(call: Call, card_of: CardOf) -> Generate:
    """Reads a request for what a character says next.

    Raises:
        RixinError: `INVALID_REQUEST` naming the field, or what `card_of` raises.
    """
    body = decode(_CHARACTER, call.body)
    request = read_common(call, body, card_of, read_extra(decode_fields(call.body), _FIELDS), CHARACTER)
    if body.stream:
        raise invalid("invalid stream, a character's answer is not streamed.", "stream")
    _check_characters(body.character_settings)
    _check_roles(body.role_setting, {character.name for character in body.character_settings})
    # Rendered anew for every upstream: none has a second route for characters.
    return request.edit(messages=_messages(body), max_tokens=request.max_tokens, extra=request.extra)


def render_character(response: Response, request: Request, stamp: Stamp) -> bytes:
    """The body of a whole answer; `reply` is its first choice."""
    return _ENCODER.encode({"data": with_beside(_data(response, request, stamp), beside(response))})


def _data(response: Response, request: Request, stamp: Stamp) -> JsonObject:
    usage = response.usage or Usage()
    choices: list[JsonValue] = [
        {
            "index": choice.index,
            "message": words_of(choice),
            "finish_reason": finish_word(choice.finish_reason, usage, request),
        }
        for choice in response.choices
    ]
    return {
        "id": stamp.new_id(""),
        "reply": words_of(response.choices[0]),
        "choices": choices,
        "usage": render_usage(usage),
    }


def _check_characters(characters: list[Character]) -> None:
    check_size(len(characters), MAX_CHARACTERS, "character_settings", "characters")
    for position, character in enumerate(characters):
        path = f"character_settings[{position}]"
        for field, most in MAX_LENGTHS.items():
            check_size(len(getattr(character, field) or ""), most, f"{path}.{field}", "characters")
        if not character.name:
            raise invalid(f"invalid {path}.name, it should not be empty.", f"{path}.name")
        for index, feeling in enumerate(character.feeling_toward or ()):
            if feeling.level not in LEVELS:
                raise invalid(
                    f"invalid {path}.feeling_toward[{index}].level, should in [1,3].",
                    f"{path}.feeling_toward[{index}].level",
                )


def _check_roles(roles: RoleSetting, names: set[str]) -> None:
    for field, name in (("user_name", roles.user_name), ("primary_bot_name", roles.primary_bot_name)):
        if name not in names:
            raise invalid(f"invalid role_setting.{field}, no character has this name.", f"role_setting.{field}")
    if roles.user_name == roles.primary_bot_name:
        raise invalid("invalid role_setting, the user and the bot should be two characters.", "role_setting")


def _messages(body: CharacterBody) -> tuple[Message, ...]:
    if not body.messages:
        raise invalid("invalid messages, should have at least one message.", "messages")
    check_size(len(body.messages), MAX_MESSAGES, "messages", "messages")
    roles, names = body.role_setting, {character.name for character in body.character_settings}
    for position, message in enumerate(body.messages):
        if message.name not in names:
            raise invalid(
                f"invalid messages[{position}].name, no character has this name.", f"messages[{position}].name"
            )
    if body.messages[-1].name == roles.primary_bot_name:
        path = f"messages[{len(body.messages) - 1}].name"
        raise invalid("invalid messages, the last message should not be of the character that answers.", path)
    cast = Message(role="system", parts=(TextPart(_cast(body)),))
    return (cast, *(_message(message, roles) for message in body.messages))


def _message(message: CharacterMessage, roles: RoleSetting) -> Message:
    if message.name == roles.primary_bot_name:
        return Message(role="assistant", parts=(TextPart(message.content),))
    named = message.name != roles.user_name
    return Message(role="user", parts=(TextPart(f"{message.name}: {message.content}" if named else message.content),))


def _cast(body: CharacterBody) -> str:
    """Who takes part, and whom the model plays."""
    roles = body.role_setting
    task = (
        f"You are {roles.primary_bot_name} in a conversation with {roles.user_name}. Stay in this character, speak as "
        f"{roles.primary_bot_name} only and in the language of the conversation, and do not put your name before what "
        "you say.\n\nThe characters:"
    )
    return "\n".join([task, *(_portrait(character) for character in body.character_settings)])


def _portrait(character: Character) -> str:
    told = {
        "gender": character.gender,
        "nickname": character.nickname,
        "identity": character.identity,
        "details": character.detail_setting,
        "more": character.other_setting,
    }
    traits = [f"{name}: {value}" for name, value in told.items() if value]
    traits += [f"feels {LEVELS[other.level]} close to {other.name}" for other in character.feeling_toward or ()]
    return f"- {character.name} ({'; '.join(traits)})"
