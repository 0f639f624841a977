"""Lines of CSV (RFC 4180) that a spreadsheet shows as they are, and does not run."""

import csv
import io
from collections.abc import Iterable

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""How a text begins that a spreadsheet may take for a formula. Clients choose texts: request ids, names of models."""


def csv_lines(rows: Iterable[Iterable[object]]) -> str:
    """Rows as text, each with its line's end. None is an empty cell; a formula gets an apostrophe before it."""
    text = io.StringIO()
    csv.writer(text).writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
