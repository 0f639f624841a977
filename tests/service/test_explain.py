"""Why requests failed, from the log and from the upstream itself."""

import json
from typing import Any

import pytest

from rixin.accounts.request_log import AttemptBodies, AttemptRecord, Bodies, RequestRecord
from rixin.clock import SystemClock
from rixin.dialects.openai_chat import DIALECT
from rixin.engines.remote import Remote
from rixin.errors import Kind, RixinError
from rixin.limits.process import ProcessLimiter
from rixin.routing.gate import Gate
from rixin.service.explain import CALLS, Cause, explain
from rixin.service.prober import GateProber
from rixin.settings import Provider
from rixin.store.usage_row import UsageRow
from tests.profiles.strict_upstream import OPAQUE, OPTIONAL, SHAPES, Rules
from tests.support.doctor_runs import ERROR_RULES
from tests.upstreams.strict import StrictUpstream

Body = dict[str, Any]
ASKED: Body = {"model": "m", **SHAPES["chat with history"], "seed": 1, "user": "ann", "top_k": 3, "verbosity": "low"}


def record(
    body: Body | str | None, words: str | None = OPAQUE, *, status: int = 400, kind: Kind | None = Kind.INVALID_REQUEST
) -> RequestRecord:
    """A request of one call, as the log has it."""
    usage = UsageRow(
        time=1.0,
        id="r1",
        key_id="k",
        key_name="Ada",
        dialect="openai_chat",
        operation="generate",
        model_asked="m",
        model="m",
        provider="up",
        status=status,
        error=None if kind is None else kind.value,
        total_ms=5.0,
    )
    attempt = AttemptRecord(engine="up", model="m", began_ms=0, status=status, error=usage.error)
    if body is None:
        return RequestRecord(usage=usage, attempts=(attempt,))
    sent = body if isinstance(body, str) else json.dumps(body)
    answer = None if words is None else json.dumps({"error": {"message": words}})
    said = AttemptBodies(sent=sent, answer=answer)
    return RequestRecord(usage=usage, attempts=(attempt,), bodies=Bodies(client=sent, attempts=(said,)))


async def offline(found: RequestRecord) -> Cause:
    """An explanation that sends nothing."""
    return await explain(found, ERROR_RULES, preset_of=lambda _name: "generic")


async def replayed(body: Body, rules: Rules, **options: Any) -> tuple[Cause, list[Body]]:
    """An explanation that may ask an upstream of these rules, and what it was asked."""
    clock = SystemClock()
    async with StrictUpstream({"m": rules}) as upstream:
        provider = Provider(name="up", base_url=upstream.url)
        engine = Remote.connect(provider, DIALECT, {})
        gate = Gate(engine, provider, limiter=ProcessLimiter(clock), clock=clock)
        try:
            cause = await explain(
                record(body),
                ERROR_RULES,
                preset_of=lambda _name: "generic",
                prober_of=lambda _name, model: GateProber(gate, model, clock),
                **options,
            )
        finally:
            await engine.aclose()
        return cause, upstream.bodies("m")


async def test_words_that_name_the_field_suffice() -> None:
    """The upstream's error tells, and nothing is sent."""
    cause = await offline(record(ASKED, "Unknown parameter: 'seed'."))
    assert (cause.how, cause.culprits, cause.calls) == ("words", ("seed",), 0)
    assert cause.repairs == ("never sends seed",)
    assert "seed" in cause.en
    assert "seed" in cause.zh


async def test_a_range_in_words_is_told_as_its_repair() -> None:
    """Bounds that the upstream names are what would make it pass."""
    cause = await offline(record({**ASKED, "temperature": 2}, "invalid temperature, should in [0,1]."))
    assert (cause.how, cause.culprits) == ("words", ("temperature",))
    assert cause.repairs == ("brings numbers into their range: temperature [0,1]",)


async def test_what_the_client_got_wrong_is_its_own() -> None:
    """A field that is wrong by the documented rules is named, whatever the upstream says."""
    cause = await offline(record({**ASKED, "temperature": 7}))
    assert (cause.how, cause.culprits) == ("rules", ("temperature",))
    assert "temperature" in cause.en
    assert "temperature" in cause.zh


@pytest.mark.parametrize(("kind", "status"), [(Kind.RATE_LIMITED, 429), (Kind.UPSTREAM_CREDENTIAL, 401)])
async def test_other_kinds_have_their_hints(kind: Kind, status: int) -> None:
    """What is no refusal of the request itself has no culprit in it."""
    cause = await offline(record(ASKED, "rate limit" if status == 429 else "no", status=status, kind=kind))
    assert (cause.how, cause.kind, cause.culprits) == ("kind", kind.value, ())
    assert cause.en


async def test_without_bodies_it_says_how_to_keep_them() -> None:
    """What was not kept cannot be looked at."""
    cause = await offline(record(None))
    assert cause.how == "nothing"
    assert "keep_bodies" in cause.note


@pytest.mark.parametrize("kind", [None, Kind.CANCELLED])
async def test_a_request_that_did_not_fail_has_no_cause(kind: Kind | None) -> None:
    """One that was answered, or whose client left, is said to be that."""
    with pytest.raises(RixinError, match=r"was answered|client left"):
        await offline(record(ASKED, status=200, kind=kind))


@pytest.mark.parametrize("field", ["seed", "user", "top_k", "verbosity"])
async def test_an_opaque_refusal_of_a_field_is_found_by_asking_again(field: str) -> None:
    """Part by part, within few calls; what was asked is the same but for what is tried."""
    cause, asked = await replayed(ASKED, Rules(refused=frozenset({field})))
    assert (cause.how, cause.culprits) == ("replay", (field,))
    assert cause.repairs == (f"never sends {field}",)
    assert len(asked) == cause.calls <= CALLS
    assert asked[0] == ASKED


@pytest.mark.parametrize(
    ("rules", "part"),
    [
        (Rules(null_content=True), "null_content"),
        (Rules(text_parts=True), "text_parts"),
        (Rules(tool_choice_auto=True), "tool_choice_default"),
        (Rules(max_tokens_cap=8192), "max_tokens_above_8192"),
        (Rules(echoed_reasoning=True), "reasoning_echo"),
    ],
)
async def test_shapes_are_found_like_fields(rules: Rules, part: str) -> None:
    """What must be said otherwise is named by its part."""
    cause, _ = await replayed(ASKED, rules)
    assert cause.culprits == (part,)
    assert cause.repairs


async def test_several_culprits_are_all_named() -> None:
    """As long as there are calls enough for them."""
    cause, _ = await replayed(ASKED, Rules(refused=frozenset({"seed", "user"}), null_content=True), calls=60)
    assert set(cause.culprits) == {"seed", "user", "null_content"}


async def test_what_is_never_left_out_is_named_too() -> None:
    """A sacred field is found, and said to be what the client asked for."""
    asked = {**ASKED, "stop": ["x"], "n": 3}
    cause, _ = await replayed(asked, Rules(refused=frozenset({"stop"})), calls=40)
    assert cause.culprits == ("stop",)
    assert "never left out" in cause.note


async def test_few_calls_may_not_suffice() -> None:
    """The bound is kept, and said."""
    cause, asked = await replayed(ASKED, Rules(refused=frozenset(OPTIONAL), null_content=True), calls=3)
    assert len(asked) == 3
    assert cause.culprits == ()
    assert "3 calls" in cause.note


async def test_a_request_that_passes_by_now_is_said_to() -> None:
    """The upstream may have changed its mind."""
    cause, asked = await replayed(ASKED, Rules())
    assert "passes by now" in cause.note
    assert len(asked) == 1


async def test_an_upstream_that_refuses_all_is_said_to() -> None:
    """Not the request is to blame where the smallest one is refused."""
    cause, _ = await replayed(ASKED, Rules(refused=frozenset({"messages"})))
    assert "smallest request" in cause.note


async def test_a_body_that_was_cut_is_not_sent() -> None:
    """Half a body tells nothing."""
    cause = await explain(
        record('{"model": "m", "mess'),
        ERROR_RULES,
        preset_of=lambda _name: "",
        prober_of=lambda _name, _model: pytest.fail("nothing is to be asked"),
    )
    assert cause.how == "nothing"
