"""The engine for one local model, as a web worker sees it: an engine child behind a Unix socket."""

import math
from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec

from rixin.core.requests import Generate
from rixin.dialects.base import Upstream
from rixin.engines.base import Batch, Load
from rixin.engines.child_client import CONNECT, ChildClient, ask_child
from rixin.engines.child_protocol import (
    COUNT_PATH,
    FAIRNESS_HEADER,
    GENERATE_PATH,
    LOAD_PATH,
    PromptTokens,
    last_sign,
)
from rixin.engines.control import ControlClient
from rixin.engines.http_stream import stream_answer
from rixin.engines.observer import observed
from rixin.engines.transport import Timeouts, Transport
from rixin.settings import Engine

DIALECT = "openai_chat"
"""What the engine child speaks."""
_SILENCE = 30.0
"""Seconds without a sign of life, which the engine child gives every five at least, after which it has hung."""
_LOOK = 300.0
"""The same for a model that sees: an image is looked at in one go, without a sign."""

_UNDERSTOOD = frozenset({"chat_template_kwargs"})
"""Fields outside the core's language that the engine child makes something of."""


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
        self._upstream = upstream
        timeouts = Timeouts(
            connect=CONNECT,
            first_byte=settings.queue_deadline + settings.first_token_deadline,
            idle=_SILENCE,
            total=math.inf,
        )
        seeing = msgspec.structs.replace(timeouts, idle=_LOOK)
        self._child = ChildClient(model, control, lambda ensured: seeing if ensured.vision else timeouts)

    @property
    def name(self) -> str:
        """What logs and headers call this engine."""
        return f"local/{self._model}"

    async def ready(self) -> None:
        """Loads the model unless it is loaded.

        Raises:
            RixinError: `STARTING` or `OVERLOADED` when it cannot be loaded now.
        """
        await self._child.ready()

    async def stream(self, request: Generate) -> AsyncGenerator[Batch, None]:
        """Answers a request; see `Engine.stream`.

        A long prompt takes minutes to read, during which batches without events tell how far it is. Whoever writes to
        the client keeps its stream alive meanwhile; an engine child that is silent has hung, and is given up.
        """
        if ignored := tuple(change for change in request.ignored if change.field not in _UNDERSTOOD):
            yield Batch([], changes=ignored)
        # Always a stream: a whole answer would be silent until its end, for longer than anybody should wait for a word.
        request = request.edit(stream=True, include_usage=True)
        headers = {} if request.fairness_key is None else {FAIRNESS_HEADER: request.fairness_key}

        def ask(transport: Transport) -> AsyncGenerator[Batch, None]:
            call = observed(transport, request, self.name, DIALECT)
            body = self._upstream.build_body(request)
            return stream_answer(call, self._upstream, body, path=GENERATE_PATH, headers=headers, sign_in=last_sign)

        async with aclosing(self._child.answered(ask)) as batches:
            async for batch in batches:
                yield batch

    async def count(self, request: Generate) -> int:
        """The prompt tokens that a request would cost.

        Raises:
            RixinError: What is wrong with the request, or how the engine failed.
        """
        body = msgspec.json.encode(self._upstream.build_body(request))

        async def ask(transport: Transport) -> AsyncGenerator[PromptTokens, None]:
            yield await ask_child(transport, self._upstream, "POST", COUNT_PATH, body, PromptTokens)

        async with aclosing(self._child.answered(ask)) as answers:
            return (await anext(answers)).prompt_tokens

    async def load(self) -> Load:
        """How busy the engine is; a model that is not loaded is not, and is not loaded for this.

        Raises:
            RixinError: How the engine failed.
        """
        if not self._child.is_ready:
            return Load(running=0, waiting=0, slots=0)
        return await ask_child(await self._child.ready(), self._upstream, "GET", LOAD_PATH, b"", Load)

    async def aclose(self) -> None:
        """Closes the connections; the engine child stays."""
        await self._child.aclose()
