"""The input of a custom tool, taken out of JSON that is still arriving."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rixin.dialects.openai_responses.unwrapping import InputUnwrapper

WORDS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40)


def unwrap(pieces: list[str]) -> str:
    """The whole input."""
    unwrapper = InputUnwrapper()
    return "".join(unwrapper.feed(piece) for piece in pieces) + unwrapper.end()


@pytest.mark.parametrize(
    ("arguments", "read"),
    [
        ('{"input":"a"}', "a"),
        ('\n{ "input" :\t"a" }\n', "a"),
        ('{"input":"a","more":1}', "a"),
        ('{"input":"\\ud83d\\ude00\\/\\b\\f\\n\\r\\t\\"\\\\"}', '😀/\b\f\n\r\t"\\'),
        ('{"input":"\\ud83dx\\ude00\\ud83d"}', "\ufffdx\ufffd\ufffd"),
        ('{"input":"\\uzzzz\\q"}', "\ufffdq"),
        ('{"input":"cut', "cut"),
        ('{"input":"', ""),
        ("*** Begin Patch", "*** Begin Patch"),
        ('"text"', '"text"'),
        ('{"patch":"a"}', "a"),
        ('{"more":1,"input":"a"}', "a"),
        ('{"input":{"a":1}}', '{"input":{"a":1}}'),
        ('{"in put":"a","x":"b"}', '{"in put":"a","x":"b"}'),
        ('{"inp', '{"inp'),
        ("{}", ""),
        ("", ""),
    ],
)
def test_s14_any_form_whole_and_character_by_character(arguments: str, read: str) -> None:
    """The agreed form is decoded; what is of another form is not lost."""
    assert unwrap([arguments]) == read
    assert unwrap([*arguments]) == read


@settings(deadline=None)
@given(WORDS, st.booleans(), st.data())
def test_s14_any_text_at_any_cuts(text: str, escaped: bool, data: st.DataObject) -> None:
    """Decoding undoes encoding, also where each character is an escape."""
    inner = msgspec.json.encode(text).decode()
    if escaped:
        units = text.encode("utf-16-be")
        inner = '"' + "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2)) + '"'
    arguments = f'{{"input": {inner}}}'
    cuts = sorted(data.draw(st.sets(st.integers(0, len(arguments)), max_size=6)))
    pieces = [arguments[start:end] for start, end in zip([0, *cuts], [*cuts, len(arguments)], strict=True)]
    assert unwrap(pieces) == text
