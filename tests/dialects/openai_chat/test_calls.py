"""Tool calls put together; most quirks are golden cases."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rixin.core.events import Event, ToolArguments, ToolEnd, ToolStart
from rixin.dialects.openai_chat.calls import CallAssembler, Fragment, JSONBalance, read_fragment
from rixin.errors import Kind, RixinError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(alphabet='ab"\\{}[]\n', max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet='a"\\}', max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.text(alphabet='a"\\{', max_size=3), JSON, max_size=3) | st.lists(JSON, max_size=3), st.data())
def test_json_is_complete_at_its_last_byte_and_not_before(value: object, data: st.DataObject) -> None:
    """An object or array is complete exactly when its last bracket has come, wherever its text is cut."""
    text = msgspec.json.encode(value).decode()
    balance = JSONBalance()
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text) - 1), max_size=4)))
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        assert not balance.complete
        balance.feed(text[start:end])
    assert balance.complete


@pytest.mark.parametrize(
    ("value", "fragment"),
    [
        ({}, Fragment()),
        ({"index": 1, "id": "", "function": {"name": None, "arguments": "x"}}, Fragment(index=1, arguments="x")),
        ({"index": None, "id": None, "function": None}, Fragment()),
        ({"index": True, "id": 7, "function": {"name": "f"}}, Fragment(id="7", name="f")),
        ({"function": {"name": "f", "arguments": {"x": 1}}}, Fragment(name="f", arguments='{"x":1}')),
        ({"function": {"name": "f", "arguments": None}}, Fragment(name="f")),
        ({"name": "f", "arguments": "{}"}, Fragment(name="f", arguments="{}")),
        ({"id": "a", "custom": {"name": "p", "input": "x"}}, Fragment(id="a", name="p", arguments="x", custom=True)),
    ],
)
def test_a_fragment_is_read_leniently(value: object, fragment: Fragment) -> None:
    """Null and empty say nothing; arguments may be an object."""
    assert read_fragment(value) == fragment  # type: ignore[arg-type]


def test_a_fragment_must_be_an_object() -> None:
    """Anything else is no call."""
    with pytest.raises(RixinError) as caught:
        read_fragment("x")
    assert caught.value.kind is Kind.UPSTREAM_INVALID


def run(*fragments: Fragment, seed: str = "r") -> list[Event]:
    """The events of fragments, and of the finish after them."""
    calls = CallAssembler(0, seed)
    return [event for fragment in fragments for event in calls.take(fragment)] + calls.end_all()


def test_more_of_an_ended_call_is_an_error() -> None:
    """What comes after a call's end cannot be put back into it."""
    calls = CallAssembler(0, "r")
    calls.take(Fragment(index=0, id="a", name="f", arguments="{}"))
    assert calls.end_complete() == [ToolEnd(index=0)]
    assert calls.take(Fragment(index=0, id="a", arguments=" \n")) == []
    assert calls.take(Fragment(index=0, id="a", arguments="{}")) == []
    with pytest.raises(RixinError, match="complete"):
        calls.take(Fragment(index=0, id="a", arguments='{"x":1}'))


@pytest.mark.parametrize(
    "begun", [Fragment(index=0, id="a", name="f"), Fragment(index=0, id="a", name="p", arguments="x", custom=True)]
)
def test_more_of_a_call_after_the_finish_is_an_error(begun: Fragment) -> None:
    """Neither the `{}` that a call without arguments was given nor free text can be gone on with."""
    calls = CallAssembler(0, "r")
    calls.take(begun)
    assert calls.end_all()[-1] == ToolEnd(index=0)
    assert calls.take(Fragment(index=0, arguments=begun.arguments or "{}")) == []
    with pytest.raises(RixinError, match="complete"):
        calls.take(Fragment(index=0, arguments='{"x":1}'))


def test_a_call_that_has_no_name_yet_is_not_ended_by_the_next() -> None:
    """Nobody was told of it, so there is nothing to end; with its name it begins."""
    calls = CallAssembler(0, "r")
    calls.take(Fragment(index=0, id="a", arguments="{}"))
    assert calls.end_complete() == []
    with pytest.raises(RixinError, match="without a name"):
        calls.end_all()
    assert calls.take(Fragment(index=0, name="f")) == [
        ToolStart(index=0, id="a", name="f"),
        ToolArguments(index=0, text="{}"),
    ]
    assert calls.end_all() == [ToolEnd(index=0)]


def test_a_call_that_is_open_is_not_ended_by_the_next() -> None:
    """Its fragments may still come; only the finish ends it."""
    calls = CallAssembler(0, "r")
    calls.take(Fragment(index=0, id="a", name="f", arguments='{"x"'))
    assert calls.take(Fragment(index=1, id="b", name="g", arguments="{}")) == [
        ToolStart(index=1, id="b", name="g"),
        ToolArguments(index=1, text="{}"),
    ]
    assert calls.end_complete() == [ToolEnd(index=1)]
    assert calls.end_all() == [ToolEnd(index=0)]
    assert calls.end_all() == []


def test_made_up_ids_differ_and_are_plain() -> None:
    """They come from the answer's id, so that they differ from answer to answer."""
    starts = [
        event
        for event in run(Fragment(index=0, name="f"), Fragment(index=1, name="f"), seed="chatcmpl-é_/9")
        if isinstance(event, ToolStart)
    ]
    assert [start.id for start in starts] == ["call_chatcmpl90", "call_chatcmpl91"]


def test_a_custom_call_may_be_empty() -> None:
    """Free text needs no braces, and empty text stays empty."""
    assert run(Fragment(index=0, id="a", name="p", custom=True)) == [
        ToolStart(index=0, id="a", name="p", kind="custom"),
        ToolEnd(index=0),
    ]


def test_two_nameless_calls_of_one_function_need_whole_arguments() -> None:
    """Without index and id, a repeated name begins another call once the first one's JSON is whole."""
    whole = Fragment(name="f", arguments='{"x":1}')
    assert [event.index for event in run(whole, whole) if isinstance(event, ToolStart)] == [0, 1]
    half = [Fragment(name="f", arguments='{"x"'), Fragment(name="f", arguments=":1}")]
    assert [event.index for event in run(*half) if isinstance(event, ToolStart)] == [0]


def test_following_a_call_takes_linear_time() -> None:
    """Many fragments, each followed by another item, are weighed once each."""
    calls = CallAssembler(0, "r")
    calls.take(Fragment(index=0, id="a", name="f", arguments='{"x":"'))
    for _ in range(20_000):
        calls.take(Fragment(index=0, arguments="y" * 50))
        calls.end_complete()
    calls.take(Fragment(index=0, arguments='"}'))
    assert calls.end_complete() == [ToolEnd(index=0)]
