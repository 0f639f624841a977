"""What a worker knows: knowledge bases, the job that indexes their files, and what puts passages into requests."""

from collections.abc import Mapping

from msgspec import Struct

from rixin.accounts.files import FileBook
from rixin.cli.lifetime import Lifetime
from rixin.clock import Clock
from rixin.knowledge.documents import Bounds
from rixin.knowledge.embedder import Embedder
from rixin.knowledge.indexer import Indexer
from rixin.knowledge.search import Searcher
from rixin.media.worker import DOCUMENTS, Decoders
from rixin.service.knowledge import FileLibrary, KnowledgeService
from rixin.service.retrieve import Retriever
from rixin.store.database import Database
from rixin.store.knowledge import KnowledgeTable
from rixin.store.passages import PassageTable


class Knowledge(Struct, frozen=True):
    """The parts that others use."""

    service: KnowledgeService
    retriever: Retriever


def open_knowledge(
    database: Database,
    files: FileBook,
    embedder: Embedder,
    environment: Mapping[str, str],
    clock: Clock,
    life: Lifetime,
) -> Knowledge:
    """The knowledge bases of a server, whose files are indexed from now on.

    Args:
        database: Where they are.
        files: What they are made of.
        embedder: Makes the vectors.
        environment: All that decoders see of the environment; it should hold no secrets.
        clock: Time.
        life: Ends what began.
    """
    bases, passages, bounds = KnowledgeTable(database), PassageTable(database), Bounds()
    # Apart from those of requests: a book takes its time, and nobody should wait behind it.
    decoders = life.hold(Decoders(environment, number=1, timeout=2.0 * bounds.cpu_seconds, program=DOCUMENTS))
    indexer = Indexer(bases, passages, FileLibrary(files), decoders, embedder, clock, bounds)
    life.run(indexer.run())
    searcher = Searcher(bases, passages, embedder)
    return Knowledge(KnowledgeService(bases, files, indexer.nudge, clock), Retriever(searcher))
