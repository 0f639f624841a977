"""A provider's keys: who may be sent, and what three of them are worth under load."""

import asyncio
import json
from collections import Counter, defaultdict
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from rixin.errors import Kind
from rixin.routing.breaker import TRIAL
from rixin.routing.classify import STEPS, Fate, rung
from rixin.routing.pool import UNFIT_FOR, Grant, Key, Pool
from tests.routing.upstreams import network
from tests.upstreams.scripted import DONE, Reply, Request, answer, completion_events, stream

GOLDEN = stream([*completion_events(), DONE])
LADDER = (3.0, 5.0, 10.0)
MODELS = ("m", "n")


def rest(step: int) -> float:
    """The rest at a step."""
    return rung(LADDER, step)


def best(pool: Pool, model: str = "m", now: float = 0.0, favourite: str | None = None) -> Key | None:
    """The key that is taken."""
    return next(iter(pool.order(model, now, favourite=favourite, avoid=())), None)


def sent(key: Key, model: str = "m", now: float = 0.0) -> Grant:
    """The grant of a key that must be free."""
    grant = key.admit(model, now)
    assert grant is not None
    return grant


def test_the_key_that_is_used_least_is_taken() -> None:
    """Each in turn, and a conversation's own wherever it may be."""
    pool = Pool(["k1", "k2", "k3", "k1"])
    assert len(pool) == 3
    for key in (*pool.keys, *pool.keys):
        assert best(pool) is key
        key.succeeded("m", sent(key))
    assert best(pool, favourite=pool.keys[2].digest) is pool.keys[2]


def test_use_is_forgotten_with_its_window() -> None:
    """What a key did yesterday is no reason to spare it."""
    pool = Pool(["k1", "k2"])
    pool.keys[0].succeeded("m", sent(pool.keys[0]))
    assert best(pool, now=1.0) is pool.keys[1]
    assert best(pool, now=6 * 3600.0) is pool.keys[0]


def test_a_key_cools_for_one_model_and_is_dead_for_all() -> None:
    """A refused rate is the model's, a refused key is nobody's any more, until it is tried again."""
    key = Pool(["k1"]).keys[0]
    key.refused("m", sent(key, "m"), 0.0, Fate.COOLED, rest)
    assert key.admit("m", 2.9) is None
    assert key.reason("m", 2.9) is Kind.RATE_LIMITED
    key.refused("n", sent(key, "n", 1.0), 1.0, Fate.DEAD, lambda _: 60.0)
    assert all(key.admit(model, 60.9) is None for model in MODELS)
    assert key.reason("m", 60.9) is Kind.UPSTREAM_CREDENTIAL
    key.succeeded("n", sent(key, "n", 61.0))
    assert key.admit("m", 61.0) is not None


def test_an_upstream_without_keys_has_one() -> None:
    """It cools like any other, and nothing is sent with it."""
    pool = Pool([])
    assert [key.secret for key in pool.keys] == [None]


def test_what_keeps_keys_is_told_by_the_one_that_is_free_first() -> None:
    """With the instant and the reason; nothing where none is left."""
    pool = Pool(["k1", "k2"])
    first, second = pool.keys
    first.refused("m", sent(first), 0.0, Fate.EXHAUSTED, lambda _: 300.0)
    second.refused("m", sent(second), 0.0, Fate.COOLED, lambda _: 5.0)
    assert pool.soonest("m", 1.0, avoid=()) == (5.0, Kind.RATE_LIMITED)
    assert pool.soonest("m", 1.0, avoid={second.digest}) == (300.0, Kind.QUOTA_EXHAUSTED)
    assert pool.soonest("m", 1.0, avoid={first.digest, second.digest}) is None


def test_a_key_that_may_not_use_a_model_is_last() -> None:
    """For a while, and never out."""
    pool = Pool(["k1", "k2"])
    pool.keys[0].refused_model("m", sent(pool.keys[0]), 0.0)
    for _ in range(3):
        pool.keys[1].succeeded("m", sent(pool.keys[1]))
    assert best(pool, now=1.0) is pool.keys[1]
    assert best(pool, now=UNFIT_FOR + 1) is pool.keys[0]
    assert pool.order("m", 1.0, favourite=None, avoid={pool.keys[1].digest}) == [pool.keys[0]]


class Calls(RuleBasedStateMachine):
    """Calls with three keys to two models; an observer knows which keys cool."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.pool = Pool(["k1", "k2", "k3"])
        self.cool_until: dict[tuple[str, str], float] = defaultdict(float)
        self.dead_until: dict[str, float] = defaultdict(float)
        self.under_way: list[tuple[Key, str, Grant]] = []

    @rule(seconds=st.sampled_from([0.0, 0.4, 3.0, 10.0, TRIAL, 120.0]))
    def time_passes(self, seconds: float) -> None:
        """It is later."""
        self.now += seconds

    @rule(model=st.sampled_from(MODELS), place=st.integers(0, 2))
    def call(self, model: str, place: int) -> None:
        """A key is taken, the best one or the next: never one that cools or is dead."""
        free = self.pool.order(model, self.now, favourite=None, avoid=())
        soonest = self.pool.soonest(model, self.now, avoid=())
        assert soonest is not None
        assert (soonest[0] <= self.now) == bool(free)
        used = [key.used(self.now) for key in free]
        assert used == sorted(used)
        if not free:
            return
        key = free[place % len(free)]
        assert self.now >= self.cool_until[key.digest, model], "a cooling key was sent"
        assert self.now >= self.dead_until[key.digest], "a dead key was sent"
        self.under_way.append((key, model, sent(key, model, self.now)))
        assert key.used(self.now) == used[place % len(free)] + 1

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), outcome=st.sampled_from(["succeeds", "cools", "told", "dead", "left", "unsent"]))
    def call_ends(self, data: st.DataObject, outcome: str) -> None:
        """Some call ends in some way; a refusal that is news is remembered with the least that it must mean."""
        key, model, grant = self.under_way.pop(data.draw(st.integers(0, len(self.under_way) - 1)))
        used = key.used(self.now)
        match outcome:
            case "succeeds":
                key.succeeded(model, grant)
            case "cools":
                if key.refused(model, grant, self.now, Fate.COOLED, rest):
                    self.cool_until[key.digest, model] = self.now + LADDER[0]
            case "told":
                if key.refused(model, grant, self.now, Fate.COOLED, lambda _: 30.0):
                    self.cool_until[key.digest, model] = self.now + 30.0
            case "dead":
                if key.refused(model, grant, self.now, Fate.DEAD, lambda _: 60.0):
                    self.dead_until[key.digest] = self.now + 60.0
            case _:
                key.abandoned(model, grant, sent=outcome == "left")
                assert key.used(self.now) == max(0, used - (outcome == "unsent"))


TestCalls = Calls.TestCase
TestCalls.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


class StrictUpstream:
    """Allows each key some calls in a window, refuses more, and watches that nobody comes back too early.

    Args:
        amount: Calls of one key in a window.
        window: Its length, in seconds.
        tells: Whether refusals say how long to wait.
    """

    GRACE = 2.0
    """Seconds for which calls may still arrive that left before the refusal was read, however busy the machine is."""
    UNTOLD = STEPS[0]
    """Seconds that a key rests where the refusal does not say: the first step of the ladder, which nobody shortens."""

    def __init__(self, amount: int, window: float, *, tells: bool) -> None:
        self.amount = amount
        self.window = window
        self.tells = tells
        self.admitted: dict[str, list[float]] = defaultdict(list)
        self.answered: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.cooling: dict[str, tuple[float, float]] = {}
        self.too_early: list[str] = []

    def __call__(self, request: Request) -> Reply:
        """Answers a call, or refuses it."""
        key, now = request.headers["authorization"], asyncio.get_running_loop().time()
        since, until = self.cooling.get(key, (0.0, 0.0))
        if since + self.GRACE < now < until:
            self.too_early.append(key)
        recent = [at for at in self.admitted[key] if at > now - self.window]
        if len(recent) < self.amount:
            self.admitted[key] = [*recent, now]
            self.answered[key] += 1
            return GOLDEN
        self.refused[key] += 1
        wait = recent[-self.amount] + self.window - now if self.tells else self.UNTOLD
        if now >= until:
            self.cooling[key] = (now, now + wait)
        return self._refusal({"retry_after": f"{wait:.3f}"} if self.tells else {})

    @staticmethod
    def _refusal(headers: dict[str, str]) -> Reply:
        error: dict[str, Any] = {"message": "tpm exhausted", "type": "quota_exceeded_error", "code": "8"}
        return answer(json.dumps({"error": error}), status=429, **headers)


KEYS = ["k1", "k2", "k3"]


async def test_three_keys_of_five_calls_answer_thirty() -> None:
    """With the limits known, nothing is refused by the upstream: what does not fit into a window waits for the next."""
    # The upstream counts arrivals and we count departures, which a machine that is busy may hold up for seconds: it
    # would refuse a sixth call of the same moment, and our own window is what keeps the others back.
    upstream, window = StrictUpstream(5, 0.25, tells=True), 2.5
    limits = [{"unit": "requests", "amount": 5, "window": window}]
    began = asyncio.get_running_loop().time()
    async with network([upstream], api_keys=KEYS, key_limits=limits) as net:
        answers = await asyncio.gather(
            *(net.ask(messages=[{"role": "user", "content": f"{number}"}]) for number in range(30))
        )
    assert [asked.text for asked in answers] == ["Paris 巴黎"] * 30
    assert not upstream.refused
    assert set(upstream.answered.values()) == {10}
    assert asyncio.get_running_loop().time() - began >= window


@pytest.mark.parametrize("tells", [True, False], ids=["told", "not-told"])
async def test_three_keys_find_their_limits(tells: bool) -> None:
    """With nothing known but what refusals tell, all are answered in time, and no key is sent while it cools."""
    upstream = StrictUpstream(5, 3.0, tells=tells)
    async with network([upstream], api_keys=KEYS, queue_deadline=20.0) as net:
        answers = await asyncio.gather(
            *(net.ask(messages=[{"role": "user", "content": f"{number}"}]) for number in range(30))
        )
        errors = [asked.error.message for asked in answers if asked.error is not None]
        assert errors == []
        assert [asked.text for asked in answers] == ["Paris 巴黎"] * 30
        assert upstream.too_early == []
        assert upstream.refused.total() > 0
        assert net.calls("a") == 30 + upstream.refused.total()
