"""JSON as people write it, edited in place."""

import json
from string import printable
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rixin.clients.connect.edit import Edit, NotWellFormedError, apply, edited
from rixin.clients.connect.forms.json import FORM
from rixin.core.json import JsonObject, JsonValue

KEYS = st.sampled_from(["a", "b", "some key", "env", "模型", 'q"uote', "$schema"])
SCALARS = st.one_of(st.booleans(), st.integers(-(2**40), 2**40), st.text(printable, max_size=8), st.just("模型\n\t\\"))
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)
OBJECTS = st.dictionaries(KEYS, TREES, max_size=5).map(lambda tree: cast("JsonObject", tree))
EDITS = st.builds(
    Edit,
    st.lists(KEYS, min_size=1, max_size=3).map(tuple[str, ...]),
    st.one_of(st.none(), cast("st.SearchStrategy[JsonValue]", TREES)),
)


def fits(tree: JsonObject, edit: Edit) -> bool:
    """Whether only tables stand on the way of an edit."""
    for name in edit.path[:-1]:
        below = tree.get(name, {})
        if not isinstance(below, dict):
            return False
        tree = below
    return True


@given(OBJECTS, EDITS, st.sampled_from([None, 1, 2, 4, "\t"]), st.booleans())
def test_an_edit_changes_the_tree_and_nothing_else(
    tree: JsonObject, edit: Edit, indent: int | None, spaced: bool
) -> None:
    """Whatever the layout, the text after an edit says what the tree after it does; a second time changes nothing."""
    text = json.dumps(tree, indent=indent, ensure_ascii=False, separators=(", ", ": ") if spaced else (",", ":"))
    if fits(tree, edit):
        after = edited(FORM, text, [edit])
        assert FORM.parse(after) == apply(tree, edit)
        assert json.loads(after) == apply(tree, edit)
        assert edited(FORM, after, [edit]) == after


def test_comments_order_commas_and_layout_stay() -> None:
    """Only the lines of the edit differ."""
    text = """\
// The team's settings
{
  "model": "opus", // fast enough
  permissions: { 'allow': ["Bash(git:*)",], },
  /* keep */
  "env": {
    "FOO": "1" // mine
    // nothing below
  },
}
"""
    edits = [Edit(("env", "URL"), "http://x"), Edit(("model",), "m"), Edit(("env", "GONE"), None)]
    assert edited(FORM, text, edits) == text.replace('"opus"', '"m"').replace(
        '"FOO": "1" // mine\n    // nothing below\n',
        '"FOO": "1", // mine\n    // nothing below\n    "URL": "http://x"\n',
    )


def test_a_member_goes_with_its_line() -> None:
    """Strict JSON stays strict: no comma is left over."""
    text = '{\n  "a": 1,\n  "b": 2\n}\n'
    assert edited(FORM, text, [Edit(("b",), None)]) == '{\n  "a": 1\n}\n'
    assert edited(FORM, text, [Edit(("a",), None)]) == '{\n  "b": 2\n}\n'
    assert edited(FORM, '{ "a": 1, "b": 2 }', [Edit(("b",), None)]) == '{ "a": 1 }'


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"a": }', "line 1, column 7"),
        ('{\n  "a": 1\n  "b": 2\n}', "line 3, column 3"),
        ("[1]", "line 1, column 1"),
        ('{"a": 1', "line 1, column 8"),
        ('{"a": "x\n"}', "line 1, column 7"),
        ('{"a": 1} x', "line 1, column 10"),
        ('{"a" 1}', "line 1, column 6"),
        ("{-a: 1}", "line 1, column 2"),
        ('{"a": /* ', "line 1, column 7"),
        ('{"a":' + "[" * 200, "line 1, column 106"),
    ],
)
def test_what_does_not_parse_is_told_with_its_place(text: str, place: str) -> None:
    """A line and a column, counted from 1."""
    with pytest.raises(NotWellFormedError, match=place):
        FORM.parse(text)


def test_numbers_and_strings_mean_what_json5_says() -> None:
    """What is only read is read right, too."""
    text = r"""{a: 0x1F, b: .5, c: -2e3, d: 'it\'s', e: "A\x42\
", f: null, g: [true, false,], g: 1, h: "\ud83d\ude00"}"""
    assert FORM.parse(text) == {"a": 31, "b": 0.5, "c": -2000.0, "d": "it's", "e": "AB", "f": None, "g": 1, "h": "😀"}
