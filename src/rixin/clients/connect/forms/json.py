"""JSON with what people write into configuration files: comments, trailing commas, bare keys (JSONC, much of JSON5).

No library of ours edits such a text in place: those that read comments write the file anew.
"""

import re
from typing import NoReturn

import msgspec
from msgspec import Struct

from rixin.clients.connect.edit import Edit, Form, NotWellFormedError, nested
from rixin.core.json import JsonObject, JsonValue

_SPACE = re.compile(r"(?:[\s\ufeff]|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_LINE_END = re.compile(r"[ \t]*\n")
_WORD = re.compile(r"[A-Za-z]+")
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'', re.DOTALL)
_BARE_KEY = re.compile(r"[^\W\d][\w$]*|\$[\w$]*")
_NUMBER = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|\r\n|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": "", "\r\n": ""}
_WORDS: dict[str, JsonValue] = {"true": True, "false": False, "null": None}
_DEEPEST = 100
_INDENT = re.compile(r"\n([ \t]+)\S")


class _Node(Struct, frozen=True):
    """A value, and where it is written; `members` are those of an object, in order."""

    start: int
    end: int
    value: JsonValue
    members: tuple["_Member", ...] = ()


class _Member(Struct, frozen=True):
    """A key and its value in an object."""

    start: int
    key: str
    node: _Node


def parse(text: str) -> JsonObject:
    """The tree of a text, which must be an object or nothing but comments.

    Raises:
        NotWellFormedError: With the place.
    """
    root = _root(text)
    return {} if root is None or not isinstance(root.value, dict) else root.value


def edit(text: str, change: Edit) -> str:
    """The text after an edit; see `Form.edit`."""
    root = _root(text)
    if root is None:
        text = f"{text.rstrip()}\n{{}}\n".lstrip("\n")
        root = _root(text)
        assert root is not None  # noqa: S101 - it has just been written
    node, path = root, [*change.path]
    while len(path) > 1 and (below := _member(node, path[0])) is not None and isinstance(below.node.value, dict):
        node, path = below.node, path[1:]
    member = _member(node, path[0])
    if change.value is None:
        return text if member is None or len(path) > 1 else _without(text, node, member)
    value = nested(path, change.value)[path[0]]
    if member is None:
        return _inserted(text, node, path[0], value)
    return text[: member.node.start] + _rendered(text, value, member.start) + text[member.node.end :]


FORM = Form(parse=parse, edit=edit)
"""JSON, JSONC and JSON5 files."""


def _member(node: _Node, key: str) -> _Member | None:
    """The last member of that name, which is the one that counts."""
    return next((member for member in reversed(node.members) if member.key == key), None)


def _inserted(text: str, node: _Node, key: str, value: JsonValue) -> str:
    """The text with one more member at the end of an object, laid out as its neighbours are."""
    close = node.end - 1
    name = msgspec.json.encode(key).decode()
    last = node.members[-1] if node.members else None
    if last is not None and "\n" not in text[node.start : last.start]:
        return f"{text[: last.node.end]}, {name}: {msgspec.json.encode(value).decode()}{text[last.node.end :]}"
    outer = _indent_at(text, node.start)
    indent = outer + _unit(text) if last is None else _indent_at(text, last.start)
    begin = node.start + 1 if last is None else last.node.end
    between = text[begin:close].rstrip()
    comma = "" if last is None or _has_comma(between) else ","
    block = _laid_out(value, indent, _unit(text))
    return f"{text[:begin]}{comma}{between}\n{indent}{name}: {block}\n{outer}{text[close:]}"


def _without(text: str, node: _Node, member: _Member) -> str:
    """The text without a member; its line goes with it where nothing else stands there."""
    start, end = member.start, member.node.end
    following = _after_comments(text, end)
    index = node.members.index(member)
    if text[following] == ",":
        end = following + 1
    elif index:  # the last one takes the comma before it along
        comma = _after_comments(text, node.members[index - 1].node.end)
        text, start, end = text[:comma] + text[comma + 1 :], start - 1, end - 1
    return _without_line(text, start, end)


def _after_comments(text: str, position: int) -> int:
    space = _SPACE.match(text, position)
    assert space is not None  # noqa: S101 - the pattern matches nothing, too
    return space.end()


def _without_line(text: str, start: int, end: int) -> str:
    line = text.rfind("\n", 0, start) + 1
    if not text[line:start].strip() and (stop := _LINE_END.match(text, end)) is not None:
        return text[:line] + text[stop.end() :]
    return text[:start].rstrip(" ") + text[end:]


def _has_comma(between: str) -> bool:
    """Whether what follows a member has a comma outside its comments."""
    return "," in _COMMENT.sub("", between)


def _rendered(text: str, value: JsonValue, at: int) -> str:
    """A value as it stands at a place: in one line where the object around it is in one line."""
    if "\n" not in text:
        return msgspec.json.encode(value).decode()
    return _laid_out(value, _indent_at(text, at), _unit(text))


def _laid_out(value: JsonValue, indent: str, unit: str) -> str:
    width = 1 if "\t" in unit else len(unit)
    lines = msgspec.json.format(msgspec.json.encode(value), indent=width).decode().split("\n")
    if "\t" in unit:
        lines = [re.sub(r"^ +", lambda spaces: "\t" * len(spaces[0]), line) for line in lines]
    return f"\n{indent}".join(lines)


def _indent_at(text: str, position: int) -> str:
    line = text.rfind("\n", 0, position) + 1
    return text[line : line + len(text[line:position]) - len(text[line:position].lstrip())]


def _unit(text: str) -> str:
    found = _INDENT.search(text)
    return found[1] if found else "  "


def _root(text: str) -> _Node | None:
    """The object of a text; None where there is none."""
    reader = _Reader(text)
    if reader.at_end():
        return None
    root = reader.value(0)
    if not isinstance(root.value, dict):
        reader.fail("an object is expected", root.start)
    if not reader.at_end():
        reader.fail("nothing more is expected here")
    return root


class _Reader:
    """Reads a text from its beginning on."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def fail(self, problem: str, at: int | None = None) -> NoReturn:
        position = self._at if at is None else at
        line = self._text.count("\n", 0, position) + 1
        raise NotWellFormedError(problem, line, position - self._text.rfind("\n", 0, position))

    def at_end(self) -> bool:
        self._at = _after_comments(self._text, self._at)
        return self._at == len(self._text)

    def value(self, depth: int) -> _Node:
        if self.at_end():
            self.fail("a value is missing")
        if depth > _DEEPEST:
            self.fail("it is nested too deeply")
        start = self._at
        match self._text[start]:
            case "{":
                members = self._members(depth)
                return _Node(start, self._at, {member.key: member.node.value for member in members}, tuple(members))
            case "[":
                items = self._items(depth)
                return _Node(start, self._at, items)
            case '"' | "'":
                string = self._string()
                return _Node(start, self._at, string)
            case _:
                return _Node(start, *self._scalar())

    def _members(self, depth: int) -> list[_Member]:
        members: list[_Member] = []
        self._at += 1
        while not self._closes("}"):
            start = self._at
            key = self._key()
            if self.at_end() or self._text[self._at] != ":":
                self.fail("a colon is expected")
            self._at += 1
            members.append(_Member(start, key, self.value(depth + 1)))
            self._separate("}")
        return members

    def _items(self, depth: int) -> list[JsonValue]:
        items: list[JsonValue] = []
        self._at += 1
        while not self._closes("]"):
            items.append(self.value(depth + 1).value)
            self._separate("]")
        return items

    def _closes(self, bracket: str) -> bool:
        if self.at_end():
            self.fail(f"`{bracket}` is missing")
        closes = self._text[self._at] == bracket
        self._at += closes
        return closes

    def _separate(self, bracket: str) -> None:
        if self.at_end() or self._text[self._at] not in ("," + bracket):
            self.fail(f"a comma or `{bracket}` is expected")
        self._at += self._text[self._at] == ","

    def _key(self) -> str:
        if self._text[self._at] in "\"'":
            return self._string()
        found = _BARE_KEY.match(self._text, self._at)
        if found is None:
            self.fail("a key is expected")
        self._at = found.end()
        return found[0]

    def _string(self) -> str:
        found = _STRING.match(self._text, self._at)
        if found is None:
            self.fail("a string has no end")
        self._at = found.end()
        return _ESCAPE.sub(_unescaped, found[0][1:-1]).encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def _scalar(self) -> tuple[int, JsonValue]:
        word = _WORD.match(self._text, self._at)
        if word is not None and word[0] in _WORDS:
            self._at = word.end()
            return self._at, _WORDS[word[0]]
        number = _NUMBER.match(self._text, self._at)
        if number is None:
            self.fail("a value is expected")
        self._at = number.end()
        return self._at, _number(number[0])


def _unescaped(escape: re.Match[str]) -> str:
    what = escape[1]
    return chr(int(what[1:], 16)) if what[0] in "ux" and len(what) > 1 else _ESCAPES.get(what, what)


def _number(text: str) -> int | float:
    if "x" in text.lower():
        return int(text, 16)
    return float(text) if any(mark in text for mark in ".eE") else int(text)
