"""What answers a worker's requests, and how they find it: models of this machine, providers, and the router to both."""

import os
from collections.abc import Callable
from importlib.resources import files as resources
from pathlib import Path

from msgspec import Struct

from rixin.cli.config_watch import ConfigWatch
from rixin.cli.drawings import draw_engine
from rixin.cli.lifetime import Lifetime
from rixin.cli.local_engines import LocalLearner, local_engines, obstacle
from rixin.cli.provider_book import provider_table
from rixin.cli.provider_rules import DIALECTS, OPENAI_UPSTREAM, provider_rules
from rixin.cli.stores import Stores
from rixin.cli.upstreams import Upstreams
from rixin.clock import Clock
from rixin.engines.control import ControlClient
from rixin.engines.remote import Remote
from rixin.engines.replay import Replay
from rixin.errors import Kind, RixinError
from rixin.profiles.error_rules import ErrorRules, load_error_rules
from rixin.profiles.profile import Profile
from rixin.routing.catalog import Catalog
from rixin.routing.controls import Controls
from rixin.routing.healing import SelfHealing
from rixin.routing.learned import LearnedRules
from rixin.routing.providers import ProviderBook
from rixin.routing.router import Router
from rixin.routing.shared_rests import SharedRests
from rixin.routing.suspicions import Suspicions
from rixin.settings import DRAWER, LOCAL, Provider, Settings
from rixin.store.rests import RestTable


class Engines(Struct, frozen=True):
    """What answers, and how requests find it."""

    settings: Settings
    """Of the server."""
    error_rules: ErrorRules
    catalog: Catalog
    control: ControlClient
    """To the supervisor, who has the models of this machine."""
    book: ProviderBook
    learned: LearnedRules
    upstreams: Upstreams
    router: Router
    watch: ConfigWatch | None
    """Looks at the configuration file, where there is one."""

    def obstacle(self) -> RixinError | None:
        """Why requests cannot be served, where nothing but the embedded model could."""
        return None if self.book.served else obstacle(self.settings, self.control)

    def problems(self) -> list[str]:
        """What is wrong with the configuration that was read last, and with providers."""
        watched = self.watch.problems if self.watch is not None else ()
        return [*watched, *self.upstreams.problems]

    def read_configuration(self) -> None:
        """Has the configuration file read at once, where there is one."""
        if self.watch is not None:
            self.watch.read_now()

    @property
    def config_file(self) -> Path | None:
        """The configuration file that is looked at, there or not."""
        return None if self.watch is None else self.watch.path

    def current_settings(self) -> Settings:
        """The settings, with what of the configuration file counts without a restart."""
        return self.settings if self.watch is None else self.watch.current

    async def reload(self) -> str | None:
        """Reads the configuration file again; why it does not count, or None where it does.

        Raises:
            RixinError: `CONFLICT` where there is no file that is looked at.
        """
        if self.watch is None:
            raise RixinError(Kind.CONFLICT, "This server reads no configuration file while it runs.")
        await self.watch.look(at_once=True)
        return self.watch.problem


async def open_engines(
    settings: Settings, control_socket: Path, config_file: Path | None, stores: Stores, clock: Clock, life: Lifetime
) -> Engines:
    """All that may answer, kept up to date from now on.

    Args:
        settings: Of the server.
        control_socket: Where the supervisor listens.
        config_file: Looked at for changes, and so are stored providers; None where neither is wanted.
        stores: Of the server.
        clock: Time.
        life: Ends what began.

    Raises:
        RixinError: `CONFIGURATION`, naming what is wrong.
    """
    error_rules = load_error_rules(resources("rixin.profiles").joinpath("error_rules.toml").read_bytes())
    catalog = Catalog(stores.known, settings.aliases, routes=settings.routes, prices=stores.prices)
    learner = LocalLearner(settings, catalog)
    control = life.hold(ControlClient(control_socket, on_notice=learner.hear))
    await control.connect()
    local = local_engines(settings, control, OPENAI_UPSTREAM)
    local[f"{LOCAL}/{DRAWER}"] = draw_engine(catalog, lambda: router, stores.costs, os.environ)
    for engine in local.values():
        life.hold(engine)
    book = ProviderBook(
        settings.providers, provider_table(stores.database, stores.secret), provider_rules(os.environ), clock
    )
    if config_file is not None:
        await book.poll()
    learned = LearnedRules(stores.database, book.address_of, clock)
    await learned.poll()
    upstreams = life.hold(
        Upstreams(
            book,
            connect=_connect,
            cards=stores.known.cards,
            catalog=catalog,
            local=local,
            learned=learned,
            keep_secret=stores.redactor.learn,
        )
    )
    _connect_all(upstreams, settings)
    router, controls = _router(upstreams, learned, error_rules, stores, clock)
    upstreams.attach(router)
    if settings.server.workers > 1 or settings.server.shares_database:
        life.run(SharedRests(RestTable(stores.database), lambda: router.gates, clock).run())
    book.subscribe(upstreams.follow)
    for work in (learner.run(control), learned.run(), controls.run()):
        life.run(work)
    watch = None
    if config_file is not None:
        watch = ConfigWatch(config_file, settings, os.environ, upstreams.reconfigure)
        life.run(watch.run())
        life.run(book.run())
    return Engines(settings, error_rules, catalog, control, book, learned, upstreams, router, watch)


def _connect_all(upstreams: Upstreams, settings: Settings) -> None:
    """Makes the providers' engines. One of the settings that cannot be made is nothing to start with."""
    upstreams.configure(settings.aliases, settings.routes)
    upstreams.follow()
    for provider in settings.providers:
        if provider.name in upstreams.failures:
            raise RixinError(Kind.CONFIGURATION, upstreams.failures[provider.name])


def _connect(provider: Provider, profile_for: Callable[[str], Profile]) -> Remote | Replay:
    if provider.replay_dir is not None:
        return Replay.open(provider.name, provider.replay_dir, DIALECTS, OPENAI_UPSTREAM.build_body, also=(LOCAL,))
    return Remote.connect(provider, DIALECTS[provider.dialect], os.environ, profile_for)


def _router(
    upstreams: Upstreams, learned: LearnedRules, error_rules: ErrorRules, stores: Stores, clock: Clock
) -> tuple[Router, Controls]:
    """What sends requests to engines, and what tries again what it was told that they cannot do."""
    suspicions = Suspicions(learned)
    controls = Controls(upstreams.gate_of, suspicions, learned, upstreams.profile, limiter=stores.limiter, clock=clock)
    router = Router(
        upstreams.engines,
        providers=upstreams.providers,
        limiter=stores.limiter,
        clock=clock,
        heal=SelfHealing(error_rules, suspicions, controls, upstreams.preset_of),
    )
    return router, controls
