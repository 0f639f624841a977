"""What was learned of upstreams, as several processes know it."""

import asyncio

import pytest
from structlog.testing import capture_logs

from rixin.errors import Kind, RixinError
from rixin.profiles.profile import Profile, layered
from rixin.profiles.repairs import BY_NAME
from rixin.routing.learned import LIFETIME, POSTPONED, LearnedRules
from rixin.store.database import Database
from rixin.store.polling import POLL_INTERVAL
from tests.limits.manual_clock import MICROSECONDS, ManualClock

SEED, USER = BY_NAME["seed"], BY_NAME["user"]


class Office:
    """A database, and processes that know its rules."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = ManualClock()
        self.address = "https://a/v1"

    def process(self) -> LearnedRules:
        """Another one."""
        return LearnedRules(self.database, lambda _provider: self.address, self.clock)


@pytest.fixture
def office(database: Database) -> Office:
    """An empty database."""
    return Office(database)


def profile(rules: LearnedRules, model: str = "m", *, without: str | None = None) -> Profile:
    """What the rules of a model come to."""
    return layered(layer.profile for layer in rules.layers("p", model, without=without))


async def test_a_rule_counts_at_once_where_it_was_learned(office: Office) -> None:
    """The process that proved it applies it with the next request, to that model only."""
    rules = office.process()
    await rules.learn("p", "m", SEED)
    await rules.learn("p", "m", USER)
    assert profile(rules).drop_params == {"seed", "user"}
    assert profile(rules, without="user").drop_params == {"seed"}
    assert profile(rules, "other") == Profile()
    assert [rule.part for rule in rules.rules("p")] == ["seed", "user"]
    assert rules.rules("other") == []


async def test_other_processes_hear_of_it(office: Office) -> None:
    """Whoever polls learns it, and forgets it."""
    one, other = office.process(), office.process()
    await one.learn("p", "m", SEED)
    await other.poll()
    assert profile(other).drop_params == {"seed"}
    before = one.era("p", "m")
    await other.forget("p")
    await one.poll()
    assert one.rules("p") == []
    assert one.era("p", "m") != before


async def test_processes_poll_by_themselves(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each second, so that a rule counts everywhere within five, and a store that was away for a while is no end."""
    assert POLL_INTERVAL <= 5
    one, other = office.process(), office.process()
    await one.learn("p", "m", SEED)
    polls: asyncio.Queue[None] = asyncio.Queue()
    failures = [RixinError(Kind.OVERLOADED, "away")]
    poll = other.poll

    async def observed() -> None:
        polls.put_nowait(None)
        if failures:
            raise failures.pop()
        await poll()

    monkeypatch.setattr(other, "poll", observed)
    polling = asyncio.create_task(other.run())
    async with asyncio.timeout(10 * 3 * POLL_INTERVAL):
        for _ in range(3):
            await polls.get()
    polling.cancel()
    await asyncio.wait([polling])
    assert profile(other).drop_params == {"seed"}


async def test_a_restart_forgets_nothing(office: Office) -> None:
    """What one process learned, the next one knows from its first poll."""
    await office.process().learn("p", "m", SEED)
    rules = office.process()
    assert profile(rules) == Profile()
    await rules.poll()
    assert profile(rules).drop_params == {"seed"}


async def test_rules_are_due_after_their_lifetime(office: Office) -> None:
    """A test that proves a rule renews it; one that tells nothing puts it off, and the rule stays in force."""
    rules = office.process()
    await rules.learn("p", "m", SEED)
    assert rules.due("p", "m") is None
    for proved, wait in ((True, LIFETIME), (False, POSTPONED)):
        office.clock.advance(int(LIFETIME * MICROSECONDS))
        due = rules.due("p", "m")
        assert due is not None
        await rules.tested(due, proved=proved)
        assert rules.due("p", "m") is None
        [rule] = rules.rules("p")
        assert rule.expires_at == office.clock.now() + wait
        assert profile(rules).drop_params == {"seed"}


async def test_the_log_tells_what_is_learned_and_forgotten(office: Office) -> None:
    """By provider, model and part; of what clients send there is nothing in it."""
    rules = office.process()
    with capture_logs() as log:
        await rules.learn("p", "m", SEED)
        assert await rules.forget("p", "m", "seed") == 1
    told = [(entry["event"], entry["log_level"], entry["provider"], entry["model"], entry["part"]) for entry in log]
    assert told == [
        ("an upstream was found to refuse something", "info", "p", "m", "seed"),
        ("what was learned of an upstream is forgotten", "info", "p", "m", "seed"),
    ]


async def test_another_address_is_another_upstream(office: Office) -> None:
    """Rules do not follow a provider's name to another place, and are back with the address."""
    rules = office.process()
    await rules.learn("p", "m", SEED)
    before = rules.era("p", "m")
    office.address = "https://b/v1"
    assert profile(rules) == Profile()
    assert rules.rules("p") == []
    assert rules.due("p", "m") is None
    assert rules.era("p", "m") != before
    office.address = "https://a/v1"
    assert profile(rules).drop_params == {"seed"}


async def test_a_store_that_cannot_be_asked_changes_nothing(office: Office) -> None:
    """What is known holds while the database is away."""
    rules = office.process()
    await rules.learn("p", "m", SEED)
    await office.database.aclose()
    with pytest.raises(RixinError):
        await rules.poll()
    assert profile(rules).drop_params == {"seed"}
