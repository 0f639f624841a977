"""Thoughts that stand in the text between tags, told as thoughts."""

import re

from rixin.core.events import Event, Reasoning, Text
from rixin.profiles.answers.rewriting import ChoiceRewriter
from rixin.profiles.answers.text_scanner import TextScanner

OPENERS = ("<think>", "<thinking>")
CLOSERS = ("</think>", "</thinking>")
_CLOSER = re.compile("|".join(CLOSERS))


class ThinkTags(ChoiceRewriter):
    """Takes the thoughts out of one choice's text.

    A thought begins at its tag, unless that stands in code, and ends at the first closing tag, unless that stands
    between backticks. Line breaks right after a tag belong to the tag. A closing tag without an opening one makes a
    thought of all that was held back before it; once, and only where no other thought was.

    Args:
        choice: The index of the choice.
        opened: The answer begins inside a thought.
        whole: The answer is wanted whole, so text is held back as long as it may turn out to be a thought.
    """

    def __init__(self, choice: int, *, opened: bool = False, whole: bool = False) -> None:
        super().__init__(choice)
        self._scanner = TextScanner((*OPENERS, *CLOSERS))
        self._thinks = opened
        self._thought = opened
        self._beginning: list[str] | None = [] if whole and not opened else None
        self._trims = opened
        self._last = ""

    def passes(self, text: str) -> bool:
        """Whether a text is neither a thought nor near one."""
        idle = not (self._thinks or self._trims or self._held or self._beginning is not None)
        return idle and self._scanner.passes(text)

    def interrupt(self) -> None:
        """What follows is no more of the same thought, and what came before it was said."""
        self._thinks = self._trims = False

    def take(self, text: str, *, final: bool = False) -> list[Event]:
        """The events of what can be decided by now."""
        events = super().take(text, final=final)
        if final:
            self._release(events)
        return events

    def _step(self, text: str, events: list[Event], *, final: bool) -> str | None:
        if self._trims:
            text = text.lstrip("\r\n")
            self._trims = not text
        if self._thinks:
            return self._think(text, events, final=final)
        length, tag = self._scanner.scan(text, final=final)
        self._say(text[:length], events)
        if tag is None:
            self._held = text[length:]
            return None
        self._meet(tag, events)
        return text[length + len(tag) :]

    def _think(self, text: str, events: list[Event], *, final: bool) -> str | None:
        closer = self._find_closer(text, final=final)
        if closer is None:
            length = len(text) if final else _decided(text)
            self._reason(text[:length], events)
            self._held = text[length:]
            return None
        start, end = closer
        self._reason(text[:start], events)
        self._thinks, self._trims = False, True
        self._scanner.restart()
        return text[end:]

    def _find_closer(self, text: str, *, final: bool) -> tuple[int, int] | None:
        """Where the thought ends and the text begins again. Whether backticks follow a tag shows once more has come."""
        for match in _CLOSER.finditer(text):
            start, end = match.span()
            quoted = (text[start - 1] if start else self._last) == "`"
            if not quoted or (text[end] != "`" if end < len(text) else final):
                return start, end
        return None

    def _meet(self, tag: str, events: list[Event]) -> None:
        """A tag stands outside of a thought."""
        if tag in OPENERS:
            self._release(events)
            self._thinks, self._last = True, ""
        elif self._thought:
            self._scanner.pass_over()
            self._say(tag, events)
            return
        else:
            self._reason("".join(self._beginning or ()), events)
            self._beginning = None
            self._scanner.restart()
        self._thought = self._trims = True

    def _say(self, text: str, events: list[Event]) -> None:
        if self._beginning is not None:
            self._beginning.append(text)
        elif text:
            events.append(Text(text=text, choice=self.choice))

    def _reason(self, text: str, events: list[Event]) -> None:
        if text:
            self._last = text[-1]
            self.rewrote = True
            events.append(Reasoning(text=text, choice=self.choice))

    def _release(self, events: list[Event]) -> None:
        """What was held back is text."""
        if self._beginning is not None:
            text, self._beginning = "".join(self._beginning), None
            self._say(text, events)


def _decided(text: str) -> int:
    """How much of a thought cannot be part of a closing tag any more."""
    start = text.rfind("<")
    return start if start >= 0 and any(tag.startswith(text[start:]) for tag in CLOSERS) else len(text)
