"""The engine for upstreams that answer over HTTP: one configured provider."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from functools import partial
from typing import Self

import msgspec

from rixin.clock import Clock, SystemClock
from rixin.core.embeddings import Embeddings
from rixin.core.images import Images
from rixin.core.requests import Change, Draw, Embed, Generate
from rixin.dialects.base import Dialect
from rixin.dialects.openai_chat.wire import NAME as CHAT
from rixin.engines import connections
from rixin.engines.base import Batch, ListedModel, Prepared
from rixin.engines.base_url import normalize_base_url
from rixin.engines.empty_answers import not_empty, refuse_empty
from rixin.engines.http_stream import ANSWER_LIMIT, encode_body, raise_for_status, stream_answer, whole_answer
from rixin.engines.model_list import parse_model_list
from rixin.engines.observer import observed
from rixin.engines.past_thoughts import with_past_thoughts
from rixin.engines.restoration import restored
from rixin.engines.transport import Carrier, Timeouts, Transport
from rixin.errors import Kind, RixinError
from rixin.profiles.answers.transform import Transform, transform_for
from rixin.profiles.profile import NOTHING, Profile
from rixin.profiles.sanitizers import sanitize
from rixin.profiles.web_search import FORWARDED, forward_search
from rixin.settings import Provider
from rixin.settings.fast_path import FAST_PATH

EMBEDDINGS_LIMIT = 256 * 2**20
"""Bytes that an answer of embeddings may have: thousands of vectors of thousands of numbers, written out."""
IMAGES_LIMIT = 256 * 2**20
"""Bytes that an answer of images may have, which are written out in base64."""


def nothing_known(_model: str) -> Profile:
    """The profile of any model of an upstream that nothing is known of."""
    return NOTHING


class Remote:
    """Answers from one upstream. It tries once: what may be tried again, and where, is routing's to say.

    Args:
        provider: The upstream's settings.
        dialect: What it speaks.
        transport: Connections to its base URL.
        profile_for: What it accepts, by its own name for a model.
        clock: Time, for credentials that are signed.

    Raises:
        RixinError: `CONFIGURATION` when nobody can speak `dialect` to an upstream.
    """

    def __init__(
        self,
        provider: Provider,
        dialect: Dialect,
        transport: Transport,
        profile_for: Callable[[str], Profile] = nothing_known,
        clock: Clock | None = None,
    ) -> None:
        if dialect.upstream is None:
            raise RixinError(
                Kind.CONFIGURATION, f"provider {provider.name}: no upstream can be spoken to in {dialect.name}"
            )
        self._provider = provider
        self._dialect = dialect.name
        self._upstream = dialect.upstream
        self._transport = transport
        self._profile_for = profile_for
        self._clock = clock or SystemClock()
        self._first_key = provider.api_keys[0] if provider.api_keys else None
        self._headers = {name.lower(): value for name, value in provider.headers.items()}

    @classmethod
    def connect(
        cls,
        provider: Provider,
        dialect: Dialect,
        environ: Mapping[str, str],
        profile_for: Callable[[str], Profile] = nothing_known,
    ) -> Self:
        """The engine of a provider, with connections of its own through the proxy that `environ` names for it.

        Raises:
            RixinError: `CONFIGURATION`, naming the provider.
        """
        timeouts = Timeouts(
            connect=provider.connect_timeout,
            first_byte=provider.first_byte_timeout,
            idle=provider.idle_timeout,
            total=provider.total_timeout,
        )
        try:
            transport = connections.to_url(normalize_base_url(provider.base_url), timeouts, environ=environ)
        except RixinError as error:
            raise RixinError(error.kind, f"provider {provider.name}: {error.message}") from None
        return cls(provider, dialect, transport, profile_for)

    @property
    def name(self) -> str:
        """The provider's name."""
        return self._provider.name

    async def ready(self) -> None:
        """Nothing is to be made ready: an upstream is asked when a request is there."""

    async def stream(self, request: Generate) -> AsyncGenerator[Batch, None]:
        """Answers a request with the first key; see `Engine.stream`."""
        prepared = self.prepare(request)
        if prepared.changes:
            yield Batch([], changes=prepared.changes)
        async with aclosing(self.send(request, prepared, self._first_key)) as batches:
            async for batch in batches:
                yield batch

    def prepare(self, request: Generate) -> Prepared:
        """What the upstream would be sent; see `Sends.prepare`."""
        self._path(request)
        if request.stream and not self._may_relay(request):
            # For the ledger; whether the client is told is its writer's to know.
            request = request.edit(include_usage=True)
        body = self._upstream.build_body(with_past_thoughts(request, self.name, wanted=self._wants_thoughts(request)))
        changes = self._unheard(request)
        if request.prompt is not None or self._dialect != CHAT:
            return Prepared(body=body, changes=changes)
        profile = self._profile_for(request.card.target)
        searching = forward_search(body, request.changes) if profile.web_search else body
        sanitized = sanitize(searching, profile)
        if searching is not body:
            changes = (*changes, FORWARDED)
        return Prepared(body=sanitized.body, changes=(*changes, *sanitized.changes), tool_names=sanitized.tool_names)

    def send(self, request: Generate, prepared: Prepared, key: str | None) -> AsyncGenerator[Batch, None]:
        """Sends what was prepared; see `Sends.send`."""
        if self.answers(request, prepared):
            return _alone(partial(self.answer, request, prepared, key))
        transform = self._transform(request, prepared)
        relay = (transform is None or transform.optional) and self._may_relay(request)
        relayed_model = request.model if relay else None
        transport, path, headers = self._way(request, key)
        batches = stream_answer(
            transport, self._upstream, prepared.body, path=path, headers=headers, relayed_model=relayed_model
        )
        if transform is not None:
            batches = restored(batches, transform)
        return batches if self._may_be_empty(request) else not_empty(batches)

    def answers(self, request: Generate, prepared: Prepared) -> bool:
        """Whether an answer comes in one step; see `Answers.answers`."""
        return not request.stream and prepared.body.get("stream") is not True

    async def answer(self, request: Generate, prepared: Prepared, key: str | None) -> Batch:
        """An answer in one step; see `Answers.answer`. It is made what `restored` and `not_empty` make of others."""
        transport, path, headers = self._way(request, key)
        events = await whole_answer(transport, self._upstream, prepared.body, path=path, headers=headers)
        changes: tuple[Change, ...] = ()
        if (transform := self._transform(request, prepared)) is not None:
            events = transform.feed(events)
            changes = transform.new_changes()
        if not self._may_be_empty(request):
            refuse_empty(events)
        return Batch(events, changes=changes)

    def _way(self, request: Generate, key: str | None) -> tuple[Carrier, str, Mapping[str, str]]:
        """Over which connections a request goes, to which path, and with which headers."""
        transport = observed(self._transport, request, self.name, self._dialect)
        headers = {**self._profile_for(request.card.target).extra_headers, **self._headers_with(key)}
        return transport, self._path(request), headers

    def _transform(self, request: Generate, prepared: Prepared) -> Transform | None:
        """What is to be done to the answer."""
        if request.prompt is not None:
            return None
        profile = self._profile_for(request.card.target)
        return transform_for(profile, prepared.tool_names, request.tools, whole=not request.stream)

    def _may_be_empty(self, request: Generate) -> bool:
        """A stop sequence or the end of a bare prompt may come at once, and Claude ends some turns without a word."""
        return bool(request.stop) or request.prompt is not None or self._dialect != CHAT

    def _may_relay(self, request: Generate) -> bool:
        return FAST_PATH and self._upstream.relayed and may_relay(request, self._dialect, self.name)

    def _unheard(self, request: Generate) -> tuple[Change, ...]:
        """What the upstream is not told of, because it speaks another dialect than the client."""
        if request.origin is not None and request.origin.dialect == self._dialect:
            return ()
        return request.ignored + tuple(Change("ignored", name) for name in self._upstream.unsaid(request))

    def _wants_thoughts(self, request: Generate) -> bool:
        """Whether calls may not come without what was thought before them; other dialects than Chat sign it."""
        if self._dialect != CHAT:
            return request.origin is None or request.origin.dialect != self._dialect
        return self._profile_for(request.card.target).reasoning_echo in ("tool_calls", "always")

    def _headers_with(self, key: str | None) -> dict[str, str]:
        """The provider's own headers win: an upstream may want its key elsewhere."""
        if key is None:
            return self._headers
        if self._upstream.sign is not None:
            key = self._upstream.sign(key, int(self._clock.now()))
        return {**self._upstream.auth_headers(key), **self._headers}

    def _path(self, request: Generate) -> str:
        if request.prompt is None:
            return self._upstream.path
        if self._upstream.prompt_path is None:
            raise RixinError(Kind.NOT_IMPLEMENTED, f"{self.name} continues no bare prompts; ask it in a chat.")
        return self._upstream.prompt_path

    async def embed(self, request: Embed, key: str | None) -> Embeddings:
        """The vectors of texts; see `Embeds.embed`."""
        embedding = self._upstream.embedding
        if embedding is None:
            raise RixinError(Kind.NOT_IMPLEMENTED, f"{self.name} makes no embeddings: it is spoken to in another API.")
        headers = {**self._profile_for(request.card.target).extra_headers, **self._headers_with(key)}
        transport = observed(self._transport, request, self.name, self._dialect)
        body = encode_body(embedding.build_body(request))
        async with transport.exchange("POST", embedding.path, headers=headers, body=body) as exchange:
            await raise_for_status(exchange, self._upstream)
            embeddings = embedding.parse(await exchange.read_all(EMBEDDINGS_LIMIT), request)
        if request.origin is not None and request.origin.dialect == self._dialect:
            return embeddings
        return msgspec.structs.replace(embeddings, changes=tuple(Change("ignored", field) for field in request.extra))

    async def draw(self, request: Draw, key: str | None) -> Images:
        """Images; see `Draws.draw`."""
        drawing = self._upstream.drawing
        if drawing is None:
            raise RixinError(Kind.NOT_IMPLEMENTED, f"{self.name} draws no images: it is spoken to in another API.")
        headers = {**self._profile_for(request.card.target).extra_headers, **self._headers_with(key)}
        transport = observed(self._transport, request, self.name, self._dialect)
        path = drawing.edit_path if request.images else drawing.path
        body = encode_body(drawing.build_body(request))
        async with transport.exchange("POST", path, headers=headers, body=body) as exchange:
            await raise_for_status(exchange, self._upstream)
            return drawing.parse(await exchange.read_all(IMAGES_LIMIT), request)

    async def models(self) -> list[ListedModel]:
        """The models that the upstream lists.

        Raises:
            RixinError: What the upstream reported, or how it failed.
        """
        headers = self._headers_with(self._first_key)
        try:
            async with self._transport.exchange("GET", self._upstream.models_path, headers=headers) as exchange:
                await raise_for_status(exchange, self._upstream)
                return parse_model_list(await exchange.read_all(ANSWER_LIMIT))
        except RixinError as error:
            error.conceal(self._provider.secrets)
            raise

    async def retire(self) -> None:
        """Closes the connections as soon as no request is under way; one that comes all the same is still answered."""
        await self._transport.retire()

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._transport.aclose()


async def _alone(answer: Callable[[], Awaitable[Batch]]) -> AsyncGenerator[Batch, None]:
    yield await answer()


def may_relay(request: Generate, dialect: str, provider: str) -> bool:
    """Whether a client may be given an upstream's own bytes.

    It may where they are what we would write: the client speaks the upstream's dialect, nothing of its request was
    edited, it asked for the model by the upstream's own name and so knows it by the upstream's own card, and it wants
    usage, which upstreams also send to those who did not ask.
    """
    card = request.card
    wants_usage = card.stream.usage_by_default if request.include_usage is None else request.include_usage
    return (
        request.stream
        and wants_usage
        and request.prompt is None
        and request.origin is not None
        and request.origin.dialect == dialect
        and not request.edited
        and request.model == card.target
        and card.provider == provider
    )
