"""A request's messages, read."""

from collections.abc import Callable
from typing import TypeAlias, cast

import msgspec

from rixin.core.json import JsonObject, JsonValue
from rixin.core.messages import (
    DocumentPart,
    ImagePart,
    Message,
    Opaque,
    Part,
    ReasoningPart,
    RefusalPart,
    Role,
    TextPart,
    ToolCall,
    ToolResult,
    VideoPart,
)
from rixin.dialects.decoding import check_depth
from rixin.dialects.media_parts import read_media_part
from rixin.dialects.openai_chat.bounds import MAX_MESSAGES, MAX_PARTS, MAX_TOOL_CALLS, check_size, not_among
from rixin.dialects.openai_chat.wire import (
    NAME,
    AssistantToolCall,
    ContentPart,
    File,
    Function,
    ImageURL,
    VideoURL,
    WireMessage,
)
from rixin.errors import RixinError, invalid

ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
}

_KNOWN_PARTS = frozenset({"text", "image_url", "video_url", "file", "refusal"})
"""Types of parts whose content is in the field of the same name."""

EMPTY_CALL = "invalid tool_call function, function/name/arguments cannot be empty"
"""The token platform's words for a replayed call without a name."""

Plain: TypeAlias = Callable[[], JsonObject]
"""Gives the body as plain JSON, for what no struct describes; called only when there is such a thing."""


def read_messages(messages: list[WireMessage], plain: Plain) -> tuple[Message, ...]:
    """The conversation.

    Raises:
        RixinError: `INVALID_REQUEST`, naming the message and its field.
    """
    if not messages:
        raise invalid("invalid messages, should have at least one message.", "messages")
    check_size(len(messages), MAX_MESSAGES, "messages", "messages")
    return tuple([_Reading(position, message, plain).message() for position, message in enumerate(messages)])


class _Reading:
    """One message on its way in."""

    def __init__(self, position: int, message: WireMessage, plain: Plain) -> None:
        self._position = position
        self._message = message
        self._plain = plain

    def message(self) -> Message:
        wire = self._message
        role = ROLES.get(wire.role)
        if role is None:
            raise not_among(tuple(ROLES), self._path("role"))
        if role == "tool":
            if not wire.tool_call_id:
                raise self._required("tool_call_id")
            result = ToolResult(call_id=wire.tool_call_id, parts=self._content(), name=wire.name)
            return Message(role=role, parts=(result,))
        if role == "assistant":
            return Message(role=role, parts=self._assistant(), name=wire.name)
        if wire.content is None:
            raise self._required("content")
        return Message(role=role, parts=self._content(), name=wire.name)

    def _assistant(self) -> tuple[Part, ...]:
        wire = self._message
        parts: list[Part] = [*self._thoughts(), *self._content()]
        if wire.refusal:
            parts.append(RefusalPart(wire.refusal))
        calls = wire.tool_calls or []
        check_size(len(calls), MAX_TOOL_CALLS, self._path("tool_calls"), "calls")
        parts.extend(self._call(index, call) for index, call in enumerate(calls))
        if wire.function_call is not None:
            parts.append(self._function("", wire.function_call, "function_call"))
        return tuple(parts)

    def _thoughts(self) -> list[Part]:
        """What the model thought, under whichever name the client kept it."""
        wire = self._message
        parts: list[Part] = []
        for detail in wire.reasoning_details or ():
            signature = detail.signature or detail.data
            if detail.text or detail.summary or signature:
                parts.append(ReasoningPart(text=detail.text or detail.summary or "", signature=signature))
        text = wire.reasoning_content or wire.reasoning
        if text and not any(isinstance(part, ReasoningPart) and part.text for part in parts):
            signature = next((part.signature for part in parts if isinstance(part, ReasoningPart)), None)
            parts = [ReasoningPart(text=text, signature=signature)]
        return parts

    def _content(self) -> tuple[Part, ...]:
        content = self._message.content
        if content is None:
            return ()
        if isinstance(content, str):
            return (TextPart(content),) if content else ()
        check_size(len(content), MAX_PARTS, self._path("content"), "parts")
        return tuple(self._part(index, part) for index, part in enumerate(content))

    def _part(self, index: int, part: ContentPart) -> Part:
        match part:
            case ContentPart(type="text", text=str(text)):
                return TextPart(text)
            case ContentPart(type="image_url", image_url=str(url)) if url:
                return ImagePart(url=url)
            case ContentPart(type="image_url", image_url=ImageURL(url=url, detail=detail)) if url:
                return ImagePart(url=url, detail=detail)
            case ContentPart(type="video_url", video_url=str(url) | VideoURL(url=url)) if url:
                return VideoPart(url=url)
            case ContentPart(type="file", file=File() as file) if file.file_id or file.file_data:
                return _document(file)
            case ContentPart(type="refusal", refusal=str(text)):
                return RefusalPart(text)
            case ContentPart(type=kind) if kind in _KNOWN_PARTS:
                raise self._required(f"content[{index}].{kind}")
            case _:
                return self._foreign(index, part.type)

    def _foreign(self, index: int, kind: str) -> Part:
        """A part that this dialect has not."""
        messages = cast("list[JsonObject]", self._plain()["messages"])
        value = cast("list[JsonValue]", messages[self._position]["content"])[index]
        medium = read_media_part(value)
        if medium is not None:
            return medium
        check_depth(value, self._path(f"content[{index}]"))
        return Opaque(dialect=NAME, kind=kind, value=value)

    def _call(self, index: int, call: AssistantToolCall) -> ToolCall:
        path = f"tool_calls[{index}]"
        if not call.id:
            raise self._required(f"{path}.id")
        if call.custom is not None and call.type != "function":
            if not call.custom.name:
                raise invalid(EMPTY_CALL, self._path(f"{path}.custom.name"))
            return ToolCall(id=call.id, name=call.custom.name, arguments=call.custom.input, kind="custom")
        if call.function is None:
            raise self._required(f"{path}.function")
        return self._function(call.id, call.function, f"{path}.function")

    def _function(self, call_id: str, function: Function, field: str) -> ToolCall:
        if not function.name:
            raise invalid(EMPTY_CALL, self._path(f"{field}.name"))
        arguments = function.arguments
        if isinstance(arguments, dict):
            arguments = msgspec.json.encode(arguments).decode()
        return ToolCall(id=call_id, name=function.name, arguments=arguments or "{}")

    def _path(self, field: str) -> str:
        return f"messages[{self._position}].{field}"

    def _required(self, field: str) -> RixinError:
        path = self._path(field)
        return invalid(f"invalid {path}, it is required.", path)


def _document(file: File) -> DocumentPart:
    data = file.file_data
    url = data if data is not None and data.startswith("data:") else None
    return DocumentPart(url=url, base64=data if url is None else None, file_id=file.file_id, name=file.filename)
