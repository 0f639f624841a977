"""The engine child's HTTP surface: raw ASGI over a Unix socket. Its routes stand in `rixin.engines.child_protocol`.

Errors are the answer's body while no status has been sent, else the stream's last event, without `[DONE]`.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

import msgspec

from rixin.clock import Clock, random_text
from rixin.core.cards import ModelCard, StreamConventions
from rixin.core.events import Start
from rixin.core.requests import Generate
from rixin.core.responses import Collector
from rixin.dialects.base import Call, Stamp
from rixin.dialects.decoding import decode_fields
from rixin.dialects.openai_chat import DIALECT
from rixin.dialects.openai_chat.request import parse_chat, parse_completion
from rixin.engines.base import Sign
from rixin.engines.child.answer import Answers, Item, Job
from rixin.engines.child.queue import Place, Queue
from rixin.engines.child.status import Ready
from rixin.engines.child_http import (
    disconnect,
    encode_error,
    read_body,
    read_headers,
    send_start,
    send_whole,
    shutting_down,
)
from rixin.engines.child_protocol import (
    COUNT_PATH,
    FAIRNESS_HEADER,
    GENERATE_PATH,
    LOAD_PATH,
    PromptTokens,
    encode_sign,
)
from rixin.errors import Kind, RixinError
from rixin.server.asgi import Receive, Scope, Send

_QUIET = 1.0
"""Seconds between two signs of life."""
_REPORT = 10.0
"""Seconds between two lines of the log about one prompt."""

_EVENTS = b"text/event-stream"

_log = logging.getLogger(__name__)


class ChildApp:
    """The ASGI application.

    Args:
        name: The model's name.
        ready: What the model is.
        answers: Answers requests.
        queue: Lets them run.
        clock: The time.
    """

    def __init__(self, name: str, ready: Ready, answers: Answers, queue: Queue, clock: Clock) -> None:
        self._card = ModelCard(
            name=name,
            target=name,
            context_length=ready.context_length,
            max_output_length=ready.max_output_length,
            stream=StreamConventions(usage_by_default=True),
        )
        self._answers = answers
        self._queue = queue
        self._clock = clock
        self._work: set[asyncio.Task[None]] = set()
        self._places: set[Place] = set()
        self._draining = False
        self._expired = False
        self._routes: dict[tuple[str, str], Callable[[Scope, Receive, Send], Awaitable[None]]] = {
            ("POST", GENERATE_PATH): self._generate,
            ("POST", COUNT_PATH): self._count,
            ("GET", LOAD_PATH): self._load,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        route = self._routes.get((scope["method"], scope["path"]))
        try:
            if route is None:
                raise RixinError(Kind.NOT_FOUND, "There is no such route.")
            await route(scope, receive, send)
        except RixinError as error:
            await send_whole(send, error.status, encode_error(error))

    def drain(self) -> None:
        """Takes no further requests."""
        self._draining = True

    def expire(self) -> None:
        """Ends the requests that still run, with the error that says why."""
        self._expired = True
        for task in self._work:
            task.cancel()

    async def _generate(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._draining:
            raise shutting_down()
        headers = read_headers(scope)
        request = self._parse(headers, await read_body(receive))
        task = asyncio.create_task(self._answer(request, headers.get(FAIRNESS_HEADER, ""), send))
        watch = asyncio.create_task(disconnect(receive))
        self._work.add(task)
        try:
            await asyncio.wait({task, watch}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._work.discard(task)
            watch.cancel()
            if not task.done():
                task.cancel()
                await asyncio.wait({task})
        if not task.cancelled():
            task.result()

    async def _answer(self, request: Generate, key: str, send: Send) -> None:
        """Answers, from the price to the last byte. Errors are raised only while no status has been sent."""
        job = await self._answers.prepare(request)
        place = self._queue.enter(key, job.cells)
        self._places.add(place)
        now = int(self._clock.now())
        stamp = Stamp(request_id=_new_id("chatcmpl-"), created=now, new_id=_new_id)
        start = Start(id=stamp.request_id, created=now, model=request.model)
        try:
            async with aclosing(self._items(place, job, start)) as items:
                if request.stream:
                    await _Stream(request, stamp, send, self._clock).write(items)
                else:
                    await _write_whole(items, request, stamp, send)
        finally:
            self._places.discard(place)
            place.leave()

    async def _items(self, place: Place, job: Job, start: Start) -> AsyncGenerator[Item, None]:
        try:
            async with aclosing(self._queue.wait(place)) as waits:
                async for _ in waits:
                    yield Sign(queued=place.queued)
            place.read = 0.0
            report = _PromptReport(job.prompt, self._clock)
            async with aclosing(self._answers.run(job, start)) as items:
                async for item in items:
                    if not isinstance(item, Sign):
                        place.read = None
                        yield item
                        continue
                    if place.read is not None and item.read is not None:
                        place.read = item.read
                        report.tell(item.read)
                    yield Sign(queued=place.queued, read=item.read)
        except asyncio.CancelledError:
            if self._expired:
                raise shutting_down() from None
            raise

    async def _count(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = self._parse(read_headers(scope), await read_body(receive))
        await send_whole(send, 200, msgspec.json.encode(PromptTokens(await self._answers.count(request))))

    async def _load(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - a route's signature
        admission = self._queue.admission
        load = {
            "running": admission.running,
            "waiting": admission.waiting,
            "slots": admission.slots,
            "reading": [place.read for place in self._places if place.read is not None],
            "pool_used": admission.used,
            "pool": admission.pool,
        }
        await send_whole(send, 200, msgspec.json.encode(load))

    def _parse(self, headers: dict[str, str], body: bytes) -> Generate:
        fields = decode_fields(body)
        parse = parse_completion if "prompt" in fields and "messages" not in fields else parse_chat
        request = parse(Call(headers=headers, body=body), self._card_of)
        # Whoever reads our stream needs the counts, whatever its client wants.
        return msgspec.structs.replace(request, include_usage=True)

    def _card_of(self, name: str) -> ModelCard:
        return msgspec.structs.replace(self._card, name=name)


class _Stream:
    """A stream to one client. The status goes out with the first thing that there is to say."""

    def __init__(self, request: Generate, stamp: Stamp, send: Send, clock: Clock) -> None:
        self._writer = DIALECT.writer(request, stamp)
        self._send = send
        self._clock = clock
        self._begun = False
        self._reads = False
        self._spoke_at = 0.0

    async def write(self, items: AsyncGenerator[Item, None]) -> None:
        """Writes all there is, and the end.

        Raises:
            RixinError: Only while nothing has been written.
        """
        try:
            async for item in items:
                await self._write(self._comment(item) if isinstance(item, Sign) else self._writer.feed(item))
        except RixinError as error:
            if not self._begun:
                raise
            _log.log(logging.WARNING, "an answer broke off: %s %s", error.kind, error.detail or "")
            await self._end(b"data: %s\n\n" % encode_error(error))
        else:
            await self._end(self._writer.close())

    def _comment(self, sign: Sign) -> bytes:
        has_its_turn, self._reads = not self._reads and sign.read is not None, sign.read is not None
        if self._begun and not has_its_turn and self._clock.monotonic() - self._spoke_at < _QUIET:
            return b""
        return encode_sign(sign)

    async def _write(self, data: bytes) -> None:
        if not data:
            return
        if not self._begun:
            self._begun = True
            await send_start(self._send, 200, _EVENTS)
        self._spoke_at = self._clock.monotonic()
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def _end(self, data: bytes) -> None:
        await self._write(data)
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})


class _PromptReport:
    """Tells the log how far a long prompt has been read."""

    def __init__(self, tokens: int, clock: Clock) -> None:
        self._tokens = tokens
        self._clock = clock
        self._told_at = clock.monotonic()

    def tell(self, part: float) -> None:
        """Takes the part that has been read."""
        now = self._clock.monotonic()
        if part < 1 and now - self._told_at >= _REPORT:
            self._told_at = now
            _log.info("reads a prompt of %d tokens: %.0f%%", self._tokens, part * 100)


async def _write_whole(items: AsyncGenerator[Item, None], request: Generate, stamp: Stamp, send: Send) -> None:
    collector = Collector()
    async for item in items:
        if not isinstance(item, Sign):
            collector.feed(item)
    await send_whole(send, 200, DIALECT.render_response(collector.response(), request, stamp))


def _new_id(prefix: str) -> str:
    return prefix + random_text(18)
