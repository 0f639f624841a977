"""What of an answer passes a word list."""

import re
from collections import defaultdict
from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rixin.clock import SystemClock
from rixin.core.events import (
    Annotation,
    Event,
    Finish,
    Reasoning,
    Refusal,
    Start,
    Text,
    ToolArguments,
    ToolEnd,
    ToolStart,
)
from rixin.core.messages import Opaque
from rixin.core.usage import Usage
from rixin.moderation.folding import fold
from rixin.moderation.screen import Screen
from rixin.moderation.texts import Spoken, Voice, voice_of
from rixin.moderation.words import WordList, find

WORDS = WordList("bomb\n炸弹\n制造毒品\n/[0-9]{3}-[0-9]{2}/\n", "list")
REFERENCE = re.compile("(?<![a-z0-9])bomb(?![a-z0-9])|炸弹|制造毒品|[0-9]{3}-[0-9]{2}")
CALL = ToolStart(index=0, id="c1", name="run")
HANG = 10.0
"""Seconds; where each event cost what all before it do, it would take minutes."""
STOP = Finish(reason="stop")
CUT = Finish(reason="content_filter")


def texts(events: Iterable[Event]) -> dict[tuple[int, Voice], str]:
    """Each text of each choice."""
    found: defaultdict[tuple[int, Voice], str] = defaultdict(str)
    for event in events:
        if isinstance(event, Spoken):
            found[event.choice, voice_of(event)] += event.text
    return {voice: text for voice, text in found.items() if text}


def screened(*batches: list[Event]) -> list[Event]:
    """What passes of an answer."""
    screen = Screen(WORDS)
    return [event for batch in batches for event in screen.feed(batch)]


def test_harmless_events_pass_as_they_are() -> None:
    """At once, and the very same ones."""
    events: list[Event] = [
        Start(id="1", created=1, model="m"),
        Reasoning(text="Hmm.", signature="s"),
        Text(text="A bombast 炸 鸡。", tokens=3, logprobs={"content": []}),
        CALL,
        ToolArguments(index=0, text='{"a":1}'),
        ToolEnd(index=0),
        Usage(prompt=1, completion=2),
        STOP,
    ]
    assert screened(events) == events


def test_what_may_become_a_word_waits() -> None:
    """No longer than it may, and so does what follows it."""
    screen = Screen(WORDS)
    assert screen.feed([Text(text="我要炸")]) == [Text(text="我要")]
    assert screen.feed([Usage(prompt=1), Reasoning(text="x")]) == []
    assert screen.feed([Text(text="鸡")]) == [Text(text="炸"), Usage(prompt=1), Reasoning(text="x"), Text(text="鸡")]
    assert screen.feed([Text(text="a bo")]) == [Text(text="a ")]
    assert screen.feed([STOP]) == [Text(text="bo"), STOP]


def test_a_word_ends_its_choice_before_its_first_character() -> None:
    """What comes after it is not told, except what belongs to the whole answer."""
    screen = Screen(WORDS)
    assert screen.feed([Text(text="make a bo")]) == [Text(text="make a ")]
    usage = Usage(prompt=1, completion=9)
    assert screen.feed([usage, Text(text="mb now")]) == [CUT, usage]
    assert (screen.cut, screen.found) == ({0}, 1)
    assert screen.feed([Text(text="more"), STOP, usage]) == [usage]


def test_a_word_at_the_end_is_found_when_the_answer_ends() -> None:
    """Until then it might have been the beginning of a longer one."""
    screen = Screen(WORDS)
    assert screen.feed([Text(text="a bomb")]) == [Text(text="a ")]
    assert screen.feed([STOP]) == [CUT]


@pytest.mark.parametrize(
    "said",
    [
        [Reasoning(text="制造"), Reasoning(text="毒品")],
        [Refusal(text="炸"), Refusal(text="弹")],
        [
            CALL,
            ToolArguments(index=0, text='{"a":"\\u70'),
            ToolArguments(index=0, text="b8\\u5f"),
            ToolArguments(index=0, text='39"}'),
        ],
        [
            ToolStart(index=1, id="c", name="run", kind="custom"),
            ToolArguments(index=1, text="C:\\bo"),
            ToolArguments(index=1, text="mb"),
        ],
        [ToolStart(index=1, id="c", name="炸弹")],
        [Annotation(value={"title": "About a bomb"})],
        [Opaque(dialect="x", kind="y", value=[{"deep": ["a bomb"]}], choice=0)],
        [Text(text="bo"), Reasoning(text="between"), Text(text="mb")],
    ],
)
def test_every_text_is_looked_at(said: list[Event]) -> None:
    """Thoughts, refusals, arguments with and without escapes, names, citations, what only a dialect knows."""
    told = screened([Text(text="So: ")], *([event] for event in said), [STOP])
    assert told[-1] == CUT
    assert all(find(WORDS, text, escaped=True) is None for text in texts(told).values())
    assert "\\u5f39" not in str(told)


def test_choices_do_not_wait_for_each_other() -> None:
    """One may end while another goes on."""
    screen = Screen(WORDS)
    assert screen.feed([Text(text="炸", choice=0), Text(text="ok", choice=1)]) == [Text(text="ok", choice=1)]
    assert screen.feed([Text(text="弹", choice=0)]) == [CUT]
    assert screen.feed([Text(text="!", choice=1), Finish(reason="stop", choice=1)]) == [
        Text(text="!", choice=1),
        Finish(reason="stop", choice=1),
    ]


def test_probabilities_of_held_words_are_held_too() -> None:
    """They come with the last piece of what they tell of, since they spell it out."""
    event = Text(text="a bo", tokens=2, logprobs={"content": [{"token": "a"}, {"token": " bo"}]})
    screen = Screen(WORDS)
    assert screen.feed([event]) == [Text(text="a ")]
    assert screen.feed([Text(text="y")])[0] == Text(text="bo", tokens=2, logprobs=event.logprobs)


LETTERS = st.lists(st.sampled_from([*"bom 炸弹制造毒品12-３\u200b", "bomb", "制造"]), max_size=5).map("".join)
SPOKEN = st.one_of(
    LETTERS.map(lambda text: Text(text=text)),
    LETTERS.map(lambda text: Text(text=text, choice=1)),
    LETTERS.map(lambda text: Reasoning(text=text)),
    LETTERS.map(lambda text: ToolArguments(index=0, text=text)),
)
ASIDES = st.sampled_from([CALL, Usage(prompt=1), ToolEnd(index=0), Opaque(dialect="d", kind="k", value=None)])
ANSWERS = st.lists(st.lists(st.one_of(SPOKEN, ASIDES), max_size=4), max_size=12)


@given(ANSWERS)
def test_nothing_listed_leaks_and_nothing_else_is_lost(batches: list[list[Event]]) -> None:
    """However an answer is cut, no part of a word is told; without one every text and event passes in its order."""
    screen = Screen(WORDS)
    batches = [*batches, [STOP, Finish(reason="stop", choice=1)]]
    asked = [event for batch in batches for event in batch]
    told = [event for batch in batches for event in screen.feed(batch)]
    for choice in (0, 1):
        before = {voice: text for (number, voice), text in texts(asked).items() if number == choice}
        after = {voice: text for (number, voice), text in texts(told).items() if number == choice}
        starts = {voice: word_in(text) for voice, text in before.items()}
        if any(start is not None for start in starts.values()):
            assert choice in screen.cut
            for voice, text in after.items():
                assert before[voice].startswith(text)
                start = starts[voice]
                assert start is None or len(text) <= start
        else:
            assert choice not in screen.cut
            assert after == before
            assert joined(told, choice) == joined(asked, choice)


def word_in(text: str) -> int | None:
    """Where the first listed word of a text begins, as Python's own expressions find it."""
    folded = [(letter, at) for at, character in enumerate(text) for letter in fold(character)]
    match = REFERENCE.search("".join(letter for letter, _ in folded))
    return None if match is None else folded[match.start()][1]


def joined(events: Iterable[Event], choice: int) -> list[Event]:
    """The events of a choice in their order, texts in one piece."""
    found: list[Event] = []
    for event in events:
        if (getattr(event, "choice", None) or 0) != choice:
            continue
        last = found[-1] if found else None
        if isinstance(event, Spoken) and isinstance(last, Spoken) and voice_of(event) == voice_of(last):
            found[-1] = msgspec.structs.replace(event, text=last.text + event.text)
        elif not isinstance(event, Spoken) or event.text:
            found.append(event)
    return found


def test_many_events_behind_a_held_one_pass_in_the_end() -> None:
    """A long call may follow a text that ends within a word; each of its events is looked at once."""
    screen = Screen(WORDS)
    assert screen.feed([Text(text="a bo"), CALL]) == [Text(text="a ")]
    pieces: list[Event] = [ToolArguments(index=0, text="x") for _ in range(50_000)]
    began = SystemClock().monotonic()
    for piece in pieces:
        assert screen.feed([piece]) == []
    assert SystemClock().monotonic() - began < HANG
    assert screen.feed([STOP]) == [Text(text="bo"), CALL, *pieces, STOP]
