"""YAML, edited in place."""

import io
from typing import Any

import pytest
from hypothesis import given
from ruamel.yaml import YAML

from rixin.clients.connect.edit import Edit, NotWellFormedError, apply, edited
from rixin.clients.connect.forms.yaml import FORM
from rixin.core.json import JsonObject
from tests.clients.connect.test_json import EDITS, OBJECTS, fits


@given(OBJECTS, EDITS)
def test_an_edit_changes_the_tree_and_nothing_else(tree: JsonObject, edit: Edit) -> None:
    """In the layout that the library itself writes."""
    out = io.StringIO()
    library: Any = YAML()
    library.dump(tree, out)
    tree = FORM.parse(out.getvalue())
    if fits(tree, edit):
        after = edited(FORM, out.getvalue(), [edit])
        expected = apply(tree, edit)
        assert FORM.parse(after) == expected
        assert edited(FORM, after, [edit]) == after


def test_comments_quotes_indentation_and_nulls_stay() -> None:
    """Only the lines of the edit differ."""
    text = """\
# Hermes
model: old  # chosen
providers:
    other:
        key: 'v'   # keep
    # the end of the providers

# next
list:
- a
-   b
nothing: null
tilde: ~
"""
    edits = [Edit(("model",), {"default": "m"}), Edit(("providers", "rixin"), {"name": "Rixin", "n": 1})]
    assert edited(FORM, text, edits) == text.replace(
        "model: old  # chosen", 'model:\n  default: "m"  # chosen'
    ).replace(
        "        key: 'v'   # keep\n", "        key: 'v'   # keep\n    rixin:\n      name: \"Rixin\"\n      n: 1\n"
    )


def test_empty_and_inline_mappings_are_filled() -> None:
    """As configuration files have them that a program wrote."""
    edit = Edit(("providers", "rixin"), {"n": 1})
    assert edited(FORM, "", [edit]) == "providers:\n  rixin:\n    n: 1\n"
    assert edited(FORM, "# only\n", [edit]) == "# only\nproviders:\n  rixin:\n    n: 1\n"
    assert edited(FORM, "providers:\nz: 1\n", [edit]) == "providers:\n  rixin:\n    n: 1\nz: 1\n"
    assert edited(FORM, "providers: {}\n", [edit]) == 'providers: {"rixin": {"n":1}}\n'


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: [\nb: }", "line 2, column 4"),
        ("- 1\n", "line 1, column 1"),
        ("a: 1\na: 2\n", "line 2, column 1"),
        ("a: 'x", "line"),
    ],
)
def test_what_does_not_parse_is_told_with_its_place(text: str, place: str) -> None:
    """A line and a column, counted from 1."""
    with pytest.raises(NotWellFormedError, match=place):
        FORM.parse(text)
