"""TOML, edited in place by tomlkit."""

import re
import tomllib
from collections.abc import MutableMapping
from typing import cast

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Table

from rixin.clients.connect.edit import Edit, Form, NotWellFormedError
from rixin.core.json import JsonObject, JsonValue

_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|(end of document))\)")


def parse(text: str) -> JsonObject:
    """The tree of a text. Dates become text.

    Raises:
        NotWellFormedError: With the place.
    """
    try:
        return cast("JsonObject", _json(tomllib.loads(text)))
    except tomllib.TOMLDecodeError as error:
        problem = _PLACE.sub("", str(error))
        place = _PLACE.search(str(error))
        if place is None or place[3]:
            raise NotWellFormedError(problem, text.count("\n") + 1, len(text) - text.rfind("\n")) from None
        raise NotWellFormedError(problem, int(place[1]), int(place[2])) from None


def edit(text: str, change: Edit) -> str:
    """The text after an edit; see `Form.edit`."""
    try:
        document = tomlkit.parse(text)
    except TOMLKitError as error:  # what the standard library reads and tomlkit does not
        raise NotWellFormedError(str(error), getattr(error, "line", 1), getattr(error, "col", 0) + 1) from None
    table = cast("MutableMapping[str, object]", document)
    *outer, last = change.path
    for name in outer:
        if name not in table:
            table[name] = tomlkit.table(is_super_table=isinstance(change.value, dict))
        table = cast("MutableMapping[str, object]", table[name])
    if change.value is None:
        del table[last]
    elif isinstance(change.value, dict) and isinstance(table.get(last), MutableMapping):
        _update(cast("MutableMapping[str, object]", table[last]), change.value)
    elif isinstance(change.value, dict):
        table[last] = _table(change.value)
    else:
        table[last] = change.value
    written = tomlkit.dumps(document)
    # A new table ends with an empty line, so that the next one does not stick to it; the end of a file needs none.
    return written[:-1] if written.endswith("\n\n") and not text.endswith("\n\n") else written


FORM = Form(parse=parse, edit=edit)
"""TOML files."""


def _update(table: MutableMapping[str, object], value: JsonObject) -> None:
    """Makes a table say what is wanted; keys that stay keep their place and their comments."""
    for key in [key for key in table if key not in value]:
        del table[key]
    for key, item in value.items():
        if table.get(key) != item:
            table[key] = item


def _table(value: JsonObject) -> Table:
    table = tomlkit.table()
    for key, item in value.items():
        table.add(key, item)
    table.add(tomlkit.nl())
    return table


def _json(value: object) -> JsonValue:
    if isinstance(value, dict):
        return {key: _json(item) for key, item in cast("dict[str, object]", value).items()}
    if isinstance(value, list):
        return [_json(item) for item in cast("list[object]", value)]
    return value if isinstance(value, str | int | float | bool) else str(value)
