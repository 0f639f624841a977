"""`GET /v1/models` and `/v1/models/{id}`, and the same in other dialects."""

from collections.abc import Callable, Iterable
from urllib.parse import unquote

from rixin.accounts.account import Account
from rixin.core.cards import ModelCard
from rixin.dialects.openai_models import render_model, render_models
from rixin.service.models import ModelService
from rixin.web.exchange import Exchange


class ModelsHandler:
    """Lists what an account may ask for, or shows one model.

    Args:
        models: What there is.
        render_list: Renders models as a dialect lists them.
        render_one: Renders a single one.
    """

    def __init__(
        self,
        models: ModelService,
        render_list: Callable[[Iterable[ModelCard]], bytes] = render_models,
        render_one: Callable[[ModelCard], bytes] = render_model,
    ) -> None:
        self._models = models
        self._render_list = render_list
        self._render_one = render_one

    async def __call__(self, exchange: Exchange, account: Account, rest: str) -> None:
        """Answers an exchange; `rest` is the model's name."""
        await self._models.settled()
        if rest:
            body = self._render_one(self._models.card_of(unquote(rest), account))
        else:
            body = self._render_list(self._models.cards(account))
        await exchange.respond(200, body)
