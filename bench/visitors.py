"""Clients of all kinds, as a soak has them: they ask in every dialect, and some leave before they have their answer."""

import asyncio
import contextlib
import random
import time
from collections import Counter

import aiohttp

from bench.asks import FRONTS, Ask, Front
from bench.scenarios import DELAYED, PACED
from bench.targets import Target

_THINKING = 0.2
"""Seconds that a visitor waits at most before the next request."""
_LEAVING = 1 / 3
"""How many of the streams are left before their end."""
_MARKS = (b"[DONE]", b"message_stop", b"response.completed", b'"finishReason":"')
"""How the dialects' streams end; one of them is there in each that is whole."""


class Visitors:
    """Clients that ask for this and that, in every dialect, and do not always stay to the end.

    Args:
        target: The server.
        seed: Of what they choose.
    """

    def __init__(self, target: Target, seed: int) -> None:
        self._target = target
        self._draw = random.Random(seed)
        self.done: Counter[str] = Counter()
        self.first_error = ""

    async def visit(self, visitors: int, seconds: float) -> None:
        """So many of them, for so long, and until the last one has what it asked for."""
        end = time.monotonic() + seconds
        connector = aiohttp.TCPConnector(limit=0)
        timeout = aiohttp.ClientTimeout(total=60)
        headers = dict(self._target.headers)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout, headers=headers) as client:
            await asyncio.gather(*(self._stay(client, end) for _ in range(visitors)))

    async def _stay(self, client: aiohttp.ClientSession, end: float) -> None:
        while time.monotonic() < end:
            front = self._draw.choice(FRONTS)
            model = self._draw.choice(("mock", PACED, DELAYED))
            ask = Ask(model, stream=self._draw.random() < 0.7)
            leaves = self._draw.random() < _LEAVING
            try:
                self.done[await self._request(client, front, ask, leaves=leaves)] += 1
            except (aiohttp.ClientError, TimeoutError, RuntimeError) as error:
                self.done["failed"] += 1
                self.first_error = self.first_error or f"{front.name}, {ask.model}: {error!r}"
            await asyncio.sleep(self._draw.random() * _THINKING)  # what people do between two requests

    async def _request(self, client: aiohttp.ClientSession, front: Front, ask: Ask, *, leaves: bool) -> str:
        url = f"http://127.0.0.1:{self._target.port}{front.path_of(ask)}"
        if leaves and ask.model == DELAYED:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._draw.random() * 0.2), client.post(url, json=front.body(ask)) as answer:
                    await answer.read()
            return "left"
        async with client.post(url, json=front.body(ask)) as answer:
            if answer.status != 200:
                raise RuntimeError(f"status {answer.status}: {(await answer.text())[:500]}")
            if leaves:
                await answer.content.read(self._draw.randint(1, 4000))
                answer.close()
                return "left"
            body = await answer.read()
        if not ask.stream:
            return "whole"
        if not any(mark in body[-4000:] for mark in _MARKS):
            raise RuntimeError(f"a stream without its end: {body[-200:]!r}")
        return "streamed"
