"""YAML, read by ruamel.yaml and edited where it says that something stands.

Its round trip keeps comments, but writes the whole file anew: other indentation, other quotes, nulls left out.
"""

import io
import re
from typing import Any, cast

import msgspec
from msgspec import Struct
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from rixin.clients.connect.edit import Edit, Form, NotWellFormedError, nested
from rixin.core.json import JsonObject, JsonValue

_BARE_KEY = re.compile(r"[A-Za-z_][\w-]*")


class _Node(Struct, frozen=True):
    """Where something is written. The end is that of its last character, before the comments that follow it."""

    start: int
    end: int
    column: int
    flow: bool
    text: str
    pairs: tuple[tuple["_Node", "_Node"], ...] | None
    """The keys and values of a mapping; None for anything else."""

    def pair(self, key: str) -> tuple["_Node", "_Node"] | None:
        return next((pair for pair in self.pairs or () if pair[0].text == key), None)


def parse(text: str) -> JsonObject:
    """The tree of a text, which must be a mapping or nothing. Dates become text.

    Raises:
        NotWellFormedError: With the place.
    """
    if _root(text) is None:
        return {}
    return cast("JsonObject", msgspec.to_builtins(_read("load", text), str_keys=True))


def edit(text: str, change: Edit) -> str:
    """The text after an edit; see `Form.edit`."""
    node, path = _root(text), [*change.path]
    if node is None:
        return f"{text.rstrip()}\n{_lines(nested(path, change.value), 0)}\n".lstrip("\n")
    while len(path) > 1 and (below := node.pair(path[0])) is not None and below[1].pairs is not None:
        node, path = below[1], path[1:]
    pair = node.pair(path[0])
    if change.value is None:
        return text if pair is None or len(path) > 1 else _without(text, node, *pair)
    block = nested(path, change.value)
    if node.flow:
        return _in_flow(text, node, path[0], block[path[0]])
    if pair is None:
        end = _line_end(text, node.end)
        line_end = "" if text[:end].endswith("\n") else "\n"
        return f"{text[:end]}{line_end}{_lines(block, node.column)}\n{text[end:]}"
    key, old = pair
    colon = text.index(":", key.end) + 1
    end = colon if old.start == old.end else old.end  # a value that is empty lies somewhere behind
    return text[:colon] + _lines(block, key.column).partition(":")[2] + text[end:]


FORM = Form(parse=parse, edit=edit)
"""YAML files."""


def _read(method: str, text: str) -> Any:  # noqa: ANN401 - the library does not say more
    """What a method of the library makes of a text."""
    try:
        return getattr(YAML(typ="safe", pure=True), method)(io.StringIO(text))
    except MarkedYAMLError as caught:
        error: Any = caught
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
        raise NotWellFormedError(str(error.problem or error.context), line, column) from None
    except YAMLError as error:
        raise NotWellFormedError(" ".join(str(error).split()), 1, 1) from None


def _root(text: str) -> _Node | None:
    """The mapping of a text; None where there is nothing."""
    found = _read("compose", text)
    if found is None or (found.id == "scalar" and not found.value):
        return None
    node = _node(found)
    if node.pairs is None:
        raise NotWellFormedError("a mapping is expected", text.count("\n", 0, node.start) + 1, node.column + 1)
    return node


def _node(found: Any) -> _Node:  # noqa: ANN401 - the library's nodes tell no types
    pairs: tuple[tuple[_Node, _Node], ...] | None = None
    end: int = found.end_mark.index
    if found.id == "mapping":
        pairs = tuple((_node(key), _node(value)) for key, value in found.value)
        if pairs and not found.flow_style:
            key, value = pairs[-1]
            end = max(key.end, value.end) if value.start < value.end else key.end + 1
    elif found.id == "sequence" and found.value and not found.flow_style:
        end = _node(found.value[-1]).end
    return _Node(
        start=found.start_mark.index,
        end=end,
        column=found.start_mark.column,
        flow=bool(getattr(found, "flow_style", False)),
        text=found.value if isinstance(found.value, str) else "",
        pairs=pairs,
    )


def _line_end(text: str, position: int) -> int:
    """Where the next line begins; a block of text (`|`) ends with its own line's end."""
    end = text.find("\n", max(position - 1, 0))
    return len(text) if end < 0 else end + 1


def _without(text: str, node: _Node, key: _Node, value: _Node) -> str:
    if node.flow:
        tree: JsonObject = _read("load", text[node.start : node.end])
        return text[: node.start] + _flow({k: v for k, v in tree.items() if k != key.text}) + text[node.end :]
    start = text.rfind("\n", 0, key.start) + 1
    end = _line_end(text, value.end if value.start < value.end else key.end + 1)
    if len(node.pairs or ()) == 1 and node.start:
        return f"{text[:start].rstrip()} {{}}\n{text[end:]}"
    return text[:start] + text[end:]


def _in_flow(text: str, node: _Node, key: str, value: JsonValue) -> str:
    pair = node.pair(key)
    if pair is not None:
        return text[: pair[1].start] + _flow(value) + text[pair[1].end :]
    close = node.end - 1
    before = text[:close].rstrip()
    comma = "" if before.endswith(("{", ",")) else ", "
    return f"{before}{comma}{_flow(key)}: {_flow(value)}{text[close:]}"


def _lines(value: JsonObject, indent: int) -> str:
    """A mapping in block style, without the last line's end."""
    lines: list[str] = []
    for key, item in value.items():
        name = " " * indent + (key if _BARE_KEY.fullmatch(key) else _flow(key))
        if isinstance(item, dict) and item:
            lines += [f"{name}:", _lines(item, indent + 2)]
        else:
            lines.append(f"{name}: {_flow(item)}")
    return "\n".join(lines)


def _flow(value: JsonValue) -> str:
    """JSON is YAML."""
    return msgspec.json.encode(value).decode()
