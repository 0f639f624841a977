"""The wire routes of embeddings: texts to vectors, all at once."""

from collections.abc import Callable

from rixin.accounts.account import Account
from rixin.clock import Clock
from rixin.core.requests import Embed
from rixin.dialects.base import Dialect
from rixin.errors import Kind, RixinError
from rixin.service.embed import Embedder, Embedding
from rixin.service.served import Caller, changes_text
from rixin.web.announcement import announce
from rixin.web.exchange import Exchange
from rixin.web.intake import Intake


class EmbedHandler:
    """Answers one route of a dialect.

    Args:
        dialect: The client's.
        intake: Reads its requests.
        embedder: Answers them.
        refuse: Takes down what is no request: who asked, the body, what is wrong with it, and the operation's name.
        clock: Time.

    Raises:
        ValueError: The dialect cannot tell vectors.
    """

    def __init__(
        self,
        dialect: Dialect,
        intake: Intake,
        embedder: Embedder,
        refuse: Callable[[Caller, bytes, RixinError, str], None],
        clock: Clock,
    ) -> None:
        if dialect.render_embeddings is None:
            raise ValueError(f"{dialect.name} has no answer to a request for embeddings")
        self._render = dialect.render_embeddings
        self._intake = intake
        self._embedder = embedder
        self._refuse = refuse
        self._clock = clock

    async def __call__(self, exchange: Exchange, account: Account, rest: str) -> None:
        """Answers an exchange; `rest` is the model, where the path names it."""
        caller, body = await self._intake.receive(exchange, account)
        try:
            request = await self._intake.parse(exchange, body, account, rest)
            if not isinstance(request, Embed):
                raise RixinError(Kind.NOT_IMPLEMENTED, "This route makes no embeddings.")
        except RixinError as error:
            self._refuse(caller, body, error, Embedding.operation)
            raise
        exchange.log_fields.update(model=request.model, inputs=len(request.inputs))
        embedding = self._embedder.begin(request, caller)
        try:
            embeddings = await exchange.guard(embedding.run())
            answer = self._render(embeddings, request)
        finally:
            announce(exchange, embedding, self._clock)
            exchange.log_fields.update(
                served_by=embedding.served_by,
                prompt_tokens=None if embedding.usage is None else embedding.usage.prompt,
                changes=changes_text(embedding.changes) or None,
            )
        await exchange.respond(200, answer)
