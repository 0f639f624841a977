"""How many tokens a prompt is."""

import asyncio

import msgspec
import structlog

from rixin.core.estimate import estimate_inputs, estimate_prompt, prompt_text
from rixin.core.messages import ImagePart, Part, TextPart, ToolResult, VideoPart
from rixin.core.requests import Count, Generate
from rixin.errors import Kind, RixinError
from rixin.routing.catalog import Catalog, Resolution
from rixin.routing.router import Router

_PATIENCE = 1.0
"""Seconds after which the estimate is told: who counts wants to know now, not when a model is loaded."""

_LONG = 3_000
"""Estimated tokens beyond which counting exactly takes an engine longer than agents, who count often, should wait."""

_SLICES, _SLICE = 32, 256
"""Of a long text, as many slices of so many characters tell how its tokens go: within 2 % for prose, code, JSON and
mixtures of scripts, measured with two vocabularies."""

log = structlog.get_logger("rixin.service")


class Counter:
    """Counts as the engine does that would answer, where it can, and estimates elsewhere.

    Of a long prompt only slices are counted; how far the estimate is off for them corrects that of the whole. Images
    and videos are always estimated: nothing is fetched and nothing decoded only to be counted.

    Args:
        catalog: Resolves the request's model.
        router: Knows the engines.
    """

    def __init__(self, catalog: Catalog, router: Router) -> None:
        self._catalog = catalog
        self._router = router

    async def count(self, count: Count) -> int:
        """The prompt tokens of a request.

        Raises:
            RixinError: `INVALID_REQUEST` where the engine cannot make sense of the prompt, or what is wrong with the
                model's name.
        """
        request = count.request
        resolution = self._catalog.resolve(request.model)
        words = _without_media(request)
        estimate = estimate_prompt(words)
        beside = 0 if words is request else estimate_prompt(request) - estimate
        if estimate <= _LONG:
            exact = await self._exact(words, resolution)
            return (estimate if exact is None else exact) + beside
        sample = _slices(prompt_text(words))
        exact = await self._exact(Generate(model=request.model, card=request.card, prompt=sample), resolution)
        share = 1 if exact is None else exact / estimate_inputs([sample])
        return round(estimate * share) + beside

    async def _exact(self, words: Generate, resolution: Resolution) -> int | None:
        try:
            async with asyncio.timeout(_PATIENCE):
                return await self._router.count(words, resolution)
        except TimeoutError:
            return None
        except RixinError as error:
            if error.kind is Kind.INVALID_REQUEST:
                raise
            log.info("A prompt could not be counted and is estimated", kind=error.kind.value, detail=error.detail)
            return None


def _slices(text: str) -> str:
    """A text, or slices from all over it where it is long."""
    if len(text) <= _SLICES * _SLICE:
        return text
    last = len(text) - _SLICE
    starts = (place * last // (_SLICES - 1) for place in range(_SLICES))
    return "".join(text[start : start + _SLICE] for start in starts)


def _without_media(request: Generate) -> Generate:
    """The request with nothing in place of its images and videos; itself where it has none."""
    bare = tuple(_bare(message.parts) for message in request.messages)
    if all(parts == message.parts for parts, message in zip(bare, request.messages, strict=True)):
        return request
    messages = zip(request.messages, bare, strict=True)
    return request.edit(messages=tuple(msgspec.structs.replace(each, parts=parts) for each, parts in messages))


def _bare(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    bare: list[Part] = []
    for part in parts:
        match part:
            case ImagePart() | VideoPart():
                bare.append(TextPart(""))  # a turn of images alone is a turn still
            case ToolResult():
                bare.append(msgspec.structs.replace(part, parts=_bare(part.parts)))
            case _:
                bare.append(part)
    return tuple(bare)
