"""What a language model writes for requests, in time or as far as it came."""

import asyncio
import hashlib
from collections.abc import Callable
from contextlib import aclosing
from typing import Final

import structlog

from rixin.core.cards import ModelCard
from rixin.core.requests import Draw
from rixin.engines.draw.writing import Task, Write, task
from rixin.errors import RixinError

_REMEMBERED: Final = 64
"""Requests with a seed whose words are kept."""
_LONGEST: Final = 64 * 1024
"""Characters of an answer that are read; no specification has as many."""
_STEP: Final = 0.05
"""The part of the work after which more is told."""

log = structlog.get_logger("rixin.engines.draw")


class Author:
    """Has a model write, and remembers what it wrote for requests with a seed: they repeat also where it does not.

    Args:
        write: Has it write; None where there is none.
        deadline: Seconds that it has.
    """

    def __init__(self, write: Write | None, deadline: float) -> None:
        self._write = write
        self._deadline = deadline
        self._words: dict[bytes, str] = {}

    async def words(self, request: Draw, tell: Callable[[float], None]) -> str:
        """What a model writes for a prompt, as far as it comes in time; nothing where it does not.

        Args:
            request: Says the prompt.
            tell: Told which part of the work is done, from 0 to 1.
        """
        if self._write is None or request.prompt_extend is False:
            return ""
        key = None if request.seed is None else _digest(request.prompt, request.seed)
        if key and key in self._words:
            return self._words[key]
        written = await self._written(self._write, request.prompt, tell)
        if key and written:
            if len(self._words) >= _REMEMBERED:
                del self._words[next(iter(self._words))]
            self._words[key] = written
        return written

    async def _written(self, write: Write, prompt: str, tell: Callable[[float], None]) -> str:
        pieces: list[str] = []
        most, length, told = 1, 0, 0.0

        def ask(card: ModelCard) -> Task:
            nonlocal most
            asked = task(prompt, card)
            most = asked.max_tokens
            return asked

        try:
            async with asyncio.timeout(self._deadline), aclosing(write(ask)) as answer:
                async for piece in answer:
                    pieces.append(piece)
                    length += len(piece)
                    if length > _LONGEST:
                        break
                    part = min(1.0, len(pieces) / most)
                    if part >= told + _STEP or part == 1.0 > told:
                        told = part
                        tell(part)
        except TimeoutError:
            log.warning("The model that writes for a drawing was late", seconds=self._deadline, came=length)
        except RixinError as error:
            log.warning("The model that writes for a drawing failed", kind=error.kind, came=length)
        return "".join(pieces)


def _digest(prompt: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}:{prompt}".encode("utf-8", "surrogatepass")).digest()
