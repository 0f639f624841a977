"""How an answer is made to fit the window."""

import pytest
from msgspec import structs

from rixin.core.cards import ModelCard
from rixin.core.messages import Message, TextPart
from rixin.core.requests import Change, Generate, Origin
from rixin.errors import Kind, RixinError
from rixin.service.fit import fit_output

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
