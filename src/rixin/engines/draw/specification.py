"""What an infographic says: title, subtitle and blocks, each of a kind that the templates can draw.

All texts are plain texts; nothing in them is markup or code to anybody. A language model may write a specification,
save the fields that are `OURS`: those follow from the others.
"""

from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta, Struct, field

OURS: Final = Meta(extra_json_schema={"x-ours": True})
"""Marks a field that no model is asked for."""


class _Block(Struct, frozen=True, kw_only=True, tag_field="type"):
    title: str = ""


class Figure(Struct, frozen=True, kw_only=True):
    """A number, as it was given, and what it counts."""

    value: str
    label: str


class Figures(_Block, frozen=True, kw_only=True, tag="figures"):
    """Numbers that speak for themselves."""

    items: tuple[Figure, ...]


class Item(Struct, frozen=True, kw_only=True):
    """A part of something larger."""

    heading: str = ""
    text: str = ""
    marker: Annotated[str, OURS] = ""
    """Its number, where the prompt numbers it; an icon stands there otherwise."""
    icon: Annotated[str, OURS] = "dot"


class Steps(_Block, frozen=True, kw_only=True, tag="steps"):
    """What is done one after the other."""

    items: tuple[Item, ...]


class Sections(_Block, frozen=True, kw_only=True, tag="sections"):
    """Aspects of a subject, in no order."""

    items: tuple[Item, ...]


class Side(Struct, frozen=True, kw_only=True):
    """One of those that are compared."""

    name: str
    points: tuple[str, ...]


class Comparison(_Block, frozen=True, kw_only=True, tag="comparison"):
    """Two or more, side by side."""

    items: tuple[Side, ...]


class Moment(Struct, frozen=True, kw_only=True):
    """What was, and when."""

    when: str
    text: str


class Timeline(_Block, frozen=True, kw_only=True, tag="timeline"):
    """What was one after the other."""

    items: tuple[Moment, ...]


class Series(Struct, frozen=True, kw_only=True):
    """Values to be compared, one a label, with the texts that say them as they were given."""

    name: str = ""
    texts: tuple[str, ...]
    values: Annotated[tuple[float, ...], OURS] = ()


ChartKind: TypeAlias = Literal["bar", "line", "pie"]


class Chart(_Block, frozen=True, kw_only=True, tag="chart"):
    """Data. Every series has a value for every label."""

    kind: ChartKind
    labels: tuple[str, ...]
    series: tuple[Series, ...]


class Quote(_Block, frozen=True, kw_only=True, tag="quote"):
    """What somebody said."""

    text: str
    author: str = ""


class Note(_Block, frozen=True, kw_only=True, tag="note"):
    """A paragraph."""

    text: str


class Listing(_Block, frozen=True, kw_only=True, tag="list"):
    """Points of equal weight."""

    items: tuple[str, ...]


class Table(_Block, frozen=True, kw_only=True, tag="table"):
    """Rows, each as long as the header."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: Annotated[tuple[bool, ...], OURS] = ()
    """Which columns hold numbers, which are set flush right."""


class Node(Struct, frozen=True, kw_only=True):
    """A branch, and what hangs on it."""

    name: str
    points: tuple[str, ...] = ()


class Hierarchy(_Block, frozen=True, kw_only=True, tag="hierarchy"):
    """A whole and its parts."""

    root: str
    items: tuple[Node, ...]


Block: TypeAlias = (
    Figures | Steps | Sections | Comparison | Timeline | Chart | Quote | Note | Listing | Table | Hierarchy
)


class Specification(Struct, frozen=True, kw_only=True):
    """An infographic, before it is laid out."""

    title: str
    subtitle: str = ""
    palette: str = ""
    """The name of the palette that suits it; empty where nobody said."""
    layout: str = ""
    """The name of the template that suits it; empty where nobody said."""
    blocks: tuple[Block, ...] = field(default=())
    language: Annotated[Literal["en", "zh"], OURS] = "en"
