"""How an answer is made to fit the window."""

import pytest
from msgspec import structs

from rixin.core.cards import ModelCard
from rixin.core.estimate import estimate_prompt
from rixin.core.messages import Message, TextPart
from rixin.core.requests import Change, Generate, Origin, Turn
from rixin.errors import Kind, RixinError
from rixin.service.fit import fit_history, fit_output

CARD = ModelCard(name="m", target="m", context_length=1000, max_output_length=400)


def request(*, text: str = "hi", max_tokens: int | None = None, card: ModelCard = CARD) -> Generate:
    """A request with one message."""
    message = Message(role="user", parts=(TextPart(text),))
    return Generate(model="m", card=card, messages=(message,), max_tokens=max_tokens, origin=Origin("x", text.encode()))


class Counter:
    """An engine's count, and how often it was asked."""

    def __init__(self, tokens: int | None) -> None:
        self.tokens = tokens
        self.asked = 0

    async def __call__(self, _request: Generate) -> int | None:
        """The count."""
        self.asked += 1
        return self.tokens


async def test_what_fits_is_left_alone_and_not_counted() -> None:
    """A short prompt costs no call to the engine."""
    counter = Counter(3)
    asked = request(max_tokens=400)
    assert await fit_output(asked, counter) is asked
    assert counter.asked == 0


async def test_more_than_the_model_writes_is_lowered_and_told() -> None:
    """`max_tokens` over the card's limit becomes that limit."""
    fitted = await fit_output(request(max_tokens=5000), Counter(3))
    assert fitted.max_tokens == 400
    assert fitted.changes == (Change("lowered", "max_tokens"),)
    assert fitted.edited == {"max_tokens"}


async def test_more_than_the_window_leaves_is_lowered() -> None:
    """A long prompt leaves less for the answer."""
    fitted = await fit_output(request(text="x" * 900, max_tokens=300), Counter(800))
    assert fitted.max_tokens == 200


async def test_an_exact_count_can_show_that_nothing_need_change() -> None:
    """The cautious guess only decides whether to count."""
    asked = request(text="x" * 900, max_tokens=300)
    assert await fit_output(asked, Counter(225)) is asked


async def test_silence_about_the_length_stays_silence() -> None:
    """Who did not limit the answer gets no limit sent for them."""
    fitted = await fit_output(request(text="x" * 2000), Counter(990))
    assert fitted.max_tokens is None
    assert fitted.changes == ()


async def test_a_prompt_over_the_window_is_an_error_with_both_numbers() -> None:
    """The client learns the limit and what it asked for."""
    with pytest.raises(RixinError, match="1000 tokens") as raised:
        await fit_output(request(text="x" * 9000, max_tokens=50), Counter(1200))
    error = raised.value
    assert (error.kind, error.limit, error.requested) == (Kind.CONTEXT_OVERFLOW, 1000, 1250)
    assert "1250" in error.message


async def test_an_engine_that_cannot_count_decides_itself() -> None:
    """Without a count the request goes on as it came."""
    asked = request(text="x" * 9000, max_tokens=50)
    assert await fit_output(asked, Counter(None)) is asked


async def test_unknown_limits_change_nothing() -> None:
    """A card without limits is no reason to touch a request."""
    asked = request(text="x" * 9000, max_tokens=10**6, card=ModelCard(name="m", target="m"))
    assert await fit_output(asked, Counter(1)) is asked


async def test_a_binding_limit_that_does_not_fit_is_an_overflow() -> None:
    """What the client was promised is refused, never shortened by the window; it is told both numbers."""
    asked = structs.replace(request(text="x" * 900, max_tokens=300), max_tokens_binding=True)
    with pytest.raises(RixinError) as caught:
        await fit_output(asked, Counter(800))
    assert (caught.value.kind, caught.value.limit, caught.value.requested) == (Kind.CONTEXT_OVERFLOW, 1000, 1100)
    assert await fit_output(asked, Counter(700)) is asked


async def test_a_binding_limit_counts_as_it_was_sent() -> None:
    """Beyond what the model writes it is lowered, and still must fit the window as the client wrote it."""
    asked = structs.replace(request(text="x" * 300, max_tokens=800), max_tokens_binding=True)
    assert (await fit_output(asked, Counter(200))).max_tokens == 400
    with pytest.raises(RixinError) as caught:
        await fit_output(asked, Counter(201))
    assert (caught.value.kind, caught.value.requested) == (Kind.CONTEXT_OVERFLOW, 1001)
    assert (await fit_output(asked, Counter(None))).max_tokens == 400


SMALL = ModelCard(name="m", target="m", context_length=100)


def turn(number: int, *, max_tokens: int | None = 20, binding: bool = False) -> Generate:
    """The turn of a session after `number` others, each of which has two words, and a system message."""
    words = ["prompt", *(f"{kind}{place}" for place in range(number) for kind in ("question", "answer")), "last"]
    roles = ["system", *("user", "assistant") * number, "user"]
    starts = tuple(range(1, 2 * number + 2, 2))
    return Generate(
        model="m",
        card=SMALL,
        messages=tuple(
            Message(role=role, parts=(TextPart(text),))  # pyright: ignore[reportArgumentType] - they are roles
            for role, text in zip(roles, words, strict=True)
        ),
        max_tokens=max_tokens,
        max_tokens_binding=binding,
        turn=Turn(session="s", id="t_1", claim=0, starts=starts, question="last"),
    )


async def ten_a_message(request: Generate) -> int:
    """An engine whose every message costs ten tokens."""
    return 10 * len(request.messages)


async def test_the_oldest_turns_of_a_session_are_left_out() -> None:
    """As few as it takes, whole ones, and never what stands before them all; the client is told."""
    fitted = await fit_history(turn(6), ten_a_message)
    assert [message.text for message in fitted.messages] == [
        "prompt", "question3", "answer3", "question4", "answer4", "question5", "answer5", "last",
    ]  # fmt: skip
    assert fitted.changes == (Change("trimmed", "messages"),)
    assert "messages" in fitted.edited


@pytest.mark.parametrize(
    ("number", "max_tokens", "binding", "kept"),
    [
        (3, 20, False, 3),  # fits to the token
        (4, 20, False, 3),
        (4, 80, False, 1),  # an answer whose length nobody promised leaves half of the window
        (4, 80, True, 0),
        (4, 99, True, 0),  # does not fit anyway: `fit_output` says so
        (4, None, False, 1),
    ],
)
async def test_the_room_is_what_the_answer_leaves(
    number: int, max_tokens: int | None, binding: bool, kept: int
) -> None:
    """Down to the turn that is asked, which stays in any case."""
    fitted = await fit_history(turn(number, max_tokens=max_tokens, binding=binding), ten_a_message)
    assert len(fitted.messages) == 2 + 2 * kept
    assert fitted.messages[-1].text == "last"


async def test_where_nobody_counts_turns_are_left_out_by_estimate() -> None:
    """On the safe side: an upstream would refuse what does not fit."""
    fitted = await fit_history(turn(40), Counter(None))
    assert 2 < len(fitted.messages) < 16
    assert estimate_prompt(fitted) * 1.25 <= 80


async def test_what_a_client_sent_itself_is_never_shortened() -> None:
    """Only a session has turns that are ours to leave out; one that fits is not counted."""
    counter = Counter(10**6)
    asked = request(text="x" * 9000)
    assert await fit_history(asked, counter) is asked
    short = turn(1)
    short = structs.replace(short, card=structs.replace(SMALL, context_length=1000))
    assert await fit_history(short, counter) is short
    assert counter.asked == 0
