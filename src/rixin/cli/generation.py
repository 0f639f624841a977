"""What generates: engines, with all that a request goes through on its way to them and an answer on its way back."""

import os

from rixin.accounts.account import Account
from rixin.accounts.account_files import AccountFiles
from rixin.cli.conversations import continuity
from rixin.cli.engines import Engines
from rixin.cli.lifetime import Lifetime
from rixin.cli.limits import limits_of
from rixin.cli.provider_rules import OPENAI_UPSTREAM
from rixin.cli.stores import Stores
from rixin.clock import Clock
from rixin.engines.process_pipes import without_secrets
from rixin.engines.recorder import Recorder
from rixin.media.worker import Decoders
from rixin.moderation.moderator import Moderator
from rixin.service.generate import Generator
from rixin.service.media import MediaStep
from rixin.service.retrieve import Retriever
from rixin.service.serving import Serving
from rixin.settings import Settings


def open_generator(
    settings: Settings,
    stores: Stores,
    engines: Engines,
    retriever: Retriever,
    documents: Decoders,
    clock: Clock,
    life: Lifetime,
) -> Generator:
    """What begins generations.

    Args:
        settings: Of the server.
        stores: What counts them, and takes them down.
        engines: What answers them.
        retriever: Puts in what knowledge bases know.
        documents: Read documents, also for others.
        clock: Time.
        life: Ends what began.
    """

    def files_of(account: Account) -> AccountFiles:
        return AccountFiles(stores.files, stores.links, account)

    directory = settings.server.record_dir
    moderator = Moderator.open(settings.moderation)
    if moderator is not None:
        life.hold(moderator)
    media = MediaStep.open(settings.media, without_secrets(os.environ), documents, engines.upstreams.profile, files_of)
    serving = Serving(
        catalog=engines.catalog,
        router=engines.router,
        limiter=stores.limiter,
        limits_for=limits_of(stores.plans),
        costs=stores.costs,
        requests=stores.requests,
        clock=clock,
        moderator=moderator,
    )
    build_body = OPENAI_UPSTREAM.build_body
    return Generator(
        serving,
        continuity=continuity(stores.secret, clock),
        media=life.hold(media),
        recorder=None if directory is None else life.hold(Recorder(directory, build_body, stores.redactor, clock)),
        retriever=retriever,
    )
