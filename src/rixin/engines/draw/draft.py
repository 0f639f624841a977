"""What a language model wrote, and what of it is believed.

Its answer may be anything: cut off, under no schema, or hostile. Each block is repaired by itself: what is too long,
says the same twice or has a number that its prompt does not give for it is taken out, and a block of which too little
is left with it. A quote is believed where the prompt quotes it.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from rixin.core.json import JsonValue
from rixin.engines.draw.data import MOST_MARKS, chart_kind, quantity
from rixin.engines.draw.given import Given, words
from rixin.engines.draw.glyphs import drawable
from rixin.engines.draw.icons import icon_for
from rixin.engines.draw.palettes import PALETTES
from rixin.engines.draw.partial_json import read_partial
from rixin.engines.draw.specification import (
    Block,
    Chart,
    Comparison,
    Figure,
    Figures,
    Hierarchy,
    Item,
    Listing,
    Moment,
    Node,
    Note,
    Quote,
    Sections,
    Series,
    Side,
    Steps,
    Table,
    Timeline,
)
from rixin.engines.draw.subject import tidy
from rixin.engines.draw.templates import TEMPLATES

_MOST_BLOCKS: Final = 24
"""Blocks that are looked at."""
_MOST_PARTS: Final = 16
"""Members of a list that are looked at."""
_MOST_COLUMNS: Final = 7
_MOST_ROWS: Final = 14
_FEWEST: Final = 2
_SAME: Final = 0.7
"""The part of their words that makes one text of two, once they have some."""
_WORDY: Final = 5
_LONGEST_TITLE: Final = 80
_LONGEST_HEADING: Final = 48
_LONGEST_VALUE: Final = 24
_LONGEST_TEXT: Final = 160
_LONGEST_NOTE: Final = 320
_ORDINAL: Final = re.compile(r"^\s*(?:\d{1,2}|[一二三四五六七八九十]{1,2})\s*[.、)）:：]\s*")
_SENTENCE: Final = re.compile(r"[^.。！!？?]{3,}?[.。！!？?](?=\s|$|[^\d\s])")
_SURELY_WHOLE: Final = 60
_ENDS: Final = " ,;:，；：、"
_BLANKS: Final = re.compile(r"\s+")


class Draft(Struct, frozen=True, kw_only=True):
    """What may be drawn. Texts that are not believed are empty."""

    title: str = ""
    subtitle: str = ""
    palette: str = ""
    layout: str = ""
    blocks: tuple[Block, ...] = ()


def read_draft(answer: str, given: Given) -> Draft:
    """What of a model's answer may be drawn.

    Args:
        answer: As the model gave it.
        given: What its prompt says.
    """
    whole = read_partial(answer)
    if not isinstance(whole, dict):
        return Draft()
    blocks = whole.get("blocks")
    reader = _Reader(given)
    title, subtitle = _text(whole.get("title")), _first_sentence(_text(whole.get("subtitle"))).rstrip(_ENDS)
    palette, layout = _text(whole.get("palette")), _text(whole.get("layout"))
    found = [reader.read(block) for block in blocks[:_MOST_BLOCKS]] if isinstance(blocks, list) else []
    return Draft(
        title=reader.believed(tidy(title), _LONGEST_TITLE),
        subtitle=reader.believed(subtitle, _LONGEST_TEXT),
        palette=palette if palette in {each.name for each in PALETTES} else "",
        layout=layout if layout in {each.name for each in TEMPLATES} else "",
        blocks=tuple(block for block in found if block is not None),
    )


class _Reader:
    """Blocks, one after the other; what one says the next ones do not say again."""

    def __init__(self, given: Given) -> None:
        self._given = given
        self._said: set[str] = set()
        self._words: list[frozenset[str]] = []
        """Of the texts of one block, which differ by more than a word."""

    def believed(self, text: str, longest: int, *, about: str = "") -> str:
        """A text that is short enough and whose numbers were given for what it is about; nothing for others."""
        return text if len(text) <= longest and self._given.tells(f"{about}\n{text}") else ""

    def read(self, value: JsonValue) -> Block | None:
        """A block, as far as it is believed; None where that is too little."""
        try:
            block: Block = msgspec.convert(_texts_only(value), Block)  # pyright: ignore[reportArgumentType] - a union
        except (msgspec.ValidationError, RecursionError):
            return None
        block = replace(block, title=self.believed(tidy(block.title), _LONGEST_HEADING))
        said = {*self._said}
        self._words.clear()
        repaired = self._repaired(block)
        if repaired is None:
            self._said = said  # what is not drawn may be said elsewhere
        return repaired

    def _repaired(self, block: Block) -> Block | None:
        match block:
            case Steps() | Sections():
                return _with_items(block, self._items(block.items[:_MOST_PARTS]))
            case Listing():
                return _with_items(block, self._points(block.items, block.title))
            case Comparison():
                return _with_items(block, self._sides(block.items[:_MOST_PARTS]))
            case Timeline():
                return _with_items(block, self._moments(block.items[:_MOST_PARTS]))
            case Hierarchy():
                root = self.believed(tidy(block.root), _LONGEST_HEADING)
                return _with_items(replace(block, root=root), self._nodes(block.items[:_MOST_PARTS])) if root else None
            case Figures():
                return _with_items(block, self._figures(block.items[:_MOST_PARTS]), fewest=1)
            case Chart():
                return self._chart(block)
            case Table():
                return self._table(block)
            case Quote():
                author = block.author if self._given.quotes(block.author) else ""
                short = len(block.text) <= _LONGEST_NOTE and len(author) <= _LONGEST_HEADING
                return replace(block, author=author) if short and self._given.quotes(block.text) else None
            case Note():
                return block if self._new([self.believed(block.text, _LONGEST_NOTE)]) else None

    def _new(self, texts: Iterable[str]) -> Iterator[str]:
        """Those texts that nobody has said."""
        for text in texts:
            spoken = words(text)
            if text and text.lower() not in self._said and not any(_alike(spoken, each) for each in self._words):
                self._said.add(text.lower())
                self._words.append(spoken)
                yield text

    def _points(self, points: Sequence[str], about: str) -> tuple[str, ...]:
        texts = (tidy(_first_sentence(point)) for point in points[:_MOST_PARTS])
        return tuple(self._new(self.believed(text, _LONGEST_TEXT, about=about) for text in texts))

    def _items(self, items: Iterable[Item]) -> Iterator[Item]:
        headings: set[str] = set()
        for item in items:
            heading = self.believed(tidy(_ORDINAL.sub("", item.heading)), _LONGEST_HEADING)
            text = self.believed(_first_sentence(item.text), _LONGEST_TEXT, about=heading)
            if heading and heading.lower() not in headings and ([*self._new([text])] or not item.text):
                yield Item(heading=heading, text=text, icon=icon_for(heading, text))
            headings.add(heading.lower())

    def _sides(self, sides: Iterable[Side]) -> Iterator[Side]:
        for side in sides:
            name = self.believed(tidy(side.name), _LONGEST_HEADING)
            points = self._points(side.points, name)
            if name and points:
                yield Side(name=name, points=points)

    def _moments(self, moments: Iterable[Moment]) -> Iterator[Moment]:
        for moment in moments:
            when, text = moment.when, tidy(_first_sentence(moment.text))
            if 0 < len(when) <= _LONGEST_VALUE and self.believed(f"{when} {text}", _LONGEST_TEXT) and text:
                yield Moment(when=when, text=text)

    def _nodes(self, nodes: Iterable[Node]) -> Iterator[Node]:
        for node in nodes:
            name = self.believed(tidy(node.name), _LONGEST_HEADING)
            if name:
                yield Node(name=name, points=self._points(node.points, name))

    def _figures(self, figures: Iterable[Figure]) -> Iterator[Figure]:
        for figure in figures:
            label = tidy(figure.label)
            told = 0 < len(label) <= _LONGEST_HEADING and self._given.tells(f"{figure.value} {label}")
            if told and quantity(figure.value) is not None and len(figure.value) <= _LONGEST_VALUE:
                yield Figure(value=figure.value, label=label)

    def _chart(self, chart: Chart) -> Chart | None:
        """A chart of values that were each given for their label; a chart with one less would be another one."""
        series = tuple(
            Series(name=one.name, texts=one.texts, values=tuple(quantity(text) or 0.0 for text in one.texts))
            for one in chart.series
        )
        labels = chart.labels
        texts = [text for one in series for text in (one.name, *one.texts)]
        if (
            not series
            or not _FEWEST <= len(labels) <= MOST_MARKS // len(series)
            or any(len(one.texts) != len(labels) for one in series)
            or any(len(text) > _LONGEST_VALUE for text in texts)
            or any(not 0 < len(label) <= _LONGEST_HEADING for label in labels)
            or any(quantity(text) is None for one in series for text in one.texts)
            or not all(self._given.holds(one.name) for one in series)
            or not all(self._given.pairs(*pair) for one in series for pair in zip(labels, one.texts, strict=True))
        ):
            return None
        return replace(chart, kind=chart_kind(labels, series, chart.kind), series=series)

    def _table(self, table: Table) -> Table | None:
        header = table.header
        rows = [row for row in table.rows[:_MOST_PARTS] if len(row) == len(header) and self._row(row)]
        fits = _FEWEST <= len(header) <= _MOST_COLUMNS and _FEWEST <= len(rows) <= _MOST_ROWS
        if not fits or not all(self.believed(name, _LONGEST_HEADING) or not name for name in header):
            return None
        numeric = [all(quantity(row[column]) is not None for row in rows) for column in range(len(header))]
        return replace(table, rows=tuple(rows), numeric=(False, *numeric[1:]))

    def _row(self, row: tuple[str, ...]) -> bool:
        """Whether all cells are short, and their numbers were given for what the first one names."""
        return (
            bool(row[0])
            and all(len(cell) <= _LONGEST_HEADING for cell in row)
            and self._given.holds(row[0])
            and all(self._given.pairs(row[0], cell) for cell in row[1:] if re.search(r"\d", cell))
            and all(self._given.holds(cell) for cell in row[1:])
        )


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    return len(one & other) >= _SAME * len(one | other) and len(one) >= _WORDY


def _with_items(block: Block, parts: Iterable[object], fewest: int = _FEWEST) -> Block | None:
    """A block with other parts; None where they are too few."""
    items = tuple(parts)
    return replace(block, items=items) if len(items) >= fewest else None


def _texts_only(value: JsonValue) -> JsonValue:
    """The same with every text drawable and on one line, and numbers as texts: a model is asked for nothing else."""
    return _changed(value, _text)


def _changed(value: JsonValue, change: Callable[[JsonValue], str]) -> JsonValue:
    match value:
        case dict():
            return {name: _changed(part, change) for name, part in value.items()}
        case list():
            return [_changed(part, change) for part in value]
        case _:
            return change(value)


def _text(value: JsonValue) -> str:
    match value:
        case str():
            return _BLANKS.sub(" ", drawable(value)[0]).strip()
        case int() | float() if not isinstance(value, bool):
            return str(value)
        case _:
            return ""


def _first_sentence(text: str) -> str:
    """The first sentence of a text; nothing where that does not end, having been cut off."""
    match = _SENTENCE.match(text.strip())
    return match[0].rstrip(".。") if match else text.strip() if len(text) <= _SURELY_WHOLE else ""
