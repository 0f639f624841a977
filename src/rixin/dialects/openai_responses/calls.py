"""Calls of tools while they grow, each answered in the kind in which its tool was declared."""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, Literal, cast

import msgspec

from rixin.core.events import ToolStart
from rixin.core.json import JsonObject, JsonValue
from rixin.core.tools import Tool, ToolOrigin
from rixin.dialects.arguments import parse_arguments
from rixin.dialects.openai_responses.names import normalised
from rixin.dialects.openai_responses.tools import CUSTOM, LOCAL_SHELL, TOOL_SEARCH
from rixin.dialects.openai_responses.unwrapping import InputUnwrapper

_DECODER: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


class CallItem:
    """A call of a function; the other kinds differ from it in what they tell while they grow, and at the end."""

    prefix = "fc_"

    def __init__(self, identity: str, index: int, call_id: str, origin: ToolOrigin) -> None:
        self.status: Literal["in_progress", "completed", "incomplete"] = "in_progress"
        self.pieces: list[str] = []
        """The arguments as the model wrote them."""
        self._id = identity
        self._index = index
        self._call_id = call_id
        self._origin = origin

    @property
    def complete(self) -> bool:
        """Whether the arguments are whole JSON, or none at all."""
        text = "".join(self.pieces)
        return not text.strip() or _parsed(text) is not None

    def render(self) -> JsonObject:
        """The item as it is now."""
        return self._item("function_call", arguments="".join(self.pieces))

    def feed(self, text: str) -> list[JsonObject]:
        """More of the arguments."""
        if not text:
            return []
        self.pieces.append(text)
        return [self._event("response.function_call_arguments.delta", delta=text)]

    def done(self, status: Literal["completed", "incomplete"]) -> list[JsonObject]:
        """The end of the call. A function that was given nothing is given an empty object."""
        events = [] if "".join(self.pieces).strip() else self.feed("{}")
        arguments = "".join(self.pieces)
        name = self._origin.name
        events.append(self._event("response.function_call_arguments.done", name=name, arguments=arguments))
        return [*events, self._final(status)]

    def _final(self, status: Literal["completed", "incomplete"]) -> JsonObject:
        self.status = status
        return {"type": "response.output_item.done", "output_index": self._index, "item": self.render()}

    def _item(self, kind: str, **fields: JsonValue) -> JsonObject:
        item: JsonObject = {"type": kind, "id": self._id, "status": self.status, "call_id": self._call_id}
        item["name"] = self._origin.name
        if self._origin.namespace is not None:
            item["namespace"] = self._origin.namespace
        return {**item, **fields}

    def _event(self, kind: str, **fields: JsonValue) -> JsonObject:
        return {"type": kind, "item_id": self._id, "output_index": self._index, **fields}


class CustomCallItem(CallItem):
    """A call of a custom tool: free text, which a function's arguments wrap."""

    prefix = "ctc_"

    def __init__(self, identity: str, index: int, call_id: str, origin: ToolOrigin, *, wrapped: bool) -> None:
        super().__init__(identity, index, call_id, origin)
        self._unwrapper = InputUnwrapper() if wrapped else None
        self._input: list[str] = []

    @property
    def complete(self) -> bool:
        """Whether the wrapped text is whole; of bare text nobody can tell, and it counts as cut."""
        return self._unwrapper is not None and super().complete

    def render(self) -> JsonObject:
        """The item as it is now."""
        return self._item("custom_tool_call", input="".join(self._input))

    def feed(self, text: str) -> list[JsonObject]:
        """More of the arguments: what they add to the input."""
        self.pieces.append(text)
        return self._tell(text if self._unwrapper is None else self._unwrapper.feed(text))

    def done(self, status: Literal["completed", "incomplete"]) -> list[JsonObject]:
        """The end of the call."""
        events = [] if self._unwrapper is None else self._tell(self._unwrapper.end())
        events.append(self._event("response.custom_tool_call_input.done", input="".join(self._input)))
        return [*events, self._final(status)]

    def _tell(self, text: str) -> list[JsonObject]:
        if not text:
            return []
        self._input.append(text)
        return [self._event("response.custom_tool_call_input.delta", delta=text)]


class SearchCallItem(CallItem):
    """A search for tools. It is told as a whole."""

    prefix = "tsc_"

    def render(self) -> JsonObject:
        """The item as it is now; its arguments are an object, so that half of them is none."""
        arguments = {} if self.status == "in_progress" else parse_arguments("".join(self.pieces))
        return self._bare("tool_search_call", execution="client", arguments=arguments)

    def feed(self, text: str) -> list[JsonObject]:
        """More of the arguments, which are told at the end."""
        self.pieces.append(text)
        return []

    def done(self, status: Literal["completed", "incomplete"]) -> list[JsonObject]:
        """The end of the call."""
        return [self._final(status)]

    def _bare(self, kind: str, **fields: JsonValue) -> JsonObject:
        return {"type": kind, "id": self._id, "status": self.status, "call_id": self._call_id, **fields}


class ShellCallItem(SearchCallItem):
    """A program to run on the user's machine. It is told as a whole."""

    prefix = "lsh_"

    def render(self) -> JsonObject:
        """The item as it is now."""
        wanted = {} if self.status == "in_progress" else parse_arguments("".join(self.pieces))
        command, env = wanted.get("command"), wanted.get("env")
        words: list[JsonValue] = command if isinstance(command, list) else []
        if isinstance(command, str):
            words = ["bash", "-lc", command]
        action: JsonObject = {
            **wanted,
            "type": "exec",
            "command": words,
            "env": env if isinstance(env, dict) else {},
        }
        return self._bare("local_shell_call", action=action)


_KINDS: dict[str, type[CallItem]] = {TOOL_SEARCH: SearchCallItem, LOCAL_SHELL: ShellCallItem}


def make_call(event: ToolStart, origin: ToolOrigin | None, new_id: Callable[[str], str], index: int) -> CallItem:
    """The item for a call that begins.

    A call of a tool that nobody declared is passed on under the model's own name for it: the client will say so.
    """
    origin = origin or ToolOrigin(kind=event.kind, name=event.name)
    if origin.kind == CUSTOM or event.kind == CUSTOM:
        wrapped = event.kind != CUSTOM
        return CustomCallItem(new_id(CustomCallItem.prefix), index, event.id, origin, wrapped=wrapped)
    kind = _KINDS.get(origin.kind, CallItem)
    return kind(new_id(kind.prefix), index, event.id, origin)


def origin_finder(tools: Iterable[Tool]) -> Callable[[str], ToolOrigin | None]:
    """Finds where the tool of a call comes from: by its name, else by what the name can only mean.

    Models write `functions.exec`, or `clock.sleep` for `clock__sleep`.
    """
    exact = {tool.name: tool.origin or ToolOrigin(kind=tool.kind, name=tool.name) for tool in tools}
    misspelled = cache(lambda: _misspelled(exact))  # seldom needed, and dear to make of many tools

    def find(name: str) -> ToolOrigin | None:
        if name in exact:
            return exact[name]
        found = misspelled().get(normalised(name), [])
        return found[0] if len(found) == 1 else None

    return find


def _misspelled(tools: Mapping[str, ToolOrigin]) -> dict[str, list[ToolOrigin]]:
    """What each normalised name may mean."""
    meanings: dict[str, list[ToolOrigin]] = {}
    for name, origin in tools.items():
        spellings = {normalised(name), normalised(f"functions.{name}")}
        if origin.namespace is not None:
            spellings.add(normalised(f"{origin.namespace}.{origin.name}"))
        for spelling in spellings:
            meanings.setdefault(spelling, []).append(origin)
    return meanings


def _parsed(text: str) -> JsonValue:
    """The value of some JSON; None where it is none."""
    try:
        return cast("JsonValue", _DECODER.decode(text))
    except (msgspec.DecodeError, RecursionError):
        return None
