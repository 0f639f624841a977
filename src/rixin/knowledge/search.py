"""Finds passages for a question: by its words, by what it means, and by both.

Both ways give an order; the orders are put together by rank (reciprocal rank fusion, Cormack et al., 2009), because
their scores cannot be compared.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Final, Literal, TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from rixin.core.knowledge import Hit
from rixin.knowledge.embedder import UNRELATED, Embedder, Vectors, read_vectors
from rixin.knowledge.tokens import query_tokens
from rixin.store.knowledge import KnowledgeTable, ValidDocument
from rixin.store.passages import PassageTable

Mode: TypeAlias = Literal["hybrid", "text", "vector"]
Place: TypeAlias = tuple[int, int]
"""A document's id, and a position in it."""

CACHE: Final = 256 * 2**20
"""Bytes of vectors that are kept in memory."""
DEPTH: Final = 30
"""Passages that each way gives."""
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
        self._shelf = _Shelf(passages, cache)

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
            near = await self._near(documents, question)
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

    async def _near(self, documents: Mapping[int, ValidDocument], question: str) -> "_Near":
        """All that is compared with the question, the nearest first."""
        model = self._embedder.model
        wanted = read_vectors(await self._embedder([question], "query"))[0]
        best: dict[Place, float] = {}
        asked: dict[int, tuple[float, int]] = {}
        for identity, document in documents.items():
            if document.embedder != model:
                continue
            vectors = await self._shelf.get(identity)
            if vectors.matrix.shape[1:] != wanted.shape:
                continue
            cosines = vectors.matrix @ wanted
            for row in _largest(cosines, 2 * DEPTH):
                place, cosine = (identity, int(vectors.entries[row])), float(cosines[row])
                best[place] = max(best.get(place, -1.0), cosine)
            if vectors.questions.any():
                row = int(np.argmax(np.where(vectors.questions, cosines, -np.inf)))
                asked[identity] = (float(cosines[row]), int(vectors.entries[row]))
        return _Near(tuple(sorted(best, key=lambda place: (-best[place], place))), asked)

    async def _answers(self, documents: Mapping[int, ValidDocument], near: "_Near") -> tuple[Answer, ...]:
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


class _Near(Struct, frozen=True):
    places: tuple[Place, ...]
    questions: dict[int, tuple[float, int]]
    """Of each document that answers questions, the nearest one: its cosine and its entry."""


class _Vectors(Struct, frozen=True):
    """The vectors of a document."""

    matrix: Vectors
    entries: NDArray[np.int64]
    questions: NDArray[np.bool_]


class _Shelf:
    """Keeps the vectors of documents that were searched lately: those of a document that is valid never change."""

    def __init__(self, passages: PassageTable, size: int) -> None:
        self._passages = passages
        self._left = size
        self._kept: OrderedDict[int, _Vectors] = OrderedDict()

    async def get(self, document_id: int) -> _Vectors:
        """The vectors of a document."""
        if (kept := self._kept.get(document_id)) is not None:
            self._kept.move_to_end(document_id)
            return kept
        rows = await self._passages.vectors(document_id)
        vectors = _Vectors(
            await asyncio.to_thread(read_vectors, [row.vector for row in rows]),
            np.array([row.entry for row in rows], np.int64),
            np.array([row.question for row in rows], np.bool_),
        )
        if document_id not in self._kept:  # somebody else may have fetched them meanwhile
            self._kept[document_id] = vectors
            self._left -= vectors.matrix.nbytes
        while self._left < 0:
            _, forgotten = self._kept.popitem(last=False)
            self._left += forgotten.matrix.nbytes
        return vectors


def fuse(orders: Sequence[Sequence[Place]]) -> list[tuple[Place, float]]:
    """Places with their scores, the best first: 1 is first in every order."""
    scores: dict[Place, float] = {}
    for places in orders:
        for rank, place in enumerate(dict.fromkeys(places)):
            scores[place] = scores.get(place, 0.0) + _DAMPING / (_DAMPING + rank) / len(orders)
    return sorted(scores.items(), key=lambda each: (-each[1], each[0]))


def _rank(order: Sequence[Place], place: Place) -> int | None:
    return order.index(place) + 1 if place in order else None


def _largest(values: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """Where the largest values are."""
    if len(values) <= count:
        return np.arange(len(values))
    return np.argpartition(values, -count)[-count:]
