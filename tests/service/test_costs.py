"""What a request is taken to cost before it is served, and what it came to."""

import msgspec
import pytest

from rixin.conversations.compaction import most_asked
from rixin.core.cards import ModelCard
from rixin.core.estimate import estimate_prompt
from rixin.core.json import JsonValue
from rixin.core.messages import ImagePart, Message, TextPart
from rixin.core.prices import MICRO, Price
from rixin.core.requests import Draw, Embed, Generate, Origin
from rixin.core.usage import Usage
from rixin.routing.catalog import Candidate, Resolution
from rixin.service.associated_knowledge import associate
from rixin.service.compact import wants_compaction
from rixin.service.costs import FIRST_OUTPUT, IMAGE_OUTPUT, MEMORY, Costs

CARD = ModelCard(name="asked", target="m", context_length=8000, max_output_length=4000)
CHEAP, DEAR = Candidate(engine="cheap", model="m"), Candidate(engine="dear", model="m")
RESOLUTION = Resolution(card=CARD, candidates=(CHEAP, DEAR))
PRICES = {
    "cheap": Price(prompt=MICRO, completion=2 * MICRO, cached=MICRO),
    "dear": Price(prompt=3 * MICRO, completion=15 * MICRO, cached=3 * MICRO, request=100),
}


def asking(max_tokens: int | None = None, *, n: int = 1, card: ModelCard = CARD) -> Generate:
    """A small request."""
    message = Message(role="user", parts=(TextPart("How far is the moon?"),))
    return Generate(
        model="asked", card=card, messages=(message,), max_tokens=max_tokens, n=n, origin=Origin("x", b"How far?")
    )


PROMPT = estimate_prompt(asking())


def tokens(costs: Costs, max_tokens: int | None = None, key: str = "key_1") -> int:
    """What the answer to a key's request is taken to have."""
    return costs.presumed(asking(max_tokens), RESOLUTION, key).tokens - PROMPT


def test_a_keys_first_answer_is_taken_to_have_1024_tokens() -> None:
    """Beside its prompt's estimate, and never more than it asks for."""
    assert tokens(Costs()) == FIRST_OUTPUT == 1024
    assert tokens(Costs(), 5000) == 1024
    assert tokens(Costs(), 100) == 100


def test_a_key_is_known_by_the_answers_that_it_gets() -> None:
    """Their mean follows the last ones; another key's is its own."""
    costs = Costs()
    costs.learn("key_1", 24)
    assert tokens(costs) == 1024 - 1000 // MEMORY
    for _ in range(100):
        costs.learn("key_1", 24)
    assert tokens(costs) == 24
    assert tokens(costs, 10) == 10
    assert tokens(costs, key="key_2") == 1024
    for _ in range(100):
        costs.learn("key_1", 3000)
    assert tokens(costs) == 3000


@pytest.mark.parametrize(
    ("request_", "output"),
    [
        (asking(100), 100),
        (asking(100, n=3), 300),
        (asking(), 4000),
        (asking(card=ModelCard(name="asked", target="m", context_length=8000)), 8000),
        (asking(card=ModelCard(name="asked", target="m")), 131_072),
    ],
    ids=["as it asks", "for each choice", "the model's longest", "the whole window", "nobody knows"],
)
def test_money_is_the_most_that_a_request_may_cost(request_: Generate, output: int) -> None:
    """At the dearest price of those who may be asked."""
    costs = Costs(price_of=lambda provider, _model: PRICES[provider])
    assert costs.presumed(request_, RESOLUTION, "key_1").money == 100 + 3 * PROMPT + 15 * output


def test_what_a_request_came_to_is_priced_by_who_served_it() -> None:
    """Tokens and money are what was used; without anybody who served it nothing is to be paid."""
    costs = Costs({"m": 3}, lambda provider, _model: PRICES[provider])
    usage = Usage(prompt=10, completion=5)
    spent = costs.spent(asking(), usage, CHEAP)
    assert (spent.tokens, spent.money, spent.credits) == (15, 10 + 2 * 5, 3)
    assert costs.spent(asking(), usage, DEAR).money == 100 + 3 * 10 + 15 * 5
    assert costs.spent(asking(), usage, None).money == 0


@pytest.mark.parametrize(
    ("credits_", "amount"),
    [
        ({}, 1),
        ({"m": 5, "asked": 10}, 10),
        ({"*": 7, "m": 5}, 5),
        ({"as*": 2, "*": 7}, 2),
        ({"x*": 2, "*": 7}, 7),
        ({"m": 0}, 0),
    ],
)
def test_credits_go_by_name_before_globs(credits_: dict[str, int], amount: int) -> None:
    """By the name that was asked for, then the true one; of globs by the first that fits; otherwise a call is one."""
    costs = Costs(credits_)
    for _ in range(2):
        assert costs.presumed(asking(), RESOLUTION, "key_1").credits == amount


def test_texts_to_be_embedded_have_no_answer() -> None:
    """Only what goes in counts."""
    request = Embed(model="asked", card=CARD, inputs=("one text", (1, 2, 3)), origin=Origin("x", b""))
    cost = Costs(price_of=lambda provider, _model: PRICES[provider]).presumed(request, RESOLUTION, "key_1")
    assert 3 < cost.tokens < 10
    assert cost.money == 100 + 3 * cost.tokens


PAINTER = ModelCard(name="asked", target="m")
PICTURE = ImagePart(url="data:image/png;base64,AAAA")


@pytest.mark.parametrize(
    ("request_", "prompt", "output"),
    [
        (Draw(model="asked", card=PAINTER, prompt="Tea."), 1, IMAGE_OUTPUT),
        (Draw(model="asked", card=PAINTER, prompt="Tea.", n=3), 1, 3 * IMAGE_OUTPUT),
        (Draw(model="asked", card=CARD, prompt="Tea.", n=2), 1, 8000),
        (Draw(model="asked", card=PAINTER, prompt="Tea.", images=(PICTURE, PICTURE)), 2049, IMAGE_OUTPUT),
        (Draw(model="asked", card=PAINTER, prompt="Tea.", images=(PICTURE,), mask=PICTURE), 2049, IMAGE_OUTPUT),
    ],
    ids=["one", "several", "of a known length", "made of others", "with a mask"],
)
def test_drawings_may_cost_what_their_images_count(request_: Draw, prompt: int, output: int) -> None:
    """Each image that comes back is as many tokens as one may be, and each that goes in as many as in a conversation;
    where nothing is charged for what comes back, only what goes in counts.
    """
    costs = Costs(price_of=lambda provider, _model: PRICES[provider])
    cost = costs.presumed(request_, RESOLUTION, "key_1")
    assert (cost.tokens, cost.money) == (prompt, 100 + 3 * prompt + 15 * output)
    plain = Costs(price_of=lambda _provider, _model: Price(prompt=MICRO))
    assert plain.presumed(request_, RESOLUTION, "key_1").money == prompt


BASE = "s0199f0c4a1b27c3d8e4f5a6b7c8d9e0f1"
KNOWN: JsonValue = {"associated_knowledge": {"content": "Tides run to twelve metres there."}}
WITH_KNOWN = estimate_prompt(associate(msgspec.structs.replace(asking(), extra={"plugins": KNOWN})))


@pytest.mark.parametrize(
    ("extra", "prompt", "found"),
    [
        ({"know_ids": [BASE]}, PROMPT, 2048),
        ({"know_ids": []}, PROMPT, 0),
        ({"plugins": KNOWN}, WITH_KNOWN, 0),
        ({"know_ids": [BASE], "plugins": KNOWN}, WITH_KNOWN, 2048),
    ],
    ids=["of a base", "of no base", "of the client's own", "of both"],
)
def test_money_is_there_for_passages_that_are_yet_to_be_found(
    extra: dict[str, JsonValue], prompt: int, found: int
) -> None:
    """As much as they may take; what a client itself knows of its question is part of its prompt, for tokens too."""
    assert WITH_KNOWN > PROMPT
    costs = Costs(price_of=lambda provider, _model: PRICES[provider])
    cost = costs.presumed(msgspec.structs.replace(asking(100), extra=extra), RESOLUTION, "key_1")
    assert (cost.tokens, cost.money) == (prompt + 100, 100 + 3 * (prompt + found) + 15 * 100)


PAGES = tuple(Message(role="user", parts=(TextPart(f"Page {number}: " + "word " * 3000),)) for number in range(4))


@pytest.mark.parametrize(
    ("messages", "questions"), [(PAGES[:1], 1), (PAGES[:2], 3), (PAGES, 10)], ids=["one", "two", "four"]
)
def test_money_for_a_compaction_pays_for_every_reading(messages: tuple[Message, ...], questions: int) -> None:
    """Each of its pieces is summed up at length, and so are their summaries, in one piece less each time."""
    card = msgspec.structs.replace(CARD, context_length=6500)
    request = Generate(
        model="asked",
        card=card,
        messages=messages,
        max_tokens=5,
        n=2,
        extra={"compaction_trigger": True},
        origin=Origin("openai_responses", b"{}"),
    )
    assert wants_compaction(request)
    cost = Costs(price_of=lambda provider, _model: PRICES[provider]).presumed(request, RESOLUTION, "key_1")
    asked, prompts = most_asked(messages, 6500)
    assert (asked, cost.money) == (questions, 100 + 3 * prompts + 15 * questions * 4000)
    assert prompts > estimate_prompt(request)
