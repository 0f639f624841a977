"""The items of an answer while they grow: what a stream tells of each, and what each looks like in the end.

Sources: OpenAI's reference of streaming events; the Open Responses specification. Every event is a plain object without
its `sequence_number`, which is the stream's to give.
"""

from collections.abc import Callable, Iterable
from typing import Literal, Protocol, TypeAlias

from rixin.core.events import Annotation, Event, Finish, Reasoning, Refusal, Text, ToolArguments, ToolEnd, ToolStart
from rixin.core.json import JsonObject, JsonValue
from rixin.core.messages import Opaque
from rixin.core.tools import Tool
from rixin.dialects.openai_responses.calls import CallItem, make_call, origin_finder
from rixin.dialects.openai_responses.wire import NAME

Status: TypeAlias = Literal["in_progress", "completed", "incomplete"]
NewId: TypeAlias = Callable[[str], str]

OUTPUT_ITEM = "output_item"
"""The kind of an `Opaque` event that holds an item which no core event describes."""


class Item(Protocol):
    """An item of the output."""

    def render(self) -> JsonObject:
        """The item as it is now."""
        ...


class MessageItem:
    """A message: words, refusals and citations."""

    def __init__(self, identity: str, index: int) -> None:
        self.status: Status = "in_progress"
        self._id = identity
        self._index = index
        self._content: list[JsonObject] = []
        self._pieces: list[str] = []
        self._logprobs: list[JsonValue] = []
        self._annotations: list[JsonValue] = []
        self._kind: Literal["output_text", "refusal"] | None = None

    def render(self) -> JsonObject:
        """The item as it is now."""
        content: list[JsonValue] = [*self._content]
        if self._kind is not None:
            content.append(self._part())
        return {"type": "message", "id": self._id, "status": self.status, "role": "assistant", "content": content}

    def say(self, kind: Literal["output_text", "refusal"], text: str, logprobs: list[JsonValue]) -> list[JsonObject]:
        """More words, or more of a refusal."""
        events = self._open(kind)
        self._pieces.append(text)
        self._logprobs += logprobs
        delta = self._event(f"response.{kind}.delta", delta=text)
        if kind == "output_text":
            delta["logprobs"] = logprobs
        return [*events, delta]

    def annotate(self, value: JsonValue) -> list[JsonObject]:
        """A citation that belongs to the words so far."""
        events = self._open("output_text")
        fields: JsonObject = {"annotation_index": len(self._annotations), "annotation": value}
        self._annotations.append(value)
        return [*events, self._event("response.output_text.annotation.added", **fields)]

    def done(self, status: Status) -> list[JsonObject]:
        """The end of the message."""
        events = self._close() if self._content or self._kind else [*self._open("output_text"), *self._close()]
        self.status = status
        return [*events, item_done(self._index, self.render())]

    def _open(self, kind: Literal["output_text", "refusal"]) -> list[JsonObject]:
        if self._kind == kind:
            return []
        events = self._close()
        self._kind = kind
        return [*events, self._event("response.content_part.added", part=self._part())]

    def _close(self) -> list[JsonObject]:
        if self._kind is None:
            return []
        part, kind = self._part(), self._kind
        field = "text" if kind == "output_text" else "refusal"
        done = self._event(f"response.{kind}.done", **{field: part[field]})
        if kind == "output_text":
            done["logprobs"] = part["logprobs"]
        events = [done, self._event("response.content_part.done", part=part)]
        self._content.append(part)
        self._pieces, self._logprobs, self._annotations, self._kind = [], [], [], None
        return events

    def _part(self) -> JsonObject:
        text = "".join(self._pieces)
        if self._kind == "refusal":
            return {"type": "refusal", "refusal": text}
        return {
            "type": "output_text",
            "text": text,
            "annotations": [*self._annotations],
            "logprobs": [*self._logprobs],
        }

    def _event(self, kind: str, **fields: JsonValue) -> JsonObject:
        place: JsonObject = {"item_id": self._id, "output_index": self._index, "content_index": len(self._content)}
        return {"type": kind, **place, **fields}


class ReasoningItem:
    """A thought, told as a summary where the client asked for one, else as it is."""

    def __init__(self, identity: str, index: int, *, summary: bool) -> None:
        self.status: Status = "in_progress"
        self.signature: str | None = None
        self._id = identity
        self._index = index
        self._summary = summary
        self._pieces: list[str] | None = None

    def render(self) -> JsonObject:
        """The item as it is now."""
        parts: list[JsonValue] = [] if self._pieces is None else [self._part()]
        item: JsonObject = {
            "type": "reasoning",
            "id": self._id,
            "status": self.status,
            "summary": parts if self._summary else [],
        }
        if not self._summary:
            item["content"] = parts
        if self.signature is not None:
            item["encrypted_content"] = self.signature
        return item

    def think(self, text: str) -> list[JsonObject]:
        """More of the thought."""
        if not text:
            return []
        events: list[JsonObject] = []
        if self._pieces is None:
            self._pieces = []
            events.append(self._event(self._part_event("added"), part=self._part()))
        self._pieces.append(text)
        return [*events, self._event(self._text_event("delta"), delta=text)]

    def done(self, status: Status) -> list[JsonObject]:
        """The end of the thought."""
        events: list[JsonObject] = []
        if self._pieces is not None:
            text = "".join(self._pieces)
            events = [
                self._event(self._text_event("done"), text=text),
                self._event(self._part_event("done"), part=self._part()),
            ]
        self.status = status
        return [*events, item_done(self._index, self.render())]

    def _part(self) -> JsonObject:
        kind = "summary_text" if self._summary else "reasoning_text"
        return {"type": kind, "text": "".join(self._pieces or ())}

    def _part_event(self, word: str) -> str:
        return f"response.reasoning_summary_part.{word}" if self._summary else f"response.content_part.{word}"

    def _text_event(self, word: str) -> str:
        return f"response.reasoning_{'summary_' if self._summary else ''}text.{word}"

    def _event(self, kind: str, **fields: JsonValue) -> JsonObject:
        place = "summary_index" if self._summary else "content_index"
        return {"type": kind, "item_id": self._id, "output_index": self._index, place: 0, **fields}


class FinishedItem:
    """An item of this dialect that we pass on as it came."""

    def __init__(self, item: JsonObject) -> None:
        self._item = item

    def render(self) -> JsonObject:
        """The item."""
        return self._item


class Output:
    """All items of an answer.

    Args:
        tools: The tools on offer, for the kind and name of their calls.
        new_id: Makes the items' ids.
        summary: Whether thoughts are told as summaries.
    """

    def __init__(self, tools: Iterable[Tool], new_id: NewId, *, summary: bool) -> None:
        self.finish: Finish | None = None
        self._find = origin_finder(tools)
        self._new_id = new_id
        self._summary = summary
        self._items: list[Item] = []
        self._open: MessageItem | ReasoningItem | None = None
        self._calls: dict[int, CallItem] = {}
        self._ended: list[CallItem] = []

    def render(self) -> list[JsonValue]:
        """The items as they are now."""
        return [item.render() for item in self._items]

    def take(self, event: Event) -> list[JsonObject]:
        """What an event adds. An answer has one choice; events of others, and of the whole answer, add nothing."""
        if getattr(event, "choice", None) not in (0, None):
            return []
        match event:
            case Text():
                return self._say("output_text", event.text, _logprobs(event.logprobs))
            case Refusal():
                return self._say("refusal", event.text, [])
            case Annotation():
                events, message = self._message()
                return [*events, *message.annotate(event.value)]
            case Reasoning():
                return self._think(event)
            case ToolStart():
                return self._start_call(event)
            case ToolArguments():
                return self._calls[event.index].feed(event.text)
            case ToolEnd():
                # Told when something follows: whether the call is whole is only sure then.
                self._ended.append(self._calls.pop(event.index))
                return []
            case Finish():
                return self._end(event)
            case Opaque(dialect=name, kind=kind, value=dict(value)) if (name, kind) == (NAME, OUTPUT_ITEM):
                return [*self._settle(), *self._pass_on(value)]
            case _:
                return []

    def _say(self, kind: Literal["output_text", "refusal"], text: str, logprobs: list[JsonValue]) -> list[JsonObject]:
        if not text and not logprobs:
            return []
        events, message = self._message()
        return [*events, *message.say(kind, text, logprobs)]

    def _message(self) -> tuple[list[JsonObject], MessageItem]:
        if isinstance(self._open, MessageItem):
            return [], self._open
        events = self._settle()
        item = self._open = MessageItem(self._new_id("msg_"), len(self._items))
        return [*events, *self._add(item)], item

    def _think(self, event: Reasoning) -> list[JsonObject]:
        events: list[JsonObject] = []
        item = self._open
        if not isinstance(item, ReasoningItem):
            if not event.text and event.signature is None:
                return []
            events = self._settle()
            item = self._open = ReasoningItem(self._new_id("rs_"), len(self._items), summary=self._summary)
            events += self._add(item)
        events += item.think(event.text)
        if event.signature is not None:
            item.signature = event.signature
            events += self._settle()
        return events

    def _start_call(self, event: ToolStart) -> list[JsonObject]:
        events = self._settle()
        item = make_call(event, self._find(event.name), self._new_id, len(self._items))
        self._calls[event.index] = item
        return [*events, *self._add(item)]

    def _add(self, item: Item) -> list[JsonObject]:
        index = len(self._items)
        self._items.append(item)
        return [{"type": "response.output_item.added", "output_index": index, "item": item.render()}]

    def _pass_on(self, value: JsonObject) -> list[JsonObject]:
        return [*self._add(FinishedItem(value)), item_done(len(self._items) - 1, value)]

    def _settle(self) -> list[JsonObject]:
        """Ends what is complete because something else begins."""
        events = [event for call in self._ended for event in call.done("completed")]
        self._ended = []
        if self._open is not None:
            events += self._open.done("completed")
            self._open = None
        return events

    def _end(self, finish: Finish) -> list[JsonObject]:
        self.finish = finish
        whole = finish.reason in ("stop", "tool_calls")
        events: list[JsonObject] = []
        for call in (*self._ended, *self._calls.values()):
            # A call that the limit cut in two must not run: it is left open.
            if whole or call.complete:
                events += call.done("completed")
            else:
                call.status = "incomplete"
        self._ended, self._calls = [], {}
        if self._open is not None:
            events += self._open.done("completed" if whole else "incomplete")
            self._open = None
        if whole and not self._items:
            # Clients break on an answer without any item; an empty message says the same.
            added, message = self._message()
            events += [*added, *message.done("completed")]
            self._open = None
        return events

    def abandon(self) -> None:
        """Marks what is open as incomplete, because the answer broke off."""
        for item in (*self._ended, *self._calls.values(), *filter(None, [self._open])):
            item.status = "incomplete"


def item_done(index: int, item: JsonObject) -> JsonObject:
    """The event that makes an item final."""
    return {"type": "response.output_item.done", "output_index": index, "item": item}


def _logprobs(value: JsonValue) -> list[JsonValue]:
    """Log probabilities as they stand in a text part, from Chat's shape."""
    content = value.get("content") if isinstance(value, dict) else None
    return content if isinstance(content, list) else []
