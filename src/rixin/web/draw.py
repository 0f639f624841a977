"""The wire routes of images: a prompt to pictures, all at once or as a stream that tells how far they are."""

import asyncio
from collections.abc import Callable

import msgspec

from rixin.accounts.account import Account
from rixin.accounts.file_links import FileLinks
from rixin.clock import Clock
from rixin.core.images import Images
from rixin.core.requests import Draw, DrawProgress
from rixin.dialects.base import Dialect
from rixin.errors import Kind, RixinError
from rixin.service.draw import Drawer, Drawing
from rixin.service.served import Caller, changes_text
from rixin.settings import Server
from rixin.web.announcement import announce
from rixin.web.event_stream import EventStream
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
        settings: Of the server.
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
        settings: Server,
        clock: Clock,
    ) -> None:
        if dialect.render_images is None or dialect.images_writer is None:
            raise ValueError(f"{dialect.name} has no answer to a request for images")
        self._render = dialect.render_images
        self._writer = dialect.images_writer
        self._intake = intake
        self._drawer = drawer
        self._refuse = refuse
        self._links = links
        self._settings = settings
        self._clock = clock

    async def __call__(self, exchange: Exchange, account: Account, rest: str) -> None:
        """Answers an exchange; `rest` is the model, where the path names it."""
        caller, body = await self._intake.receive(exchange, account)
        try:
            request = await self._intake.parse(exchange, body, account, rest)
            if not isinstance(request, Draw):
                raise RixinError(Kind.NOT_IMPLEMENTED, "This route draws no images.")
        except RixinError as error:
            self._refuse(caller, body, error, Drawing.operation)
            raise
        exchange.log_fields.update(model=request.model, images=request.n, stream=request.stream)
        answer = self._stream if request.stream else self._whole
        await answer(exchange, request, caller)

    async def _whole(self, exchange: Exchange, request: Draw, caller: Caller) -> None:
        drawing = self._drawer.begin(request, caller)
        try:
            images = await exchange.guard(drawing.run(self._link(exchange)))
        finally:
            announce(exchange, drawing, self._clock)
            _note(exchange, drawing)
        await exchange.respond(200, self._render(images, request, make_stamp(exchange.request_id, self._clock)))

    async def _stream(self, exchange: Exchange, request: Draw, caller: Caller) -> None:
        news: asyncio.Queue[DrawProgress | None] = asyncio.Queue()
        drawing = self._drawer.begin(msgspec.structs.replace(request, progress=news.put_nowait), caller)
        writer = self._writer(request, make_stamp(exchange.request_id, self._clock))

        def tell() -> None:
            announce(exchange, drawing, self._clock)

        stream = EventStream(exchange, writer.keep_alive, tell)

        async def relay() -> None:
            while (progress := await news.get()) is not None:
                await stream.send(writer.progress(progress))

        async def draw() -> Images:
            relaying = asyncio.create_task(relay())
            try:
                images = await drawing.run(self._link(exchange))
                news.put_nowait(None)
                await relaying
            finally:
                relaying.cancel()
            return images

        pulse = asyncio.create_task(stream.watch(self._settings.keep_alive, self._settings.write_timeout))
        try:
            ending = writer.close(await exchange.guard(draw()))
        except RixinError as error:
            if not exchange.started:
                tell()
                raise
            if error.kind is Kind.CANCELLED:
                raise
            exchange.log_fields["error"] = error.kind.value
            ending = writer.fail(error)
        finally:
            pulse.cancel()  # no sign of life may come between the end and its sending
            _note(exchange, drawing)
        await stream.send(ending)
        await exchange.finish()

    def _link(self, exchange: Exchange) -> Callable[[str], str]:
        """What makes a link of a file's id."""
        base = base_of(exchange)
        return lambda file_id: self._links.link(file_id, base)


def _note(exchange: Exchange, drawing: Drawing) -> None:
    """Puts what became of a request into the log."""
    exchange.log_fields.update(
        served_by=drawing.served_by,
        prompt_tokens=None if drawing.usage is None else drawing.usage.prompt,
        changes=changes_text(drawing.changes) or None,
    )
