"""Seals the thoughts of an answer while it streams: each ends with an envelope that its client is to send back."""

from collections.abc import Callable, Iterable
from typing import TypeAlias

import msgspec

from rixin.core.events import Annotation, Event, Finish, Reasoning, Refusal, Text, ToolStart
from rixin.core.messages import Opaque

Seal: TypeAlias = Callable[[str, str | None], str]
"""Makes the envelope of a thought from its text and its upstream's own signature."""


class ThoughtSealer:
    """Rewrites the events of one answer.

    The envelope comes as the signature that closes a thought, right before the event that would have closed it, so that
    a writer knows it when it ends its item or block.

    Args:
        seal: Makes envelopes.
        dialect: The client's; what only other dialects understand is not shown to it, and closes nothing.
    """

    def __init__(self, seal: Seal, dialect: str) -> None:
        self._seal = seal
        self._dialect = dialect
        self._open: dict[int, list[str]] = {}

    def feed(self, events: Iterable[Event]) -> list[Event]:
        """The events to tell instead of these."""
        told: list[Event] = []
        for event in events:
            if isinstance(event, Reasoning):
                told.append(self._think(event))
            else:
                if self._open and (choice := self._closes(event)) is not None and choice in self._open:
                    told.append(Reasoning(choice=choice, signature=self._end(choice, None)))
                told.append(self._redacted(event))
        return told

    def _think(self, event: Reasoning) -> Reasoning:
        if event.text or event.signature is not None:
            self._open.setdefault(event.choice, []).append(event.text)
        if event.signature is None:
            return event
        return msgspec.structs.replace(event, signature=self._end(event.choice, event.signature))

    def _end(self, choice: int, signature: str | None) -> str:
        return self._seal("".join(self._open.pop(choice)), signature)

    def _redacted(self, event: Event) -> Event:
        """An event; a thought that Anthropic keeps to itself is sealed too."""
        match event:
            case Opaque(
                dialect=self._dialect,
                kind="content_block",
                value={"content_block": {"type": "redacted_thinking", "data": str(data)} as block} as value,
            ):
                block = {**block, "data": self._seal("", data)}
                return msgspec.structs.replace(event, value={**value, "content_block": block})
            case _:
                return event

    def _closes(self, event: Event) -> int | None:
        """The choice whose thought an event ends."""
        match event:
            case Text():
                return event.choice if event.text or event.logprobs is not None else None
            case Refusal() | Annotation() | ToolStart() | Finish():
                return event.choice
            case Opaque(dialect=self._dialect):
                return event.choice or 0
            case _:
                return None
