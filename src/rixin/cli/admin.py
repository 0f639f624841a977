"""The admin API of a worker, built when somebody asks for it."""

import asyncio
import os
from typing import TYPE_CHECKING

from rixin.accounts.file_register import FileRegister
from rixin.cli.engines import Engines
from rixin.cli.knowledge import Knowledge
from rixin.cli.provider_rules import DIALECTS
from rixin.cli.sampling_presets import presets
from rixin.cli.stores import Stores
from rixin.clock import Clock
from rixin.service.configuration import Configuration
from rixin.service.doctor.examiner import Examiner
from rixin.service.installation import Installation
from rixin.service.knowledge_register import KnowledgeRegister
from rixin.settings import Settings
from rixin.store.owned_bases import OwnedBases
from rixin.store.owned_files import OwnedFiles
from rixin.web.authenticator import Authenticator
from rixin.web.lazy import Lazy

if TYPE_CHECKING:
    from rixin.web.admin.app import AdminApp


def lazy_admin(
    settings: Settings, stores: Stores, engines: Engines, knowledge: Knowledge, clock: Clock
) -> "Lazy[AdminApp]":
    """The admin API over the parts of a worker, which runs from now on."""
    started_at = clock.now()

    async def make() -> "AdminApp":
        return await asyncio.to_thread(_admin, settings, stores, engines, knowledge, clock, started_at)

    return Lazy(make)


def _admin(
    settings: Settings,
    stores: Stores,
    engines: Engines,
    knowledge: Knowledge,
    clock: Clock,
    started_at: float,
) -> "AdminApp":
    # FastAPI takes a third of a second, which a server whose admin API nobody asks for is spared.
    from rixin.accounts.people import People  # noqa: PLC0415 - as above
    from rixin.cli.people import counted_by, open_oidc  # noqa: PLC0415 - as above
    from rixin.web.admin.app import make_app  # noqa: PLC0415 - as above
    from rixin.web.admin.services import AdminServices  # noqa: PLC0415 - as above

    examiner = Examiner(engines.book, engines.upstreams.gate_of, stores.known.cards, engines.error_rules, clock)
    people = People.open(stores.database, stores.secret, stores.logins, counted_by(stores.limiter), clock)
    return make_app(
        AdminServices(
            keys=stores.keys,
            people=people,
            authenticator=Authenticator(stores.keys, stores.logins, settings.server),
            oidc=open_oidc(settings, people, stores.database, stores.secret, clock),
            dialects=frozenset(DIALECTS),
            ledger=stores.ledger,
            requests=stores.requests,
            plans=stores.plans,
            presets=presets(),
            resolutions=engines.catalog.resolutions,
            aliases=lambda: engines.upstreams.aliases,
            routes=lambda: engines.upstreams.routes,
            limiter=stores.limiter,
            engines=engines.control,
            load_of=engines.upstreams.load_of,
            providers=engines.book,
            gate_of=engines.upstreams.gate_of,
            documented=stores.known.cards,
            problems=engines.problems,
            learned=engines.learned,
            examiner=examiner,
            files=FileRegister(OwnedFiles(stores.database), stores.files, stores.links, settings.files, clock),
            knowledge=KnowledgeRegister(OwnedBases(stores.database), knowledge.service, knowledge.searcher),
            configuration=Configuration(
                settings, engines.current_settings, engines.config_file, os.environ, engines.reload
            ),
            installation=Installation.of(settings, stores.database, engines.config_file),
            environ=os.environ,
            obstacle=engines.obstacle,
            settings=settings.server,
            clock=clock,
            started_at=started_at,
        )
    )
