"""An upstream's JSON objects, events of a stream or a whole response, to the core's events.

Some upstreams leave out deltas, or `added`, or the items' ends; whatever says more than what was told so far is told
then, so that nothing is lost and nothing comes twice.

Sources: OpenAI's reference of streaming events; the SenseNova token platform's stateless Responses.
"""

from typing import Literal, TypeAlias

import msgspec

from rixin.core.events import (
    Annotation,
    Event,
    Finish,
    FinishReason,
    Reasoning,
    Refusal,
    Start,
    Text,
    ToolArguments,
    ToolEnd,
    ToolStart,
)
from rixin.core.json import JsonObject, JsonValue
from rixin.core.messages import Opaque
from rixin.dialects.openai_chat.usage import UsageReader
from rixin.dialects.openai_responses.names import flatten
from rixin.dialects.openai_responses.output import OUTPUT_ITEM
from rixin.dialects.openai_responses.tools import LOCAL_SHELL, TOOL_SEARCH
from rixin.dialects.openai_responses.wire import NAME
from rixin.dialects.upstream_errors import body_error, unreadable
from rixin.errors import Kind, RixinError

REASONS: dict[str, FinishReason] = {
    "max_output_tokens": "length",
    "max_tokens": "length",
    "content_filter": "content_filter",
}
"""Why a response is incomplete."""

_CALLS = {
    "function_call": "arguments",
    "custom_tool_call": "input",
    "tool_search_call": "arguments",
    "local_shell_call": "action",
}
"""Items that are calls, and where their arguments stand."""

_NAMES = {"tool_search_call": TOOL_SEARCH, "local_shell_call": LOCAL_SHELL}

_DELTAS: dict[str, str] = {
    "response.output_text": "text",
    "response.refusal": "refusal",
    "response.reasoning_text": "reasoning",
    "response.reasoning": "reasoning",
    "response.reasoning_summary_text": "summary",
}
"""Events that bring words, without their `.delta` or `.done`, and what they are."""

_ARGUMENTS = frozenset({"response.function_call_arguments", "response.custom_tool_call_input"})

_PARTS = {"output_text": "text", "refusal": "refusal", "reasoning_text": "reasoning", "summary_text": "summary"}

_Place: TypeAlias = tuple[str, int]


class _Item:
    """An item under way."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.told: dict[_Place, int] = {}
        """How many characters of each part were told."""
        self.thoughts: Literal["reasoning", "summary"] | None = None
        """Which of its two forms a thought is told in: the one that came first."""
        self.citations = 0
        self.call: int | None = None
        self.ended = False
        self.done = False


class ResponseObjects:
    """Turns JSON objects into events."""

    def __init__(self) -> None:
        self._started = False
        self._items: dict[int, _Item] = {}
        self._calls = 0
        self._pending: list[_Item] = []
        self._usage = UsageReader()
        self._finished = False

    @property
    def complete(self) -> bool:
        """Whether the response's last event was there."""
        return self._finished

    def feed(self, value: JsonObject, /) -> list[Event]:
        """The events of an object.

        Raises:
            RixinError: The object is an error, or says that the response failed.
        """
        if self._finished:
            return []
        if value.get("object") == "response":
            return self._end(value)
        kind = value.get("type")
        if not isinstance(kind, str):
            raise body_error(value) or unreadable(msgspec.json.encode(value))
        if kind == "error":
            raise _failed(value)
        response = value.get("response")
        if isinstance(response, dict):
            return self._progress(kind, response)
        return [*self._start({}), *self._change(kind, value)] if kind.startswith("response.") else []

    def end(self) -> list[Event]:
        """Nothing: the last event brought all."""
        return []

    def _progress(self, kind: str, response: JsonObject) -> list[Event]:
        if kind in ("response.completed", "response.incomplete", "response.failed", "response.cancelled"):
            return self._end(response)
        return self._start(response) if kind in ("response.created", "response.in_progress") else []

    def _start(self, response: JsonObject) -> list[Event]:
        if self._started:
            return []
        self._started = True
        identity, created, model = response.get("id"), response.get("created_at"), response.get("model")
        return [
            Start(
                id=identity if isinstance(identity, str) else "",
                created=int(created) if isinstance(created, int | float) else 0,
                model=model if isinstance(model, str) else "",
            )
        ]

    def _change(self, kind: str, value: JsonObject) -> list[Event]:
        index = value.get("output_index")
        index = index if isinstance(index, int) else max(self._items, default=0)
        base, _, stage = kind.rpartition(".")
        item = value.get("item")
        if base == "response.output_item" and isinstance(item, dict):
            return self._whole_item(index, item) if stage == "done" else self._added(index, item)
        if kind == "response.output_text.annotation.added":
            return self._cite(self._item(index, "message"), [value.get("annotation")])
        if base in _DELTAS:
            return self._words(index, _DELTAS[base], stage, value)
        if base in _ARGUMENTS:
            return self._arguments(index, stage, value)
        return []

    def _item(self, index: int, kind: str) -> _Item:
        item = self._items.get(index)
        if item is None:
            item = self._items[index] = _Item(kind)
        return item

    def _added(self, index: int, value: JsonObject) -> list[Event]:
        kind = value.get("type")
        if not isinstance(kind, str) or index in self._items:
            return []
        item = self._item(index, kind)
        events = self._settle()
        return [*events, *self._open_call(item, value)] if kind in _CALLS else events

    def _open_call(self, item: _Item, value: JsonObject) -> list[Event]:
        name, namespace = value.get("name"), value.get("namespace")
        name = _NAMES.get(item.kind, name)
        if not isinstance(name, str) or not name:
            return []  # its name may come with its end
        call_id = value.get("call_id") or value.get("id")
        item.call = self._calls
        self._calls += 1
        return [
            ToolStart(
                index=item.call,
                id=call_id if isinstance(call_id, str) else f"call_{item.call}",
                name=flatten(namespace if isinstance(namespace, str) else None, name),
                kind="custom" if item.kind == "custom_tool_call" else "function",
            )
        ]

    def _settle(self) -> list[Event]:
        """Ends the calls that are complete, because another item begins or the finish has come."""
        events: list[Event] = []
        for item in self._pending:
            item.ended = True
            events.append(ToolEnd(index=item.call or 0))
        self._pending = []
        return events

    def _words(self, index: int, what: str, stage: str, value: JsonObject) -> list[Event]:
        item = self._item(index, "reasoning" if what in ("reasoning", "summary") else "message")
        part = value.get("summary_index" if what == "summary" else "content_index")
        place = (what, part if isinstance(part, int) else 0)
        if stage == "delta":
            return self._tell(item, place, value.get("delta"), value.get("logprobs"), more=True)
        return self._tell(item, place, value.get("refusal" if what == "refusal" else "text"), None, more=False)

    def _tell(self, item: _Item, place: _Place, text: JsonValue, logprobs: JsonValue, *, more: bool) -> list[Event]:
        """Words of a part: a delta, or all of them, of which only what is new is told."""
        if not isinstance(text, str):
            return []
        before = item.told.get(place, 0)
        text = text if more else text[before:]
        if not text and not logprobs:
            return []
        what, index = place
        if what in ("reasoning", "summary"):
            form: Literal["reasoning", "summary"] = "summary" if what == "summary" else "reasoning"
            item.thoughts = item.thoughts or form
            if item.thoughts != form:
                return []
        item.told[place] = before + len(text)
        events = self._settle()
        match what:
            case "text":
                events.append(Text(text=text, logprobs={"content": logprobs} if logprobs else None))
            case "refusal":
                events.append(Refusal(text=text))
            case _:
                # Parts of a summary are paragraphs.
                gap = "\n\n" if what == "summary" and index > 0 and before == 0 else ""
                events.append(Reasoning(text=gap + text))
        return events

    def _cite(self, item: _Item, annotations: list[JsonValue]) -> list[Event]:
        item.citations += len(annotations)
        return [Annotation(value=value) for value in annotations]

    def _arguments(self, index: int, stage: str, value: JsonObject) -> list[Event]:
        item = self._items.get(index)
        if item is None or item.call is None:
            return []  # the item's end will tell it all
        if stage == "delta":
            return self._more_arguments(item, value.get("delta"), more=True)
        return self._more_arguments(item, value.get("arguments", value.get("input")), more=False)

    def _more_arguments(self, item: _Item, value: JsonValue, *, more: bool) -> list[Event]:
        text = value if isinstance(value, str) else "" if value is None else msgspec.json.encode(value).decode()
        place = ("arguments", 0)
        before = item.told.get(place, 0)
        text = text if more else text[before:]
        if not text or item.ended:
            return []
        item.told[place] = before + len(text)
        return [ToolArguments(index=item.call or 0, text=text)]

    def _whole_item(self, index: int, value: JsonObject) -> list[Event]:
        """An item at its end: what of it was not told yet, and its end."""
        events = self._added(index, value)
        item = self._items.get(index)
        if item is None or item.done:
            return events
        item.done = True
        if item.kind in _CALLS:
            events += self._close_call(item, value)
        elif item.kind == "message":
            events += self._contents(item, value.get("content"))
        elif item.kind == "reasoning":
            events += self._contents(item, value.get("content"))
            events += self._contents(item, value.get("summary"))
            envelope = value.get("encrypted_content")
            if isinstance(envelope, str) and envelope:
                events.append(Reasoning(signature=envelope))
        else:
            events.append(Opaque(dialect=NAME, kind=OUTPUT_ITEM, value=value, choice=0))
        return events

    def _close_call(self, item: _Item, value: JsonObject) -> list[Event]:
        events: list[Event] = [] if item.call is not None else self._open_call(item, value)
        if item.call is None:
            raise RixinError(Kind.UPSTREAM_INVALID, "The upstream sent a tool call without a name.")
        events += self._more_arguments(item, _arguments(item.kind, value), more=False)
        if item.kind == "function_call" and not item.told:
            events.append(ToolArguments(index=item.call, text="{}"))
        self._pending.append(item)
        return events

    def _contents(self, item: _Item, content: JsonValue) -> list[Event]:
        events: list[Event] = []
        for index, part in enumerate(content if isinstance(content, list) else []):
            if not isinstance(part, dict) or not isinstance(kind := part.get("type"), str) or kind not in _PARTS:
                continue
            what = _PARTS[kind]
            field = "refusal" if what == "refusal" else "text"
            logprobs = None if (what, index) in item.told else part.get("logprobs")
            events += self._tell(item, (what, index), part.get(field), logprobs, more=False)
            annotations = part.get("annotations")
            if isinstance(annotations, list) and not item.citations:
                events += self._cite(item, annotations)
        return events

    def _end(self, response: JsonObject) -> list[Event]:
        """The response at its end, from the stream's last event or as a whole answer."""
        status = response.get("status")
        if status in ("failed", "cancelled") or response.get("error"):
            raise _failed(response)
        if status in ("queued", "in_progress"):
            raise RixinError(Kind.UPSTREAM_INTERRUPTED, "The upstream gave an answer that is not complete.")
        events = self._start(response)
        output = response.get("output")
        for index, item in enumerate(output if isinstance(output, list) else []):
            known = self._items.get(index)
            if isinstance(item, dict) and (known is None or not known.done):
                events += self._whole_item(index, item)
        events += self._settle()
        # A call that was never said to be done was cut, and only a limit cuts what is whole otherwise.
        for item in self._items.values():
            if item.call is not None and not item.ended:
                item.ended = True
                events.append(ToolEnd(index=item.call))
        if (usage := self._usage.feed(response.get("usage"))) is not None:
            events.append(usage)
        self._finished = True
        return [*events, Finish(reason=self._reason(response))]

    def _reason(self, response: JsonObject) -> FinishReason:
        if response.get("status") == "incomplete":
            details = response.get("incomplete_details")
            word = details.get("reason") if isinstance(details, dict) else None
            return REASONS.get(word, "length") if isinstance(word, str) else "length"
        return "tool_calls" if self._calls else "stop"


def _arguments(kind: str, value: JsonObject) -> JsonValue:
    """The arguments in a call's item."""
    arguments = value.get(_CALLS[kind])
    if kind != "local_shell_call" or not isinstance(arguments, dict):
        return arguments
    return {name: entry for name, entry in arguments.items() if name != "type" and entry is not None}


def _failed(value: JsonObject) -> RixinError:
    """The error of a response that failed, or of an `error` event, whose fields stand beside its type."""
    if isinstance(value.get("error"), dict):
        error = body_error({"error": value["error"]})
    else:
        fields = {name: entry for name, entry in value.items() if name != "type"}
        error = body_error({"error": fields}) if fields.get("message") or fields.get("code") else None
    return error or RixinError(Kind.UPSTREAM_INTERRUPTED, "The upstream's answer broke off with an error.")
