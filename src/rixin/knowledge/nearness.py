"""How near passages are to a question, by the vectors of both."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from rixin.errors import Kind, RixinError
from rixin.knowledge.embedder import Embedder
from rixin.knowledge.places import DEPTH, Near, Place
from rixin.store.knowledge import ValidDocument
from rixin.store.passages import PassageTable

Vectors: TypeAlias = NDArray[np.float32]
"""One row a text, each of length 1."""
WIRE: Final = np.dtype("<f4")
"""How a number of a vector is stored."""


class Nearness:
    """Compares questions with what is in documents.

    Args:
        passages: What is in them.
        embedder: Makes the vectors of questions.
        cache: Bytes of vectors that are kept in memory.
    """

    def __init__(self, passages: PassageTable, embedder: Embedder, cache: int) -> None:
        self._embedder = embedder
        self._shelf = _Shelf(passages, cache)

    async def near(self, documents: Mapping[int, ValidDocument], question: str) -> Near:
        """All that is compared with a question, the nearest first.

        Raises:
            RixinError: What the embedder raises; `OVERLOADED` where the database cannot be used.
        """
        model = self._embedder.model
        wanted = read_vectors(await self._embedder([question], "query"))[0]
        compared = {
            identity: await self._shelf.get(identity)
            for identity, document in documents.items()
            if document.embedder == model
        }
        # What is multiplied here may be large, and holds up nobody while it is.
        return await asyncio.to_thread(_near, compared, wanted)


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


def _near(documents: Mapping[int, _Vectors], wanted: NDArray[np.float32]) -> Near:
    """What of some documents is near, each passage and question compared: no index that finds most of it is exact."""
    best: dict[Place, float] = {}
    asked: dict[int, tuple[float, int]] = {}
    for identity, vectors in documents.items():
        if vectors.matrix.shape[1:] != wanted.shape:
            continue
        cosines = vectors.matrix @ wanted
        for row in _largest(cosines, 2 * DEPTH):
            place, cosine = (identity, int(vectors.entries[row])), float(cosines[row])
            best[place] = max(best.get(place, -1.0), cosine)
        if vectors.questions.any():
            row = int(np.argmax(np.where(vectors.questions, cosines, -np.inf)))
            asked[identity] = (float(cosines[row]), int(vectors.entries[row]))
    return Near(tuple(sorted(best, key=lambda place: (-best[place], place))), asked)


def _largest(values: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """Where the largest values are."""
    if len(values) <= count:
        return np.arange(len(values))
    return np.argpartition(values, -count)[-count:]


def read_vectors(rows: Sequence[bytes]) -> Vectors:
    """Vectors from their stored form, brought to length 1.

    Raises:
        RixinError: `UPSTREAM_INVALID` for what are no vectors of one model.
    """
    if not rows:
        return np.zeros((0, 0), np.float32)
    if not rows[0] or any(len(row) != len(rows[0]) for row in rows) or len(rows[0]) % WIRE.itemsize:
        raise RixinError(Kind.UPSTREAM_INVALID, "The embedding model gave vectors of different lengths.")
    read = np.frombuffer(b"".join(rows), WIRE).reshape(len(rows), -1).astype(np.float32)
    lengths = np.linalg.norm(read, axis=1, keepdims=True)
    if not np.all(np.isfinite(lengths)):
        raise RixinError(Kind.UPSTREAM_INVALID, "The embedding model gave numbers that are none.")
    return read / np.maximum(lengths, np.finfo(np.float32).tiny)
