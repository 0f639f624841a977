"""Has an answer checked piece by piece while it streams: nothing is told before it was allowed."""

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeAlias

from rixin.core.events import Event, Finish
from rixin.moderation.screen import ended
from rixin.moderation.texts import Spoken, Voice, aside_texts, choice_of, voice_of

Allows: TypeAlias = Callable[[list[str]], Awaitable[bool]]
"""Whether texts may pass."""


class Windows:
    """The events of one answer on their way through a check.

    Args:
        allows: The check.
        size: Characters that are gathered before they are checked, so that as many are held back. Fewer are checked
            where another text begins (words after thoughts, a call) or the choice ends.
    """

    def __init__(self, allows: Allows, size: int) -> None:
        self.cut: set[int] = set()
        """The choices that were ended."""
        self._allows = allows
        self._size = size
        self._choices: dict[int, _Choice] = {}

    async def feed(self, events: Iterable[Event]) -> list[Event]:
        """The events that may be told by now. Raises as the check."""
        told: list[Event] = []
        for event in events:
            number = choice_of(event)
            if (number or 0) not in self.cut:
                told += await self._take(event, number or 0)
            elif number is None:
                told.append(event)
        return told

    async def _take(self, event: Event, number: int) -> list[Event]:
        choice = self._choices.get(number)
        if choice is None:
            choice = self._choices[number] = _Choice(self._allows, self._size)
        told = await choice.take(event)
        if choice.refused:
            self.cut.add(number)
            told += ended(number, choice.queue)
        return told


class _Choice:
    """The events of one choice, and those of the whole answer that came between them."""

    def __init__(self, allows: Allows, size: int) -> None:
        self.queue: list[Event] = []
        """What waits, in order."""
        self.refused = False
        self._allows = allows
        self._size = size
        self._voice: Voice | None = None
        self._text = ""
        """What waits of the text that goes on."""
        self._before = ""
        """What of it was allowed last, since what is not allowed may have begun there."""
        self._asides: list[str] = []

    async def take(self, event: Event) -> list[Event]:
        """The events that may be told by now."""
        told: list[Event] = []
        if isinstance(event, Spoken):
            voice = voice_of(event)
            if voice != self._voice:
                if self._text:
                    told = await self._check()
                self._voice, self._before = voice, ""
            self._text += event.text
        else:
            self._asides += aside_texts(event)
        self.queue.append(event)
        if self.refused:
            return told
        waits = self._text or self._asides
        if not waits or len(self._text) >= self._size or isinstance(event, Finish):
            told += await self._check()
        return told

    async def _check(self) -> list[Event]:
        """All that waits, if it may be told."""
        texts = [*filter(None, [self._before + self._text if self._text else ""]), *self._asides]
        if texts and not await self._allows(texts):
            self.refused = True
            return []
        self._before = (self._before + self._text)[-self._size :]
        self._text, self._asides = "", []
        told, self.queue = self.queue, []
        return told
