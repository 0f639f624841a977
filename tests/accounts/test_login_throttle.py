"""How often one may try to log in."""

from typing import NamedTuple

import pytest

from rixin.accounts import setup_token
from rixin.accounts.login_throttle import Forgive, LoginThrottle
from rixin.accounts.logins import Logins
from rixin.accounts.people import People
from rixin.accounts.root_secret import RootSecret
from rixin.cli.people import counted_by
from rixin.errors import Kind, RixinError
from rixin.limits.process import ProcessLimiter
from rixin.store.database import Database
from tests.accounts.manual_clock import ManualClock

WINDOW = 15 * 60
WAIT = WINDOW * 61 / 60
"""Seconds until a try counts no more: the window, and the sixtieth of it in which it was made."""
HERE = "192.0.2.7"


class Rule(NamedTuple):
    """How many tries there are of a kind."""

    amount: int
    name: str
    """Of each of them, with its number in the place of braces."""
    address: str
    free: tuple[str, str]
    """The name and the address of a try that they do not hinder."""

    def guess(self, number: int) -> tuple[str, str]:
        """The name and the address of one of them."""
        return self.name.format(number), self.address.format(number)


RULES = {
    "of a name from an address": Rule(5, "ada", HERE, ("ada", "192.0.2.8")),
    "of an address, by another name": Rule(5, "ada", HERE, ("bob", HERE)),
    "of any names from an address": Rule(50, "user {}", HERE, ("ada", "192.0.2.8")),
    "from a network of IPv6": Rule(50, "user {}", "2001:db8::{:x}", ("ada", "2001:db9::1")),
    "of a name from anywhere": Rule(100, "ada", "192.0.2.{}", ("bob", "192.0.2.1")),
}


@pytest.fixture
def throttle(clock: ManualClock) -> LoginThrottle:
    """The throttle of one process."""
    return LoginThrottle(counted_by(ProcessLimiter(clock)))


async def refused(throttle: LoginThrottle, who: tuple[str, str]) -> float:
    """Has a try be one too many. Gives the seconds after which it would not be."""
    with pytest.raises(RixinError) as caught:
        await throttle.take(*who)
    assert caught.value.kind is Kind.RATE_LIMITED
    assert caught.value.retry_after is not None
    return caught.value.retry_after


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
async def test_a9_so_many_tries_and_no_more(throttle: LoginThrottle, clock: ManualClock, rule: Rule) -> None:
    """Of each kind within a quarter of an hour; others are not hindered, and a refused one counts nowhere."""
    for guess in range(rule.amount):
        await throttle.take(*rule.guess(guess))
    for guess in range(rule.amount, rule.amount + 10):
        assert WINDOW < await refused(throttle, rule.guess(guess)) <= WAIT
    await throttle.take(*rule.free)
    clock.advance(await refused(throttle, rule.guess(rule.amount)) - 1)
    await refused(throttle, rule.guess(rule.amount))
    clock.advance(1)
    for guess in range(rule.amount):
        await throttle.take(*rule.guess(guess))
    await refused(throttle, rule.guess(rule.amount))


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
async def test_a9_a_right_one_takes_its_own_try_back(throttle: LoginThrottle, rule: Rule) -> None:
    """And no other: somebody who comes in again and again is not kept out, and a guesser gains nothing by it."""
    for guess in range(rule.amount - 1):
        await throttle.take(*rule.guess(guess))
    for _ in range(2 * rule.amount):
        forgive: Forgive = await throttle.take(*rule.guess(rule.amount))
        await refused(throttle, rule.guess(rule.amount))
        forgive()
    await throttle.take(*rule.guess(rule.amount))
    await refused(throttle, rule.guess(rule.amount))


async def test_a9_the_set_up_token_cannot_be_guessed(
    database: Database, root_secret: RootSecret, clock: ManualClock
) -> None:
    """Five wrong ones from an address, and a hundred from everywhere; then the right one is not looked at either."""
    logins = Logins(database, root_secret, clock)
    sign_in = People.open(database, root_secret, logins, counted_by(ProcessLimiter(clock)), clock).sign_in

    async def outcome(token: str, address: str) -> Kind:
        with pytest.raises(RixinError) as caught:
            await sign_in.set_up(token, email="x", name="Ada", password="x", address=address)
        return caught.value.kind

    right = setup_token.derive(root_secret)
    assert [await outcome("wrong", HERE) for _ in range(7)] == [Kind.UNAUTHENTICATED] * 5 + [Kind.RATE_LIMITED] * 2
    assert await outcome(right, HERE) is Kind.RATE_LIMITED
    for _ in range(10):  # what is wrong with them is something else, and they take no try
        assert await outcome(right, "192.0.2.8") is Kind.INVALID_REQUEST
    elsewhere = [await outcome("wrong", f"198.51.100.{guess}") for guess in range(100)]
    assert elsewhere == [Kind.UNAUTHENTICATED] * 95 + [Kind.RATE_LIMITED] * 5
    assert await outcome(right, "192.0.2.8") is Kind.RATE_LIMITED
