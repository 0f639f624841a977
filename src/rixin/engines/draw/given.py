"""What a prompt says: its numbers with the words around them, to tell what it gave from what was invented."""

import re
from collections.abc import Iterable
from functools import cached_property
from typing import Final

from rixin.engines.draw.numerals import given_numbers, numbers

_LINES: Final = re.compile(r"[\n。！？!?]|\.(?=\s)")
_CLAUSES: Final = re.compile(r"[，、;；:：]|,(?!\d{3}(?!\d))|\s(?:and|while|but)\s|[和及与]")
_WORD: Final = re.compile(r"[\u3400-\u9fff]+|[^\W\d_]+")
_HAN: Final = re.compile("[\u3400-\u9fff]")
_EMPTY: Final = frozenset(
    (
        *("the", "a", "an", "of", "in", "on", "at", "to", "for", "from", "by", "with", "and", "or", "is", "are", "was"),
        *(
            "were",
            "be",
            "has",
            "have",
            "had",
            "it",
            "its",
            "this",
            "that",
            "as",
            "per",
            "than",
            "then",
            "about",
            "over",
        ),
        *("under", "up", "out", "more", "most", "each", "every"),
    )
)
"""Words that speak of nothing."""
_STEM: Final = 5
"""Letters by which forms of a word are one."""
_LEAST_SHARED: Final = 1 / 3
"""The part of a text's words that a sentence has which gives its number."""
_MOST_SAID: Final = 0.6
"""The part of a text's words that make it another way of saying the same."""


class Given:
    """A prompt, asked whether it says something.

    Args:
        prompt: A text of drawable characters.
    """

    def __init__(self, prompt: str) -> None:
        self._prompt = _plain(prompt)
        self.numbers = given_numbers(prompt)
        self._lines = [_Said(line) for line in _LINES.split(prompt) if line.strip()]

    def holds(self, text: str) -> bool:
        """Whether all numbers of a text are given ones."""
        return all(number in self.numbers for number in numbers(text))

    def tells(self, text: str) -> bool:
        """Whether each number of a text is given in a sentence that speaks of the same, by the words they share."""
        said = words(text)
        return self.holds(text) and all(
            any(number in line.numbers and len(said & line.words) >= _LEAST_SHARED * len(said) for line in self._lines)
            for number in numbers(text)
        )

    def pairs(self, label: str, value: str) -> bool:
        """Whether the numbers of a value are given for just this label, in one clause or one row."""
        wanted, named = set(numbers(value)), set(numbers(label))
        said = words(label) - words(value)
        if not wanted or not (said or named):
            return False
        for line in self._lines:
            for clause in line.clauses:
                if not wanted <= clause.numbers:
                    continue
                # A value that stands alone, as in a row, is named by the row.
                place = clause if clause.words - words(value) or clause.numbers - wanted else line
                if said <= place.words and named <= place.numbers:
                    return True
        return False

    def quotes(self, text: str) -> bool:
        """Whether a text stands in the prompt as it is."""
        return bool(text) and _plain(text) in self._prompt


class _Said:
    """A sentence or a part of one."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.words = words(text)
        self.numbers = given_numbers(text)

    @cached_property
    def clauses(self) -> list["_Said"]:
        """Its parts."""
        return [_Said(part) for part in _CLAUSES.split(self.text) if part.strip()]


def covered(texts: Iterable[str], by: Iterable[str]) -> bool:
    """Whether each of some texts is said by others, taken together, in much the same words and all of its numbers."""
    told = " \n ".join(by)
    said, counted = words(told), given_numbers(told)
    return all(
        len(wanted & said) >= _MOST_SAID * len(wanted) and counted.issuperset(numbers(text))
        for text in texts
        if (wanted := words(text))
    )


def words(text: str) -> frozenset[str]:
    """What a text speaks of: the stems of its words, and each pair of characters that stand beside each other."""
    found: set[str] = set()
    for match in _WORD.finditer(text.lower()):
        word = match[0]
        if not _HAN.match(word):
            found |= {word[:_STEM]} - _EMPTY
        elif len(word) == 1:
            found.add(word)
        else:
            found |= {word[place : place + 2] for place in range(len(word) - 1)}
    return frozenset(found)


def _plain(text: str) -> str:
    """A text without what its writers leave to taste: case, spaces and punctuation."""
    return re.sub(r"[\W_]+", "", text.lower())
