"""Data in a prompt: Markdown tables, CSV, and labels with their numbers. What is found is drawn exactly as it stands.

Every search here takes time in proportion to the prompt, whatever is in it.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from rixin.engines.draw.numerals import NUMBER
from rixin.engines.draw.specification import Block, Chart, ChartKind, Series, Table

MOST_MARKS: Final = 24
"""Labels of a chart that are still told apart, each with its value."""
_MOST_POINTS: Final = 400
_MOST_SLICES: Final = 7
_MOST_SERIES: Final = 4
_MOST_ROWS: Final = 14
_MOST_COLUMNS: Final = 7
_LONGEST_LABEL: Final = 40
_LONGEST_TITLE: Final = 60
_LIKE: Final = 30.0
"""How many times larger than another a series may be to share a chart with it."""

_CURRENCY: Final = r"[$€£¥₹]|US\$|HK\$|RMB|CNY|USD|EUR"
_UNIT: Final = r"%|‰|°C|°F|[A-Za-z]{1,6}(?:/[A-Za-z]{1,6})?|[\u4e00-\u9fff]{1,4}"
_QUANTITY: Final = re.compile(
    rf"(?:{_CURRENCY})?\s?[-−+]?\s?(?:{_CURRENCY})?\s?({NUMBER})\s?(?:{_UNIT})?", re.IGNORECASE
)
_VALUE: Final = re.compile(
    rf"(?P<value>(?:{_CURRENCY})?[-−+]?(?:{_CURRENCY})?(?P<number>{NUMBER})\s?(?:{_UNIT})?)\s?[.。!！]?$", re.IGNORECASE
)
_RULE: Final = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\s*$")
_CELLS: Final = re.compile(r"(?<!\\)\|")
_SEPARATORS: Final = ("\t", ";", ",", "，", "；")
_BETWEEN: Final = re.compile(r"[，;；、\n]|,(?!\d{3}(?!\d))|(?<=\d|%)\s+and\s+|(?<=[\d%])[和及与](?=\D)", re.IGNORECASE)
_BLANK: Final = re.compile(r"\n[ \t\n]*\n")
_POINT: Final = re.compile(r"^\s*[-*•·]\s")
_ANNOUNCED: Final = re.compile(r"[:：]\s*$")
_SENTENCE_END: Final = re.compile(r"(?<=[。！？!?])|(?<=\.)(?=\s)(?<!\d\.)")
_COLON: Final = re.compile(r"[:：]")
_LEADING: Final = re.compile(r"^(?:(?:and|or|then|plus)\s+(?=[^\d\s])|[和及与]|以及)\s*", re.IGNORECASE)
_LABEL_END: Final = re.compile(
    r"(?:\s*[:：=—–]|\s+-|(?<=\S)\s+(?:with|at|is|was)|(?<=\S)[为是占达有])?\s*$", re.IGNORECASE
)
_PERIOD: Final = re.compile(
    r"^(?:(?:19|20)\d\d\s*年?|(?:19|20)\d\d[-/.]\d{1,2}|Q[1-4](?:\s*\d{2,4})?|(?:\d{1,2}|[一二三四五六七八九十]{1,2})\s*月|第?[一二三四1-4]季度|周[一二三四五六日]"
    r"|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?(?:\s*\d{2,4})?|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*"
    r"|(?:week|day|month|year|hour)\s*\d+|第?\d+\s*[天周月年日时])$",
    re.IGNORECASE,
)
_CHART: Final = (
    r"(?:(?:pie|bar|line|column|donut)\s*(?:chart|graph)?|charts?|graphs?|饼图|柱状图|折线图|条形图|图表)\s*"
    r"(?:(?:of|for|about|showing|with)\b)?"
)
_WISH: Final = re.compile(
    r"^(?:please\s+)?(?:(?:draw|make|create|plot|show|chart|生成|画|绘制|制作)\s*(?:me\s+)?(?:an?\b|the\b|一[张个幅份])?\s*"
    rf"(?:{_CHART})?|{_CHART})\s*",
    re.IGNORECASE,
)
_KIND_WORDS: Final[tuple[tuple[ChartKind, re.Pattern[str]], ...]] = (
    ("pie", re.compile(r"\b(?:pie|donut|doughnut)\b|饼图|环形图|占比", re.IGNORECASE)),
    ("line", re.compile(r"\bline (?:chart|graph|plot)\b|\btrend\b|折线|趋势|曲线", re.IGNORECASE)),
    ("bar", re.compile(r"\b(?:bar|column) (?:chart|graph)\b|\bbars\b|柱状|条形|柱形", re.IGNORECASE)),
)


class Found(Struct, frozen=True, kw_only=True):
    """What was found, and what is left of the text."""

    blocks: tuple[Block, ...]
    rest: str
    dropped: bool
    """Whether something was found that is too much for any picture."""


class _Grid(Struct, frozen=True):
    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def find_data(text: str) -> Found:
    """Takes the data out of a prompt."""
    wish: ChartKind | None = next((kind for kind, pattern in _KIND_WORDS if pattern.search(text)), None)
    blocks: list[Block] = []
    rest: list[str] = []
    dropped = False
    lines = _BLANK.sub("\n\n", text).split("\n")
    at = 0
    while at < len(lines):
        grid, end = _grid(lines, at, rest)
        if grid is None:
            rest.append(lines[at])
            at += 1
            continue
        drawn = _of_grid(grid, wish)
        dropped |= not drawn
        blocks += drawn
        at = end
    remaining: list[str] = []
    for unit in _units(rest):
        chart = _of_pairs(unit, wish)
        parts = [] if chart else _SENTENCE_END.split(unit)
        charts = [chart] if chart else [_of_pairs(part, wish) for part in parts]
        blocks += [chart for chart in charts if chart]
        remaining.append("".join(part for part, chart in zip(parts, charts, strict=False) if not chart))
    return Found(blocks=tuple(blocks), rest="\n".join(remaining).strip(), dropped=dropped)


def quantity(text: str) -> float | None:
    """The number that a text is, with a sign, a currency or a unit or without; None where it is something else."""
    match = _QUANTITY.fullmatch(text.strip())
    if not match:
        return None
    negative = bool(re.search(r"[-−]", text[: match.start(1)]))
    return float(match[1].replace(",", "")) * (-1 if negative else 1)


def chart_kind(labels: tuple[str, ...], series: tuple[Series, ...], wish: ChartKind | None) -> ChartKind:
    """The kind of chart that says what the data say; the one that is wished for where they can be read in it."""
    values = series[0].values
    parts = len(series) == 1 and min(values) >= 0 and sum(values) > 0 and len(labels) <= _MOST_SLICES
    shown = len(series) == 1 or len(labels) * len(series) > MOST_MARKS  # a line of several has no room for its values
    short = all(len(label) <= 12 for label in labels)
    if wish == "pie" and parts:
        return "pie"
    if wish == "line" and shown and short:
        return "line"
    if wish != "bar" and len(labels) >= 3 and short and shown and all(_PERIOD.match(label) for label in labels):
        return "line"
    if (
        wish is None
        and parts
        and len(labels) >= 3
        and all("%" in text for text in series[0].texts)
        and 98 <= sum(values) <= 102
    ):
        return "pie"
    return "line" if len(labels) * len(series) > MOST_MARKS and short else "bar"


def _grid(lines: Sequence[str], at: int, before: list[str]) -> tuple[_Grid | None, int]:
    """The table that begins in a line, and the line after it."""
    if "|" in lines[at] and at + 1 < len(lines) and _RULE.match(lines[at + 1]):
        header = _cells(lines[at])
        end = at + 2
        while end < len(lines) and "|" in lines[end]:
            end += 1
        rows = [_cells(line) for line in lines[at + 2 : end]]
        return _Grid(_caption(before), header, _evened(rows, len(header))), end
    for separator in _SEPARATORS:
        width = lines[at].count(separator)
        if not width:
            continue
        end = at + 1
        while end < len(lines) and lines[end].count(separator) == width:
            end += 1
        rows = [tuple(cell.strip().strip('"') for cell in line.split(separator)) for line in lines[at:end]]
        # A head without numbers, and under it rows with some: a table and no prose.
        numeric = [any(quantity(cell) is not None for cell in row[1:]) for row in rows]
        if (
            end - at >= 3
            and not numeric[0]
            and all(numeric[1:])
            and all(len(cell) <= 60 for row in rows for cell in row)
        ):
            return _Grid(_caption(before), rows[0], tuple(rows[1:])), end
    return None, at


def _cells(line: str) -> tuple[str, ...]:
    line = line.strip().removeprefix("|").removesuffix("|")
    return tuple(cell.strip().replace("\\|", "|").strip("*`") for cell in _CELLS.split(line))


def _evened(rows: Iterable[Sequence[str]], width: int) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple((*row, *([""] * width))[:width]) for row in rows if any(row))


def _caption(before: list[str]) -> str:
    """The line before a table where it announces it; it is taken off what comes before."""
    while before and not before[-1].strip():
        before.pop()
    if before and before[-1].rstrip().endswith((":", "：")) and len(before[-1]) <= _LONGEST_TITLE and len(before) > 1:
        return before.pop().strip().rstrip(":：")
    return ""


def _of_grid(grid: _Grid, wish: ChartKind | None) -> list[Block]:
    """A table as charts of its numbers, or as a table, or as both; nothing where it is too large for a picture."""
    values = [[quantity(row[column]) for row in grid.rows] for column in range(len(grid.header))]
    numeric = [bool(column) and all(value is not None for value in column) for column in values]
    if (
        numeric
        and numeric[0]
        and not all(_PERIOD.match(row[0]) for row in grid.rows)
        and sum(numeric) == len(numeric) > 1
    ):
        numeric[0] = False  # the first column names the rows, even by numbers
    elif numeric and all(_PERIOD.match(row[0]) for row in grid.rows):
        numeric[0] = False
    naming = next((column for column, is_number in enumerate(numeric) if not is_number), None)
    columns = [column for column, is_number in enumerate(numeric) if is_number]
    blocks: list[Block] = []
    if naming is not None and columns and 2 <= len(grid.rows) <= _MOST_POINTS:
        labels = tuple(row[naming] for row in grid.rows)
        series = [
            Series(
                name=grid.header[column],
                values=tuple(value or 0.0 for value in values[column]),
                texts=tuple(row[column] for row in grid.rows),
            )
            for column in columns
        ]
        for group in _alike(series):
            title = grid.title or (group[0].name if len(group) == 1 else "")
            chart = _chart(title, labels, tuple(group), wish)
            if chart:
                blocks.append(chart)
    says_more = len(columns) > 1 or len(grid.header) - len(columns) > 1 or not blocks
    if says_more and len(grid.rows) <= _MOST_ROWS and len(grid.header) <= _MOST_COLUMNS and grid.rows:
        title = "" if blocks else grid.title
        blocks.append(
            Table(
                title=title,
                header=grid.header,
                rows=grid.rows,
                numeric=tuple(c in columns for c in range(len(numeric))),
            )
        )
    return blocks[:4]


def _alike(series: Sequence[Series]) -> list[list[Series]]:
    """Series put together whose values can be read on one scale."""
    groups: list[list[Series]] = []
    for one in series:
        peak = max(abs(value) for value in one.values) or 1.0
        for group in groups:
            other = max(abs(value) for value in group[0].values) or 1.0
            same_unit = one.texts[0].endswith("%") == group[0].texts[0].endswith("%")
            same_kind = any("." in text for text in one.texts) == any("." in text for text in group[0].texts)
            if same_unit and same_kind and max(peak / other, other / peak) <= _LIKE and len(group) < _MOST_SERIES:
                group.append(one)
                break
        else:
            groups.append([one])
    return groups


def _chart(title: str, labels: tuple[str, ...], series: tuple[Series, ...], wish: ChartKind | None) -> Chart | None:
    kind = chart_kind(labels, series, wish)
    if (kind != "line" and len(labels) * len(series) > MOST_MARKS) or len(labels) > _MOST_POINTS:
        return None
    if any(len(label) > _LONGEST_LABEL for label in labels):
        return None
    return Chart(title=title, kind=kind, labels=labels, series=series)


def _units(lines: Iterable[str]) -> Iterator[str]:
    """Lines, those of one list and what announces it together."""
    unit: list[str] = []
    for line in lines:
        if unit and not (_POINT.match(line) and (_POINT.match(unit[-1]) or _ANNOUNCED.search(unit[-1]))):
            yield "\n".join(unit)
            unit = []
        unit.append(line)
    yield "\n".join(unit)


def _of_pairs(text: str, wish: ChartKind | None) -> Chart | None:
    """Labels with numbers, one after the other, as a chart; None where there are none.

    They may come after a title and a colon: "Sales: spring 12, summer 30".
    """
    title, pairs = "", _pairs(text)
    if not pairs and (colon := _COLON.search(text)) and colon.start() <= _LONGEST_TITLE:
        title, pairs = text[: colon.start()].strip(), _pairs(text[colon.end() :])
    if len(pairs) < (2 if title else 3) or len(pairs) > _MOST_POINTS:
        return None
    labels = tuple(label for label, _ in pairs)
    unnamed = not any(labels) and len(pairs) >= 3
    if not (all(labels) or unnamed) or len({_unit(value) for _, value in pairs}) > 1:
        return None
    texts = tuple(value for _, value in pairs)
    values = tuple(quantity(value) or 0.0 for value in texts)
    return _chart(_without_wish(title), labels, (Series(values=values, texts=texts),), wish)


def _pairs(text: str) -> list[tuple[str, str]]:
    """Labels with their numbers, where a text is nothing but those."""
    found: list[tuple[str, str]] = []
    for piece in _BETWEEN.split(text):
        if piece.strip():
            pair = _pair(piece)
            if pair is None:
                return []
            found.append(pair)
    return found


def _pair(piece: str) -> tuple[str, str] | None:
    """A label and its number."""
    piece = _LEADING.sub("", re.sub(r"^\s*(?:[-*•·]\s+)?", "", piece.strip()))
    match = _VALUE.search(piece)
    if not match or len(piece) > _LONGEST_LABEL + 24:
        return None
    start = match.start("value")
    before = piece[:start]
    if before and before[-1].isalnum() and before[-1].isascii():
        return None  # a number in the middle of a word
    label = _LABEL_END.sub("", before).strip()
    if len(label) > _LONGEST_LABEL or len(label.split()) > 5:
        return None
    return None if _COLON.search(label) else (label, match["value"].strip())


def _unit(value: str) -> str:
    return re.sub(r"[\d,.\s+−-]", "", value).lower()


def _without_wish(title: str) -> str:
    """A title without the words that ask for a chart."""
    return _WISH.sub("", title).strip()
