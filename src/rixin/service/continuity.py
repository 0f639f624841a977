"""Carries thoughts from one request of a conversation to the next: in envelopes, and by the calls that they led to."""

from collections.abc import Callable
from functools import partial

import msgspec

from rixin.conversations.call_memory import CallMemory
from rixin.conversations.envelope import Content, Envelopes, Refusal
from rixin.conversations.history import HISTORY_FIELDS, open_history
from rixin.conversations.sealing import ThoughtSealer
from rixin.conversations.turn import TurnWatcher
from rixin.core.events import Event
from rixin.core.messages import ReasoningPart, ToolCall
from rixin.core.requests import Generate


class Continuity:
    """What conversations go on by.

    Args:
        envelopes: Makes and opens what clients keep for us.
        memory: Finds thoughts by calls, in this process.
    """

    def __init__(self, envelopes: Envelopes, memory: CallMemory) -> None:
        self.envelopes = envelopes
        self.memory = memory

    def opened(self, request: Generate, owner: str) -> Generate:
        """A request with its history opened, and a way to find what is missing in it; see `open_history`."""
        request = open_history(request, partial(self._open, owner))
        return msgspec.structs.replace(request, recall=partial(self.memory.recall, owner))

    def _open(self, owner: str, envelope: str) -> Content | Refusal:
        return self.envelopes.open(envelope, owner)

    def answer(self, request: Generate, owner: str, issuer: Callable[[], str | None]) -> "ContinuedAnswer":
        """Care for the answer to a request.

        Args:
            request: What was asked.
            owner: Who asked.
            issuer: Names the provider that answers, once it does.
        """

        def seal(text: str, signature: str | None) -> str:
            return self.envelopes.seal_thought(text, owner, signature=signature, issuer=issuer())

        def keep(calls: list[ToolCall], thought: ReasoningPart) -> None:
            self.memory.keep(owner, calls, msgspec.structs.replace(thought, issuer=issuer()))

        dialect = None if request.origin is None else request.origin.dialect
        sealer = ThoughtSealer(seal, dialect) if dialect in HISTORY_FIELDS else None
        return ContinuedAnswer(TurnWatcher(keep), sealer)


class ContinuedAnswer:
    """One answer on its way to its client."""

    def __init__(self, watcher: TurnWatcher, sealer: ThoughtSealer | None) -> None:
        self._watcher = watcher
        self._sealer = sealer

    def feed(self, events: list[Event]) -> list[Event]:
        """The events to tell instead of these."""
        self._watcher.feed(events)
        return events if self._sealer is None else self._sealer.feed(events)
