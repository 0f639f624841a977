"""JSON that was cut off anywhere."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rixin.engines.draw.partial_json import read_partial

WHOLE = '{"title": "A [b] \\"c\\" {d}", "blocks": [{"type": "list", "items": ["x", "y", "z"]}, {"type": "note"}]}'


@pytest.mark.parametrize("before", ["", "Here it is:\n```json\n"])
@pytest.mark.parametrize("after", ["", "\n```", " }]", ' {"title": "another"}'])
def test_what_stands_around_is_passed_over(before: str, after: str) -> None:
    """Words and fences before and behind an object are none of it."""
    assert read_partial(before + WHOLE + after) == json.loads(WHOLE)


@pytest.mark.parametrize(
    ("cut", "found"),
    [
        ('"z"', {"title": 'A [b] "c" {d}', "blocks": [{"type": "list", "items": ["x", "y"]}]}),
        ('"items"', {"title": 'A [b] "c" {d}'}),
        ('"note"', {"title": 'A [b] "c" {d}', "blocks": [{"type": "list", "items": ["x", "y", "z"]}]}),
        ("blocks", {"title": 'A [b] "c" {d}'}),
        ("A [b]", None),
    ],
)
def test_whole_members_remain(cut: str, found: object) -> None:
    """What was cut in the middle goes, what came before it stays."""
    assert read_partial(WHOLE[: WHOLE.index(cut)]) == found


@pytest.mark.parametrize(
    "text", ["", "no", "[1, 2]", "{", '{"', "}", "{]", "{" * 5000, '{"a":' + "[" * 50_000, "\x00{"]
)
def test_what_is_no_object_is_nothing(text: str) -> None:
    """Nothing is read of it, and nothing breaks."""
    assert read_partial(text) is None


JSON = st.recursive(
    st.text() | st.integers() | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), JSON, max_size=4), st.data())
def test_every_cut_gives_a_part(value: dict[str, object], data: st.DataObject) -> None:
    """Whatever is cut wherever, members that are found are those of the whole, or begin as they do."""
    text = json.dumps(value, ensure_ascii=False)
    found = read_partial(text[: data.draw(st.integers(0, len(text)))])
    if found is not None:
        assert isinstance(found, dict)
        assert list(found) == list(value)[: len(found)]
        assert all(found[name] == value[name] or name == list(found)[-1] for name in found)
