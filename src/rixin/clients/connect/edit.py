"""A change of a configuration, told apart from the form of the file that it is made in."""

from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

from rixin.core.json import JsonObject, JsonValue
from rixin.errors import Kind, RixinError


class Edit(Struct, frozen=True):
    """One value to put, whole, at a path of keys; None takes away what is there."""

    path: tuple[str, ...]
    value: JsonValue


class NotWellFormedError(Exception):
    """A text is not what its form says. Lines and columns count from 1."""

    def __init__(self, problem: str, line: int, column: int) -> None:
        super().__init__(f"line {line}, column {column}: {problem}")


class Form(Struct, frozen=True, kw_only=True):
    """A form of configuration files. An empty text is an empty tree in each of them."""

    parse: Callable[[str], JsonObject]
    """The tree of a text; raises `NotWellFormedError`."""
    edit: Callable[[str, Edit], str]
    """The text after one edit that its tree admits. What the edit does not concern stays as it was written."""


def edited(form: Form, text: str, edits: Iterable[Edit]) -> str:
    """A text after some edits, checked to say exactly what they ask for.

    Raises:
        NotWellFormedError: The text is not in this form.
        RixinError: `CONFIGURATION`: something that is no table stands in an edit's way, or the text is written in a way
            that the edit would change more than it should.
    """
    wanted = form.parse(text)
    for edit in edits:
        after = apply(wanted, edit)
        if after != wanted:
            text = form.edit(text, edit)
            wanted = after
    if _plain(form.parse(text)) != _plain(wanted):
        raise RixinError(Kind.CONFIGURATION, "it is written in a way that cannot be edited without changing more of it")
    return text


def apply(tree: JsonObject, edit: Edit) -> JsonObject:
    """A tree after an edit; what was given is left as it is.

    Raises:
        RixinError: `CONFIGURATION`: a value on the way is no table.
    """
    name, *rest = edit.path
    if not rest:
        if edit.value is None:
            return {key: value for key, value in tree.items() if key != name}
        return {**tree, name: edit.value}
    below = tree.get(name)
    if below is None:
        return tree if edit.value is None else {**tree, name: apply({}, Edit(tuple(rest), edit.value))}
    if not isinstance(below, dict):
        raise RixinError(Kind.CONFIGURATION, f"`{name}` is no table there, so `{'.'.join(edit.path)}` cannot be set")
    return {**tree, name: apply(below, Edit(tuple(rest), edit.value))}


def nested(path: Sequence[str], value: JsonValue) -> JsonObject:
    """A tree with nothing but a value at a path."""
    name, *rest = path
    return {name: nested(rest, value) if rest else value}


def value_at(tree: JsonValue, *path: str) -> JsonValue:
    """What stands at a path; None where nothing does."""
    for name in path:
        if not isinstance(tree, dict):
            return None
        tree = tree.get(name)
    return tree


def _plain(value: JsonValue) -> JsonValue:
    """Trees compare as they mean: an empty table is as good as none."""
    if isinstance(value, dict):
        items = {key: _plain(item) for key, item in value.items()}
        return {key: item for key, item in items.items() if item not in ({}, None)}
    return value
