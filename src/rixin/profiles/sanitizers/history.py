"""Calls and results of a conversation: each call answered once, right after the message that made it, under its own id.

Agents that were interrupted send calls without results, results twice, or results of calls that are gone, and every
upstream that checks refuses them. Earlier messages come out the same whatever follows them, so that caches of prompts
hold.
"""

import re
from collections import defaultdict

from msgspec import Struct

from rixin.core.json import JsonObject, JsonValue
from rixin.dialects.tool_names import digest
from rixin.profiles.sanitizers.draft import Draft, objects, text_of, without

INTERRUPTED = "[The tool call was interrupted; it has no result.]"

_ALNUM9 = re.compile(r"[A-Za-z0-9]{9}")
_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,64}")


class _Call(Struct):
    """A call of the conversation. `place` counts all calls before it."""

    message: int
    call: JsonObject
    place: int
    result: JsonObject | None = None
    result_at: int = -1

    @property
    def id(self) -> str:
        return text_of(self.call.get("id"))

    @property
    def name(self) -> str:
        function = self.call.get("function") or self.call.get("custom")
        return text_of(function.get("name")) if isinstance(function, dict) else ""


def tool_history(draft: Draft) -> None:
    """Pairs, orders and names the calls and results."""
    if draft.profile.tool_history == "keep":
        return
    messages = draft.messages
    calls = _calls_of(messages)
    _pair(draft, messages, calls)
    ids = _ids_for(draft, calls)
    _rebuild(draft, messages, calls, ids)


def call_fields(draft: Draft) -> None:
    """Leaves of a replayed call only what is documented; answers often carry more (`index`)."""
    if draft.profile.call_fields == "documented":
        draft.rewrite_messages("drop_call_field", _documented)


def _documented(message: JsonObject) -> JsonObject:
    calls = objects(message.get("tool_calls"))
    plain = [
        without(call, *(name for name in call if name not in ("id", "type", "function", "custom"))) for call in calls
    ]
    if all(new is old for new, old in zip(plain, calls, strict=True)):
        return message
    return {**message, "tool_calls": list[JsonValue](plain)}


def _calls_of(messages: list[JsonObject]) -> list[_Call]:
    calls: list[_Call] = []
    for index, message in enumerate(messages):
        if message.get("role") == "assistant":
            for call in objects(message.get("tool_calls")):
                calls.append(_Call(index, call, len(calls)))
    return calls


def _pair(draft: Draft, messages: list[JsonObject], calls: list[_Call]) -> None:
    """Gives each call its result.

    A result belongs to the latest message before it that made a call of its id; where that one has been answered
    before, the later result counts. One that precedes its call belongs to the first call of its id.
    """
    by_id: defaultdict[str, list[_Call]] = defaultdict(list)
    for call in calls:
        by_id[call.id].append(call)
    for index, message in enumerate(messages):
        if message.get("role") != "tool":
            continue
        known = by_id.get(text_of(message.get("tool_call_id")))
        if not known:
            draft.note("drop_orphan_result", "messages")
            continue
        before = [call for call in known if call.message < index]
        rivals = [call for call in before if call.message == before[-1].message] if before else known[:1]
        call = next((call for call in rivals if call.result is None), rivals[-1])
        if call.result is not None:
            draft.note("drop_duplicate_result", "messages")
        call.result, call.result_at = message, index


def _ids_for(draft: Draft, calls: list[_Call]) -> list[str]:
    """An id for each call: its own where that fits and is free."""
    taken: set[str] = set()
    ids: list[str] = []
    for call in calls:
        wanted = _fit_id(draft.profile.tool_call_id_policy, call.id or f"call_{call.place}", call)
        fresh, count = wanted, 1
        while fresh in taken:
            count += 1
            fresh = _fit_id(draft.profile.tool_call_id_policy, f"{call.id or 'call'}_{call.place}_{count}", call)
        if fresh != call.id:
            draft.note("tool_call_id", "messages")
        taken.add(fresh)
        ids.append(fresh)
    return ids


def _fit_id(policy: str | None, call_id: str, call: _Call) -> str:
    match policy:
        case "alnum9":
            return call_id if _ALNUM9.fullmatch(call_id) else digest(call_id)[:9]
        case "max40":
            return call_id if len(call_id) <= 40 else f"{call_id[:31]}_{digest(call_id)[:8]}"
        case "openai":
            return call_id if _PLAIN.fullmatch(call_id) else f"call_{digest(call_id)[:24]}"
        case "kimi":
            return f"functions.{call.name}:{call.place}"
        case _:
            return call_id


def _rebuild(draft: Draft, messages: list[JsonObject], calls: list[_Call], ids: list[str]) -> None:
    by_message: defaultdict[int, list[_Call]] = defaultdict(list)
    for call in calls:
        by_message[call.message].append(call)
    written: list[JsonValue] = []
    order: list[int] = []
    for index, message in enumerate(messages):
        if message.get("role") == "tool":
            continue
        written.append(_with_ids(message, by_message[index], ids))
        order.append(index)
        for call in by_message[index]:
            written.append(_result_of(draft, call, ids[call.place]))
            if call.result is not None:
                order.append(call.result_at)
    if order != sorted(order):
        draft.note("reorder_results", "messages")
    if len(written) != len(messages) or any(new is not old for new, old in zip(written, messages, strict=True)):
        draft.body["messages"] = written


def _with_ids(message: JsonObject, calls: list[_Call], ids: list[str]) -> JsonObject:
    if all(call.call.get("id") == ids[call.place] for call in calls):
        return message
    return {**message, "tool_calls": [{**call.call, "id": ids[call.place]} for call in calls]}


def _result_of(draft: Draft, call: _Call, call_id: str) -> JsonObject:
    if call.result is None:
        draft.note("synthesise_result", "messages")
        return {"role": "tool", "tool_call_id": call_id, "content": INTERRUPTED}
    if call.result.get("tool_call_id") == call_id:
        return call.result
    return {**call.result, "tool_call_id": call_id}
