"""Input items, read into a conversation.

What a model said in one go comes as several items: message, thoughts and calls in a row are one assistant message, and
the outputs that follow them are one message of results, so that nothing stands between calls and results. Items that
only a service can resolve, or that nobody knows, ride along as `Opaque`.
"""

from collections.abc import Callable
from typing import TypeAlias

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
)
from rixin.dialects.decoding import check_depth
from rixin.dialects.media_parts import read_media_part
from rixin.dialects.openai_chat.bounds import MAX_MESSAGES, MAX_PARTS, check_size, check_word
from rixin.dialects.openai_responses.tools import LOCAL_SHELL, TOOL_SEARCH, Toolbox, wrap_input
from rixin.dialects.openai_responses.wire import NAME
from rixin.errors import RixinError, invalid

ROLES: dict[str, Role] = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}

ADDITIONAL_TOOLS = "additional_tools"
COMPACTION_TRIGGER = "compaction_trigger"

_TEXTS = frozenset({"input_text", "output_text", "text", "summary_text", "reasoning_text"})

_Reader: TypeAlias = Callable[["Conversation", JsonObject, str], None]


class Conversation:
    """Gathers messages from items.

    Args:
        toolbox: Takes the tools that items declare, and knows the names of those that they call.
    """

    def __init__(self, toolbox: Toolbox) -> None:
        self.compaction = False
        """Whether the client wants its history summed up instead of an answer."""
        self.toolbox = toolbox
        self._messages: list[tuple[Role, list[Part]]] = []

    @property
    def messages(self) -> tuple[Message, ...]:
        """The conversation so far."""
        return tuple(Message(role=role, parts=tuple(parts)) for role, parts in self._messages)

    def read(self, items: list[JsonObject], path: str = "input") -> None:
        """Takes items in order.

        Raises:
            RixinError: `INVALID_REQUEST`, naming the item and its field.
        """
        check_size(len(items), MAX_MESSAGES, path, "items")
        # Tools first: an item may call what a later one declares, as histories are replayed with their tools anywhere.
        for position, item in enumerate(items):
            if item.get("type") in (ADDITIONAL_TOOLS, "tool_search_output"):
                self.toolbox.add(item.get("tools"), f"{path}[{position}].tools")
        for position, item in enumerate(items):
            self._item(item, f"{path}[{position}]", last=position == len(items) - 1)

    def say(self, role: Role, parts: list[Part]) -> None:
        """Adds a message of its own."""
        if parts:
            self._messages.append((role, parts))

    def add(self, role: Role, part: Part) -> None:
        """Adds a part to the message under way, or begins one."""
        if not self._messages or self._messages[-1][0] != role:
            self._messages.append((role, []))
        self._messages[-1][1].append(part)

    def _item(self, item: JsonObject, path: str, *, last: bool) -> None:
        kind = item.get("type")
        if kind is None:
            kind = "message" if "role" in item else "item_reference"
        if not isinstance(kind, str):
            raise invalid(f"invalid {path}.type, it should be a string.", f"{path}.type")
        if kind == COMPACTION_TRIGGER:
            if not last:
                raise invalid(
                    f"invalid {path}, a {COMPACTION_TRIGGER} should be the last item, and the only one.", path
                )
            self.compaction = True
            return
        reader = _READERS.get(kind)
        if reader is not None:
            reader(self, item, path)
            return
        check_depth(item, path)
        # What a model's own tools did stands among what it said; it must not tear that apart.
        role: Role = "assistant" if kind.endswith("_call") else "user"
        if role == "user" and self._messages and self._messages[-1][0] in ("assistant", "tool"):
            role = self._messages[-1][0]
        self.add(role, Opaque(dialect=NAME, kind=kind, value=item))


def _message(conversation: Conversation, item: JsonObject, path: str) -> None:
    word = item.get("role")
    if not isinstance(word, str):
        raise invalid(f"invalid {path}.role, it is required.", f"{path}.role")
    check_word(word, tuple(ROLES), f"{path}.role")
    role = ROLES[word]
    parts = read_content(item.get("content"), f"{path}.content")
    if role != "assistant":
        conversation.say(role, parts)
        return
    for part in parts:
        conversation.add(role, part)


def _reasoning(conversation: Conversation, item: JsonObject, path: str) -> None:
    content, summary = item.get("content"), item.get("summary")
    envelope = item.get("encrypted_content")
    thought = ReasoningPart(
        text="".join(_words(content, f"{path}.content")),
        summary=tuple(_words(summary, f"{path}.summary")),
        signature=envelope if isinstance(envelope, str) and envelope else None,
    )
    if thought.text or thought.summary or thought.signature:
        conversation.add("assistant", thought)


def _function_call(conversation: Conversation, item: JsonObject, path: str) -> None:
    arguments = item.get("arguments")
    _call(conversation, item, path, arguments if isinstance(arguments, str) else _encoded(arguments))


def _custom_call(conversation: Conversation, item: JsonObject, path: str) -> None:
    text = item.get("input")
    _call(conversation, item, path, wrap_input(text if isinstance(text, str) else _encoded(text)))


def _call(conversation: Conversation, item: JsonObject, path: str, arguments: str) -> None:
    name, namespace = item.get("name"), item.get("namespace")
    if not isinstance(name, str) or not name:
        raise invalid(f"invalid {path}.name, it is required.", f"{path}.name")
    flat = conversation.toolbox.flat_name(namespace if isinstance(namespace, str) else None, name)
    conversation.add("assistant", ToolCall(id=_call_id(item, path), name=flat, arguments=arguments or "{}"))


def _search_call(conversation: Conversation, item: JsonObject, path: str) -> None:
    arguments = item.get("arguments")
    text = arguments if isinstance(arguments, str) else _encoded(arguments)
    name = conversation.toolbox.flat_name(None, TOOL_SEARCH)
    conversation.add("assistant", ToolCall(id=_call_id(item, path), name=name, arguments=text or "{}"))


def _shell_call(conversation: Conversation, item: JsonObject, path: str) -> None:
    action = item.get("action")
    if not isinstance(action, dict):
        raise invalid(f"invalid {path}.action, it is required.", f"{path}.action")
    wanted: JsonObject = {name: value for name, value in action.items() if name != "type" and value is not None}
    name = conversation.toolbox.flat_name(None, LOCAL_SHELL)
    conversation.add("assistant", ToolCall(id=_call_id(item, path), name=name, arguments=_encoded(wanted)))


def _output(conversation: Conversation, item: JsonObject, path: str) -> None:
    parts = tuple(read_content(item.get("output"), f"{path}.output"))
    conversation.add("tool", ToolResult(call_id=_call_id(item, path), parts=parts))


def _search_output(conversation: Conversation, item: JsonObject, path: str) -> None:
    tools = item.get("tools")
    text = _encoded(tools if isinstance(tools, list) else [])
    conversation.add("tool", ToolResult(call_id=_call_id(item, path), parts=(TextPart(text),)))


def _nothing(conversation: Conversation, item: JsonObject, path: str) -> None:
    """An item that was read before."""


_READERS: dict[str, _Reader] = {
    "message": _message,
    "reasoning": _reasoning,
    "function_call": _function_call,
    "function_call_output": _output,
    "custom_tool_call": _custom_call,
    "custom_tool_call_output": _output,
    "local_shell_call": _shell_call,
    "local_shell_call_output": _output,
    "tool_search_call": _search_call,
    "tool_search_output": _search_output,
    "tool_search_call_output": _search_output,
    ADDITIONAL_TOOLS: _nothing,
}


def read_content(content: JsonValue, path: str) -> list[Part]:
    """The parts of a message's content or of a tool's output; empty texts say nothing and are left out.

    Raises:
        RixinError: `INVALID_REQUEST`, naming the part.
    """
    if content is None:
        return []
    if isinstance(content, str):
        return [TextPart(content)] if content else []
    if isinstance(content, dict):
        return [TextPart(_encoded(content))]
    if not isinstance(content, list):
        raise invalid(f"invalid {path}, it should be a string or a list of parts.", path)
    check_size(len(content), MAX_PARTS, path, "parts")
    parts: list[Part] = []
    for position, value in enumerate(content):
        part = _part(value, f"{path}[{position}]")
        if part != TextPart(""):
            parts.append(part)
    return parts


def _part(value: JsonValue, path: str) -> Part:
    if isinstance(value, str):
        return TextPart(value)
    if not isinstance(value, dict):
        raise invalid(f"invalid {path}, it should be an object.", path)
    kind = value.get("type")
    match kind:
        case "refusal":
            return RefusalPart(_required(value, "refusal", path))
        case "input_image" | "computer_screenshot":
            return _image(value, path)
        case "input_file":
            return _file(value, path)
        case str() if kind in _TEXTS:
            return TextPart(_required(value, "text", path))
        case _ if (medium := read_media_part(value)) is not None:
            return medium
        case _:
            check_depth(value, path)
            return Opaque(dialect=NAME, kind=kind if isinstance(kind, str) else "", value=value)


def _image(value: JsonObject, path: str) -> Part:
    source = value.get("image_url")
    if isinstance(source, dict):
        source = source.get("url")
    file_id, detail = value.get("file_id"), value.get("detail")
    detail = detail if isinstance(detail, str) else None
    if isinstance(source, str) and source:
        return ImagePart(url=source, detail=detail)
    if isinstance(file_id, str) and file_id:
        return ImagePart(file_id=file_id, detail=detail)
    raise _missing(f"{path}.image_url")


def _file(value: JsonObject, path: str) -> Part:
    data, url, file_id, name = (value.get(field) for field in ("file_data", "file_url", "file_id", "filename"))
    name = name if isinstance(name, str) else None
    if isinstance(data, str) and data:
        encoded = not data.startswith("data:")
        return DocumentPart(base64=data if encoded else None, url=None if encoded else data, name=name)
    if isinstance(url, str) and url:
        return DocumentPart(url=url, name=name)
    if isinstance(file_id, str) and file_id:
        return DocumentPart(file_id=file_id, name=name)
    raise _missing(f"{path}.file_data")


def _words(value: JsonValue, path: str) -> list[str]:
    return [part.text for part in read_content(value, path) if isinstance(part, TextPart)]


def _call_id(item: JsonObject, path: str) -> str:
    """The id that ties a call to its output; elder items of the local shell only have their own."""
    for field in ("call_id", "id"):
        value = item.get(field)
        if isinstance(value, str) and value:
            return value
    raise _missing(f"{path}.call_id")


def _required(value: JsonObject, field: str, path: str) -> str:
    text = value.get(field)
    if not isinstance(text, str):
        raise _missing(f"{path}.{field}")
    return text


def _missing(path: str) -> RixinError:
    return invalid(f"invalid {path}, it is required.", path)


def _encoded(value: JsonValue) -> str:
    return "" if value is None else msgspec.json.encode(value).decode()
