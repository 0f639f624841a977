"""What an answer leaves behind."""

from rixin.conversations.turn import TurnWatcher
from rixin.core.events import Event, Finish, Reasoning, Text, ToolArguments, ToolEnd, ToolStart
from rixin.core.messages import ReasoningPart, ToolCall

CALL: list[Event] = [
    ToolStart(index=0, id="c", name="f"),
    ToolArguments(index=0, text='{"a"'),
    ToolArguments(index=0, text=":1}"),
    ToolEnd(index=0),
]
CALLED = ToolCall(id="c", name="f", arguments='{"a":1}')
END = Finish(reason="tool_calls")


def kept(*events: Event) -> list[tuple[list[ToolCall], ReasoningPart]]:
    """What is remembered of an answer."""
    told: list[tuple[list[ToolCall], ReasoningPart]] = []
    TurnWatcher(lambda calls, thought: told.append((calls, thought))).feed(events)
    return told


def test_r15_the_thought_before_a_call_is_remembered() -> None:
    """Whole, with the call's whole arguments and the signature."""
    thought = (Reasoning(text="Let me "), Reasoning(text="see."), Reasoning(signature="sig"))
    assert kept(*thought, Text(text="I look."), *CALL, END) == [
        ([CALLED], ReasoningPart(text="Let me see.", signature="sig"))
    ]


def test_r17_several_thoughts_of_a_turn_are_one_without_a_signature() -> None:
    """A signature proves one of them only."""
    events = (Reasoning(text="a"), Reasoning(signature="1"), *CALL, Reasoning(text="b"), Reasoning(signature="2"), END)
    assert kept(*events) == [([CALLED], ReasoningPart(text="ab"))]


def test_s6_a_broken_answer_is_not_remembered() -> None:
    """Its calls never reach a client whole."""
    assert kept(Reasoning(text="a"), *CALL) == []


def test_answers_without_calls_or_without_thoughts_leave_nothing() -> None:
    """There is nothing to find, or nothing to find it by."""
    assert kept(Reasoning(text="a"), END) == []
    assert kept(*CALL, END) == []
