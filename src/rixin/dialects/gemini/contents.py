"""A request's contents, read.

What proves a model's thought comes on the part that followed it, seldom on the thought itself; here the thought with
its proof comes first, and then the part. What a tool of Google's servers did is told in words.
"""

import binascii
from base64 import b64decode
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import cast

import msgspec

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
    VideoPart,
)
from rixin.dialects.gemini.call_ids import CallIds
from rixin.dialects.gemini.wire import NAME, WireContent
from rixin.dialects.openai_chat.bounds import MAX_MESSAGES, MAX_PARTS, check_size, check_word
from rixin.errors import RixinError, invalid

ROLES: dict[str, Role] = {"user": "user", "model": "assistant", "function": "user", "system": "system"}

NO_SIGNATURES = frozenset({"skip_thought_signature_validator", "context_engineering_is_the_way_to_go"})
"""What Google has clients put where a signature must be and there is none."""


def read_contents(system: WireContent | None, contents: list[WireContent]) -> tuple[Message, ...]:
    """The conversation, its system instruction first.

    Raises:
        RixinError: `INVALID_REQUEST`, naming the content and its field.
    """
    if not contents:
        raise invalid("invalid contents, should have at least one content.", "contents")
    check_size(len(contents), MAX_MESSAGES, "contents", "contents")
    ids = CallIds(_given_ids(contents))
    messages: list[Message] = []
    if system is not None and (parts := tuple(_parts(system, "systemInstruction", "system", ids))):
        messages.append(Message(role="system", parts=parts))
    for position, content in enumerate(contents):
        messages.append(_message(content, f"contents[{position}]", ids))
    return tuple(messages)


def _message(content: WireContent, path: str, ids: CallIds) -> Message:
    word = content.role or "user"
    check_word(word, tuple(ROLES), f"{path}.role")
    role, parts = ROLES[word], tuple(_parts(content, path, ROLES[word], ids))
    if role == "assistant":
        parts = tuple(_joined(parts))
    of_tools = bool(parts) and all(isinstance(part, ToolResult) for part in parts)
    return Message(role="tool" if of_tools else role, parts=parts)


def _joined(parts: Iterable[Part]) -> Iterator[Part]:
    """A model's parts, its words in one where they come in pieces: clients keep apart the piece that was signed."""
    for is_text, group in groupby(parts, lambda part: isinstance(part, TextPart)):
        if is_text:
            yield TextPart("".join(part.text for part in group if isinstance(part, TextPart)))
        else:
            yield from group


def _given_ids(contents: Iterable[WireContent]) -> Iterator[tuple[str, str]]:
    for content in contents:
        for part in content.parts:
            match part.get("functionCall"):
                case {"name": str(name), "id": str(identity)} if identity:
                    yield name, identity
                case _:
                    pass


def _parts(content: WireContent, path: str, role: Role, ids: CallIds) -> Iterator[Part]:
    check_size(len(content.parts), MAX_PARTS, f"{path}.parts", "parts")
    thought: list[str] = []
    for position, value in enumerate(content.parts):
        part = _PartReader(cast("JsonObject", value), f"{path}.parts[{position}]", role, ids)
        signature = part.signature()
        if part.is_thought:
            thought.append(part.text("text") or "")
        if (thought or signature) and (signature or not part.is_thought):
            yield ReasoningPart(text="".join(thought), signature=signature)
            thought = []
        if not part.is_thought:
            yield from part.read()
    if thought:
        yield ReasoningPart(text="".join(thought))


class _PartReader:
    """A part on its way in."""

    def __init__(self, value: JsonObject, path: str, role: Role, ids: CallIds) -> None:
        self._value = value
        self._path = path
        self._role: Role = role
        self._ids = ids

    @property
    def is_thought(self) -> bool:
        """Whether it is what a model thought."""
        return self._role == "assistant" and self._value.get("thought") is True and "text" in self._value

    def signature(self) -> str | None:
        """What proves the thought before it."""
        signature = self.text("thoughtSignature") if self._role == "assistant" else None
        return None if signature in NO_SIGNATURES else signature or None

    def text(self, name: str) -> str | None:
        """A field that is a text, or is not there."""
        value = self._value.get(name)
        if value is None or isinstance(value, str):
            return value
        raise self._wrong(name, "expected string")

    def read(self) -> Iterator[Part]:
        """What it amounts to."""
        if text := self.text("text"):
            yield TextPart(text)
        match self._value:
            case {"text": _}:
                return
            case {"inlineData": dict(blob)}:
                yield self._inline(blob, f"{self._path}.inlineData")
            case {"fileData": dict(file)}:
                yield self._file(file, f"{self._path}.fileData")
            case {"functionCall": dict(call)}:
                yield self._call(call)
            case {"functionResponse": dict(result)}:
                yield self._result(result)
            case {"executableCode": {"code": str(code)}}:
                yield TextPart(f"[Code was run: {code}]")
            case {"codeExecutionResult": dict(ran)}:
                yield TextPart(f"[Its result: {ran.get('outcome')}, {ran.get('output') or ''}]")
            case {"thoughtSignature": _}:
                return
            case _:
                if self._value:
                    yield Opaque(dialect=NAME, kind=next(iter(self._value)), value=self._value)

    def _inline(self, blob: JsonObject, path: str) -> Part:
        kind, data = _text_of(blob, "mimeType", path).lower(), _text_of(blob, "data", path)
        data = data.replace("-", "+").replace("_", "/")
        name = _name_of(blob)
        family = kind.partition("/")[0]
        if family == "text":
            try:
                text = b64decode(data).decode("utf-8", "replace")
            except binascii.Error:
                raise invalid(f"invalid {path}.data, it is no base64.", f"{path}.data") from None
            return DocumentPart(text=text, name=name, media_type=kind)
        return _medium(f"data:{kind};base64,{data}", kind, path) or DocumentPart(
            base64=data, name=name, media_type=kind
        )

    def _file(self, file: JsonObject, path: str) -> Part:
        url = _text_of(file, "fileUri", path)
        kind = file.get("mimeType")
        kind = kind.lower() if isinstance(kind, str) else ""
        return _medium(url, kind, path) or DocumentPart(url=url, name=_name_of(file), media_type=kind or None)

    def _call(self, call: JsonObject) -> Part:
        path = f"{self._path}.functionCall"
        if self._role != "assistant":
            raise invalid(f"invalid {path}, only a content of the model holds one.", path)
        name, arguments = _text_of(call, "name", path), call.get("args")
        if arguments is not None and not isinstance(arguments, dict):
            raise invalid(f"invalid {path}.args, expected object.", f"{path}.args")
        identity = self._ids.of_call(name, _id_of(call))
        return ToolCall(id=identity, name=name, arguments=_json(arguments or {}))

    def _result(self, result: JsonObject) -> Part:
        path = f"{self._path}.functionResponse"
        if self._role == "assistant":
            raise invalid(f"invalid {path}, no content of the model holds one.", path)
        name = _text_of(result, "name", path)
        identity = self._ids.of_result(name, _id_of(result))
        text, is_error = _told(result.get("response"))
        media = result.get("parts")
        parts: list[Part] = [TextPart(text)] if text else []
        for position, value in enumerate(media if isinstance(media, list) else []):
            if isinstance(value, dict):
                inner = _PartReader(value, f"{path}.parts[{position}]", self._role, self._ids)
                parts += inner.read()
        return ToolResult(call_id=identity, name=name, parts=tuple(parts), is_error=is_error)

    def _wrong(self, name: str, why: str) -> RixinError:
        return invalid(f"invalid {self._path}.{name}, {why}.", f"{self._path}.{name}")


def _medium(url: str, kind: str, path: str) -> Part | None:
    """An image or a video; None for a document."""
    match kind.partition("/")[0]:
        case "image":
            return ImagePart(url=url)
        case "video":
            return VideoPart(url=url)
        case "audio":
            raise invalid(f"invalid {path}.mimeType, {kind[:100]} is not understood here.", f"{path}.mimeType")
        case _:
            return None


def _told(response: JsonValue) -> tuple[str, bool]:
    """A result's words, and whether they are of an error."""
    match response:
        case None:
            return "", False
        case {"error": told, **rest} if not rest:
            return told if isinstance(told, str) else _json(told), True
        case {"output": str(text), **rest} | {"result": str(text), **rest} | {"content": str(text), **rest} if not rest:
            return text, False
        case _:
            return _json(response), False


def _json(value: JsonValue) -> str:
    return msgspec.json.encode(value).decode()


def _text_of(holder: JsonObject, name: str, path: str) -> str:
    value = holder.get(name)
    if isinstance(value, str) and value:
        return value
    raise invalid(f"invalid {path}.{name}, {'expected string' if value else 'it is required'}.", f"{path}.{name}")


def _id_of(holder: JsonObject) -> str:
    identity = holder.get("id")
    return identity if isinstance(identity, str) else ""


def _name_of(holder: JsonObject) -> str | None:
    name = holder.get("displayName")
    return name if isinstance(name, str) else None
