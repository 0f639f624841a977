"""The items of a request's input as they are kept, shown, and put in front of a later one.

Sources: OpenAI's Responses reference (input items, conversation state, compaction).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from itertools import count
from typing import TypeAlias

from rixin.core.json import JsonObject, JsonValue
from rixin.core.messages import ReasoningPart
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


def named(items: Sequence[JsonObject], response_id: str) -> list[JsonObject]:
    """Items as they are listed: each with its type, and with an id, made from the response's where it has none."""
    taken = by_id(items).keys()
    fresh = (f"{response_id.removeprefix('resp_')}i{number}" for number in count())
    return [_named(item, taken, fresh) for item in items]


def _named(item: JsonObject, taken: Set[str], fresh: Iterator[str]) -> JsonObject:
    kind = item.get("type") or "message"
    listed: JsonObject = {**item, "type": kind}
    if not item.get("id"):
        prefix = _PREFIXES.get(kind, "item_") if isinstance(kind, str) else "item_"
        names = (prefix + tail for tail in fresh)
        listed["id"] = next(filter(lambda name: name not in taken, names))
    if kind == "message" and isinstance(text := item.get("content"), str):
        part = "output_text" if item.get("role") == "assistant" else "input_text"
        listed["content"] = [{"type": part, "text": text}]
    return listed


def continued(history: list[JsonObject]) -> list[JsonObject]:
    """The part of a history that a conversation goes on from: nothing before its last compaction, and no half call."""
    last = max((place for place, item in enumerate(history) if item.get("type") == COMPACTION), default=0)
    return [item for item in history[last:] if not _is_half_call(item)]


def _is_half_call(item: JsonObject) -> bool:
    return str(item.get("type")).endswith("_call") and item.get("status") == "incomplete"


def by_id(items: Iterable[JsonObject]) -> dict[str, JsonObject]:
    """Items by their ids; those without have none to be found by."""
    return {identity: item for item in items if isinstance(identity := item.get("id"), str)}


def anonymous(items: Iterable[JsonObject]) -> list[JsonValue]:
    """Items for an upstream that does not know them by the ids that we gave: it would look for them in vain.

    A thought that is told neither whole nor sealed is only known by its id, and is left out.
    """
    return [
        {name: value for name, value in item.items() if name not in ("id", "status")}
        for item in items
        if item.get("type") != "reasoning" or item.get("encrypted_content") or item.get("content")
    ]


def with_thoughts(given: JsonValue, thoughts: Mapping[str, ReasoningPart | None]) -> JsonValue:
    """An input whose envelopes are replaced by what they hold; the rest stays as the client wrote it.

    A thought that holds nothing for this upstream is left out, unless its words stand beside it.
    """
    return [new for item in given if (new := _thought(item, thoughts))] if isinstance(given, list) else given


def _thought(item: JsonValue, thoughts: Mapping[str, ReasoningPart | None]) -> JsonValue:
    if not isinstance(item, dict) or item.get("type") != "reasoning":
        return item
    envelope = item.get("encrypted_content")
    if not isinstance(envelope, str) or envelope not in thoughts:
        return item
    thought = thoughts[envelope]
    if thought is not None and thought.signature is not None:
        return {**item, "encrypted_content": thought.signature}
    bare = {name: value for name, value in item.items() if name not in ("id", "encrypted_content")}
    return bare if thought is not None and bare.get("content") else None


def references(items: Iterable[JsonObject]) -> dict[int, str]:
    """The places of the items that only refer to others, and the ids of those."""
    return {
        place: identity
        for place, item in enumerate(items)
        if _is_reference(item) and isinstance(identity := item.get("id"), str)
    }


def _is_reference(item: JsonObject) -> bool:
    return item.get("type") == REFERENCE or (item.get("type") is None and "role" not in item)


def resolved(items: list[JsonObject], find: Find) -> list[JsonObject]:
    """Items with what they refer to in its place.

    Raises:
        RixinError: `NOT_FOUND`, naming the item that nobody has.
    """
    places, whole = references(items), list[JsonObject]()
    for place, item in enumerate(items):
        identity = places.get(place)
        found = item if identity is None else find(identity)
        if found is None:
            raise RixinError(
                Kind.NOT_FOUND, f"Item with id '{str(identity)[:100]}' not found.", param=f"input[{place}].id"
            )
        whole.append(found)
    return whole
