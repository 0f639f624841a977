"""The engine for the embedded embedding model, as a web worker sees it: a child behind a Unix socket."""

import math
from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec

from rixin.core.embeddings import Embeddings
from rixin.core.requests import Change, Embed, Generate
from rixin.core.usage import Usage
from rixin.dialects.base import Upstream
from rixin.engines.base import Batch
from rixin.engines.child_client import CONNECT, ChildClient, ask_child
from rixin.engines.control import ControlClient
from rixin.engines.embedder_protocol import DIMENSIONS, EMBED_PATH, MAX_TOKENS, Texts, Vectors
from rixin.engines.observer import observed
from rixin.engines.transport import Carrier, Timeouts
from rixin.errors import invalid
from rixin.settings import EMBEDDER, LOCAL, Engine

DIALECT = "rixin"
"""What the embedder speaks is nobody else's."""
_LIMIT = 64 * 2**20
"""Bytes of an answer; 2048 vectors in Base64 have 4."""


class LocalEmbedder:
    """Makes vectors with the embedded model.

    Args:
        control: Loads it, and keeps it loaded while a request is under way.
        upstream: Reads its errors, which are in our own words.
        settings: Its queue and its deadlines.
    """

    name = f"{LOCAL}/{EMBEDDER}"

    def __init__(self, control: ControlClient, upstream: Upstream, settings: Engine) -> None:
        timeouts = Timeouts(
            connect=CONNECT,
            first_byte=settings.queue_deadline + settings.first_token_deadline,
            idle=settings.first_token_deadline,
            total=math.inf,
        )
        self._upstream = upstream
        self._child = ChildClient(EMBEDDER, control, lambda _: timeouts)

    async def ready(self) -> None:
        """Loads the model unless it is loaded; see `Engine.ready`."""
        await self._child.ready()

    async def stream(self, request: Generate) -> AsyncGenerator[Batch, None]:
        """Refuses: this model makes vectors only."""
        raise invalid(f"the model {request.model} answers no chats, it makes embeddings", "model")
        yield Batch([])  # pragma: no cover - makes this the generator that the protocol wants

    async def embed(self, request: Embed, key: str | None) -> Embeddings:  # noqa: ARG002 - nobody asks for a key here
        """The vectors of texts, each a passage unless the request says otherwise; see `Embeds.embed`."""
        if request.dimensions not in (None, DIMENSIONS):
            raise invalid(f"invalid dimensions, this model's vectors have {DIMENSIONS}.", "dimensions")
        texts = tuple(entry for entry in request.inputs if isinstance(entry, str))
        if len(texts) < len(request.inputs):
            raise invalid("invalid input, this model takes texts, no token ids.", "input")
        asked = Texts(
            texts=texts,
            kind=request.kind or "passage",
            most_tokens=min(request.most_tokens or MAX_TOKENS, MAX_TOKENS),
            key=request.fairness_key or "",
        )
        body = msgspec.json.encode(asked)

        async def ask(transport: Carrier) -> AsyncGenerator[Vectors, None]:
            watched = observed(transport, request, self.name, DIALECT)
            yield await ask_child(watched, self._upstream, "POST", EMBED_PATH, body, Vectors, _LIMIT)

        async with aclosing(self._child.answered(ask)) as answers:
            answer = await anext(answers)
        rows, size = answer.vectors, 4 * DIMENSIONS
        return Embeddings(
            model=EMBEDDER,
            vectors=tuple(rows[start : start + size] for start in range(0, len(rows), size)),
            usage=Usage(prompt=answer.tokens),
            changes=tuple(Change("ignored", field) for field in request.extra),
        )

    async def aclose(self) -> None:
        """Closes the connections; the child stays."""
        await self._child.aclose()
