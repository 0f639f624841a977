"""`GET /v1/models` and `/v1/models/{id}`, in the shape that the client speaks."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias
from urllib.parse import unquote

from rixin.accounts.account import Account
from rixin.core.cards import ModelCard
from rixin.service.models import ModelService
from rixin.web.exchange import Exchange


class ModelShape(NamedTuple):
    """How a dialect shows models."""

    many: Callable[[Sequence[ModelCard], Mapping[str, str]], bytes]
    """Renders a list, or the page of it that the request's query asks for."""
    one: Callable[[ModelCard], bytes]
    """Renders a single one."""

    @classmethod
    def unpaged(cls, many: Callable[[Iterable[ModelCard]], bytes], one: Callable[[ModelCard], bytes]) -> "ModelShape":
        """The shape of a dialect whose lists are always whole."""

        def whole(cards: Sequence[ModelCard], _query: Mapping[str, str]) -> bytes:
            return many(cards)

        return cls(whole, one)


ShapeOf: TypeAlias = Callable[[Mapping[str, str]], ModelShape]
"""Tells from a request's headers, by lower-case name, which shape its client knows."""


class ModelsHandler:
    """Lists what an account may ask for, or shows one model."""

    def __init__(self, models: ModelService, shape_of: ShapeOf) -> None:
        self._models = models
        self._shape_of = shape_of

    async def __call__(self, exchange: Exchange, account: Account, rest: str) -> None:
        """Answers an exchange; `rest` is the model's name."""
        await self._models.settled()
        shape = self._shape_of(exchange.headers)
        if rest:
            body = shape.one(self._models.card_of(unquote(rest), account))
        else:
            query = exchange.query
            body = shape.many(self._models.cards(account), query)
        await exchange.respond(200, body)
