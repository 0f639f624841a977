"""Fetches from servers of this machine, which their tests share."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import pytest

from rixin.media.allowance import Allowance
from rixin.media.fetch import Fetcher, FetchTimeouts, Resolve
from rixin.media.fetch_error import FetchError
from rixin.media.guard import Guard, parse_url
from tests.support.hang import HANG
from tests.upstreams.scripted import Reply, Send, answer, head

PATIENT = FetchTimeouts(connect=5.0, head=5.0, total=5.0)

fixed = partial(answer, content_type="image/png")


class Names:
    """A resolver of the test's own: each name has a list of answers, of which the last one stays."""

    def __init__(self, **answers: Sequence[str]) -> None:
        self.answers = [list(text.split()) for text in answers.get("rebind", ())]
        self.asked = 0

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """The next answer, whatever is asked."""
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@asynccontextmanager
async def opened(
    resolve: Resolve | None = None, timeouts: FetchTimeouts = PATIENT, tls: ssl.SSLContext | None = None
) -> AsyncGenerator[Fetcher, None]:
    """A fetcher that may reach 127.0.0.1 beside the Internet."""
    fetcher = Fetcher(Guard(["127.0.0.1"]), timeouts, resolve=resolve, tls=tls)
    try:
        async with asyncio.timeout(HANG):
            yield fetcher
    finally:
        await fetcher.aclose()


async def fetch(
    url: str, limit: int = 2**20, resolve: Resolve | None = None, timeouts: FetchTimeouts = PATIENT
) -> bytearray:
    """What a URL holds."""
    async with opened(resolve, timeouts) as fetcher:
        return await fetcher.fetch(parse_url(url, "url"), Allowance(limit))


async def refused(url: str, **options: Resolve | FetchTimeouts) -> str:
    """Why a URL is not fetched, as the log tells it."""
    with pytest.raises(FetchError) as caught:
        await fetch(url, **options)  # pyright: ignore[reportArgumentType] - one of the two
    return str(caught.value)


def redirect(location: str, status: int = 302) -> Reply:
    """An answer that leads elsewhere."""
    return [Send(head(status, location=location, content_length="0"))]
