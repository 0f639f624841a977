"""Looks at what clients ask, and at what they are answered."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from typing import Self

import msgspec
import structlog

from rixin.core.events import Event
from rixin.core.requests import Asked, Generate
from rixin.engines.base import Batch
from rixin.errors import Kind, RixinError
from rixin.moderation.check import ExternalCheck
from rixin.moderation.screen import Screen
from rixin.moderation.texts import request_texts
from rixin.moderation.windows import Windows
from rixin.moderation.words import Scan, WordList
from rixin.settings import Moderation

_SLICE = 2048
"""Characters of a request that are looked at before others have their turn."""

log = structlog.get_logger("rixin.moderation")


class Moderator:
    """A word list, a check, or both: the list first, since it costs less.

    Args:
        settings: Which of requests and answers are looked at, and how.
        words: The list; None where there is none.
        check: The check; None where there is none.
    """

    def __init__(self, settings: Moderation, words: WordList | None, check: ExternalCheck | None) -> None:
        self._settings = settings
        self._words = words
        self._check = check

    @classmethod
    def open(cls, settings: Moderation) -> Self | None:
        """The one that the settings want; None where they want none.

        Raises:
            RixinError: `CONFIGURATION` for a list that cannot be read or is wrong, or a URL that is none.
        """
        if settings.words is None and settings.check_url is None:
            return None
        words = None if settings.words is None else WordList.read(settings.words)
        check = None if settings.check_url is None else ExternalCheck.connect(settings.check_url, settings)
        return cls(settings, words, check)

    async def admit(self, request: Asked, request_id: str) -> None:
        """Looks at what a client asks.

        Raises:
            RixinError: `CONTENT_POLICY` where it must not be asked; as `ExternalCheck.allows`.
        """
        if not self._settings.input:
            return
        if self._words is not None:
            line = await self._find(self._words, request)
            if line is not None:
                log.info("a request was refused", id=request_id, by="words", line=line)
                raise _refused()
        if self._check is not None:
            texts = [text for text, _ in request_texts(request) if text]
            if texts and not await self._check.allows("input", request.model, texts):
                log.info("a request was refused", id=request_id, by="check")
                raise _refused()

    async def _find(self, words: WordList, request: Asked) -> int | None:
        looked = 0
        for text, escaped in request_texts(request):
            scan = Scan(words, escaped=escaped)
            for start in range(0, len(text), _SLICE):
                piece = text[start : start + _SLICE]
                scan.feed(piece)
                looked += len(piece)
                if looked >= _SLICE:
                    looked = 0
                    await asyncio.sleep(0)
            scan.end()
            if scan.found is not None:
                return scan.found
        return None

    @property
    def screens(self) -> bool:
        """Whether answers are to be given to `screened`."""
        return self._settings.output

    async def screened(
        self, answer: AsyncGenerator[Batch, None], request: Generate, request_id: str
    ) -> AsyncGenerator[Batch, None]:
        """An answer without what must not be told: where that begins, its choice ends with `content_filter`.

        The upstream is left once every choice has been ended so.

        Raises:
            RixinError: As `answer`, and as `ExternalCheck.allows`.
        """
        screening = _Screening(self._words, self._check, request, self._settings.check_window)
        async with aclosing(answer) as batches:
            async for batch in batches:
                events = await screening.feed(batch.events) if batch.events else batch.events
                yield msgspec.structs.replace(batch, events=events, raw=None)
                if len(screening.cut) >= request.n:
                    break
        if screening.cut:
            log.info("an answer was cut", id=request_id, by=screening.by, line=screening.line)

    async def aclose(self) -> None:
        """Closes the connections to the check."""
        if self._check is not None:
            await self._check.aclose()


class _Screening:
    """One answer on its way through the list and the check."""

    def __init__(self, words: WordList | None, check: ExternalCheck | None, request: Generate, window: int) -> None:
        self._screen = None if words is None else Screen(words)
        allows = None if check is None else partial(check.allows, "output", request.model)
        self._windows = None if allows is None else Windows(allows, window)

    @property
    def cut(self) -> set[int]:
        """The choices that were ended."""
        stages = (self._screen, self._windows)
        return {choice for stage in stages if stage is not None for choice in stage.cut}

    @property
    def line(self) -> int | None:
        """The line of the list that ended one."""
        return None if self._screen is None else self._screen.found

    @property
    def by(self) -> str:
        """What ended one."""
        return "check" if self.line is None else "words"

    async def feed(self, events: list[Event]) -> list[Event]:
        if self._screen is not None:
            events = self._screen.feed(events)
        return events if self._windows is None else await self._windows.feed(events)


def _refused() -> RixinError:
    return RixinError(Kind.CONTENT_POLICY, "The request was refused by the content policy of this server.")
