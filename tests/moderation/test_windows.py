"""What of an answer passes a check."""

from hypothesis import given
from hypothesis import strategies as st

from rixin.core.events import Event, Finish, Reasoning, Start, Text, ToolArguments, ToolEnd, ToolStart
from rixin.core.usage import Usage
from rixin.moderation.windows import Windows

STOP = Finish(reason="stop")
CUT = Finish(reason="content_filter")
CALL = ToolStart(index=0, id="c1", name="run")


class Judge:
    """Refuses texts with an X; keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    async def allows(self, texts: list[str]) -> bool:
        """Whether no text has an X."""
        self.asked.append(texts)
        return not any("X" in text for text in texts)


async def test_words_wait_until_a_window_is_full() -> None:
    """Then all of it is told, as it came; the next one is checked along with the one before."""
    judge = Judge()
    windows = Windows(judge.allows, 10)
    start = Start(id="1", created=1, model="m")
    assert await windows.feed([start, Text(text="01234")]) == [start]
    assert await windows.feed([Usage(prompt=1), Text(text="567")]) == []
    told = await windows.feed([Text(text="89A")])
    assert told == [Text(text="01234"), Usage(prompt=1), Text(text="567"), Text(text="89A")]
    assert await windows.feed([Text(text="BC")]) == []
    assert await windows.feed([STOP]) == [Text(text="BC"), STOP]
    assert judge.asked == [["0123456789A"], ["123456789ABC"]]


async def test_a_refused_window_is_not_told() -> None:
    """Its choice ends, others go on, and nothing is asked about what comes after it."""
    judge = Judge()
    windows = Windows(judge.allows, 4)
    assert await windows.feed([Text(text="good"), Text(text="very", choice=1)]) == [
        Text(text="good"),
        Text(text="very", choice=1),
    ]
    usage = Usage(prompt=1)
    assert await windows.feed([Text(text="b"), usage, Text(text="aXd")]) == [CUT, usage]
    assert windows.cut == {0}
    assert await windows.feed([Text(text="more"), STOP, usage]) == [usage]
    assert await windows.feed([Finish(reason="stop", choice=1)]) == [Finish(reason="stop", choice=1)]
    assert judge.asked[-1] == ["goodbaXd"]


async def test_another_text_begins_a_window() -> None:
    """Thoughts, words and arguments are checked apart, each when the next begins; a call's name with its arguments."""
    judge = Judge()
    windows = Windows(judge.allows, 100)
    answer: list[Event] = [
        Reasoning(text="Hmm", signature="s"),
        Text(text="So"),
        CALL,
        ToolArguments(index=0, text="{}"),
        ToolEnd(index=0),
        STOP,
    ]
    told = [event for one in answer for event in await windows.feed([one])]
    assert told == answer
    assert judge.asked == [["Hmm"], ["So", "run"], ["{}"]]


async def test_an_answer_without_words_is_not_checked() -> None:
    """There is nothing to ask about."""
    judge = Judge()
    answer: list[Event] = [Start(id="1", created=1, model="m"), Usage(prompt=1), STOP]
    assert await Windows(judge.allows, 5).feed(answer) == answer
    assert judge.asked == []


@given(st.lists(st.text("abX", max_size=5), max_size=20), st.integers(min_value=1, max_value=12))
async def test_nothing_is_told_that_was_not_allowed(pieces: list[str], size: int) -> None:
    """And nothing else is lost; no more is held back than a window."""
    windows = Windows(Judge().allows, size)
    fed, told = "", ""
    for piece in pieces:
        fed += piece
        for event in await windows.feed([Text(text=piece)]):
            told += event.text if isinstance(event, Text) else ""
        assert fed.startswith(told)
        assert "X" not in told
        assert windows.cut or len(fed) - len(told) < size
    told += "".join(event.text for event in await windows.feed([STOP]) if isinstance(event, Text))
    assert bool(windows.cut) == ("X" in fed)
    assert windows.cut or told == fed
