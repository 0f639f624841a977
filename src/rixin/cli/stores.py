"""What a worker keeps and counts: its database and all that lives there, files, plans and limits."""

from importlib.resources import files as resources
from typing import Final

from msgspec import Struct

from rixin.accounts import root_secret
from rixin.accounts.file_links import FileLinks
from rixin.accounts.files import FileBook
from rixin.accounts.keys import KeyRing
from rixin.accounts.ledger import Ledger
from rixin.accounts.logins import Logins
from rixin.accounts.request_log import RequestLog, RequestWatch
from rixin.accounts.root_secret import RootSecret
from rixin.accounts.unlock import unlock
from rixin.cli.lifetime import Lifetime
from rixin.clock import Clock
from rixin.core.prices import PriceList
from rixin.core.redaction import Redactor
from rixin.limits.base import Cost, Limit, Limiter
from rixin.limits.opening import open_limiter
from rixin.limits.plans import Plans
from rixin.profiles.cards import KnownModels, load_models
from rixin.profiles.plans import load_plans
from rixin.service.costs import Costs
from rixin.service.store_watch import Asking, StoreWatch
from rixin.settings import Settings
from rixin.store.database import Database
from rixin.store.file_bytes import FileBytes
from rixin.store.files import FileTable
from rixin.store.meta import MetaTable

_PROFILES: Final = resources("rixin.profiles")
_PROBE: Final = Limit("probe", "requests", 1, 60.0)
"""What nobody is bound by, to look at."""


class Stores(Struct, frozen=True):
    """What is kept, and counted."""

    database: Database
    secret: RootSecret
    known: KnownModels
    prices: PriceList
    costs: Costs
    keys: KeyRing
    logins: Logins
    ledger: Ledger
    requests: RequestLog
    files: FileBook
    links: FileLinks
    redactor: Redactor
    plans: Plans
    limiter: Limiter
    watch: StoreWatch


async def open_stores(
    settings: Settings, redactor: Redactor, watch: RequestWatch | None, clock: Clock, life: Lifetime
) -> Stores:
    """The stores of a server, looked after from now on.

    Args:
        settings: Of the server.
        redactor: Hides secrets in what is kept of requests.
        watch: Sees every request; None where nobody wants to know.
        clock: Time.
        life: Ends what began.

    Raises:
        RixinError: `CONFIGURATION` where a store cannot be used as the settings say.
    """
    database = life.hold(Database.open(settings))
    await database.prepare()
    secret = await unlock(root_secret.load(settings), MetaTable(database))
    keys = life.hold(KeyRing(database, secret, clock))
    logins = Logins(database, secret, clock)
    known = load_models(_PROFILES.joinpath("models.toml").read_bytes())
    prices = PriceList(settings.prices, known.cards, settings.usage.currency)
    limiter = open_limiter(settings, database, clock)
    ledger = life.hold(Ledger(database, prices, settings.journals_dir, limiter))
    requests = life.hold(RequestLog(database, ledger, secret, redactor, settings.server, clock, watch))
    files = file_book(settings, database, clock)
    links = FileLinks(secret, settings.server.public_url, clock)
    plans = Plans(settings.plans, load_plans(_PROFILES.joinpath("plans.toml").read_bytes()), settings.limits)
    life.hold(limiter)  # last, so that it ends first: the ledger's journal knows what of it was not written
    for work in (keys.run(), logins.run(), ledger.run(), requests.run(), requests.sweep_always(), files.run()):
        life.run(work)
    life.run(ledger.recover_always())
    life.run(ledger.sweep_always(settings.usage, clock))
    return Stores(
        database=database,
        secret=secret,
        known=known,
        prices=prices,
        costs=Costs(settings.credits, prices.of),
        keys=keys,
        logins=logins,
        ledger=ledger,
        requests=requests,
        files=files,
        links=links,
        redactor=redactor,
        plans=plans,
        limiter=limiter,
        watch=_watch(settings, database, limiter, clock),
    )


def _watch(settings: Settings, database: Database, limiter: Limiter, clock: Clock) -> StoreWatch:
    stores: dict[str, Asking] = {"database": database.revision}
    if settings.server.redis_url is not None:
        stores["redis"] = lambda: limiter.inspect((_PROBE,), Cost())
    return StoreWatch(stores, clock)


def file_book(settings: Settings, database: Database, clock: Clock) -> FileBook:
    """The files of a server. Raises as `FileBytes.open`."""
    store = FileBytes.open(settings.files.url, settings.files.options, settings.files_dir)
    return FileBook(FileTable(database), store, settings.files, clock)
