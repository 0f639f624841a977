"""Regular expressions of a word list: a language small enough that every match has a longest length.

Characters, `.`, `[...]`, `\\d \\w \\s` and their opposites, `\\b`, `(...)`, `|`, `?`, `{n}`, `{m,n}`. What has no end
(`*`, `+`, `{n,}`) is refused: as much of an answer as a match may be long is held back, and that must be known.
"""

from typing import Final, NamedTuple, TypeAlias

from msgspec import Struct

from rixin.moderation.folding import fold

LONGEST: Final = 200
"""Characters that a match may have."""
_MOST_REPEATED: Final = 2000
"""Characters and classes that a pattern may have once its repetitions are written out."""
_DEEPEST: Final = 20
_BLANKS = {"n": " ", "t": " ", "r": " "}


class PatternError(ValueError):
    """A pattern that is not understood, or is refused; the words tell a reader what is wrong."""


class Class(NamedTuple):
    """Some characters, folded."""

    characters: frozenset[str] = frozenset()
    ranges: tuple[tuple[str, str], ...] = ()
    kinds: str = ""
    """Letters of the escapes that it contains."""
    negated: bool = False

    def admits(self, character: str) -> bool:
        """Whether it has a folded character."""
        found = (
            character in self.characters
            or any(low <= character <= high for low, high in self.ranges)
            or any(_is_kind(kind, character) for kind in self.kinds)
        )
        return found is not self.negated


def _is_kind(kind: str, character: str) -> bool:
    match kind:
        case "d" | "D":
            found = character.isdecimal()
        case "w" | "W":
            found = character.isalnum() or character == "_"
        case _:
            found = character.isspace()
    return found is kind.islower()


class Border(Struct, frozen=True):
    """`\\b`: the edge of a word, in scripts that set spaces between words."""


class Sequence(Struct, frozen=True):
    """One after the other."""

    items: "tuple[Pattern, ...]"


class Either(Struct, frozen=True):
    """One of several."""

    options: "tuple[Pattern, ...]"


class Repeat(Struct, frozen=True):
    """Something several times."""

    item: "Pattern"
    least: int
    most: int


Pattern: TypeAlias = str | Class | Border | Sequence | Either | Repeat
"""A pattern; a text is itself, folded."""

_ANY = Class(negated=True)


class Extent(NamedTuple):
    """How long the matches of a pattern are, and how large it is."""

    least: int
    most: int
    size: int


def extent(pattern: Pattern) -> Extent:
    """Measures a pattern."""
    match pattern:
        case str():
            return Extent(len(pattern), len(pattern), len(pattern))
        case Class():
            return Extent(1, 1, 1)
        case Border():
            return Extent(0, 0, 1)
        case Sequence(items):
            parts = [extent(item) for item in items]
            return Extent(sum(p.least for p in parts), sum(p.most for p in parts), sum(p.size for p in parts))
        case Either(options):
            parts = [extent(option) for option in options]
            return Extent(min(p.least for p in parts), max(p.most for p in parts), sum(p.size + 1 for p in parts))
        case Repeat(item, least, most):
            one = extent(item)
            return Extent(one.least * least, one.most * most, (one.size + 1) * most)


def parse(text: str) -> Pattern:
    """The pattern that a text describes.

    Raises:
        PatternError: It is no pattern, one that is not served, one that is too long, or one that nothing matches.
    """
    pattern = _Parser(text).whole()
    measured = extent(pattern)
    if measured.least == 0:
        raise PatternError("it matches an empty text")
    if measured.most > LONGEST or measured.size > _MOST_REPEATED:
        raise PatternError(f"its matches may be longer than {LONGEST} characters, or it repeats too much")
    return pattern


class _Parser:
    """Reads one pattern from its left to its right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0

    def whole(self) -> Pattern:
        pattern = self._either()
        if self._at < len(self._text):
            raise PatternError(f"`{self._text[self._at]}` at character {self._at + 1} closes nothing")
        return pattern

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self, wanted: str) -> bool:
        found = self._text.startswith(wanted, self._at)
        self._at += len(wanted) * found
        return found

    def _next(self, within: str) -> str:
        if self._at >= len(self._text):
            raise PatternError(f"{within} has no end")
        self._at += 1
        return self._text[self._at - 1]

    def _either(self) -> Pattern:
        options = [self._sequence()]
        while self._take("|"):
            options.append(self._sequence())
        return options[0] if len(options) == 1 else Either(tuple(options))

    def _sequence(self) -> Pattern:
        items: list[Pattern] = []
        while (following := self._peek()) and following not in "|)":
            items.append(self._repeated(self._item()))
        return Sequence(tuple(items))

    def _repeated(self, item: Pattern) -> Pattern:
        if self._take("?"):
            item = Repeat(item, 0, 1)
        elif self._take("{"):
            item = self._counted(item)
        elif self._peek() in ("*", "+"):
            raise PatternError(f"`{self._peek()}` has no longest match; say how often at most, such as {{1,20}}")
        else:
            return item
        self._take("?")  # whether it is greedy makes no difference to whether there is a match
        if self._peek() in ("?", "*", "+", "{"):
            raise PatternError(f"`{self._peek()}` at character {self._at + 1} repeats a repetition; use brackets")
        return item

    def _counted(self, item: Pattern) -> Repeat:
        start = self._at
        while self._next("`{`") != "}":
            pass
        low, comma, high = self._text[start : self._at - 1].partition(",")
        if comma and not high:
            raise PatternError(f"`{{{low},}}` has no longest match; say how often at most, such as {{1,20}}")
        numbers = (low or "0", high if comma else low)
        if not all(number.isascii() and number.isdigit() and len(number) < 5 for number in numbers):
            raise PatternError("between braces there must be one number, or two")
        least, most = int(numbers[0]), int(numbers[1])
        if not least <= most <= LONGEST or most == 0:
            raise PatternError(f"{{{least},{most}}} must grow, and to {LONGEST} at most")
        return Repeat(item, least, most)

    def _item(self) -> Pattern:
        character = self._next("the pattern")
        match character:
            case "(":
                return self._group()
            case "[":
                return self._class()
            case ".":
                return _ANY
            case "\\":
                return self._escape()
            case "^" | "$":
                raise PatternError(f"`{character}` is not served: answers are looked at in pieces")
            case "*" | "+" | "?" | "{" | "}" | "]":
                raise PatternError(f"`{character}` at character {self._at} follows nothing; write `\\{character}`")
            case _:
                return fold(character)

    def _group(self) -> Pattern:
        if self._take("?") and not self._take(":"):
            raise PatternError("of the groups that begin with `(?`, only `(?:` is served")
        self._depth += 1
        if self._depth > _DEEPEST:
            raise PatternError("it has too many groups within groups")
        inner = self._either()
        if self._next("`(`") != ")":
            raise PatternError("`(` has no end")
        self._depth -= 1
        return inner

    def _escape(self) -> Pattern:
        character = self._next("the pattern")
        if character in "dDwWsS":
            return Class(kinds=character)
        if character == "b":
            return Border()
        return self._literal(character)

    def _literal(self, character: str) -> str:
        """An escaped character that stands for itself, or for a space."""
        if character in _BLANKS:
            return _BLANKS[character]
        if character.isalnum():
            raise PatternError(f"`\\{character}` is not served")
        return fold(character)

    def _class(self) -> Class:
        characters: set[str] = set()
        ranges: list[tuple[str, str]] = []
        kinds = ""
        negated = self._take("^")
        first = True
        while (character := self._next("`[`")) != "]" or first:
            first = False
            if character == "\\":
                character = self._next("`[`")
                if character in "dDwWsS":
                    kinds += character
                    continue
                character = self._literal(character)
            if self._peek() == "-" and self._text[self._at + 1 : self._at + 2] not in ("]", ""):
                self._at += 1
                ranges += self._range(character)
            else:
                characters.add(_one(character))
        return Class(frozenset(characters), tuple(ranges), kinds, negated)

    def _range(self, low: str) -> list[tuple[str, str]]:
        """A range, as it stands and folded: `A-Z` is `a-z` in folded text."""
        high = self._next("`[`")
        if high == "\\":
            high = self._literal(self._next("`[`"))
        if low > high:
            raise PatternError(f"the range `{low}-{high}` runs backwards")
        return [(low, high), (_one(low), _one(high))]


def _one(character: str) -> str:
    folded = fold(character)
    if len(folded) != 1:
        raise PatternError(
            f"`{character}` is not one character where words are looked for; write it outside of `[...]`"
        )
    return folded
