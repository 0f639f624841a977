"""The engine for one local model, as a web worker sees it: an engine child behind a Unix socket."""

import math
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import TypeVar

import msgspec

from rixin.core.requests import Change, Generate
from rixin.dialects.base import Upstream
from rixin.engines.base import Batch, Load
from rixin.engines.child_protocol import (
    COUNT_PATH,
    FAIRNESS_HEADER,
    GENERATE_PATH,
    LOAD_PATH,
    PromptTokens,
    last_sign,
)
from rixin.engines.control import ControlClient, EnsuredModel
from rixin.engines.http_stream import ERROR_LIMIT, raise_for_status, stream_answer
from rixin.engines.observer import observed
from rixin.engines.process import State
from rixin.engines.transport import AiohttpTransport, Timeouts
from rixin.errors import Kind, RixinError
from rixin.settings import Engine

DIALECT = "openai_chat"
"""What the engine child speaks."""
_CONNECT = 5.0
_SILENCE = 30.0
"""Seconds without a sign of life, which the engine child gives every five at least, after which it has hung."""
_LOOK = 300.0
"""The same for a model that sees: an image is looked at in one go, without a sign."""

_DEAD = frozenset({Kind.UPSTREAM_UNREACHABLE, Kind.UPSTREAM_INTERRUPTED})
"""How an engine child that is no more shows itself: nobody listens, or a connection to it was still open."""

_UNDERSTOOD = frozenset({"chat_template_kwargs", "prompt_cache_key"})
"""Fields outside the core's language that the engine child, or our own routing, makes something of."""

_NEWS = 5.0
"""Seconds that the supervisor has to notice the end of an engine child; it takes milliseconds."""

T = TypeVar("T")


class LlamaCpp:
    """Answers from one local model.

    Args:
        model: The model's name.
        control: Loads it, and keeps it loaded while a request is under way.
        upstream: What the engine child speaks: Chat Completions, errors in our own words.
        settings: Its queue and its deadlines.
    """

    def __init__(self, model: str, control: ControlClient, upstream: Upstream, settings: Engine) -> None:
        self._model = model
        self._control = control
        self._upstream = upstream
        self._timeouts = Timeouts(
            connect=_CONNECT,
            first_byte=settings.queue_deadline + settings.first_token_deadline,
            idle=_SILENCE,
            total=math.inf,
        )
        self._socket = ""
        self._transport: AiohttpTransport | None = None

    @property
    def name(self) -> str:
        """What logs and headers call this engine."""
        return f"local/{self._model}"

    async def ready(self) -> None:
        """Loads the model unless it is loaded.

        Raises:
            RixinError: `STARTING` or `OVERLOADED` when it cannot be loaded now.
        """
        await self._control.ensure(self._model)

    async def stream(self, request: Generate) -> AsyncGenerator[Batch, None]:
        """Answers a request; see `Engine.stream`.

        A long prompt takes minutes to read, during which batches without events tell how far it is. Whoever writes to
        the client keeps its stream alive meanwhile; an engine child that is silent has hung, and is given up.
        """
        if ignored := tuple(Change("ignored", field) for field in request.extra if field not in _UNDERSTOOD):
            yield Batch([], changes=ignored)
        # Always a stream: a whole answer would be silent until its end, for longer than anybody should wait for a word.
        request = request.edit(stream=True, include_usage=True)
        headers = {} if request.fairness_key is None else {FAIRNESS_HEADER: request.fairness_key}

        def ask(transport: AiohttpTransport) -> AsyncGenerator[Batch, None]:
            call = observed(transport, request, self.name, DIALECT)
            body = self._upstream.build_body(request)
            return stream_answer(call, self._upstream, body, path=GENERATE_PATH, headers=headers, sign_in=last_sign)

        async with aclosing(self._answered(ask)) as batches:
            async for batch in batches:
                yield batch

    async def count(self, request: Generate) -> int:
        """The prompt tokens that a request would cost.

        Raises:
            RixinError: What is wrong with the request, or how the engine failed.
        """
        body = msgspec.json.encode(self._upstream.build_body(request))

        async def ask(transport: AiohttpTransport) -> AsyncGenerator[PromptTokens, None]:
            yield await self._ask(transport, "POST", COUNT_PATH, body, PromptTokens)

        async with aclosing(self._answered(ask)) as answers:
            return (await anext(answers)).prompt_tokens

    async def load(self) -> Load:
        """How busy the engine is; a model that is not loaded is not, and is not loaded for this.

        Raises:
            RixinError: How the engine failed.
        """
        status = self._control.models.get(self._model)
        if status is None or status.state != State.READY:
            return Load(running=0, waiting=0, slots=0)
        transport = await self._connect(await self._control.ensure(self._model))
        return await self._ask(transport, "GET", LOAD_PATH, b"", Load)

    async def aclose(self) -> None:
        """Closes the connections; the engine child stays."""
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.aclose()

    async def _answered(self, ask: Callable[[AiohttpTransport], AsyncGenerator[T, None]]) -> AsyncGenerator[T, None]:
        """What the engine child answers, with the model held meanwhile.

        When the child has died before it said a word, the model is ensured afresh, once.
        """
        heard = False
        for last in (False, True):
            async with self._control.lease(self._model) as ensured:
                try:
                    async with aclosing(ask(await self._connect(ensured))) as answer:
                        async for item in answer:
                            heard = True
                            yield item
                    return
                except RixinError as error:
                    if last or heard or error.kind not in _DEAD:
                        raise
            await self._control.gone(self._model, _NEWS)

    async def _connect(self, ensured: EnsuredModel) -> AiohttpTransport:
        if self._transport is None or ensured.socket != self._socket:
            old, self._socket = self._transport, ensured.socket
            timeouts = msgspec.structs.replace(self._timeouts, idle=_LOOK if ensured.vision else _SILENCE)
            self._transport = new = AiohttpTransport.for_socket(Path(self._socket), "The embedded engine", timeouts)
            if old is not None:
                # The model has left its old child, and whoever still reads from there has lost it already.
                await old.aclose()
            return new
        return self._transport

    async def _ask(self, transport: AiohttpTransport, method: str, path: str, body: bytes, kind: type[T]) -> T:
        async with transport.exchange(method, path, body=body) as exchange:
            await raise_for_status(exchange, self._upstream)
            answer = await exchange.read_all(ERROR_LIMIT)
        try:
            return msgspec.json.decode(answer, type=kind)
        except msgspec.DecodeError as error:
            raise RixinError(
                Kind.UPSTREAM_INVALID, "The embedded engine gave an answer of the wrong form.", detail=str(error)
            ) from None
