"""One request after the other, in portions between which others have their turn."""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from rixin.clock import Clock
from rixin.engines.child.admission import Admission
from rixin.engines.child.queue import Queue
from rixin.engines.embedder.model import E5
from rixin.engines.embedder_protocol import Texts, Vectors
from rixin.errors import Kind, RixinError

SLOTS = 8
"""Requests that take turns, portion by portion; others wait."""
PORTION = 512
"""Tokens that are computed at a time: about a second on two cores, which is what a short text may have to wait for."""


class Work:
    """Makes vectors for everybody who asks.

    Args:
        model: The loaded model.
        queue: Requests that may wait.
        deadline: Seconds that one may wait.
        clock: Time.
    """

    def __init__(self, model: E5, queue: int, deadline: float, clock: Clock) -> None:
        self._model = model
        self._queue = Queue(Admission(SLOTS, SLOTS, queue), deadline, clock)
        self._thread = ThreadPoolExecutor(1, "model")

    async def embed(self, asked: Texts) -> Vectors:
        """The vectors of texts. Cancelled, it ends after the portion that is being computed.

        Raises:
            RixinError: `CONTEXT_OVERFLOW` naming the text that is too long; `QUEUE_FULL`.
        """
        place = self._queue.enter(asked.key, 1)
        try:
            async for _ in self._queue.wait(place):
                pass
            run = asyncio.get_running_loop().run_in_executor
            tokens = await run(self._thread, self._count, asked)
            rows = [
                await run(self._thread, self._model.vectors, portion, asked.kind)
                for portion in portions(asked.texts, tokens)
            ]
        finally:
            place.leave()
        return Vectors(vectors=b"".join(rows), tokens=sum(tokens))

    def close(self) -> None:
        """Ends the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _count(self, asked: Texts) -> list[int]:
        tokens = [self._model.tokens(text, asked.kind) for text in asked.texts]
        for position, count in enumerate(tokens):
            if count > asked.most_tokens:
                where = f"input[{position}]"
                message = f"invalid {where}, should have at most {asked.most_tokens} tokens, has {count}."
                raise RixinError(Kind.CONTEXT_OVERFLOW, message, param=where, limit=asked.most_tokens, requested=count)
        return tokens


def portions(texts: Sequence[str], tokens: Sequence[int]) -> Iterator[Sequence[str]]:
    """Texts by the `PORTION`, in order; one that is larger is a portion of its own."""
    begin, size = 0, 0
    for position, count in enumerate(tokens):
        if position > begin and size + count > PORTION:
            yield texts[begin:position]
            begin, size = position, 0
        size += count
    yield texts[begin:]
