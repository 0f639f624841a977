"""TOML, edited in place."""

import tomllib

import pytest

from rixin.clients.connect.edit import Edit, NotWellFormedError, edited
from rixin.clients.connect.forms.toml import FORM
from rixin.errors import RixinError

PROVIDER = Edit(("model_providers", "rixin"), {"name": "Rixin", "n": 1, "ok": False})


def test_a_new_table_and_new_keys_leave_the_rest_as_it_was() -> None:
    """Keys of the top go before the first table; comments, order and spacing stay."""
    text = '# mine\nmodel = "a"  # why\n\n[mcp.x]\ncommand = "y"\n\n[tui]\nz=1\n'
    assert edited(FORM, text, [Edit(("model",), "b"), Edit(("model_provider",), "rixin"), PROVIDER]) == (
        '# mine\nmodel = "b"  # why\nmodel_provider = "rixin"\n\n[mcp.x]\ncommand = "y"\n\n[tui]\nz=1\n\n'
        '[model_providers.rixin]\nname = "Rixin"\nn = 1\nok = false\n'
    )


def test_a_table_stands_beside_its_siblings() -> None:
    """The next table does not stick to it."""
    before, after = '[model_providers.other]\nname="o"\n\n', "[tui]\nz=1\n"
    ours = '[model_providers.rixin]\nname = "Rixin"\nn = 1\nok = false\n\n'
    assert edited(FORM, before + after, [PROVIDER]) == before + ours + after


def test_a_table_of_ours_is_made_to_say_what_is_wanted() -> None:
    """Keys that stay keep their place and comments; others go."""
    text = '[model_providers.rixin]\nold = 1\nname = "x" # c\n\n[tui]\nz=1\n'
    after = edited(FORM, text, [PROVIDER])
    assert 'name = "Rixin" # c' in after
    assert tomllib.loads(after) == {
        "model_providers": {"rixin": {"name": "Rixin", "n": 1, "ok": False}},
        "tui": {"z": 1},
    }
    assert edited(FORM, after, [PROVIDER]) == after


def test_an_empty_file_and_one_without_a_last_line_end_are_edited() -> None:
    """A file that was not there is an empty one."""
    assert edited(FORM, "", [Edit(("model",), "m")]) == 'model = "m"\n'
    assert tomllib.loads(edited(FORM, "[a]\nx=1", [PROVIDER]))["a"] == {"x": 1}


def test_what_cannot_be_edited_safely_is_left_alone() -> None:
    """The text after an edit is read again; what would say something else is refused."""
    with pytest.raises(RixinError, match="no table"):
        edited(FORM, "model_providers = 1", [PROVIDER])


@pytest.mark.parametrize(
    ("text", "place"), [("a = \nb=2", "line 1, column 5"), ('a = "x', "line 1, column 7"), ("a=1\na=2\n", "line 2")]
)
def test_what_does_not_parse_is_told_with_its_place(text: str, place: str) -> None:
    """A line and a column, counted from 1."""
    with pytest.raises(NotWellFormedError, match=place):
        FORM.parse(text)
