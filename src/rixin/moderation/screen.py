"""Keeps listed words out of an answer while it streams."""

from collections.abc import Iterable

from rixin.core.events import Event, Finish, ToolArguments, ToolStart
from rixin.moderation.texts import Spoken, Voice, aside_texts, choice_of, cut, voice_of
from rixin.moderation.words import Scan, WordList, find


class Screen:
    """The events of one answer on their way through a word list.

    What may be the beginning of a listed word waits until it is known, and so does what follows it. Where a word is
    found, its choice ends before the word's first character with `content_filter`.
    """

    def __init__(self, words: WordList) -> None:
        self.cut: set[int] = set()
        """The choices that were ended."""
        self.found: int | None = None
        """The line of the list that ended the last of them."""
        self._words = words
        self._choices: dict[int, _Choice] = {}

    def feed(self, events: Iterable[Event]) -> list[Event]:
        """The events that may be told by now."""
        told: list[Event] = []
        for event in events:
            number = choice_of(event)
            if (number or 0) not in self.cut:
                told += self._take(event, number or 0)
            elif number is None:
                told.append(event)
        return told

    def _take(self, event: Event, number: int) -> list[Event]:
        choice = self._choices.get(number)
        if choice is None:
            choice = self._choices[number] = _Choice(self._words)
        told = choice.take(event)
        if choice.found is not None:
            self.found = choice.found
            self.cut.add(number)
            told += ended(number, choice.queue)
        return told


def ended(choice: int, withheld: Iterable[Event]) -> list[Event]:
    """The end of a choice that must not go on; of what was withheld, what belongs to the whole answer is told."""
    finish: list[Event] = [Finish(reason="content_filter", choice=choice)]
    return finish + [event for event in withheld if choice_of(event) is None]


class _Choice:
    """The events of one choice, and those of the whole answer that came between them."""

    def __init__(self, words: WordList) -> None:
        self.queue: list[Event] = []
        """What waits, in order."""
        self.found: int | None = None
        self._words = words
        self._scans: dict[Voice, Scan] = {}
        self._free_form: set[int] = set()
        """Calls whose arguments are not JSON."""

    def take(self, event: Event) -> list[Event]:
        """The events that may be told by now."""
        if isinstance(event, Spoken):
            scan = self._scan(event)
            scan.feed(event.text)
            self.found = scan.found
            if not self.queue and not scan.held:
                return [event]
        elif isinstance(event, Finish):
            self._end()
        else:
            self._look(event)
            if self.found is not None:
                return []  # what waits before it has not been found harmless, and will not be
            if not self.queue:
                return [event]
        self.queue.append(event)
        return [] if self._waits(event) else self._release()

    def _waits(self, event: Event) -> bool:
        """Whether an event lets nothing go: only more of the text that is held does, or its end."""
        first = self.queue[0]
        if isinstance(event, Finish) or not isinstance(first, Spoken):
            return False
        return not isinstance(event, Spoken) or voice_of(event) != voice_of(first)

    def _look(self, event: Event) -> None:
        if isinstance(event, ToolStart) and event.kind == "custom":
            self._free_form.add(event.index)
        for text in aside_texts(event):
            self.found = find(self._words, text)
            if self.found is not None:
                return

    def _end(self) -> None:
        for scan in self._scans.values():
            scan.end()
            if self.found is None:
                self.found = scan.found

    def _scan(self, event: Spoken) -> Scan:
        voice = voice_of(event)
        scan = self._scans.get(voice)
        if scan is None:
            escaped = isinstance(event, ToolArguments) and event.index not in self._free_form
            scan = self._scans[voice] = Scan(self._words, escaped=escaped)
        return scan

    def _release(self) -> list[Event]:
        """Takes from the queue what stands before the first character that is held."""
        free: dict[Voice, int] = {voice: -scan.held for voice, scan in self._scans.items()}
        for event in self.queue:
            if isinstance(event, Spoken):
                free[voice_of(event)] += len(event.text)
        told: list[Event] = []
        for position, event in enumerate(self.queue):
            if isinstance(event, Spoken):
                left = free[voice_of(event)]
                if len(event.text) > left:
                    first, rest = cut(event, left)
                    self.queue[: position + 1] = [rest]
                    return [*told, first] if left else told
                free[voice_of(event)] -= len(event.text)
            told.append(event)
        self.queue.clear()
        return told
