"""The items of a request's input as they are kept, shown, and put in front of a later one.

Sources: OpenAI's Responses reference (input items, conversation state, compaction).
"""

from collections.abc import Callable, Iterable
from itertools import count
from typing import TypeAlias

from rixin.core.json import JsonObject, JsonValue
from rixin.errors import Kind, RixinError

COMPACTION = "compaction"
REFERENCE = "item_reference"

Find: TypeAlias = Callable[[str], JsonObject | None]
"""Finds an item by its id."""

_PREFIXES = {
    "message": "msg_",
    "reasoning": "rs_",
    "function_call": "fc_",
    "function_call_output": "fco_",
    "custom_tool_call": "ctc_",
    "custom_tool_call_output": "ctco_",
    COMPACTION: "cmp_",
}


def read_items(given: JsonValue) -> list[JsonObject]:
    """The items of a field `input`, a bare string as the user's message. What is no item is left to the parser."""
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": given}]}]
    return [item for item in given if isinstance(item, dict)] if isinstance(given, list) else []


def named(items: Iterable[JsonObject], response_id: str) -> list[JsonObject]:
    """Items as they are listed: each with its type, and with an id, made from the response's where it has none."""
    taken, numbers = {identity for item in items if isinstance(identity := item.get("id"), str)}, count()
    return [_named(item, response_id.removeprefix("resp_"), taken, numbers) for item in items]


def _named(item: JsonObject, tail: str, taken: set[str], numbers: Iterable[int]) -> JsonObject:
    kind = item.get("type") or "message"
    if isinstance(item.get("id"), str) and item.get("type"):
        return item
    identity = item.get("id")
    while not isinstance(identity, str) or not identity:
        wish = f"{_PREFIXES.get(str(kind), 'item_')}{tail}i{next(iter(numbers))}"
        identity = None if wish in taken else wish
    listed: JsonObject = {**item, "type": kind, "id": identity}
    if kind == "message" and isinstance(text := item.get("content"), str):
        part = "output_text" if item.get("role") == "assistant" else "input_text"
        listed["content"] = [{"type": part, "text": text}]
    return listed


def continued(history: list[JsonObject]) -> list[JsonObject]:
    """The part of a history that a conversation goes on from: nothing before its last compaction."""
    last = max((place for place, item in enumerate(history) if item.get("type") == COMPACTION), default=0)
    return history[last:]


def references(items: Iterable[JsonObject]) -> list[tuple[int, str]]:
    """The places of the items that only refer to others, and the ids of those."""
    return [
        (place, identity)
        for place, item in enumerate(items)
        if _is_reference(item) and isinstance(identity := item.get("id"), str)
    ]


def _is_reference(item: JsonObject) -> bool:
    return item.get("type") == REFERENCE or (item.get("type") is None and "role" not in item)


def resolved(items: list[JsonObject], find: Find) -> list[JsonObject]:
    """Items with what they refer to in its place.

    Raises:
        RixinError: `NOT_FOUND`, naming the item that nobody has.
    """
    places, whole = dict(references(items)), list[JsonObject]()
    for place, item in enumerate(items):
        identity = places.get(place)
        found = item if identity is None else find(identity)
        if found is None:
            raise RixinError(
                Kind.NOT_FOUND, f"Item with id '{str(identity)[:100]}' not found.", param=f"input[{place}].id"
            )
        whole.append(found)
    return whole
