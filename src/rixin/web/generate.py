"""The wire routes of generation: a client's bytes to a request, an engine's batches to a client's bytes."""

import asyncio
from contextlib import AsyncExitStack, aclosing

from rixin.accounts.account import Account
from rixin.clock import Clock
from rixin.core.requests import Generate
from rixin.dialects.base import Dialect, Snapshots, Stamp, Typed, Writer
from rixin.errors import Kind, RixinError
from rixin.service.generate import Generation, Generator
from rixin.service.keeper import Keeper
from rixin.service.served import Caller, changes_text
from rixin.settings import Server
from rixin.web.announcement import announce
from rixin.web.event_stream import EventStream
from rixin.web.exchange import EVENT_STREAM, Exchange, header_pairs
from rixin.web.intake import Intake
from rixin.web.stamp import make_stamp


class GenerateHandler:
    """Answers one route of a dialect.

    Args:
        dialect: The client's.
        intake: Reads its requests.
        generator: Answers them.
        settings: Of the server.
        clock: Time.
        keeper: Keeps answers that clients may come back to.
    """

    def __init__(
        self,
        dialect: Dialect,
        intake: Intake,
        generator: Generator,
        settings: Server,
        clock: Clock,
        keeper: Keeper | None = None,
    ) -> None:
        self._dialect = dialect
        self._intake = intake
        self._generator = generator
        self._settings = settings
        self._clock = clock
        self._keeper = keeper

    async def __call__(self, exchange: Exchange, account: Account, rest: str) -> None:
        """Answers an exchange; `rest` is the model, where the path names it."""
        caller, body = await self._intake.receive(exchange, account)
        async with AsyncExitStack() as held:
            try:
                request = await self._intake.parse(exchange, body, account, rest)
                if not isinstance(request, Generate):
                    raise RixinError(Kind.NOT_IMPLEMENTED, "This route does not generate.")
                if self._keeper is not None:
                    await held.enter_async_context(self._keeper.held(request, account.id))
            except RixinError as error:
                self._generator.refuse(caller, body, error, model=rest)
                raise
            exchange.log_fields.update(model=request.model, stream=request.stream)
            await self._answer(exchange, request, caller)

    async def _answer(self, exchange: Exchange, request: Generate, caller: Caller) -> None:
        generation = self._generator.begin(request, caller)
        answer = self._stream if request.stream else self._whole
        try:
            await answer(exchange, generation)
        except RixinError:
            if not exchange.started:
                announce(exchange, generation, self._clock)
            raise
        finally:
            if generation.usage is not None:
                exchange.log_fields.update(
                    served_by=generation.served_by,
                    prompt_tokens=generation.usage.prompt,
                    completion_tokens=generation.usage.completion,
                    queue_ms=None if generation.sign is None else round(generation.sign.queued * 1000),
                    prompt_read=None if generation.sign is None else generation.sign.read,
                    changes=changes_text(generation.changes) or None,
                )

    async def _whole(self, exchange: Exchange, generation: Generation) -> None:
        response = await exchange.guard(generation.response())
        stamp = make_stamp(exchange.request_id, self._clock)
        body = self._dialect.render_response(response, generation.request, stamp)
        await self._keep(generation, body)
        announce(exchange, generation, self._clock)
        await exchange.respond(200, body, self._headers(stamp))

    async def _stream(self, exchange: Exchange, generation: Generation) -> None:
        stamp = make_stamp(exchange.request_id, self._clock)

        def tell() -> None:
            announce(exchange, generation, self._clock)

        writer = self._dialect.writer(generation.request, stamp)
        kind = writer.content_type if isinstance(writer, Typed) else EVENT_STREAM
        stream = EventStream(exchange, writer.keep_alive, tell, self._headers(stamp), kind)

        async def relay() -> None:
            async with aclosing(generation.batches()) as batches:
                async for batch in batches:
                    if batch.events:
                        await stream.send(writer.feed(batch.events) if batch.raw is None else batch.raw)

        pulse = asyncio.create_task(stream.watch(self._settings.keep_alive, self._settings.write_timeout))
        whole = False
        try:
            await exchange.guard(relay())
            pulse.cancel()  # no sign of life may come between the end and its sending
            ending, whole = writer.close(), True
            await self._keep(generation, writer)
            await stream.send(ending)
        except RixinError as error:
            if not exchange.started:
                raise
            pulse.cancel()
            ending = b"" if error.kind is Kind.CANCELLED else writer.fail(error)
            if not whole:
                await self._keep(generation, writer)
            if error.kind is Kind.CANCELLED:
                raise
            exchange.log_fields["error"] = error.kind.value
            await stream.send(ending)
        finally:
            pulse.cancel()
        await exchange.finish()

    async def _keep(self, generation: Generation, answer: bytes | Writer) -> None:
        """Stores an answer, where it is to be, before its client is told the end: it may come back at once."""
        request = generation.request
        if self._keeper is None or not self._keeper.wants(request):
            return
        if isinstance(answer, Snapshots):
            answer = answer.snapshot()
        if isinstance(answer, bytes):
            await self._keeper.keep(request, generation.caller.account.id, answer)

    def _headers(self, stamp: Stamp) -> list[tuple[bytes, bytes]]:
        """The dialect's own headers of an answer that is no error."""
        return header_pairs(self._dialect.response_headers(stamp)) if self._dialect.response_headers else []
