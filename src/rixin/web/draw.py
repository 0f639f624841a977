"""The wire routes of images: a prompt to pictures, all at once."""

from collections.abc import Callable

from rixin.accounts.account import Account
from rixin.accounts.file_links import FileLinks
from rixin.clock import Clock
from rixin.core.requests import Draw
from rixin.dialects.base import Dialect
from rixin.errors import Kind, RixinError
from rixin.service.draw import Drawer, Drawing
from rixin.service.served import Caller, changes_text
from rixin.web.announcement import announce
from rixin.web.exchange import Exchange
from rixin.web.files import base_of
from rixin.web.intake import Intake
from rixin.web.stamp import make_stamp


class DrawHandler:
    """Answers one route of a dialect.

    Args:
        dialect: The client's.
        intake: Reads its requests.
        drawer: Answers them.
        refuse: Takes down what is no request: who asked, the body, what is wrong with it, and the operation's name.
        links: Make links to what is drawn.
        clock: Time.

    Raises:
        ValueError: The dialect cannot tell images.
    """

    def __init__(
        self,
        dialect: Dialect,
        intake: Intake,
        drawer: Drawer,
        refuse: Callable[[Caller, bytes, RixinError, str], None],
        links: FileLinks,
        clock: Clock,
    ) -> None:
        if dialect.render_images is None:
            raise ValueError(f"{dialect.name} has no answer to a request for images")
        self._dialect = dialect
        self._render = dialect.render_images
        self._intake = intake
        self._drawer = drawer
        self._refuse = refuse
        self._links = links
        self._clock = clock

    async def __call__(self, exchange: Exchange, account: Account, rest: str) -> None:
        """Answers an exchange; `rest` is the model, where the path names it."""
        arrived, since = self._clock.now(), self._clock.monotonic()
        body = await self._intake.read(exchange)
        caller = Caller(
            account=account,
            dialect=self._dialect.name,
            request_id=exchange.request_id,
            arrived=arrived,
            since=since,
            received=self._clock.monotonic(),
            traceparent=exchange.headers.get("traceparent", ""),
        )
        try:
            request = await self._intake.parse(exchange, body, account, rest)
            if not isinstance(request, Draw):
                raise RixinError(Kind.NOT_IMPLEMENTED, "This route draws no images.")
        except RixinError as error:
            self._refuse(caller, body, error, Drawing.operation)
            raise
        exchange.log_fields.update(model=request.model, images=request.n)
        base = base_of(exchange)
        drawing = self._drawer.begin(request, caller)
        try:
            images = await exchange.guard(drawing.run(lambda file_id: self._links.link(file_id, base)))
        finally:
            announce(exchange, drawing, self._clock)
            exchange.log_fields.update(
                served_by=drawing.served_by,
                prompt_tokens=None if drawing.usage is None else drawing.usage.prompt,
                changes=changes_text(drawing.changes) or None,
            )
        await exchange.respond(200, self._render(images, request, make_stamp(exchange.request_id, self._clock)))
