"""What a model writes for rooms of our own, under a schema. It is nobody's request: no row, and no limit but its
provider's own.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from rixin.core.cards import ModelCard
from rixin.core.events import Text
from rixin.core.json import JsonObject
from rixin.core.messages import Message, TextPart
from rixin.core.requests import Generate, ReasoningWish, Sampling
from rixin.core.tools import ResponseFormat
from rixin.errors import Kind, RixinError
from rixin.limits.base import Cost
from rixin.routing.catalog import Catalog
from rixin.routing.router import Router
from rixin.service.costs import Costs

_OURS = "writer"
"""Who asks, among the keys whose answers' lengths are remembered."""


class Writer:
    """Has the default model write: the one that answers where nobody chose one.

    Args:
        catalog: Knows it.
        router: Sends requests to engines.
        costs: Tells what requests cost, which counts against what may be asked of a provider.

    Raises:
        RixinError: `MODEL_NOT_FOUND` where there is none, `STARTING` while it is not known yet.
    """

    def __init__(self, catalog: Catalog, router: Router, costs: Costs) -> None:
        resolution = catalog.default("generate")
        if resolution is None:
            raise RixinError(Kind.MODEL_NOT_FOUND, "No model is configured.")
        self._resolution = resolution
        self._router = router
        self._costs = costs

    @property
    def card(self) -> ModelCard:
        """What is known of the model."""
        return self._resolution.card

    async def write(
        self, instructions: str, prompt: str, schema: JsonObject, max_tokens: int
    ) -> AsyncGenerator[str, None]:
        """Its answer, piece by piece. It thinks as little as it can be told to.

        Args:
            instructions: What it is told to do.
            prompt: With what.
            schema: The JSON Schema of its answer.
            max_tokens: Tokens that this may have.

        Raises:
            RixinError: Why there is none.
        """
        request = Generate(
            model=self.card.name,
            card=self.card,
            messages=(
                Message(role="system", parts=(TextPart(instructions),)),
                Message(role="user", parts=(TextPart(prompt),)),
            ),
            sampling=Sampling(temperature=0.0),
            max_tokens=max_tokens,
            reasoning=ReasoningWish(effort="none") if "none" in self.card.efforts else ReasoningWish(),
            response_format=ResponseFormat(kind="json_schema", name="answer", schema=schema),
        )
        attempt = self._router.attempt(request, self._resolution, presumed=self._presumed, spent=self._costs.spent)
        async with aclosing(attempt.batches()) as batches:
            async for batch in batches:
                text = "".join(event.text for event in batch.events if isinstance(event, Text))
                if text:
                    yield text

    def _presumed(self, request: Generate) -> Cost:
        return self._costs.presumed(request, self._resolution, _OURS)
