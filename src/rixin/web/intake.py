"""A client's bytes to a request, for every route of every dialect."""

from rixin.accounts.account import Account
from rixin.clock import Clock
from rixin.core.cards import ModelCard
from rixin.core.requests import Request
from rixin.dialects.base import Call, Dialect, Route
from rixin.errors import Kind, RixinError
from rixin.service.keeper import Keeper
from rixin.service.models import ModelService
from rixin.service.served import Caller
from rixin.settings import Server
from rixin.web.exchange import Exchange


class Intake:
    """Reads the requests of one route.

    Args:
        dialect: The client's.
        route: The route.
        models: Knows the models that requests name.
        settings: Of the server.
        clock: Time.
        keeper: Puts in what a request refers to, where the dialect has such references.
    """

    def __init__(
        self,
        dialect: Dialect,
        route: Route,
        models: ModelService,
        settings: Server,
        clock: Clock,
        keeper: Keeper | None = None,
    ) -> None:
        self._dialect = dialect
        self._route = route
        self._models = models
        self._settings = settings
        self._clock = clock
        self._keeper = keeper

    async def read(self, exchange: Exchange) -> bytes:
        """The body of an exchange. Raises as `Exchange.read_body` does."""
        return await exchange.read_body(self._settings.max_body_bytes, self._settings.body_timeout)

    async def receive(self, exchange: Exchange, account: Account) -> tuple[Caller, bytes]:
        """Who asks and since when, and the body. Raises as `Exchange.read_body` does."""
        arrived, since = self._clock.now(), self._clock.monotonic()
        body = await self.read(exchange)
        caller = Caller(
            account=account,
            dialect=self._dialect.name,
            request_id=exchange.request_id,
            arrived=arrived,
            since=since,
            received=self._clock.monotonic(),
            traceparent=exchange.headers.get("traceparent", ""),
        )
        return caller, body

    async def parse(self, exchange: Exchange, body: bytes, account: Account, model: str = "") -> Request:
        """What a body asks for. While not all models are known yet, a name that is not waits until they are.

        Args:
            exchange: Where it came.
            body: Decompressed.
            account: Who asks.
            model: The model that the path names, where it does.

        Raises:
            RixinError: What is wrong with the body, or with the model that it names.
        """
        path_params = {"model": model} if model else {}
        call = Call(path_params=path_params, query=exchange.query, headers=exchange.headers, body=body)
        if self._keeper is not None:
            call = await self._keeper.prepare(call, account.id)

        def card_of(name: str) -> ModelCard:
            return self._models.card_of(name, account)

        try:
            return self._route.parse(call, card_of)
        except RixinError as error:
            if error.kind is not Kind.STARTING:
                raise
        await self._models.settled()
        return self._route.parse(call, card_of)
