"""CSV."""

import csv
import io

from rixin.core.csv_text import csv_lines


def test_cells_come_back_as_they_were() -> None:
    """Quotes, commas and line breaks inside a cell stay inside it."""
    rows = [["a", 'say "x"'], ["b,c", "two\nlines"], ["日新", ""]]
    assert list(csv.reader(io.StringIO(csv_lines(rows)))) == rows


def test_numbers_and_nothing() -> None:
    """Numbers are written as they are, nothing as an empty cell."""
    assert csv_lines([[1, -2.5, None, True]]) == "1,-2.5,,True\r\n"


def test_a_formula_is_a_text() -> None:
    """A spreadsheet does not run what a client chose as the name of its request."""
    assert csv_lines([["=1+1", "@sum", "-x", "+x", "\tx"]]) == "'=1+1,'@sum,'-x,'+x,'\tx\r\n"
