"""What one answer leaves behind for later requests: the thoughts that led to calls, and those calls."""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from rixin.core.events import Event, Finish, Reasoning, Text, ToolArguments, ToolStart
from rixin.core.messages import ReasoningPart, ToolCall

Keep: TypeAlias = Callable[[list[ToolCall], ReasoningPart], None]
"""Remembers what was thought before the calls of a turn."""


class TurnWatcher:
    """Watches the first choice of an answer, and tells of its calls once it is complete.

    Args:
        keep: Is told, if there were both thoughts and calls.
    """

    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self._thoughts: list[str] = []
        self._signatures: list[str] = []
        self._calls: dict[int, tuple[ToolStart, list[str]]] = {}

    def feed(self, events: Iterable[Event]) -> None:
        """Takes events as an upstream sent them."""
        # Words are by far the most, which the cases below would be asked for one by one.
        for event in [event for event in events if type(event) is not Text]:
            match event:
                case Reasoning(choice=0):
                    self._think(event)
                case ToolStart(choice=0):
                    self._calls[event.index] = (event, [])
                case ToolArguments(choice=0) if event.index in self._calls:
                    self._calls[event.index][1].append(event.text)
                case Finish(choice=0):
                    self._end()
                case _:
                    pass

    def _think(self, event: Reasoning) -> None:
        if event.text:
            self._thoughts.append(event.text)
        if event.signature is not None:
            self._signatures.append(event.signature)

    def _end(self) -> None:
        text = "".join(self._thoughts)
        if not self._calls or not (text or self._signatures):
            return
        calls = [
            ToolCall(id=start.id, name=start.name, arguments="".join(pieces), kind=start.kind)
            for start, pieces in self._calls.values()
        ]
        # A signature proves the one thought that it closes; of several thoughts that became one it proves nothing.
        signature = self._signatures[0] if len(self._signatures) == 1 else None
        self._keep(calls, ReasoningPart(text=text, signature=signature))
