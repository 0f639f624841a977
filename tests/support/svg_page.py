"""Reads the SVG that a drawing comes as: where each run of glyphs stands, in which colour, and what lies under it."""

import re
from collections.abc import Iterator
from typing import NamedTuple
from xml.etree import ElementTree as ET

_SVG = "{http://www.w3.org/2000/svg}"
_HREF = "{http://www.w3.org/1999/xlink}href"
_TOKEN = re.compile(r"([MmLlHhVvCcQqZz])|(-?\d*\.?\d+(?:e-?\d+)?)")
_ARGUMENTS = {"m": 2, "l": 2, "h": 1, "v": 1, "c": 6, "q": 4}


class Box(NamedTuple):
    """A rectangle."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: "Box", slack: float = 0.0) -> bool:
        """Whether the two overlap by more than `slack` in both directions."""
        return (
            min(self.right, other.right) - max(self.left, other.left) > slack
            and min(self.bottom, other.bottom) - max(self.top, other.top) > slack
        )

    def holds(self, other: "Box", slack: float = 0.0) -> bool:
        """Whether the other lies within this one, or no more than `slack` beyond it."""
        return (
            self.left - slack <= other.left
            and self.top - slack <= other.top
            and self.right + slack >= other.right
            and self.bottom + slack >= other.bottom
        )

    def cut(self, other: "Box") -> "Box":
        """What the two have in common."""
        return Box(
            max(self.left, other.left),
            max(self.top, other.top),
            min(self.right, other.right),
            min(self.bottom, other.bottom),
        )


class Mark(NamedTuple):
    """Something painted: a shape, or a run of glyphs."""

    box: Box
    fill: str
    is_text: bool


class _Matrix(NamedTuple):
    a: float = 1
    b: float = 0
    c: float = 0
    d: float = 1
    e: float = 0
    f: float = 0

    def then(self, o: "_Matrix") -> "_Matrix":
        return _Matrix(
            self.a * o.a + self.c * o.b,
            self.b * o.a + self.d * o.b,
            self.a * o.c + self.c * o.d,
            self.b * o.c + self.d * o.d,
            self.a * o.e + self.c * o.f + self.e,
            self.b * o.e + self.d * o.f + self.f,
        )

    def box(self, box: Box) -> Box:
        corners = [
            (self.a * x + self.c * y + self.e, self.b * x + self.d * y + self.f)
            for x in (box.left, box.right)
            for y in (box.top, box.bottom)
        ]
        xs, ys = [x for x, _ in corners], [y for _, y in corners]
        return Box(min(xs), min(ys), max(xs), max(ys))


class SvgPage:
    """A page.

    Args:
        svg: As typst writes it.
    """

    def __init__(self, svg: bytes) -> None:
        root = ET.fromstring(svg)  # our own drawing
        _, _, self.width, self.height = (float(number) for number in root.attrib["viewBox"].split())
        self._symbols = {
            symbol.attrib["id"]: [path_box(path.attrib["d"]) for path in symbol.iter(f"{_SVG}path")]
            for symbol in root.iter(f"{_SVG}symbol")
        }
        self._clips = {
            clip.attrib["id"]: path_box(next(clip.iter(f"{_SVG}path")).attrib["d"])
            for clip in root.iter(f"{_SVG}clipPath")
        }
        whole = Box(-1e9, -1e9, 1e9, 1e9)
        self.marks = list(self._marks(root, _Matrix(), whole))
        """In the order in which they are painted."""

    @property
    def texts(self) -> list[Mark]:
        """The runs of glyphs."""
        return [mark for mark in self.marks if mark.is_text]

    def grounds(self, text: Mark) -> Iterator[str]:
        """The colours that are seen behind a run of glyphs, from the uppermost shape down to one that is under all."""
        for mark in reversed(self.marks[: self.marks.index(text)]):
            if not mark.is_text and mark.box.meets(text.box):
                yield mark.fill
                if mark.box.holds(text.box, 1.0):
                    return

    def _marks(self, element: ET.Element, outer: _Matrix, clip: Box) -> Iterator[Mark]:
        for child in element:
            matrix = outer.then(_matrix(child.attrib.get("transform", "")))
            inner = clip
            if named := re.search(r"#(\w+)", child.attrib.get("clip-path", "")):
                inner = clip.cut(matrix.box(self._clips[named[1]]))
            if child.tag == f"{_SVG}g":
                uses = child.findall(f"{_SVG}use")
                if uses:
                    yield from self._run(uses, matrix)
                else:
                    yield from self._marks(child, matrix, inner)
            elif child.tag == f"{_SVG}path" and re.fullmatch("#[0-9a-f]{6}", child.attrib.get("fill", "")):
                box = matrix.box(path_box(child.attrib["d"])).cut(inner)
                if box.right > box.left and box.bottom > box.top:
                    yield Mark(box, child.attrib["fill"], is_text=False)

    def _run(self, uses: list[ET.Element], matrix: _Matrix) -> Iterator[Mark]:
        boxes = [
            matrix.then(_Matrix(e=float(use.attrib["x"]), f=float(use.attrib["y"]))).box(box)
            for use in uses
            for box in self._symbols[use.attrib[_HREF][1:]]
        ]
        if boxes:
            lefts, tops, rights, bottoms = zip(*boxes, strict=True)
            yield Mark(Box(min(lefts), min(tops), max(rights), max(bottoms)), uses[0].attrib["fill"], is_text=True)


def _matrix(text: str) -> _Matrix:
    matrix = _Matrix()
    for name, arguments in re.findall(r"(\w+)\(([^)]*)\)", text):
        numbers = [float(number) for number in re.split(r"[\s,]+", arguments.strip())]
        if name == "translate":
            matrix = matrix.then(_Matrix(e=numbers[0], f=numbers[1] if len(numbers) > 1 else 0))
        elif name == "scale":
            matrix = matrix.then(_Matrix(a=numbers[0], d=numbers[-1]))
        else:
            matrix = matrix.then(_Matrix(*numbers))
    return matrix


def path_box(path: str) -> Box:
    """The box around a path's points, those that bend its curves included."""
    x = y = 0.0
    start = (0.0, 0.0)
    command = "M"
    numbers: list[float] = []
    xs: list[float] = []
    ys: list[float] = []
    for letter, number in _TOKEN.findall(path):
        if letter:
            command = letter
            if letter in "Zz":
                x, y = start
            continue
        numbers.append(float(number))
        if len(numbers) < _ARGUMENTS[command.lower()]:
            continue
        relative = command.islower()
        origin = (x, y) if relative else (0.0, 0.0)
        match command.lower():
            case "h":
                points = [(origin[0] + numbers[0], y)]
            case "v":
                points = [(x, origin[1] + numbers[0])]
            case _:
                points = [(origin[0] + a, origin[1] + b) for a, b in zip(numbers[::2], numbers[1::2], strict=True)]
        if xs or command.lower() != "m":
            xs += [x for x, _ in points]
            ys += [y for _, y in points]
        x, y = points[-1]
        if command.lower() == "m":
            start = (x, y)
            command = "l" if relative else "L"
        elif not xs[len(points) :]:
            xs.append(start[0])
            ys.append(start[1])
        numbers = []
    xs.append(start[0])
    ys.append(start[1])
    return Box(min(xs), min(ys), max(xs), max(ys))
