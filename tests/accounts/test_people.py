"""People: who may make and change whom, how they come in, and what ends that."""

import asyncio

import msgspec
import pytest
from argon2 import PasswordHasher

from rixin.accounts import setup_token
from rixin.accounts.account import Account
from rixin.accounts.api_keys import CreatedKey
from rixin.accounts.key_rules import KeyWish
from rixin.accounts.keys import KeyRing
from rixin.accounts.logins import IDLE, LONGEST, Logins
from rixin.accounts.passwords import Passwords
from rixin.accounts.people import People
from rixin.accounts.roles import ROLE_SCOPES, ROLES, Role
from rixin.accounts.root_secret import RootSecret
from rixin.accounts.teams import TeamChange
from rixin.accounts.user_rules import UserChange, UserWish
from rixin.cli.people import counted_by
from rixin.errors import Kind, RixinError
from rixin.limits.process import ProcessLimiter
from rixin.store import users
from rixin.store.audit import AuditFilter
from rixin.store.database import Database
from rixin.store.users import User
from tests.accounts.manual_clock import ManualClock
from tests.support.databases import Place, content

PASSWORD = "correct horse battery staple"
ADDRESS = "192.0.2.7"


@pytest.fixture
def people(database: Database, root_secret: RootSecret, clock: ManualClock) -> People:
    """The people of one process."""
    logins = Logins(database, root_secret, clock)
    return People.open(database, root_secret, logins, counted_by(ProcessLimiter(clock)), clock)


async def made(people: People, name: str, role: Role = "member", password: str | None = None) -> User:
    """A new user."""
    return await people.users.create(UserWish(email=f"{name}@example.com", name=name, role=role, password=password))


async def refused(work: object) -> tuple[Kind, str | None]:
    """How something is refused."""
    with pytest.raises(RixinError) as caught:
        await work  # pyright: ignore[reportGeneralTypeIssues] - a coroutine
    return caught.value.kind, caught.value.param


def acting(user: User) -> Account:
    """Somebody who has logged in."""
    role = msgspec.convert(user.role, Role)
    return Account(id=user.id, name=user.name, scopes=ROLE_SCOPES[role], role=role, user=user.id)


async def test_a9_the_first_owner_comes_in_by_the_set_up_token(people: People, root_secret: RootSecret) -> None:
    """Of several who try at once one becomes the owner, a wrong token makes nobody, and the right one counts once."""
    token = setup_token.derive(root_secret)
    who = {"name": "Ada", "password": PASSWORD, "address": ADDRESS}
    wrong = people.sign_in.set_up(token[:-1], email="a@example.com", **who)
    assert await refused(wrong) == (Kind.UNAUTHENTICATED, None)
    tries = [people.sign_in.set_up(token, email=f"{number}@example.com", **who) for number in range(3)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    [login] = [result for result in results if not isinstance(result, BaseException)]
    assert {result.kind for result in results if isinstance(result, RixinError)} == {Kind.CONFLICT}
    assert (await people.logins.authenticate(login.token, ADDRESS)).role == "owner"
    assert len(await people.users.list()) == 1
    assert (await refused(people.sign_in.set_up(token, email="z@example.com", **who)))[0] is Kind.CONFLICT


async def test_a9_a_password_opens_what_it_belongs_to(people: People) -> None:
    """Whatever the case of the address, and however its letters are encoded; unknown people and wrong passwords are
    told apart by nobody."""
    await made(people, "ada", "admin", "pässword of ada")
    login = await people.sign_in.log_in("ADA@example.com ", "pa\u0308ssword of ada", ADDRESS)
    account = await people.logins.authenticate(login.token, ADDRESS)
    assert (account.role, account.scopes) == ("admin", ROLE_SCOPES["admin"])
    await made(people, "invited")
    messages: set[str] = set()
    for email, password in (("ada@example.com", "wrong"), ("bob@example.com", "x"), ("invited@example.com", "")):
        with pytest.raises(RixinError) as caught:
            await people.sign_in.log_in(email, password, ADDRESS)
        assert caught.value.kind is Kind.UNAUTHENTICATED
        messages.add(caught.value.message)
    assert len(messages) == 1


async def test_a9_guessing_is_slowed_down(people: People, clock: ManualClock) -> None:
    """Of many guesses at once five are looked at; others' logins from elsewhere are not hindered, and time heals."""
    await made(people, "ada", password=PASSWORD)
    guesses = [people.sign_in.log_in("ada@example.com", f"guess {number}", ADDRESS) for number in range(30)]
    results = await asyncio.gather(*guesses, return_exceptions=True)
    kinds = [result.kind for result in results if isinstance(result, RixinError)]
    assert (kinds.count(Kind.UNAUTHENTICATED), kinds.count(Kind.RATE_LIMITED)) == (5, 25)
    assert (await refused(people.sign_in.log_in("ada@example.com", PASSWORD, ADDRESS)))[0] is Kind.RATE_LIMITED
    for _ in range(7):  # a right one takes nothing
        await people.sign_in.log_in("ada@example.com", PASSWORD, "198.51.100.1")
    clock.advance(1000)
    await people.sign_in.log_in("ada@example.com", PASSWORD, ADDRESS)


@pytest.mark.parametrize("what", ["logout", "role", "disabled", "password", "deleted", "idle", "long"])
async def test_a9_a_login_ends_on_the_server(people: People, clock: ManualClock, what: str) -> None:
    """Once it has ended it counts no more, though its cookie is still there."""
    await made(people, "owner", "owner")
    user = await made(people, "ada", password=PASSWORD)
    login = await people.sign_in.log_in(user.email, PASSWORD, ADDRESS)
    account = await people.logins.authenticate(login.token, ADDRESS)
    match what:
        case "logout":
            await people.sign_in.log_out(account, login.token, ADDRESS)
        case "role":
            await people.users.change(user.id, UserChange(role="auditor"))
        case "disabled":
            await people.users.change(user.id, UserChange(disabled=True))
            assert (await refused(people.sign_in.log_in(user.email, PASSWORD, ADDRESS)))[0] is Kind.UNAUTHENTICATED
        case "password":
            await people.users.set_password(user.id, PASSWORD + "!")
        case "deleted":
            await people.users.delete(user.id)
        case "idle":
            clock.advance(IDLE / 2)
            await people.logins.authenticate(login.token, ADDRESS)
            clock.advance(IDLE - 1)
            await people.logins.authenticate(login.token, ADDRESS)
            clock.advance(IDLE + 1)
        case _:
            for _ in range(int(LONGEST / IDLE)):
                await people.logins.authenticate(login.token, ADDRESS)
                clock.advance(IDLE - 1)
            clock.advance(IDLE / 2)
    assert (await refused(people.logins.authenticate(login.token, ADDRESS)))[0] is Kind.UNAUTHENTICATED
    await people.logins.sweep()
    assert (await refused(people.logins.authenticate(login.token, ADDRESS)))[0] is Kind.UNAUTHENTICATED


async def hashed_long_ago(database: Database, user: User, password: str) -> str:
    """Gives somebody a hash of their password that was made with the parameters of another time. Returns it."""
    old = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(password)
    async with database.begin() as connection:
        await users.change(connection, user.id, password=old)
    return old


async def test_a9_a_password_that_was_hashed_long_ago_is_hashed_anew(people: People, database: Database) -> None:
    """With today's parameters, by the next right login, and once; a wrong one changes nothing, and no login ends."""
    user = await made(people, "ada", password="p\u00e4ssword of ada")
    before = await people.sign_in.log_in(user.email, "p\u00e4ssword of ada", ADDRESS)
    old = await hashed_long_ago(database, user, "p\u00e4ssword of ada")

    async def kept() -> str:
        async with database.read() as connection:
            return await users.password_of(connection, user.id) or ""

    assert (await refused(people.sign_in.log_in(user.email, "wrong", ADDRESS)))[0] is Kind.UNAUTHENTICATED
    assert await kept() == old
    await people.sign_in.log_in(user.email, "pa\u0308ssword of ada", ADDRESS)
    renewed = await kept()
    today = PasswordHasher()
    assert renewed.startswith("$argon2id$")
    assert not today.check_needs_rehash(renewed)
    assert today.verify(renewed, "p\u00e4ssword of ada")
    await people.sign_in.log_in(user.email, "p\u00e4ssword of ada", ADDRESS)
    assert await kept() == renewed
    await people.logins.authenticate(before.token, ADDRESS)


async def test_a9_logins_at_the_same_time_all_count(people: People, database: Database) -> None:
    """Though the first of them hashes the password anew while it is checked for the others."""
    user = await made(people, "ada", password=PASSWORD)
    await hashed_long_ago(database, user, PASSWORD)
    logins = await asyncio.gather(*(people.sign_in.log_in(user.email, PASSWORD, ADDRESS) for _ in range(4)))
    for login in logins:
        await people.logins.authenticate(login.token, ADDRESS)


async def test_a9_a_password_that_is_changed_while_it_is_checked_counts_no_more(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The login that it was checked for is refused: all that there were have just been ended."""
    user = await made(people, "ada", password=PASSWORD)
    fits = Passwords.fits

    async def changed_meanwhile(passwords: Passwords, password: str, kept: str | None) -> bool:
        right = await fits(passwords, password, kept)
        monkeypatch.setattr(Passwords, "fits", fits)
        await people.users.set_password(user.id, "another password")
        return right

    monkeypatch.setattr(Passwords, "fits", changed_meanwhile)
    assert (await refused(people.sign_in.log_in(user.email, PASSWORD, ADDRESS)))[0] is Kind.UNAUTHENTICATED
    await people.sign_in.log_in(user.email, "another password", ADDRESS)


async def test_ones_own_password(people: People) -> None:
    """Who knows the old one gives themselves another; the login that does it goes on, the others end."""
    user = await made(people, "ada", password=PASSWORD)
    one, two = [await people.sign_in.log_in(user.email, PASSWORD, ADDRESS) for _ in range(2)]
    account = await people.logins.authenticate(one.token, ADDRESS)
    wrong = people.sign_in.change_password(account, one.token, "wrong", "another password", ADDRESS)
    assert await refused(wrong) == (Kind.PERMISSION_DENIED, "old_password")
    short = people.sign_in.change_password(account, one.token, PASSWORD, "short", ADDRESS)
    assert await refused(short) == (Kind.INVALID_REQUEST, "password")
    await people.sign_in.change_password(account, one.token, PASSWORD, "another password", ADDRESS)
    await people.logins.authenticate(one.token, ADDRESS)
    assert (await refused(people.logins.authenticate(two.token, ADDRESS)))[0] is Kind.UNAUTHENTICATED
    await people.sign_in.log_in(user.email, "another password", ADDRESS)


@pytest.mark.parametrize("role", ROLES)
async def test_a7_nobody_makes_or_changes_what_is_more_than_they_are(people: People, role: Role) -> None:
    """Owners may everything, admins everything but to owners, the others nothing."""
    await made(people, "first", "owner")
    creator = acting(await made(people, "creator", role))
    for other in ROLES:
        may = role == "owner" or (role == "admin" and other != "owner")
        target = await made(people, f"target-{other}", other)
        tries = (
            people.users.create(UserWish(email=f"x-{other}@example.com", name="x", role=other), creator=creator),
            people.users.change(target.id, UserChange(name="y"), creator=creator),
            people.users.set_password(target.id, PASSWORD, creator=creator),
            people.users.change(target.id, UserChange(disabled=True), creator=creator),
            people.users.delete(target.id, creator=creator),
        )
        for work in tries:
            if may:
                await work
            else:
                assert (await refused(work))[0] is Kind.PERMISSION_DENIED
        someone = await made(people, f"someone-{other}")
        raised = people.users.change(someone.id, UserChange(role=other), creator=creator)
        if may:
            assert (await raised).role == other
        else:
            assert (await refused(raised))[0] is Kind.PERMISSION_DENIED


async def test_the_last_owner_stays(people: People) -> None:
    """Whoever would leave the server without one is refused; the second last one may go."""
    ada = await made(people, "ada", "owner")
    tries = (
        people.users.change(ada.id, UserChange(role="admin")),
        people.users.change(ada.id, UserChange(disabled=True)),
        people.users.delete(ada.id),
    )
    for work in tries:
        assert (await refused(work))[0] is Kind.CONFLICT
    bob = await made(people, "bob", "owner")
    both = [people.users.change(user.id, UserChange(role="member")) for user in (ada, bob)]
    results = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["RixinError", "User"]


@pytest.mark.parametrize(
    ("wish", "param"),
    [
        ({"email": "nobody"}, "email"),
        ({"email": "a b@example.com"}, "email"),
        ({"email": "a@b\x00"}, "email"),
        ({"email": "x" * 250 + "@example.com"}, "email"),
        ({"name": ""}, "name"),
        ({"name": "\u202ename"}, "name"),
        ({"password": "short"}, "password"),
        ({"password": "x" * 1001}, "password"),
        ({"password": "aaaaaaaaaaaaaaaa"}, "password"),
        ({"password": "ada.lovelace@example.com"}, "password"),
    ],
)
async def test_a_wrong_wish_is_refused_by_name(people: People, wish: dict[str, str], param: str) -> None:
    """Addresses, names and passwords that are none."""
    full = msgspec.convert({"email": "ada.lovelace@example.com", "name": "Ada", **wish}, UserWish)
    assert await refused(people.users.create(full)) == (Kind.INVALID_REQUEST, param)


async def test_an_address_is_one_persons(people: People) -> None:
    """Whatever its case."""
    await made(people, "ada")
    bob = await made(people, "bob")
    again = people.users.create(UserWish(email="ADA@example.com", name="x"))
    assert await refused(again) == (Kind.CONFLICT, "email")
    taken = people.users.change(bob.id, UserChange(email="ada@example.com"))
    assert await refused(taken) == (Kind.CONFLICT, "email")
    assert (await people.users.change(bob.id, UserChange(email="BOB@example.com"))).email == "bob@example.com"


async def key_of(ring: KeyRing, user: User, **wish: object) -> CreatedKey:
    """A key of a user."""
    return await ring.create_api_key(msgspec.convert({"name": "k", "user": user.id, **wish}, KeyWish))


async def test_a_key_may_never_do_more_than_its_user(people: People, ring: KeyRing) -> None:
    """What a user may do less from now on, their keys may do less too."""
    await made(people, "first", "owner")
    user = await made(people, "ada", "admin")
    key = await key_of(ring, user, scopes=("inference", "admin"))
    account = await ring.authenticate(key.key, None)
    assert (account.role, account.user) == ("admin", user.id)
    await people.users.change(user.id, UserChange(role="member", plan="small"))
    await ring.poll()
    account = await ring.authenticate(key.key, None)
    assert (account.role, account.scopes, account.user_plan) == (None, {"inference"}, "small")
    await people.users.change(user.id, UserChange(disabled=True))
    await ring.poll()
    assert (await refused(ring.authenticate(key.key, None)))[0] is Kind.UNAUTHENTICATED
    await people.users.change(user.id, UserChange(disabled=False))
    await ring.poll()
    await ring.authenticate(key.key, None)
    await people.users.delete(user.id)
    await ring.poll()
    assert (await refused(ring.authenticate(key.key, None)))[0] is Kind.UNAUTHENTICATED


async def test_a_key_counts_for_a_team_while_its_user_is_in_it(people: People, ring: KeyRing) -> None:
    """With the team's plan; not before, and not after."""
    user, team = await made(people, "ada"), await people.teams.create("core", "small")
    assert (await refused(key_of(ring, user, team=team.id)))[0] is Kind.INVALID_REQUEST
    await people.teams.put_member(team.id, user.id, "member")
    key = await key_of(ring, user, team=team.id)
    account = await ring.authenticate(key.key, None)
    assert (account.team, account.team_plan) == (team.id, "small")
    await people.teams.change(team.id, TeamChange(plan="large"))
    await ring.poll()
    assert (await ring.authenticate(key.key, None)).team_plan == "large"
    await people.teams.remove_member(team.id, user.id)
    await ring.poll()
    assert (await refused(ring.authenticate(key.key, None)))[0] is Kind.UNAUTHENTICATED
    await people.teams.put_member(team.id, user.id, "admin")
    await people.teams.delete(team.id)
    await ring.poll()
    assert (await refused(ring.authenticate(key.key, None)))[0] is Kind.UNAUTHENTICATED


async def test_a6_no_secret_is_in_the_database(
    people: People, ring: KeyRing, place: Place, root_secret: RootSecret
) -> None:
    """Neither a password nor a login's token, nor a key, in any table; of a password what argon2 makes of it."""
    user = await made(people, "ada", password=PASSWORD)
    login = await people.sign_in.log_in(user.email, PASSWORD, ADDRESS)
    key = await key_of(ring, user)
    kept = content(place)
    assert user.id.encode() in kept
    assert b"$argon2id$" in kept
    for secret in (PASSWORD, login.token, key.key, setup_token.derive(root_secret)):
        assert secret.encode() not in kept


async def test_every_act_is_written_down(people: People, ring: KeyRing) -> None:
    """With the chain in order at the end."""
    await made(people, "first", "owner")
    user = await made(people, "ada", password=PASSWORD)
    login = await people.sign_in.log_in(user.email, PASSWORD, ADDRESS)
    await refused(people.sign_in.log_in(user.email, "wrong", ADDRESS))
    account = await people.logins.authenticate(login.token, ADDRESS)
    key = await key_of(ring, user)
    await ring.disable(key.id)
    await ring.enable(key.id)
    await ring.delete(key.id)
    team = await people.teams.create("core")
    await people.teams.put_member(team.id, user.id, "member")
    await people.teams.remove_member(team.id, user.id)
    await people.teams.delete(team.id)
    await people.sign_in.log_out(account, login.token, ADDRESS)
    await people.users.change(user.id, UserChange(name="Ada L."))
    await people.users.set_password(user.id, PASSWORD)
    await people.users.delete(user.id)
    rows = await people.audit.list(AuditFilter())
    assert [row.action for row in reversed(rows)] == [
        "user.create", "user.create", "login", "login.failed", "key.create", "key.disable", "key.enable", "key.delete",
        "team.create", "team.member", "team.leave", "team.delete", "logout", "user.change", "user.password",
        "user.delete",
    ]  # fmt: skip
    failed = next(row for row in rows if row.action == "login.failed")
    assert (failed.actor, failed.target, failed.address) == ("nobody", user.id, ADDRESS)
    assert PASSWORD not in str(rows)
    assert (await people.audit.verify()).problems == ()
