"""What a worker knows: knowledge bases, the job that indexes their files, and what puts passages into requests."""

from collections.abc import Mapping

from msgspec import Struct

from rixin.accounts.files import FileBook
from rixin.cli.lifetime import Lifetime
from rixin.clock import Clock
from rixin.knowledge.embedder import Embedder
from rixin.knowledge.indexer import Indexer
from rixin.knowledge.search import Searcher
from rixin.media.worker import DOCUMENTS, Decoders
from rixin.service.knowledge import FileLibrary, KnowledgeService
from rixin.service.retrieve import Retriever
from rixin.settings import Media
from rixin.store.database import Database
from rixin.store.knowledge import KnowledgeTable
from rixin.store.passages import PassageTable


class Knowledge(Struct, frozen=True):
    """The parts that others use."""

    service: KnowledgeService
    searcher: Searcher
    retriever: Retriever


def document_decoders(settings: Media, environment: Mapping[str, str]) -> Decoders:
    """What reads documents, those of requests and those of knowledge bases.

    One more of them than requests may have: of bases one document is read at a time, which may be a book, and nobody
    should wait behind it.

    Args:
        settings: Of decoders.
        environment: All that they see of the environment; it should hold no secrets.
    """
    return Decoders(
        environment,
        number=settings.decoders + 1,
        queue=settings.decode_queue,
        timeout=settings.decode_timeout,
        program=DOCUMENTS,
    )


def open_knowledge(
    database: Database,
    files: FileBook,
    embedder: Embedder,
    decoders: Decoders,
    clock: Clock,
    life: Lifetime,
) -> Knowledge:
    """The knowledge bases of a server, whose files are indexed from now on.

    Args:
        database: Where they are.
        files: What they are made of.
        embedder: Makes the vectors.
        decoders: Read documents, also for others.
        clock: Time.
        life: Ends what began.
    """
    bases, passages = KnowledgeTable(database), PassageTable(database)
    indexer = Indexer(bases, passages, FileLibrary(files), decoders, embedder, clock)
    life.run(indexer.run())
    searcher = Searcher(bases, passages, embedder)
    return Knowledge(KnowledgeService(bases, files, indexer.nudge, clock), searcher, Retriever(searcher))
