"""A conversation with a server's model, as the chat verb holds it."""

from collections.abc import AsyncGenerator, Callable, Iterable

import aiohttp
import msgspec
from msgspec import Struct

from rixin.cli.client import Client, unreachable
from rixin.core.events import Event, Text
from rixin.core.json import JsonObject
from rixin.dialects.openai_chat import DIALECT
from rixin.dialects.sse import SSEDecoder
from rixin.errors import Kind, RixinError
from rixin.settings import LOCAL


class Wishes(Struct, frozen=True, kw_only=True):
    """What every request of a conversation asks for beside its messages."""

    model: str
    max_tokens: int | None = None
    sampling: JsonObject = {}
    """Fields of a sampling preset."""


class Conversation:
    """The messages so far. A question that was not answered at all is taken back."""

    def __init__(self, client: Client, wishes: Wishes, system: str | None = None) -> None:
        self.system = system
        self._client = client
        self._wishes = wishes
        self._messages: list[JsonObject] = []

    def reset(self) -> None:
        """Forgets everything but the system message."""
        self._messages.clear()

    async def ask(self, question: str, show: Callable[[Iterable[Event]], None]) -> None:
        """Asks, and hands over the answer's events as they come. An answer that was cut short still counts as said.

        Raises:
            RixinError: The server's error, before the answer or in it.
        """
        self._messages.append({"role": "user", "content": question})
        said: list[str] = []
        try:
            async for events in stream_events(self._client, self._body()):
                said += [event.text for event in events if isinstance(event, Text)]
                show(events)
        finally:
            if said:
                self._messages.append({"role": "assistant", "content": "".join(said)})
            else:
                self._messages.pop()

    async def ask_raw(self, question: str, show: Callable[[str], None]) -> None:
        """Asks, and hands over each event of the stream as the server wrote it.

        Raises:
            RixinError: The server's error, before the answer or in it.
        """
        self._messages.append({"role": "user", "content": question})
        decoder = SSEDecoder()

        def take(data: bytes) -> None:
            for event in decoder.feed(data):
                show(event.data)

        async for _ in stream_events(self._client, self._body(), take):
            pass

    def _body(self) -> JsonObject:
        system: list[JsonObject] = [{"role": "system", "content": self.system}] if self.system else []
        body: JsonObject = {"model": self._wishes.model, "messages": [*system, *self._messages], "stream": True}
        if self._wishes.max_tokens is not None:
            body["max_tokens"] = self._wishes.max_tokens
        return body | self._wishes.sampling


async def stream_events(
    client: Client, body: JsonObject, on_bytes: Callable[[bytes], None] = lambda _: None
) -> AsyncGenerator[list[Event]]:
    """The events of an answer to a Chat Completions request.

    Args:
        client: The server.
        body: The request; asks for a stream, and a server that gives none is understood all the same.
        on_bytes: Is given what the server sends, as it comes.

    Raises:
        RixinError: The server's error, or that of a stream that broke off.
    """
    upstream = DIALECT.upstream
    assert upstream is not None  # noqa: S101 - this dialect has one
    async with client.open("POST", f"{client.target.base_url}{upstream.path}", body) as response:
        try:
            reader = upstream.reader()
            async for data in response.content.iter_any():
                on_bytes(data)
                yield reader.feed(data)
            yield reader.eof()
        except (aiohttp.ClientError, TimeoutError) as failure:
            raise unreachable(client.target, failure) from None


async def choose_model(client: Client) -> str:
    """The model to speak with where the user named none: the server's own `local`, or the only or first one.

    Raises:
        RixinError: There is none, or another program's server has several.
    """
    answer = await client.ask("GET", f"{client.target.base_url}/models")
    try:
        names = [model.id for model in msgspec.json.decode(answer, type=_Models).data]
    except msgspec.MsgspecError:
        raise RixinError(Kind.UPSTREAM_INVALID, "the server's list of models is none; name one with --model") from None
    if not names:
        raise RixinError(Kind.MODEL_NOT_FOUND, f"{client.target.base_url} has no models at the moment")
    if LOCAL in names:
        return LOCAL
    if len(names) > 1 and not client.target.local:
        some = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
        raise RixinError(Kind.INVALID_REQUEST, f"name a model with --model; there are {some}", param="model")
    return names[0]


class _Model(Struct):
    id: str


class _Models(Struct):
    data: list[_Model]
