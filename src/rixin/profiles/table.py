"""The tables of this room are TOML files, read into structs in one way."""

import tomllib
from typing import TypeVar

import msgspec

from rixin.errors import Kind, RixinError

T = TypeVar("T")


def read_table(data: bytes, form: type[T], what: str) -> T:
    """Reads a table.

    Args:
        data: The file's bytes.
        form: What it holds.
        what: How an error calls the table: `models`.

    Raises:
        RixinError: `CONFIGURATION`, naming what is wrong with the file.
    """
    try:
        return msgspec.convert(tomllib.loads(data.decode()), form)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise RixinError(Kind.CONFIGURATION, f"the table of {what} is not valid: {error}") from None
