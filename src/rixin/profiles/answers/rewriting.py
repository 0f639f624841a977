"""Rewrites the text of an answer, each choice's on its own, while all else keeps its place."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from rixin.core.events import Event, Finish, Reasoning, Refusal, Start, Text, ToolArguments, ToolEnd, ToolStart
from rixin.core.requests import Change


class ChoiceRewriter(ABC):
    """Rewrites the text of one choice.

    Args:
        choice: The index of the choice.
    """

    def __init__(self, choice: int) -> None:
        self.choice = choice
        self.rewrote = False
        """Whether any of the text turned out to be something else."""
        self._held = ""

    def passes(self, text: str) -> bool:  # noqa: ARG002 - for those who can tell
        """Whether a text is all text, and nothing is held; it then counts as taken."""
        return False

    def take(self, text: str, *, final: bool = False) -> list[Event]:
        """The events of what can be decided by now; `final` decides it all."""
        events: list[Event] = []
        text = self._held + text
        self._held = ""
        while (rest := self._step(text, events, final=final)) is not None:
            text = rest
        return events

    @abstractmethod
    def _step(self, text: str, events: list[Event], *, final: bool) -> str | None:
        """Takes some of a text; gives the rest, or None where nothing more can be done, `_held` being what waits."""

    def renumber(self, event: ToolStart | ToolArguments | ToolEnd) -> Event:
        """An event of one of the upstream's own calls, with its place among all calls of the choice."""
        return event

    @abstractmethod
    def interrupt(self) -> None:
        """Something else than text comes; before it, all text was decided."""

    def finish(self, finish: Finish) -> list[Event]:
        """What the finish decides, and the finish."""
        return [*self.take("", final=True), finish]


class Rewriting:
    """Applies a rewriter to each choice.

    Args:
        make: Makes the rewriter of a choice, by its index and the upstream's id of the answer.
        change: What it is told as, where it rewrote anything.
    """

    def __init__(self, make: Callable[[int, str], ChoiceRewriter], change: Change) -> None:
        self._make = make
        self._change = change
        self._answer_id = ""
        self._choices: dict[int, ChoiceRewriter] = {}
        self._waiting: dict[int, list[Text]] = {}
        """Empty texts with log probabilities of what is no text any more."""

    @property
    def changes(self) -> tuple[Change, ...]:
        """What was done so far."""
        return (self._change,) if any(rewriter.rewrote for rewriter in self._choices.values()) else ()

    def feed(self, events: list[Event]) -> list[Event]:
        """The events that come of these."""
        written: list[Event] = []
        for event in events:
            self._feed(event, written)
        return written

    def end(self) -> list[Event]:
        """What was held back, at the end of a stream that broke off."""
        written: list[Event] = []
        for rewriter in self._choices.values():
            self._write(rewriter, rewriter.take("", final=True), written)
            self._settle(rewriter.choice, written)
        return written

    def _feed(self, event: Event, written: list[Event]) -> None:
        match event:
            case Text():
                self._text(event, written)
            case Reasoning() | Refusal() | ToolStart():
                rewriter = self._of(event.choice)
                self._write(rewriter, rewriter.take("", final=True), written)
                rewriter.interrupt()
                written.append(rewriter.renumber(event) if isinstance(event, ToolStart) else event)
            case ToolArguments() | ToolEnd():
                written.append(self._of(event.choice).renumber(event))
            case Start():
                self._answer_id = event.id
                written.append(event)
            case Finish():
                rewriter = self._of(event.choice)
                *decided, finish = rewriter.finish(event)
                self._write(rewriter, decided, written)
                self._settle(event.choice, written)
                written.append(finish)
            case _:
                written.append(event)

    def _text(self, event: Text, written: list[Event]) -> None:
        rewriter = self._of(event.choice)
        if not self._waiting.get(event.choice) and rewriter.passes(event.text):
            written.append(event)
            return
        if event.logprobs is not None:
            empty = Text(text="", choice=event.choice, logprobs=event.logprobs)
            self._waiting.setdefault(event.choice, []).append(empty)
        self._write(rewriter, rewriter.take(event.text), written)

    def _write(self, rewriter: ChoiceRewriter, decided: list[Event], written: list[Event]) -> None:
        """Adds what was decided. Log probabilities of what is no text any more ride on the next words that are."""
        waiting = self._waiting.get(rewriter.choice)
        for event in decided:
            if waiting and isinstance(event, Text):
                *others, last = waiting
                written += [*others, Text(text=event.text, choice=event.choice, logprobs=last.logprobs)]
                waiting.clear()
            else:
                written.append(event)

    def _settle(self, choice: int, written: list[Event]) -> None:
        written += self._waiting.pop(choice, ())

    def _of(self, choice: int) -> ChoiceRewriter:
        rewriter = self._choices.get(choice)
        if rewriter is None:
            rewriter = self._choices[choice] = self._make(choice, self._answer_id)
        return rewriter
