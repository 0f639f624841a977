"""How many tokens a prompt is."""

import asyncio

import structlog

from rixin.core.estimate import estimate_prompt
from rixin.core.requests import Count
from rixin.errors import Kind, RixinError
from rixin.routing.catalog import Catalog
from rixin.routing.router import Router

_PATIENCE = 1.0
"""Seconds after which the estimate is told: who counts wants to know now, not when a model is loaded."""

log = structlog.get_logger("rixin.service")


class Counter:
    """Counts as the engine does that would answer, where it can, and estimates elsewhere.

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
        try:
            async with asyncio.timeout(_PATIENCE):
                exact = await self._router.count(request, resolution)
        except TimeoutError:
            exact = None
        except RixinError as error:
            if error.kind is Kind.INVALID_REQUEST:
                raise
            log.info("A prompt could not be counted and is estimated", kind=error.kind.value, detail=error.detail)
            exact = None
        return estimate_prompt(request) if exact is None else exact
