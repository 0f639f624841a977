"""A request's messages, read.

Blocks of the server's own tools (`server_tool_use`, `*_tool_result`) and references to tools are told in words: no
model but their maker's knows their form. A block of a type that nobody knows rides along.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple, cast

import msgspec
from msgspec import Struct

from rixin.core.json import JsonObject, JsonValue
from rixin.core.messages import (
    DocumentPart,
    ImagePart,
    Message,
    Opaque,
    Part,
    ReasoningPart,
    Role,
    TextPart,
    ToolCall,
    ToolResult,
)
from rixin.dialects.anthropic.wire import NAME, WireBlock, WireMessage
from rixin.dialects.decoding import check_depth
from rixin.dialects.media_parts import read_media_part
from rixin.dialects.openai_chat.bounds import MAX_MESSAGES, MAX_PARTS, check_size, check_word
from rixin.errors import RixinError, invalid

ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "user",
}
"""`tool` stands in the token platform's documents; such a turn holds results, as a user's may."""

_SILENT = frozenset({"type", "id", "tool_use_id", "file_id", "cache_control", "citations"})
"""Fields of a server tool's block that say nothing to a model."""


class Conversation(NamedTuple):
    """Messages, and the names of the tools that they refer to."""

    messages: tuple[Message, ...]
    references: frozenset[str]


def read_conversation(system: str | list[WireBlock] | None, messages: list[WireMessage]) -> Conversation:
    """The conversation, its system prompt first.

    Raises:
        RixinError: `INVALID_REQUEST`, naming the message and its field.
    """
    if not messages:
        raise invalid("invalid messages, should have at least one message.", "messages")
    check_size(len(messages), MAX_MESSAGES, "messages", "messages")
    references: set[str] = set()
    read: list[Message] = []
    if parts := _system(system or "", "system"):
        read.append(Message(role="system", parts=parts))
    for position, message in enumerate(messages):
        read.append(_message(message, f"messages[{position}]", references))
    return Conversation(tuple(read), frozenset(references))


def _message(message: WireMessage, path: str, references: set[str]) -> Message:
    check_word(message.role, tuple(ROLES), f"{path}.role")
    role, content, path = ROLES[message.role], message.content, f"{path}.content"
    if content is None:
        raise invalid(f"invalid {path}, it is required.", path)
    if role == "system":
        return Message(role=role, parts=_system(content, path))
    parts = _content(content, path, references)
    for index, part in enumerate(parts):
        if isinstance(part, ToolCall if role == "user" else ToolResult):
            kind = "tool_use" if role == "user" else "tool_result"
            raise invalid(f"invalid {path}, a message of the {message.role} holds no {kind}.", f"{path}[{index}].type")
    if parts and all(isinstance(part, ToolResult) for part in parts):
        role = "tool"
    return Message(role=role, parts=parts)


def _system(content: str | list[WireBlock], path: str) -> tuple[Part, ...]:
    """A system prompt. Its texts are one text: what marks them for a cache has no meaning elsewhere."""
    parts = _content(content, path, set())
    texts = [part.text for part in parts if isinstance(part, TextPart)]
    others = tuple(part for part in parts if not isinstance(part, TextPart))
    return (TextPart("\n\n".join(texts)), *others) if texts else others


def _content(content: str | list[WireBlock], path: str, references: set[str]) -> tuple[Part, ...]:
    if isinstance(content, str):
        return (TextPart(content),) if content else ()
    check_size(len(content), MAX_PARTS, path, "blocks")
    parts: list[Part] = []
    for index, value in enumerate(content):
        block = _Block(cast("JsonObject", value), f"{path}[{index}]", references)
        read = _READERS.get(block.kind, _server_tool if block.kind.endswith(("_tool_result", "_tool_use")) else _opaque)
        part = read(block)
        if part is not None:
            parts.append(part)
    return tuple(parts)


class _Block(Struct):
    """A block on its way in."""

    value: JsonObject
    path: str
    references: set[str]

    @property
    def kind(self) -> str:
        kind = self.value.get("type")
        if not isinstance(kind, str):
            raise self.wrong("type")
        return kind

    def text(self, name: str) -> str | None:
        """A field that is a text, or is not there."""
        value = self.value.get(name)
        if value is None or isinstance(value, str):
            return value
        raise invalid(f"invalid {self.path}.{name}, expected string.", f"{self.path}.{name}")

    def required_text(self, name: str) -> str:
        text = self.text(name)
        if text is None:
            raise self.wrong(name)
        return text

    def wrong(self, name: str) -> RixinError:
        path = f"{self.path}.{name}"
        return invalid(
            f"invalid {path}, {'it is required' if name not in self.value else 'it is not understood'}.", path
        )


def _text(block: _Block) -> Part | None:
    text = block.required_text("text")
    return TextPart(text) if text else None


def _image(block: _Block) -> Part:
    match block.value.get("source"):
        case {"type": "base64", "media_type": str(kind), "data": str(data)}:
            return ImagePart(url=f"data:{kind};base64,{data}")
        case {"type": "url", "url": str(url)} if url:
            return ImagePart(url=url)
        case {"type": "file", "file_id": str(file_id)} if file_id:
            return ImagePart(file_id=file_id)
        case _:
            raise block.wrong("source")


def _document(block: _Block) -> Part:
    name = block.text("title")
    match block.value.get("source"):
        case {"type": "base64", "data": str(data)} as source:
            kind = source.get("media_type")
            return DocumentPart(base64=data, name=name, media_type=kind if isinstance(kind, str) else None)
        case {"type": "text", "data": str(text)}:
            return DocumentPart(text=text, name=name, media_type="text/plain")
        case {"type": "url", "url": str(url)} if url:
            return DocumentPart(url=url, name=name)
        case {"type": "file", "file_id": str(file_id)} if file_id:
            return DocumentPart(file_id=file_id, name=name)
        case {"type": "content", "content": str() | list() as content}:
            check_depth(content, f"{block.path}.source.content")
            return DocumentPart(text="\n".join(_words(content)), name=name, media_type="text/plain")
        case _:
            raise block.wrong("source")


def _upload(block: _Block) -> Part:
    return DocumentPart(file_id=block.required_text("file_id"))


def _thinking(block: _Block) -> Part | None:
    text, signature = block.text("thinking") or "", block.text("signature") or None
    return ReasoningPart(text=text, signature=signature) if text or signature else None


def _tool_use(block: _Block) -> Part:
    arguments, path = block.value.get("input"), f"{block.path}.input"
    check_depth(arguments, path)
    match arguments:
        case None | "":
            text = "{}"
        case str():
            text = arguments
        case dict():
            text = msgspec.json.encode(arguments).decode()
        case _:
            raise invalid(f"invalid {path}, expected object.", path)
    return ToolCall(id=block.required_text("id"), name=_named(block, "name"), arguments=text)


def _tool_result(block: _Block) -> Part:
    content, path = block.value.get("content"), f"{block.path}.content"
    if content is not None and not isinstance(content, str | list):
        raise invalid(f"invalid {path}, expected string or array.", path)
    if isinstance(content, list) and not all(isinstance(inner, dict) for inner in content):
        raise invalid(f"invalid {path}, its entries should be blocks.", path)
    parts = _content(cast("str | list[WireBlock]", content or ""), path, block.references)
    is_error = block.value.get("is_error") is True
    return ToolResult(call_id=_named(block, "tool_use_id"), parts=parts, is_error=is_error)


def _named(block: _Block, name: str) -> str:
    text = block.required_text(name)
    if not text:
        raise invalid(f"invalid {block.path}.{name}, it should not be empty.", f"{block.path}.{name}")
    return text


def _tool_reference(block: _Block) -> Part:
    name = _named(block, "tool_name")
    block.references.add(name)
    return TextPart(f"[The tool {name} is available now.]")


def _search_result(block: _Block) -> Part:
    check_depth(block.value, block.path)
    told = [block.value.get(name) for name in ("title", "source", "content")]
    return TextPart("\n".join(_words(told)))


def _server_tool(block: _Block) -> Part | None:
    """What a tool of the server did, in words."""
    check_depth(block.value, block.path)
    words = [word for name, value in block.value.items() if name not in _SILENT for word in _words(value)]
    return TextPart(f"[{block.kind}: {chr(10).join(words)}]") if words else None


def _words(value: JsonValue) -> Iterator[str]:
    """The texts in a JSON value, without those that are sealed."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for entry in value:
            yield from _words(entry)
    elif isinstance(value, dict):
        for name, entry in value.items():
            if name not in _SILENT and not name.startswith("encrypted"):
                yield from _words(entry)


def _opaque(block: _Block) -> Part:
    check_depth(block.value, block.path)
    return read_media_part(block.value) or Opaque(dialect=NAME, kind=block.kind, value=block.value)


_READERS: dict[str, Callable[[_Block], Part | None]] = {
    "text": _text,
    "image": _image,
    "document": _document,
    "container_upload": _upload,
    "thinking": _thinking,
    "redacted_thinking": _opaque,
    "tool_use": _tool_use,
    "tool_result": _tool_result,
    "tool_reference": _tool_reference,
    "search_result": _search_result,
}
"""By the type of block."""
