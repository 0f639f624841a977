"""A list of words: read from its file, and looked for in texts that are whole or still grow."""

import unicodedata
from pathlib import Path
from typing import Self

from rixin.errors import Kind, RixinError
from rixin.moderation.automaton import Automaton
from rixin.moderation.folding import fold, is_unfinished, json_units, plain
from rixin.moderation.pattern import LONGEST, PatternError, parse


class WordList:
    """Words and patterns, by the lines they stand on.

    Args:
        text: A word or a `/pattern/` on each line; lines that begin with `#` are remarks.
        name: What errors call it.

    Raises:
        RixinError: `CONFIGURATION`, naming the line that is wrong.
    """

    def __init__(self, text: str, name: str) -> None:
        self.automaton = Automaton()
        for number, line in enumerate(text.splitlines(), 1):
            entry = line.strip()
            if not entry or entry.startswith("#"):
                continue
            try:
                self._add(entry, number)
            except PatternError as error:
                raise RixinError(Kind.CONFIGURATION, f"{name}, line {number}: {error}") from None

    @classmethod
    def read(cls, path: Path) -> Self:
        """The list in a file of UTF-8. Raises as the class, and where the file cannot be read."""
        try:
            return cls(path.read_text(encoding="utf-8-sig"), str(path))
        except OSError as error:
            raise RixinError(Kind.CONFIGURATION, f"cannot read {path}: {error.strerror}") from None
        except UnicodeDecodeError as error:
            raise RixinError(Kind.CONFIGURATION, f"{path} is not UTF-8: {error.reason}") from None

    def _add(self, entry: str, number: int) -> None:
        if len(entry) > 2 and entry[0] == entry[-1] == "/":
            self.automaton.add_pattern(parse(entry[1:-1]), number)
            return
        # Characters with marks come as one or as several, and folding leaves them as they come.
        for word in {fold(unicodedata.normalize(form, entry)) for form in ("NFC", "NFD")}:
            if not word.strip():
                raise PatternError("nothing of it can be seen")
            if len(word) > LONGEST:
                raise PatternError(f"it is longer than {LONGEST} characters")
            self.automaton.add_word(word, number)


class Scan:
    """Looks for a list's words in one text, which comes in any pieces.

    Args:
        words: What is looked for.
        escaped: Whether the text is JSON, whose escapes are to be looked through.
    """

    def __init__(self, words: WordList, *, escaped: bool = False) -> None:
        self._automaton = words.automaton
        self._state = words.automaton.start
        self._escaped = escaped
        self._tail = ""
        self._unfinished = ""
        """An escape of which more must come before it is known what it means."""
        self.found: int | None = None
        """The line of what was found; None where nothing was. What comes after it is not looked at."""

    @property
    def held(self) -> int:
        """How many characters at the end of the text may belong to something that is listed, as it stands."""
        return len(self._tail) + len(self._unfinished)

    def feed(self, text: str) -> None:
        """Takes more of the text."""
        if self.found is not None:
            self._tail += text
            return
        raw = self._unfinished + text
        if self._escaped and "\\" in raw:
            units = json_units(raw)
            self._unfinished = units.pop() if is_unfinished(units[-1]) else ""
            raw = raw[: len(raw) - len(self._unfinished)]
            folded = fold(plain(units))
        else:
            self._unfinished = ""
            folded = fold(raw)
        state, left = self._state, len(folded)
        for character in folded:
            state = state[character]
            left -= 1
            if state.found is not None:
                self.found = state.found
                break
        self._state = state
        depth = state.depth + left
        self._tail = self._last(self._tail + raw, depth) if depth else ""

    def end(self) -> None:
        """Takes note that the text is complete: nothing is held any more unless something was found."""
        if self.found is None:
            self.found = self._automaton.at_end(self._state)
        if self.found is None:
            self._tail = self._unfinished = ""

    def _last(self, raw: str, depth: int) -> str:
        """The end of a text that stands for so many folded characters."""
        escaped = self._escaped and "\\" in raw
        size = 0
        for unit in reversed(json_units(raw) if escaped else raw):
            if depth <= 0:
                break
            depth -= len(fold(plain((unit,)) if escaped else unit))
            size += len(unit)
        return raw[len(raw) - size :]


def find(words: WordList, text: str, *, escaped: bool = False) -> int | None:
    """The line of something listed that a whole text holds; None where it holds nothing."""
    scan = Scan(words, escaped=escaped)
    scan.feed(text)
    scan.end()
    return scan.found
