"""Finds passages for a question: by its words, by what it means, and by both.

Both ways give an order; the orders are put together by rank (reciprocal rank fusion, Cormack et al., 2009), because
their scores cannot be compared.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from msgspec import Struct

from rixin.core.knowledge import Hit
from rixin.knowledge.embedder import UNRELATED, Embedder
from rixin.knowledge.places import DEPTH, Near, Place
from rixin.knowledge.tokens import query_tokens
from rixin.store.knowledge import KnowledgeTable, ValidDocument
from rixin.store.passages import PassageTable

if TYPE_CHECKING:
    from rixin.knowledge.nearness import Nearness

Mode: TypeAlias = Literal["hybrid", "text", "vector"]

CACHE: Final = 256 * 2**20
"""Bytes of vectors that are kept in memory."""
_DAMPING: Final = 5.0
"""How many ranks it takes until a passage counts half of the first one: few, because few are wanted."""
_LONGEST: Final = 2000
"""Characters of a question that are looked at."""


class Answer(Struct, frozen=True):
    """What a base answers to a question that is often asked."""

    base_id: str
    text: str
    score: float
    """How near the question is to the one that is answered: 1 for the same, 0 for any other."""


class Found(Struct, frozen=True):
    """What was found."""

    hits: tuple[Hit, ...]
    """The best first."""
    answers: tuple[Answer, ...]
    """The nearest one of each base that has any; the nearest first."""


class Searcher:
    """Searches knowledge bases.

    Args:
        bases: Whose documents are where.
        passages: What is in them.
        embedder: Makes the vectors of questions.
        cache: Bytes of vectors that are kept in memory.
        unrelated: The cosine of two questions that have nothing to do with each other.
    """

    def __init__(
        self,
        bases: KnowledgeTable,
        passages: PassageTable,
        embedder: Embedder,
        cache: int = CACHE,
        unrelated: float = UNRELATED,
    ) -> None:
        self._bases = bases
        self._passages = passages
        self._embedder = embedder
        self._unrelated = unrelated
        self._cache = cache

    async def search(self, owner: str, bases: Sequence[str], question: str, limit: int, mode: Mode = "hybrid") -> Found:
        """Passages for a question.

        Args:
            owner: Whose the bases are.
            bases: Their ids.
            question: What is looked for.
            limit: Passages at most.
            mode: In which way.

        Raises:
            RixinError: `NOT_FOUND` unless all bases are the owner's; `OVERLOADED` where the database cannot be used;
                what the embedder raises.
        """
        documents = {document.id: document for document in await self._bases.valid_documents(owner, bases)}
        question = question.strip()[:_LONGEST]
        if not documents or not question:
            return Found((), ())
        by_words: Sequence[Place] = ()
        by_meaning: Sequence[Place] = ()
        answers: tuple[Answer, ...] = ()
        if mode != "vector":
            by_words = await self._passages.match(query_tokens(question), documents, DEPTH)
        if mode != "text":
            near = await self._nearness.near(documents, question)
            by_meaning = near.places[:DEPTH]
            answers = await self._answers(documents, near)
        ranked = fuse({"hybrid": (by_words, by_meaning), "text": (by_words,), "vector": (by_meaning,)}[mode])[:limit]
        shown = await self._passages.shown([place for place, _ in ranked])
        hits = [
            Hit(
                base_id=documents[place[0]].base_id,
                file_id=documents[place[0]].file_id,
                document=documents[place[0]].name,
                text=shown[place].text,
                heading=shown[place].heading,
                page=shown[place].page,
                score=score,
                text_rank=_rank(by_words, place),
                vector_rank=_rank(by_meaning, place),
            )
            for place, score in ranked
            if place in shown
        ]
        return Found(tuple(hits), answers)

    @cached_property
    def _nearness(self) -> "Nearness":
        # numpy takes a tenth of a second and 11 MB to import, and many servers have no knowledge bases.
        from rixin.knowledge.nearness import Nearness  # noqa: PLC0415 - see above

        return Nearness(self._passages, self._embedder, self._cache)

    async def _answers(self, documents: Mapping[int, ValidDocument], near: Near) -> tuple[Answer, ...]:
        nearest: dict[str, tuple[float, Place]] = {}
        for identity, (cosine, entry) in near.questions.items():
            base = documents[identity].base_id
            if base not in nearest or cosine > nearest[base][0]:
                nearest[base] = (cosine, (identity, entry))
        shown = await self._passages.shown([place for _, place in nearest.values()])
        floor = self._unrelated
        answers = [
            Answer(base, shown[place].answer or "", min(1.0, max(0.0, (cosine - floor) / (1 - floor))))
            for base, (cosine, place) in nearest.items()
            if place in shown
        ]
        return tuple(sorted(answers, key=lambda answer: -answer.score))


def fuse(orders: Sequence[Sequence[Place]]) -> list[tuple[Place, float]]:
    """Places with their scores, the best first: 1 is first in every order."""
    scores: dict[Place, float] = {}
    for places in orders:
        for rank, place in enumerate(dict.fromkeys(places)):
            scores[place] = scores.get(place, 0.0) + _DAMPING / (_DAMPING + rank) / len(orders)
    return sorted(scores.items(), key=lambda each: (-each[1], each[0]))


def _rank(order: Sequence[Place], place: Place) -> int | None:
    return order.index(place) + 1 if place in order else None
