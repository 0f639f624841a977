"""Requests for embeddings, of clients and of rooms of our own."""

from collections.abc import Sequence

from rixin.core.embeddings import Embeddings, vector_bytes
from rixin.core.estimate import estimate_inputs
from rixin.core.requests import Embed, TextKind
from rixin.limits.base import Cost
from rixin.routing.catalog import Catalog
from rixin.routing.router import Router
from rixin.service.served import Caller
from rixin.service.serving import Serving
from rixin.service.whole import Whole

PORTION = 64
"""Texts of our own that are asked for at a time, so that requests of others come between."""


class Embedding(Whole[Embed]):
    """One request under way."""

    operation = "embed"

    async def run(self) -> Embeddings:
        """The answer.

        Raises:
            RixinError: Why there is none.
        """
        return await self._admitted(self._embeddings)

    async def _embeddings(self) -> Embeddings:
        answer = await self._send(self.request).embeddings()
        self.usage = answer.usage
        return answer


class Embedder:
    """Begins requests for embeddings."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving

    def begin(self, request: Embed, caller: Caller) -> Embedding:
        """A request that starts when it is run."""
        return Embedding(self._serving, request, caller)


class TextEmbedder:
    """Makes vectors for rooms of our own: `await embed(texts, "passage")`.

    Always the same model makes them, since vectors of different ones cannot be compared, whatever providers come and
    go. They are nobody's request: no row, no limit.

    Args:
        catalog: Resolves the model.
        router: Sends requests to engines.
        model: The model's name.
    """

    def __init__(self, catalog: Catalog, router: Router, model: str) -> None:
        self.model = model
        self._catalog = catalog
        self._router = router

    async def __call__(self, texts: Sequence[str], kind: TextKind) -> list[bytes]:
        """One vector a text, in order, as little-endian 32-bit floats; of length 1 where the embedded model makes them.

        Args:
            texts: Any number of them, none of them empty.
            kind: Whether they are looked for or looked through.

        Raises:
            RixinError: Why there are none.
        """
        resolution = self._catalog.resolve(self.model)
        vectors: list[bytes] = []
        for start in range(0, len(texts), PORTION):
            portion = tuple(texts[start : start + PORTION])
            request = Embed(model=self.model, card=resolution.card, inputs=portion, kind=kind)
            answer = await self._router.attempt(request, resolution, presumed=_presumed).embeddings()
            vectors += map(vector_bytes, answer.vectors)
        return vectors


def _presumed(request: Embed) -> Cost:
    """What a request of our own will presumably cost its upstream's limits."""
    return Cost(tokens=estimate_inputs(request.inputs))
