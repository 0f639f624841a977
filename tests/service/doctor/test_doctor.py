"""The doctor, against real HTTP servers with ways of their own."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from rixin.profiles.diagnosis import Diagnosis, Finding
from rixin.profiles.profile import Profile
from rixin.service.doctor import BUDGET
from rixin.settings import PlanLimit
from tests.profiles.strict_upstream import OPTIONAL, Rules
from tests.support.doctor_runs import diagnose, run
from tests.support.strict_runs import markdown
from tests.upstreams.scripted import (
    DONE,
    Reply,
    Request,
    ScriptedUpstream,
    answer,
    completion,
    completion_chunk,
    completion_events,
    stream,
)
from tests.upstreams.strict import StrictUpstream

Body = dict[str, Any]


class Upstream(StrictUpstream):
    """An upstream that answers as a function says; what the function leaves is answered like anything."""

    def __init__(self, reply: Callable[[Body], Reply | None]) -> None:
        super().__init__({"m": Rules()})
        self._rule = reply

    def _reply(self, request: Request) -> Reply:
        special = None if request.method == "GET" else self._rule(request.json)
        return super()._reply(request) if special is None else special


def refusal(message: str, status: int = 400) -> Reply:
    """An error."""
    return answer(json.dumps({"error": {"message": message, "type": "invalid_request_error"}}), status=status)


async def examined(reply: Callable[[Body], Reply | None], **options: Any) -> Diagnosis:
    """What the doctor finds of an upstream."""
    upstream = Upstream(reply)
    async with upstream:
        diagnosis = await diagnose(upstream, "m", **options)
    assert len(upstream.requests) == diagnosis.calls
    return diagnosis


def finding(diagnosis: Diagnosis, name: str) -> Finding:
    """The finding of a probe."""
    return next(found for found in diagnosis.findings if found.name == name)


async def test_hidden_rules_are_recovered(record_testsuite_property: Any) -> None:
    """Of the rules of 200 strict upstreams at least 95 in 100 are found, none is made up, and 60 calls are enough."""
    runs = await run(seed=20261122, rule_sets=200)
    print(markdown(runs.rows()))  # noqa: T201 - the table to publish
    record_testsuite_property("doctor", runs.rows())
    assert runs.share >= 0.95, runs.missed
    assert runs.imagined.total() == 0
    assert max(runs.calls) <= BUDGET


async def test_an_upstream_that_takes_all_is_soon_examined() -> None:
    """Where nothing is refused, little more than half of the calls tell it, and there is nothing to change."""
    diagnosis = await examined(lambda _body: None)
    assert diagnosis.calls < BUDGET * 0.6
    assert diagnosis.differences == ()
    assert (diagnosis.stopped, diagnosis.verified) == (None, None)
    assert {found.verdict for found in diagnosis.findings} == {"yes", "note"}


@pytest.mark.parametrize(("status", "hint"), [(401, "Check the key"), (402, "quota"), (404, "no model")])
async def test_a_wrong_key_or_model_ends_it_at_once(status: int, hint: str) -> None:
    """After the list of models and one request, the report says what to do."""
    message = "model not found" if status == 404 else "no"
    diagnosis = await examined(lambda _body: refusal(message, status))
    assert diagnosis.calls == 2
    assert diagnosis.stopped is not None
    assert hint in diagnosis.stopped


async def test_an_upstream_that_breaks_is_let_be() -> None:
    """Three answers in a row that tell nothing end the examination; what was found by then is reported."""
    diagnosis = await examined(lambda body: refusal("oops", 500) if "tools" in body or "store" in body else None)
    assert diagnosis.stopped == "oops"
    assert finding(diagnosis, "streaming").verdict == "yes"
    assert finding(diagnosis, "tools").verdict == "unknown"


@pytest.mark.parametrize("budget", [4, 10, 25])
async def test_no_more_calls_are_made_than_allowed(budget: int) -> None:
    """What there was no call for is said to be unknown."""
    strict = Rules(refused=frozenset(OPTIONAL))
    upstream = StrictUpstream({"m": strict})
    async with upstream:
        diagnosis = await diagnose(upstream, "m", budget=budget)
    assert len(upstream.requests) == diagnosis.calls <= budget
    assert "unknown" in {found.verdict for found in diagnosis.findings} or budget == 4


async def test_a_table_of_fields_becomes_an_allow_list() -> None:
    """An upstream that refuses whatever it does not know is told only what it was seen to take."""
    table = {"model", "messages", "stream", "temperature", "max_tokens", "tools", "tool_choice", "stop", "seed"}
    diagnosis = await examined(lambda body: refusal("Param Incorrect") if body.keys() - table else None)
    allowed = set(diagnosis.profile["allowed_fields"])
    assert {"temperature", "seed"} <= allowed <= table
    assert diagnosis.verified


async def test_what_is_known_is_no_difference() -> None:
    """The report shows only what goes beyond the profile that there is; it is all found anew."""
    known = Profile(drop_params=frozenset({"seed"}), tool_strict="drop")
    upstream = StrictUpstream({"m": Rules(refused=frozenset({"seed", "store"}), strict=True)})
    async with upstream:
        diagnosis = await diagnose(upstream, "m", known=known)
    assert [difference.field for difference in diagnosis.differences] == ["drop_params"]
    assert diagnosis.profile == {"drop_params": ["store"]}


async def test_the_limit_under_its_other_name() -> None:
    """Where the upstream names what it wants instead, that is what is found."""
    words = "max_tokens is not supported with this model. Use 'max_completion_tokens' instead."
    diagnosis = await examined(lambda body: refusal(words) if "max_tokens" in body else None)
    assert diagnosis.profile == {"max_tokens_field": "max_completion_tokens"}


async def test_the_range_that_is_told_is_believed_once_it_is_tried() -> None:
    """A refusal that names its bounds costs one call more, not a search."""

    def reply(body: Body) -> Reply | None:
        limit = body.get("max_tokens", 0)
        return refusal("invalid max_tokens, should in [1,65536].") if limit > 65536 else None

    upstream = Upstream(reply)
    async with upstream:
        diagnosis = await diagnose(upstream, "m")
    asked = [body["max_tokens"] for body in upstream.bodies("m") if "max_tokens" in body]
    assert asked == [1 << 20, 65536, 65536, 16]  # the last two are the verification and the long prompt
    assert diagnosis.profile["clamp"] == {"max_tokens": {"maximum": 65536}}


async def test_open_ends_of_ranges_are_found() -> None:
    """A top_p of 0 or 1, or a temperature of 0, that is refused narrows the range by its end."""

    def reply(body: Body) -> Reply | None:
        wrong = body.get("top_p") in (0, 1) or body.get("temperature") == 0
        return refusal("Param Incorrect") if wrong else None

    diagnosis = await examined(reply)
    assert diagnosis.profile["clamp"] == {
        "temperature": {"minimum": 0, "minimum_open": True},
        "top_p": {"minimum": 0, "minimum_open": True, "maximum": 1, "maximum_open": True},
    }


async def test_ends_are_searched_where_more_than_the_end_is_refused() -> None:
    """The rule keeps what is taken: up to 0.95, and down to 0 for a penalty."""

    def reply(body: Body) -> Reply | None:
        wrong = body.get("top_p", 0.5) > 0.95 or body.get("presence_penalty", 0) < 0
        return refusal("Param Incorrect") if wrong else None

    diagnosis = await examined(reply)
    assert diagnosis.profile["clamp"] == {"top_p": {"maximum": 0.95}, "presence_penalty": {"minimum": 0}}


async def test_how_many_answers_are_given_is_told() -> None:
    """The number is the client's to choose: it is noted and never lowered."""
    diagnosis = await examined(lambda body: refusal("Param Incorrect") if body.get("n", 1) > 4 else None)
    assert finding(diagnosis, "n_range").detail.startswith("up to 4")
    assert diagnosis.profile == {}


def by_address(body: Body) -> str | None:
    """The address of a request's image; None where it has none, or has it as data."""
    found = re.search(r'"url": "(https?://[^"]*)"', json.dumps(body))
    return found and found[1]


NO_HOST = "https://rixin.invalid/"


@pytest.mark.parametrize(
    ("message", "verdict", "profile"),
    [
        ("image down failed", "yes", {}),
        ("Failed to download image from https://rixin.invalid/red.png", "yes", {}),
        ("Error while fetching the image: Name or service not known", "yes", {}),
        ("unsupported image url, only base64-encoded images are supported", "no", {"image_policy": "data_only"}),
        ("Image URLs are not supported; send base64", "no", {"image_policy": "data_only"}),
        ("Errors in message queue response", "unknown", {}),
        (None, "note", {}),
    ],
)
async def test_images_by_address_are_told_by_words(message: str | None, verdict: str, profile: Body) -> None:
    """Nothing stands at the address that is tried, and nobody else's server is asked for anything."""

    def reply(body: Body) -> Reply | None:
        address = by_address(body)
        assert address is None or address.startswith(NO_HOST)
        return None if address is None or message is None else refusal(message)

    diagnosis = await examined(reply)
    assert diagnosis.profile == profile
    assert finding(diagnosis, "image_url").verdict == verdict
    assert finding(diagnosis, "image_data").verdict == "yes"


@pytest.mark.parametrize("message", ["This model does not support image inputs", "Errors in message queue response"])
async def test_a_model_that_sees_nothing_is_told_in_words(message: str) -> None:
    """An upstream that refuses images both ways is sent a text in their place, whatever it says."""
    diagnosis = await examined(lambda body: refusal(message) if "image_url" in json.dumps(body) else None)
    assert diagnosis.profile == {"image_policy": "placeholder"}


async def test_an_image_that_is_there_decides() -> None:
    """With an address of the operator's choice no words are needed."""
    mine = "https://img.example/red.png"
    taking = await examined(
        lambda body: refusal("no") if by_address(body) not in (None, mine) else None, image_url=mine
    )
    assert finding(taking, "image_url").verdict == "yes"
    refusing = await examined(lambda body: refusal("no") if by_address(body) else None, image_url=mine)
    assert refusing.profile == {"image_policy": "data_only"}


def words_in(body: Body) -> int:
    """The words of a request's prompt."""
    return len(str(body["messages"][-1].get("content")).split())


async def test_the_window_is_what_a_refusal_tells() -> None:
    """One long prompt is enough where the upstream says how much it takes; that is kept like any other fact."""
    words = "This model's maximum context length is 131072 tokens. However, your messages resulted in 1048577 tokens."
    diagnosis = await examined(lambda body: refusal(words) if words_in(body) > 131072 else None)
    assert (diagnosis.context_length, diagnosis.context_told) == (131072, True)
    assert finding(diagnosis, "context").detail == "131072 tokens"
    assert diagnosis.override == {"name": "m", "context_length": 131072}


async def test_the_window_is_searched_where_nobody_tells_it() -> None:
    """By prompts of some lengths; what was found so is told, and kept for nobody."""
    asked: list[int] = []

    def reply(body: Body) -> Reply | None:
        if words_in(body) > 1000:
            asked.append(words_in(body))
        return refusal("Errors in message queue response") if words_in(body) > 100_000 else None

    diagnosis = await examined(reply)
    assert finding(diagnosis, "context").detail == "about 65536 tokens, by prompts of such lengths"
    assert (diagnosis.context_length, diagnosis.override) == (None, {})
    assert len(asked) <= 5


async def test_a_long_prompt_is_mended_like_others() -> None:
    """What is refused whatever the prompt is left out of it."""
    diagnosis = await examined(lambda body: refusal("no") if "max_tokens" in body or words_in(body) > 9000 else None)
    assert finding(diagnosis, "context").detail == "about 8192 tokens, by prompts of such lengths"


async def test_a_window_that_is_listed_costs_no_call() -> None:
    """What the list of models says is told, and no long prompt is sent."""

    class Listing(Upstream):
        def _reply(self, request: Request) -> Reply:
            listed = {"data": [{"id": "m", "context_length": 4096}]}
            return answer(json.dumps(listed)) if request.method == "GET" else super()._reply(request)

    async with Listing(lambda _body: None) as upstream:
        diagnosis = await diagnose(upstream, "m")
        assert max(len(request.body) for request in upstream.requests) < 10_000
    assert finding(diagnosis, "context").detail == "4096 tokens"


async def test_a_long_prompt_beyond_the_rate_is_no_fault_of_the_others() -> None:
    """What was found before it stays, and the examination ended as it should."""
    too_much = answer('{"error":{"message":"tpm exhausted","code":"8"}}', status=429)
    diagnosis = await examined(lambda body: too_much if words_in(body) > 1000 else None, queue_deadline=0.1)
    assert finding(diagnosis, "context").verdict == "unknown"
    assert diagnosis.stopped is None


async def test_the_switch_of_thinking_is_the_one_that_works() -> None:
    """Fields that are taken and do nothing are passed over."""

    def reply(body: Body) -> Reply | None:
        if body.get("stream") or body.get("enable_thinking") is False:
            return None
        message = {"role": "assistant", "content": "ok", "reasoning_content": "hm"}
        return answer(json.dumps({"id": "1", "choices": [{"message": message, "finish_reason": "stop"}]}))

    diagnosis = await examined(reply, budget=100)
    assert diagnosis.profile["reasoning_style"] == "enable_thinking"


async def test_words_of_effort_are_tried_or_told() -> None:
    """Those that are refused are left out; where the refusal names the words, they are taken from it."""

    def tried(body: Body) -> Reply | None:
        known = (None, "low", "medium", "high")
        return None if body.get("reasoning_effort") in known else refusal("Param Incorrect")

    diagnosis = await examined(tried, budget=100)
    assert set(diagnosis.profile["efforts"]) == {"low", "medium", "high"}

    def told(body: Body) -> Reply | None:
        words = "reasoning_effort invalid, should be one of: low, high, max"
        return None if body.get("reasoning_effort") in (None, "low", "high", "max") else refusal(words)

    diagnosis = await examined(told, budget=100)
    assert diagnosis.profile["efforts"] == ["low", "high", "max"]


async def test_leaking_calls_and_thoughts_are_healed() -> None:
    """Markup in an answer to a request with tools, and tags of thoughts in a stream, ask for their profile."""

    def reply(body: Body) -> Reply | None:
        if body.get("stream"):
            return stream([*completion_events(("hm</think>", "ok"), model="m"), DONE])
        if "tools" in body:
            return answer(completion('<tool_call>{"name": "note", "arguments": {}}</tool_call>', model="m"))
        return None

    diagnosis = await examined(reply)
    assert diagnosis.profile == {"think_tags": "opened", "tool_markup_heal": True}


async def test_the_ways_of_streams_are_told() -> None:
    """Usage in the choice and a first delta without anything have names."""

    def reply(body: Body) -> Reply | None:
        events = [completion_chunk({}, model="m"), *completion_events(("ok",), model="m")[:-1]]
        return stream(events) if body.get("stream") else None

    diagnosis = await examined(reply)
    assert diagnosis.profile == {"stream_quirks": ["empty_first_delta", "missing_done"]}
    assert finding(diagnosis, "usage").verdict == "no"


async def test_choices_that_force_are_taken_back_where_they_are_refused() -> None:
    """A forced choice, and one of some tools, each have their repair."""
    diagnosis = await examined(lambda body: refusal("no") if body.get("tool_choice") not in (None, "auto") else None)
    assert diagnosis.profile == {"forced_tool_choice": "auto", "allowed_tools_choice": "filter"}


async def test_a_mend_that_does_not_pass_is_tried_in_another_way() -> None:
    """Where a content may neither be null nor be missing, it is empty."""

    def reply(body: Body) -> Reply | None:
        spoken = [message for message in body["messages"] if message["role"] == "assistant"]
        return refusal("no") if any(message.get("content") is None for message in spoken) else None

    diagnosis = await examined(reply)
    assert diagnosis.verified
    assert diagnosis.profile == {"null_content": "empty"}


async def test_the_providers_limits_are_kept() -> None:
    """Calls wait for their turn: the provider is never asked more often than its limits say."""
    upstream = StrictUpstream({"m": Rules()})
    limit = PlanLimit(unit="concurrency", amount=1)
    async with upstream:
        diagnosis = await diagnose(upstream, "m", limits=(limit,))
    assert diagnosis.stopped is None
    limit = PlanLimit(unit="requests", amount=5, window=3600)
    async with StrictUpstream({"m": Rules()}) as upstream:
        diagnosis = await diagnose(upstream, "m", limits=(limit,), queue_deadline=0.1)
        assert len(upstream.posted) == 5
    assert diagnosis.stopped is not None


async def test_an_upstream_without_a_list_is_examined_all_the_same() -> None:
    """No list of models is a finding like any other."""

    def whole(request: Request) -> Reply:
        if request.method == "GET":
            return answer("not here", status=404)
        return answer(completion(model="m"))

    async with ScriptedUpstream(whole) as upstream:
        diagnosis = await diagnose(upstream, "m", budget=12)
    assert finding(diagnosis, "models").verdict == "unknown"
    assert finding(diagnosis, "auth").verdict == "yes"
    assert finding(diagnosis, "streaming").verdict == "no"
