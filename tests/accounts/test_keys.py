"""Keys: made, recognised, revoked, in one process and in several."""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager

import pytest
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from rixin.accounts import api_keys
from rixin.accounts.account import Account
from rixin.accounts.keys import KeyRing
from rixin.accounts.root_secret import RootSecret
from rixin.clock import SystemClock
from rixin.errors import Kind, RixinError
from rixin.store import polling
from rixin.store.database import Database
from tests.accounts.manual_clock import ManualClock
from tests.support.databases import Place, content, outage

HERE = "192.0.2.1"


class SlowDatabase(Database):
    """A database whose answer to the next read can be held back, as a slow network would."""

    hold = False

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.held = asyncio.Event()
        self.go = asyncio.Event()

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncConnection]:
        """Reads, and then waits if it was told to."""
        async with super().read() as connection:
            yield connection
        if self.hold:
            self.hold = False
            self.held.set()
            await self.go.wait()


@pytest.fixture
async def slow_database(database: Database) -> AsyncGenerator[SlowDatabase]:
    """A slow way to the same database."""
    slow = SlowDatabase(database.place)
    yield slow
    await slow.aclose()


async def _kind(outcome: Awaitable[object]) -> Kind | None:
    try:
        await outcome
    except RixinError as error:
        return error.kind
    return None


async def _refusal(outcome: Awaitable[object]) -> str:
    with pytest.raises(RixinError) as caught:
        await outcome
    assert caught.value.kind is Kind.UNAUTHENTICATED
    return caught.value.message


async def test_a_key_opens_its_account(ring: KeyRing, clock: ManualClock) -> None:
    """Whoever sends the key is recognised, with all that the key was made with."""
    created = await ring.create("Ada's laptop", ["inference", "metrics"], ["gpt-*"], "free", clock.now() + 60)
    assert re.fullmatch(r"sk-rx-[A-Za-z0-9_-]{43}", created.key)
    assert await ring.authenticate(created.key, HERE) == Account(
        id=created.id,
        name="Ada's laptop",
        scopes=frozenset({"inference", "metrics"}),
        models=("gpt-*",),
        plan="free",
        expires_at=clock.now() + 60,
    )


async def test_a_known_key_waits_for_nothing(ring: KeyRing) -> None:
    """Once a key is known, recognising it needs no turn of the event loop."""
    created = await ring.create("name")
    account = await ring.authenticate(created.key, HERE)
    with pytest.raises(StopIteration) as caught:
        ring.authenticate(created.key, HERE).send(None)
    assert caught.value.value == account


async def test_the_secret_is_kept_nowhere(ring: KeyRing, database: Database) -> None:
    """No byte of the secret but its prefix is in the database's files, in a listing, in a log or in a repr."""
    with structlog.testing.capture_logs() as logs:
        created = await ring.create("name")
        await ring.authenticate(created.key, HERE)
        await ring.write_used()
        listed = await ring.list()
    assert [key.prefix for key in listed] == [created.key[:10]]
    secret = created.key.removeprefix(listed[0].prefix)
    for text in (content(database.place), repr((listed, logs, created)).encode()):
        assert secret.encode() not in text
        assert secret[:8].encode() not in text


async def test_a_digest_needs_the_root_secret(database: Database, ring: KeyRing, clock: ManualClock) -> None:
    """The same database under another root secret recognises no key."""
    created = await ring.create("name")
    other = KeyRing(database, RootSecret(b"another root secret, of 32 bytes"), clock)
    assert await _kind(other.authenticate(created.key, HERE)) is Kind.UNAUTHENTICATED


@pytest.mark.parametrize(
    "secret",
    ["'; DROP TABLE keys; --", "sk-rx-' OR '1'='1", "a\x00b", "😀", "\ud800", "%", "", "sk-rx-" + "x" * 10_240],
)
async def test_any_text_is_only_an_unknown_key(ring: KeyRing, secret: str) -> None:
    """Quotes, NUL, wildcards, half characters and 10 kB are refused like any other key, and harm nothing."""
    created = await ring.create("name")
    assert await _refusal(ring.authenticate(secret, HERE)) == "This API key is not known here."
    await ring.authenticate(created.key, HERE)


async def test_only_the_whole_key_counts(ring: KeyRing) -> None:
    """A key with a character less, more or changed is unknown."""
    created = await ring.create("name")
    for secret in (created.key[:-1], created.key + "A", created.key.swapcase(), " " + created.key):
        assert await _kind(ring.authenticate(secret, HERE)) is Kind.UNAUTHENTICATED


class TestRevocation:
    """A key that was disabled or deleted stops, wherever that was done."""

    async def test_it_counts_at_once_in_the_same_process(self, ring: KeyRing) -> None:
        """Disabling, enabling and deleting take effect with the very next request."""
        created = await ring.create("name")
        await ring.authenticate(created.key, HERE)
        await ring.disable(created.id)
        assert await _refusal(ring.authenticate(created.key, HERE)) == "This API key is disabled."
        await ring.enable(created.id)
        await ring.authenticate(created.key, HERE)
        await ring.delete(created.id)
        assert await _refusal(ring.authenticate(created.key, HERE)) == "This API key is not known here."

    @pytest.mark.parametrize("change", ["disable", "delete"])
    async def test_it_counts_in_another_process_with_its_next_poll(
        self, ring: KeyRing, other_ring: KeyRing, change: str
    ) -> None:
        """What one process revokes is dead in another as soon as that has polled, with no time passing."""
        created = await ring.create("name")
        await other_ring.authenticate(created.key, HERE)
        await getattr(ring, change)(created.id)
        await other_ring.poll()
        assert await _kind(other_ring.authenticate(created.key, HERE)) is Kind.UNAUTHENTICATED

    async def test_it_counts_after_five_seconds_without_a_poll(
        self, ring: KeyRing, other_ring: KeyRing, clock: ManualClock
    ) -> None:
        """Where the poller hangs, what a process knows is asked for again after 5 seconds."""
        created = await ring.create("name")
        await other_ring.authenticate(created.key, HERE)
        await ring.disable(created.id)
        clock.advance(5.0)
        await other_ring.authenticate(created.key, HERE)
        clock.advance(0.001)
        assert await _kind(other_ring.authenticate(created.key, HERE)) is Kind.UNAUTHENTICATED

    async def test_the_poller_does_it_by_itself(
        self, database: Database, root_secret: RootSecret, ring: KeyRing
    ) -> None:
        """With `run` at work in real time, a key that another process disables dies, and one that it makes lives."""
        running = KeyRing(database, root_secret, SystemClock())
        poller = asyncio.create_task(running.run())
        created = await ring.create("name")
        await running.authenticate(created.key, HERE)
        await ring.disable(created.id)
        async with asyncio.timeout(50):
            while await _kind(running.authenticate(created.key, HERE)) is None:
                await database.revision()
            await ring.enable(created.id)
            while await _kind(running.authenticate(created.key, HERE)) is Kind.UNAUTHENTICATED:
                await database.revision()
        poller.cancel()
        await asyncio.wait([poller])
        await running.aclose()

    async def test_a_look_up_on_its_way_brings_no_dead_key_back(
        self, ring: KeyRing, slow_database: SlowDatabase, root_secret: RootSecret, clock: ManualClock
    ) -> None:
        """An answer that was true when the store gave it, and is overtaken by a poll on its way, is asked for again."""
        slow = KeyRing(slow_database, root_secret, clock)
        created = await ring.create("name")
        await slow.poll()
        slow_database.hold = True
        looking_up = asyncio.create_task(slow.authenticate(created.key, HERE))
        await slow_database.held.wait()
        await ring.disable(created.id)
        await slow.poll()
        slow_database.go.set()
        assert await _refusal(looking_up) == "This API key is disabled."
        assert await _refusal(slow.authenticate(created.key, HERE)) == "This API key is disabled."

    async def test_a_poll_on_its_way_does_not_confirm_what_was_changed(
        self, slow_database: SlowDatabase, root_secret: RootSecret, clock: ManualClock
    ) -> None:
        """A poll that asked before this process disabled a key says nothing about it afterwards."""
        slow = KeyRing(slow_database, root_secret, clock)
        created = await slow.create("name")
        await slow.authenticate(created.key, HERE)
        slow_database.hold = True
        polling = asyncio.create_task(slow.poll())
        await slow_database.held.wait()
        clock.advance(0.001)
        await slow.disable(created.id)
        refused = asyncio.create_task(_refusal(slow.authenticate(created.key, HERE)))
        slow_database.go.set()
        assert await refused == "This API key is disabled."
        await polling

    async def test_a_key_disabled_while_it_is_looked_up_is_dead_after_a_poll(
        self, ring: KeyRing, other_ring: KeyRing
    ) -> None:
        """However the look-up, the change and polls fall together, the next poll settles it."""
        for _ in range(30):
            created = await ring.create("name")
            await asyncio.gather(
                _kind(other_ring.authenticate(created.key, HERE)), ring.disable(created.id), other_ring.poll()
            )
            await other_ring.poll()
            assert await _refusal(other_ring.authenticate(created.key, HERE)) == "This API key is disabled."

    async def test_a_new_key_counts_where_it_was_tried_before(self, ring: KeyRing, other_ring: KeyRing) -> None:
        """That a key was unknown is forgotten with the next poll after any change."""
        secret = api_keys.new_secret()
        assert await _kind(other_ring.authenticate(secret, HERE)) is Kind.UNAUTHENTICATED
        assert await ring.create_first(secret, "first", ["admin"])
        assert await _kind(other_ring.authenticate(secret, HERE)) is Kind.UNAUTHENTICATED
        await other_ring.poll()
        assert (await other_ring.authenticate(secret, HERE)).name == "first"


async def test_a_key_expires_at_its_instant(ring: KeyRing, clock: ManualClock) -> None:
    """The last moment of a key is just before `expires_at`, cached or not; after it, the refusal says so."""
    created = await ring.create("name", expires_at=clock.now() + 2)
    clock.advance(1.999)
    await ring.authenticate(created.key, HERE)
    clock.advance(0.001)
    assert await _refusal(ring.authenticate(created.key, HERE)) == "This API key has expired."


class TestMisses:
    """Guessing is slow."""

    async def test_an_address_may_miss_twenty_times_a_second(self, ring: KeyRing, clock: ManualClock) -> None:
        """The 21st unknown key within a second is turned away with a time to retry, and then it may go on."""
        kinds = [await _kind(ring.authenticate(f"unknown-{number}", HERE)) for number in range(21)]
        assert kinds == [Kind.UNAUTHENTICATED] * 20 + [Kind.RATE_LIMITED]
        with pytest.raises(RixinError) as caught:
            await ring.authenticate("unknown", HERE)
        assert caught.value.retry_after == 1.0
        assert await _kind(ring.authenticate("unknown", "192.0.2.2")) is Kind.UNAUTHENTICATED
        clock.advance(1.0)
        assert await _kind(ring.authenticate("unknown-again", HERE)) is Kind.UNAUTHENTICATED

    async def test_known_keys_pass_at_an_address_that_guesses(self, ring: KeyRing) -> None:
        """Who shares an address with a guesser keeps what is known."""
        created = await ring.create("name")
        await ring.authenticate(created.key, HERE)
        for number in range(30):
            await _kind(ring.authenticate(f"unknown-{number}", HERE))
        await ring.authenticate(created.key, HERE)

    async def test_good_keys_are_no_misses(self, ring: KeyRing, other_ring: KeyRing) -> None:
        """A process that has just started recognises any number of keys from one address in the same second."""
        created = [await ring.create("name") for _ in range(50)]
        for one in created:
            await other_ring.authenticate(one.key, HERE)

    async def test_an_unknown_key_is_asked_for_once(self, ring: KeyRing, database: Database) -> None:
        """The same unknown key, tried again and again, reaches the store once, and is one miss."""
        tries = await asyncio.gather(*(_kind(ring.authenticate("unknown", HERE)) for _ in range(100)))
        assert set(tries) == {Kind.UNAUTHENTICATED}
        with outage(database.place, "keys"):
            assert await _kind(ring.authenticate("unknown", HERE)) is Kind.UNAUTHENTICATED
        kinds = [await _kind(ring.authenticate(f"unknown-{number}", HERE)) for number in range(20)]
        assert kinds == [Kind.UNAUTHENTICATED] * 19 + [Kind.RATE_LIMITED]

    async def test_what_is_remembered_is_bounded(
        self, database: Database, root_secret: RootSecret, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """More keys than there is room for are all recognised, and more unknown ones all refused."""
        for name in ("keys.MAX_KNOWN", "known_keys.MAX_KNOWN", "known_keys.MAX_UNKNOWN"):
            monkeypatch.setattr(f"rixin.accounts.{name}", 3)
        ring = KeyRing(database, root_secret, clock)
        created = [await ring.create(f"name {number}") for number in range(8)]
        for _ in range(2):
            for number, one in enumerate(created):
                assert (await ring.authenticate(one.key, HERE)).name == f"name {number}"
                assert await _kind(ring.authenticate(f"unknown-{number}", None)) is Kind.UNAUTHENTICATED


class TestOutage:
    """When the store fails, nobody comes in who was not known a moment ago."""

    async def test_what_is_known_counts_for_five_seconds(
        self, ring: KeyRing, database: Database, clock: ManualClock
    ) -> None:
        """Known keys live on for 5 seconds after the last poll that worked; with the store back, all goes on."""
        created = await ring.create("name")
        await ring.authenticate(created.key, HERE)
        with outage(database.place, "revision"):
            assert await _kind(ring.poll()) is Kind.OVERLOADED
            clock.advance(5.0)
            await ring.authenticate(created.key, HERE)
            clock.advance(0.001)
            assert await _kind(ring.authenticate(created.key, HERE)) is Kind.OVERLOADED
        await ring.authenticate(created.key, HERE)

    async def test_a_miss_fails_closed(self, ring: KeyRing, other_ring: KeyRing, database: Database) -> None:
        """An unknown key is neither let in nor called wrong, as often as it is tried; later it is recognised."""
        created = await ring.create("name")
        await other_ring.poll()
        with outage(database.place, "keys"):
            for _ in range(30):
                assert await _kind(other_ring.authenticate(created.key, HERE)) is Kind.OVERLOADED
        await other_ring.authenticate(created.key, HERE)

    async def test_a_change_fails_with_the_store(self, ring: KeyRing, database: Database) -> None:
        """Keys are neither made nor disabled without the store, and nothing is left half done."""
        created = await ring.create("name")
        with outage(database.place, "keys"):
            assert await _kind(ring.create("another")) is Kind.OVERLOADED
            assert await _kind(ring.disable(created.id)) is Kind.OVERLOADED
        assert [key.id for key in await ring.list()] == [created.id]
        await ring.authenticate(created.key, HERE)

    async def test_the_poller_says_it_once_and_goes_on(
        self, ring: KeyRing, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A failing store is one warning, however long it lasts, and the poller works again when the store does."""
        monkeypatch.setattr(polling, "POLL_INTERVAL", 0.001)
        created = await ring.create("name")
        await ring.authenticate(created.key, HERE)
        with structlog.testing.capture_logs() as logs:
            with outage(database.place, "revision"):
                poller = asyncio.create_task(ring.run())
                async with asyncio.timeout(50):
                    while not logs:
                        await _kind(ring.poll())
                for _ in range(20):
                    assert await _kind(ring.poll()) is Kind.OVERLOADED
            assert [(entry["log_level"], entry["about"]) for entry in logs] == [("warning", "keys")]
            await ring.disable(created.id)
            async with asyncio.timeout(50):
                while await _kind(ring.authenticate(created.key, HERE)) is None:
                    await database.revision()
            assert not poller.done()
        poller.cancel()
        await asyncio.wait([poller])


class TestLastUse:
    """When keys were last used is written now and then."""

    async def test_it_is_written_in_batches(self, ring: KeyRing, clock: ManualClock) -> None:
        """A use is kept in memory until it is written; then the listing shows its instant."""
        created = await ring.create("name")
        await ring.authenticate(created.key, HERE)
        assert (await ring.list())[0].last_used_at is None
        used_at = clock.now()
        await ring.write_used()
        clock.advance(1.0)
        assert (await ring.list())[0].last_used_at == used_at

    async def test_it_is_written_at_the_end(self, ring: KeyRing, clock: ManualClock) -> None:
        """Closing the ring writes what is left."""
        created = await ring.create("name")
        await ring.authenticate(created.key, HERE)
        await ring.aclose()
        assert (await ring.list())[0].last_used_at == clock.now()

    async def test_a_failing_store_loses_no_use(self, ring: KeyRing, clock: ManualClock, database: Database) -> None:
        """What could not be written is written later, and a failing store does not hinder closing."""
        created = await ring.create("name")
        await ring.authenticate(created.key, HERE)
        with outage(database.place, "keys"):
            await ring.aclose()
        await ring.write_used()
        assert (await ring.list())[0].last_used_at == clock.now()

    async def test_a_refused_key_is_not_used(self, ring: KeyRing) -> None:
        """Trying a disabled key is no use of it."""
        created = await ring.create("name")
        await ring.disable(created.id)
        await _refusal(ring.authenticate(created.key, HERE))
        await ring.write_used()
        assert (await ring.list())[0].last_used_at is None


class TestManagement:
    """What keys can be made, listed and changed."""

    @pytest.mark.parametrize("name", ["a", "x" * 100, "'; DROP TABLE keys; --", "日新", "👩‍💻", '"quoted" \\ %_'])
    async def test_names_are_free(self, ring: KeyRing, name: str) -> None:
        """A name may hold whatever can be seen."""
        created = await ring.create(name)
        assert (await ring.authenticate(created.key, HERE)).name == name
        assert [key.name for key in await ring.list(search=name)] == [name]

    @pytest.mark.parametrize(
        ("arguments", "param"),
        [
            ({"name": ""}, "name"),
            ({"scopes": ["root"]}, "scopes"),
            ({"models": [""]}, "models[0]"),
            ({"plan": ""}, "plan"),
            ({"expires_at": 1.0}, "expires_at"),
        ],
    )
    async def test_a_key_that_cannot_be_is_refused_by_field(
        self, ring: KeyRing, arguments: dict[str, object], param: str
    ) -> None:
        """A wrong argument is an error that names it, and no key is made."""
        with pytest.raises(RixinError) as caught:
            await ring.create(**({"name": "name"} | arguments))  # pyright: ignore[reportArgumentType] - wrong on purpose
        assert (caught.value.kind, caught.value.param) == (Kind.INVALID_REQUEST, param)
        assert await ring.list() == []

    async def test_a_key_makes_none_that_may_do_more(self, ring: KeyRing) -> None:
        """A creator's limits hold for what it makes, and it is on record as its creator."""
        creator = Account(id="key_of_creator", name="Ada", scopes=frozenset({"admin", "inference"}))
        created = await ring.create("name", ["inference"], creator=creator)
        assert [(key.id, key.creator) for key in await ring.list()] == [(created.id, "key_of_creator")]
        assert await _kind(ring.create("name", ["metrics"], creator=creator)) is Kind.PERMISSION_DENIED

    async def test_pages_join_without_gap_or_overlap(self, ring: KeyRing, clock: ManualClock) -> None:
        """Keys are listed in the order of their making, page after page."""
        created: list[api_keys.CreatedKey] = []
        for number in range(5):
            created.append(await ring.create(f"name {number}"))
            clock.advance(0.01)
        first = await ring.list(limit=3)
        second = await ring.list(limit=3, after=first[-1].id)
        assert [key.id for key in first + second] == [key.id for key in created]

    @pytest.mark.parametrize(
        ("arguments", "param"),
        [
            ({"limit": 0}, "limit"),
            ({"limit": 1001}, "limit"),
            ({"after": "'; --"}, "after"),
            ({"search": "x" * 101}, "name"),
            ({"search": "\ud800"}, "name"),
        ],
    )
    async def test_a_listing_that_cannot_be_is_refused_by_field(
        self, ring: KeyRing, arguments: dict[str, object], param: str
    ) -> None:
        """A wrong argument is an error that names it."""
        with pytest.raises(RixinError) as caught:
            await ring.list(**arguments)  # pyright: ignore[reportArgumentType] - wrong on purpose
        assert (caught.value.kind, caught.value.param) == (Kind.INVALID_REQUEST, param)

    @pytest.mark.parametrize("id_", ["key_" + "0" * 32, "' OR 1=1 --", "", "a\x00", "\ud800", "x" * 10_240, "%"])
    @pytest.mark.parametrize("change", ["disable", "enable", "delete"])
    async def test_what_is_not_there_is_not_found(self, ring: KeyRing, change: str, id_: str) -> None:
        """An id of no key is NOT_FOUND, whatever it holds, and no key is changed."""
        await ring.create("name")
        before = await ring.list()
        assert await _kind(getattr(ring, change)(id_)) is Kind.NOT_FOUND
        assert await ring.list() == before


async def test_a_server_restarted_elsewhere_knows_the_keys(
    ring: KeyRing, place: Place, root_secret: RootSecret, clock: ManualClock
) -> None:
    """Keys outlive the process."""
    created = await ring.create("name")
    reopened = Database(place)
    await reopened.migrate()
    await KeyRing(reopened, root_secret, clock).authenticate(created.key, HERE)
    await reopened.aclose()
