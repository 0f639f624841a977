"""The models that an account may ask for."""

from collections.abc import Awaitable, Callable

from rixin.accounts.account import Account
from rixin.core.cards import ModelCard
from rixin.errors import Kind, RixinError
from rixin.routing.catalog import Catalog


class ModelService:
    """Cards and lists, as far as an account's scope reaches.

    Args:
        catalog: All models.
        settled: Waits until every provider has been asked for its models once.
    """

    def __init__(self, catalog: Catalog, settled: Callable[[], Awaitable[None]]) -> None:
        self._catalog = catalog
        self.settled = settled

    def card_of(self, name: str, account: Account) -> ModelCard:
        """The card of a name.

        Raises:
            RixinError: `MODEL_NOT_FOUND`, or `PERMISSION_DENIED` for a model outside the account's scope.
        """
        card = self._catalog.resolve(name).card
        if not account.may_use(card.name, card.target):
            raise RixinError(Kind.PERMISSION_DENIED, "model is not available in the current token plan", param="model")
        return card

    def cards(self, account: Account) -> list[ModelCard]:
        """The cards of all names that the account may ask for."""
        return [card for card in self._catalog.cards() if account.may_use(card.name, card.target)]
