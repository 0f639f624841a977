"""What a model writes for rooms of our own, under a schema. It is nobody's request: no row, no limit."""

from rixin.core.events import Text
from rixin.core.json import JsonObject
from rixin.core.messages import Message, TextPart
from rixin.core.requests import Generate, Sampling
from rixin.core.tools import ResponseFormat
from rixin.errors import Kind, RixinError
from rixin.routing.catalog import Catalog
from rixin.routing.router import Router


class Writer:
    """Has the default model write: the one that answers where nobody chose one.

    Args:
        catalog: Knows it.
        router: Sends requests to engines.
    """

    def __init__(self, catalog: Catalog, router: Router) -> None:
        self._catalog = catalog
        self._router = router

    async def write(self, instructions: str, prompt: str, schema: JsonObject, max_tokens: int) -> str:
        """Its answer.

        Args:
            instructions: What it is told to do.
            prompt: With what.
            schema: The JSON Schema of its answer.
            max_tokens: Tokens that this may have.

        Raises:
            RixinError: Why there is none.
        """
        resolution = self._catalog.default("generate")
        if resolution is None:
            raise RixinError(Kind.MODEL_NOT_FOUND, "No model is configured.")
        request = Generate(
            model=resolution.card.name,
            card=resolution.card,
            messages=(
                Message(role="system", parts=(TextPart(instructions),)),
                Message(role="user", parts=(TextPart(prompt),)),
            ),
            sampling=Sampling(temperature=0.0),
            max_tokens=max_tokens,
            response_format=ResponseFormat(kind="json_schema", name="answer", schema=schema),
        )
        pieces: list[str] = []
        async for batch in self._router.attempt(request, resolution).batches():
            pieces += [event.text for event in batch.events if isinstance(event, Text)]
        return "".join(pieces)
