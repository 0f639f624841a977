"""A conversation, rendered as input items for an upstream."""

from typing import Any

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
    TextPart,
    ToolCall,
    ToolResult,
    VideoPart,
)
from rixin.core.requests import Generate
from rixin.core.tools import ToolOrigin
from rixin.dialects.arguments import parse_arguments
from rixin.dialects.openai_chat.conversation import IMAGE_TYPES
from rixin.dialects.openai_responses.tools import CUSTOM, LOCAL_SHELL, TOOL_SEARCH
from rixin.dialects.openai_responses.unwrapping import InputUnwrapper
from rixin.dialects.openai_responses.wire import NAME
from rixin.errors import invalid

_DECODER: msgspec.json.Decoder[Any] = msgspec.json.Decoder()

_OUTPUTS = {
    CUSTOM: "custom_tool_call_output",
    TOOL_SEARCH: "tool_search_output",
    LOCAL_SHELL: "local_shell_call_output",
}


def render_input(request: Generate) -> list[JsonValue]:
    """The items of a request's conversation, calls in the kind of their tools.

    Raises:
        RixinError: `INVALID_REQUEST` for a video, which has no form on this wire.
    """
    return _Rendering(request).items()


class _Rendering:
    """One conversation on its way out."""

    def __init__(self, request: Generate) -> None:
        self._request = request
        self._items: list[JsonValue] = []
        self._origins = {tool.name: tool.origin for tool in request.tools if tool.origin is not None}
        self._kinds: dict[str, str] = {}

    def items(self) -> list[JsonValue]:
        if self._request.prompt is not None:
            self._say("user", [{"type": "input_text", "text": self._request.prompt}])
        for message in self._request.messages:
            self._message(message)
        return self._items

    def _message(self, message: Message) -> None:
        content: list[JsonValue] = []
        role = "user" if message.role == "tool" else message.role
        results = [part for part in message.parts if isinstance(part, ToolResult)]
        for result in results:
            self._items.append(self._result(result))
        for part in message.parts:
            match part:
                case ToolResult():
                    continue
                case ReasoningPart() | ToolCall():
                    self._say(role, content)
                    content = []
                    self._items.append(_thought(part) if isinstance(part, ReasoningPart) else self._call(part))
                case Opaque() if part.dialect == NAME and not _is_content(part):
                    self._say(role, content)
                    content = []
                    self._items.append(part.value)
                case _:
                    if (value := _content(part, role)) is not None:
                        content.append(value)
        self._say(role, content)

    def _say(self, role: str, content: list[JsonValue]) -> None:
        if content:
            self._items.append({"type": "message", "role": role, "content": content})

    def _call(self, call: ToolCall) -> JsonObject:
        origin = self._origins.get(call.name) or ToolOrigin(kind=call.kind, name=call.name)
        kind = CUSTOM if call.kind == CUSTOM else origin.kind
        self._kinds[call.id] = kind
        head: JsonObject = {"call_id": call.id}
        if kind == TOOL_SEARCH:
            arguments = parse_arguments(call.arguments)
            return {"type": "tool_search_call", **head, "execution": "client", "arguments": arguments}
        if kind == LOCAL_SHELL:
            action: JsonObject = {**parse_arguments(call.arguments), "type": "exec"}
            return {"type": "local_shell_call", **head, "status": "completed", "action": action}
        head["name"] = origin.name
        if origin.namespace is not None:
            head["namespace"] = origin.namespace
        if kind == CUSTOM:
            return {"type": "custom_tool_call", **head, "input": _input(call)}
        return {"type": "function_call", **head, "arguments": call.arguments}

    def _result(self, result: ToolResult) -> JsonObject:
        kind = self._kinds.get(result.call_id, "function")
        head: JsonObject = {"type": _OUTPUTS.get(kind, "function_call_output"), "call_id": result.call_id}
        text = "".join(part.text for part in result.parts if isinstance(part, TextPart))
        if kind == TOOL_SEARCH:
            tools = _decoded(text)
            return {**head, "execution": "client", "tools": tools if isinstance(tools, list) else []}
        if all(isinstance(part, TextPart) for part in result.parts):
            return {**head, "output": f"Error: {text}" if result.is_error else text}
        content: list[JsonValue] = [value for part in result.parts if (value := _content(part, "user")) is not None]
        return {**head, "output": content}


def _input(call: ToolCall) -> str:
    if call.kind == CUSTOM:
        return call.arguments
    unwrapper = InputUnwrapper()
    return unwrapper.feed(call.arguments) + unwrapper.end()


def _thought(thought: ReasoningPart) -> JsonObject:
    item: JsonObject = {
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": text} for text in thought.summary],
    }
    if thought.text:
        item["content"] = [{"type": "reasoning_text", "text": thought.text}]
    if thought.signature is not None:
        item["encrypted_content"] = thought.signature
    return item


def _is_content(part: Opaque) -> bool:
    """Whether it stood in a message's content, where every part's type begins so."""
    return part.kind.startswith(("input_", "output_")) or not part.kind


def _content(part: Part, role: str) -> JsonValue:
    """A part of a message's content; None for what has its place elsewhere, or is another dialect's."""
    match part:
        case TextPart():
            return {"type": "output_text" if role == "assistant" else "input_text", "text": part.text}
        case RefusalPart():
            return {"type": "refusal", "refusal": part.text}
        case ImagePart():
            return _image(part)
        case DocumentPart():
            return _document(part)
        case VideoPart():
            raise invalid("a video cannot be sent to this model")
        case Opaque():
            return part.value if part.dialect == NAME else None
        case ReasoningPart() | ToolCall() | ToolResult():
            return None


def _image(image: ImagePart) -> JsonValue:
    url = image.url
    if url is None and image.base64 is not None:
        kind = next((kind for head, kind in IMAGE_TYPES.items() if image.base64.startswith(head)), "jpeg")
        url = f"data:image/{kind};base64,{image.base64}"
    source: JsonObject = {"file_id": image.file_id} if url is None else {"image_url": url}
    return {"type": "input_image", **source, "detail": image.detail or "auto"}


def _document(document: DocumentPart) -> JsonValue:
    if document.text is not None:
        title = f"{document.name}:\n" if document.name else ""
        return {"type": "input_text", "text": title + document.text}
    data, url = None, document.url
    if url is not None and url.startswith("data:"):
        data, url = url, None
    elif document.base64 is not None:
        data = f"data:{document.media_type or 'application/pdf'};base64,{document.base64}"
    fields = {"file_id": document.file_id, "file_data": data, "file_url": url, "filename": document.name}
    return {"type": "input_file", **{name: value for name, value in fields.items() if value is not None}}


def _decoded(text: str) -> JsonValue:
    try:
        return _DECODER.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None
