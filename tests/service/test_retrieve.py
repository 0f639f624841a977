"""What requests are given of knowledge bases, and what their clients are told."""

import json
from itertools import product
from typing import Any

import msgspec
import pytest

from rixin.core.cards import ModelCard
from rixin.core.estimate import estimate_prompt
from rixin.core.events import Event, Finish, Start, Text
from rixin.core.messages import Message, Opaque, TextPart
from rixin.core.prices import MICRO, Price
from rixin.core.requests import Change, Generate, Origin
from rixin.core.usage import Usage
from rixin.errors import Kind, RixinError
from rixin.routing.catalog import Candidate, Resolution
from rixin.service.costs import Costs
from rixin.service.retrieve import Retriever, one_batch
from tests.knowledge.conftest import BASE, Room, e5, room

__all__ = ["room"]
UPSTREAMS = "s53df1f33ff8f4cad957dcf6d24365937"
OTHER = BASE.replace("ab7", "cd7")
FAQ: dict[str, Any] = {"qa_lst": [{"std_q": "如何重置密码？", "simi_qs": [], "answer": "点击忘记密码。"}]}


@pytest.fixture(scope="session")
def _loaded() -> None:
    """The model in memory."""
    e5()


@pytest.fixture
async def retriever(room: Room) -> Retriever:
    """One that knows a fact, and an answer."""
    await room.add("The ferry to Skarn leaves at noon.", "text/plain")
    await room.add(json.dumps(FAQ), "application/json")
    await room.index()
    return Retriever(room.searcher)


def ask(question: str, extra: dict[str, Any] | None = None, *, n: int = 1, window: int | None = None) -> Generate:
    """A request."""
    return Generate(
        model="m",
        card=ModelCard(name="m", target="m", provider="p", context_length=window),
        messages=(Message(role="user", parts=(TextPart(question),)),),
        n=n,
        extra={"know_ids": [BASE], "other": 1, **(extra or {})},
        origin=Origin("sensenova_native", b"{}"),
    )


async def test_a_request_without_bases_of_ours_stays_as_it_is(retriever: Retriever) -> None:
    """Those of the platform behind it are the platform's to look up."""
    none: tuple[list[str] | None, ...] = ([UPSTREAMS], [], None)
    for ids in none:
        request = ask("When does the ferry leave?", {"know_ids": ids})
        retrieved = await retriever.retrieve(request, "ada")
        assert retrieved.request is request
        events: list[Event] = [Start(id="", created=0, model="m"), Usage(prompt=5)]
        assert retrieved.count(events) is events
        assert retrieved.tell(events) is events


async def test_passages_are_put_in_and_the_fields_taken_out(retriever: Retriever) -> None:
    """An upstream knows nothing of them."""
    request = msgspec.structs.replace(ask("When does the ferry to Skarn leave?"), peculiar=("know_ids", "other"))
    retrieved = await retriever.retrieve(request, "ada")
    assert retrieved.request.extra == {"other": 1}
    assert retrieved.request.ignored == (Change("ignored", "other"),)
    assert "leaves at noon" in retrieved.request.messages[0].text
    assert {"messages", "extra"} <= retrieved.request.edited
    assert retrieved.direct() is None


async def test_what_passages_cost_is_told_apart(retriever: Retriever) -> None:
    """Of an engine's count they are no part of the prompt."""
    retrieved = await retriever.retrieve(ask("When does the ferry to Skarn leave?"), "ada")
    tokens = retrieved.request.knowledge_tokens
    (usage,) = retrieved.count([Usage(prompt=tokens + 10, completion=3)])
    assert usage == Usage(prompt=10, completion=3, knowledge=tokens)


async def test_results_are_told_where_they_are_wanted(retriever: Retriever, room: Room) -> None:
    """Beside the answer, right after its beginning."""
    wanted = ask("When does the ferry to Skarn leave?", {"knowledge_config": {"knowledge_base_result": True}})
    retrieved = await retriever.retrieve(wanted, "ada")
    found = await room.searcher.search("ada", [BASE], "When does the ferry to Skarn leave?", 5)
    answer = one_batch([Start(id="", created=0, model="m"), Text(text="x")])
    (batch,) = [batch async for batch in retrieved.disclosed(answer)]
    _, cost, told, _ = retrieved.tell(batch.events)
    assert isinstance(cost, Usage)
    assert (cost.knowledge, cost.completion) == (retrieved.request.knowledge_tokens, 0)
    assert isinstance(told, Opaque)
    assert (told.dialect, told.kind) == ("sensenova_native", "knowledge_base_results")
    assert told.value == [
        {"know_id": BASE, "results": [{"result": hit.text, "score": round(hit.score, 4)} for hit in found.hits]}
    ]
    assert found.hits[0].text == "The ferry to Skarn leaves at noon."


async def test_results_are_told_to_nobody_else(retriever: Retriever) -> None:
    """Neither passages nor an answer of a base's own, unless the client says that it wants them."""
    often = [{"know_id": BASE, "faq_threshold": 0.9}]
    for question, config in (
        ("When does the ferry to Skarn leave?", None),
        ("When does the ferry to Skarn leave?", {"knowledge_base_result": False}),
        ("如何重置密码", {"knowledge_base_configs": often}),
    ):
        assert not (await retriever.retrieve(ask(question, {"knowledge_config": config}), "ada")).discloses
    wanted = {"knowledge_base_result": True, "knowledge_base_configs": often}
    assert (await retriever.retrieve(ask("如何重置密码", {"knowledge_config": wanted}), "ada")).discloses


@pytest.mark.parametrize(
    ("config", "strict"), [({}, False), ({"control_level": "normal"}, False), ({"control_level": "high"}, True)]
)
async def test_the_level_of_control_is_the_clients(retriever: Retriever, config: dict[str, Any], strict: bool) -> None:
    """Only with `high` is the model told to say nothing that the passages do not say."""
    request = ask("When does the ferry to Skarn leave?", {"knowledge_config": config})
    told = (await retriever.retrieve(request, "ada")).request.messages[0].text
    assert "leaves at noon" in told
    assert ("Say nothing that they do not say" in told) is strict


async def test_a_near_question_is_answered_at_once(retriever: Retriever) -> None:
    """For every choice, and only above the threshold of its base."""
    config = {"knowledge_config": {"knowledge_base_configs": [{"know_id": BASE, "faq_threshold": 0.9}]}}
    direct = (await retriever.retrieve(ask("如何重置密码", config, n=2), "ada")).direct()
    assert direct is not None
    assert [event.text for event in direct if isinstance(event, Text)] == ["点击忘记密码。"] * 2
    assert [event.choice for event in direct if isinstance(event, Finish)] == [0, 1]
    assert isinstance(direct[-1], Usage)
    assert direct[-1].knowledge == 0
    others: dict[str, Any] = {"knowledge_base_configs": [{"know_id": OTHER, "faq_threshold": 0.1}]}
    for extra in (None, {"knowledge_config": others}):
        assert (await retriever.retrieve(ask("如何重置密码", extra), "ada")).direct() is None
    assert (await retriever.retrieve(ask("明天下雨吗", config), "ada")).direct() is None


LOG = "The ferry to Skarn left at {}, {} persons on board, heavy swell off the northern skerries. "
TIDES = {"associated_knowledge": {"content": "The ferry waits for the tide. " * 40}}
ASKED = product(
    ("When does the ferry to Skarn leave?", "去斯卡恩的渡轮什么时候开？"),
    ({}, {"plugins": TIDES}, {"knowledge_config": {"control_level": "high"}}),
    (None, 900),
)


async def test_money_for_what_is_found_is_there_before(retriever: Retriever, room: Room) -> None:
    """However much a base holds, no prompt outgrows what was reserved for it when nobody had looked yet."""
    logs = "\n\n".join(LOG.format(hour, 7 * hour) * 8 for hour in range(8))
    await room.add(f"# {'On boats and those who wait for them ' * 6}\n\n{logs}", "text/markdown")
    await room.index()
    costs = Costs(price_of=lambda _provider, _model: Price(prompt=MICRO))
    for question, extra, window in ASKED:
        request = ask(question, extra, window=window)
        resolution = Resolution(card=request.card, candidates=(Candidate(engine="up", model="m"),))
        reserved = costs.presumed(request, resolution, "key_1").money
        found = (await retriever.retrieve(request, "ada")).request
        assert (found.knowledge_tokens > 500) is (window is None)
        assert estimate_prompt(found) <= reserved


async def test_a_small_window_keeps_room_for_the_rest(retriever: Retriever) -> None:
    """Passages that would fill it stay out."""
    retrieved = await retriever.retrieve(ask("When does the ferry to Skarn leave?", window=60), "ada")
    assert retrieved.request.knowledge_tokens == 0


@pytest.mark.parametrize(
    ("extra", "param"),
    [
        ({"know_ids": "x"}, "know_ids"),
        ({"know_ids": [1]}, "know_ids"),
        ({"know_ids": [BASE, UPSTREAMS]}, "know_ids"),
        ({"knowledge_config": 1}, "knowledge_config"),
        ({"knowledge_config": {"control_level": "low"}}, "knowledge_config"),
        (
            {"knowledge_config": {"knowledge_base_configs": [{"know_id": BASE, "faq_threshold": 1}]}},
            "knowledge_config",
        ),
    ],
)
async def test_fields_that_are_wrong_are_named(retriever: Retriever, extra: dict[str, Any], param: str) -> None:
    """Thresholds lie between 0 and 1, neither included."""
    with pytest.raises(RixinError) as caught:
        await retriever.retrieve(ask("x", extra), "ada")
    assert (caught.value.kind, caught.value.param) == (Kind.INVALID_REQUEST, param)


async def test_a_base_of_somebody_else_is_none(retriever: Retriever) -> None:
    """Whoever guesses its id is told the same as for one that is not there."""
    for owner, ids in (("eve", [BASE]), ("ada", [OTHER])):
        with pytest.raises(RixinError) as caught:
            await retriever.retrieve(ask("x", {"know_ids": ids}), owner)
        assert caught.value.kind is Kind.NOT_FOUND
