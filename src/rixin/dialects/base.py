"""What a dialect is: data, and pure functions over bytes. No I/O, no clock, no randomness.

A dialect has a front half, which serves clients (`Route.parse`, `render_response`, `render_error`, `writer`), and may
have an upstream half (`Upstream`), which speaks it to somebody else. A new dialect is one module that exports
`DIALECT`.
"""

from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias, runtime_checkable

from msgspec import Struct

from rixin.core.cards import ModelCard, Operation
from rixin.core.embeddings import Embeddings
from rixin.core.events import Event
from rixin.core.images import Images
from rixin.core.json import JsonObject
from rixin.core.requests import Draw, DrawProgress, Embed, Generate, Request
from rixin.core.responses import Response
from rixin.errors import RixinError

CardOf: TypeAlias = Callable[[str], ModelCard]
"""Finds the card of a model name. Raises `MODEL_NOT_FOUND` or `PERMISSION_DENIED`."""


class Call(Struct, frozen=True, kw_only=True):
    """One HTTP request, as far as a dialect sees it."""

    path_params: Mapping[str, str] = {}
    """`model`, where the path names one."""
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    """Names in lower case."""
    body: bytes = b""
    """Decompressed."""


class Stamp(Struct, frozen=True, kw_only=True):
    """What makes an answer ours: identity and time, handed in because a dialect has neither randomness nor a clock."""

    request_id: str
    created: int
    """Seconds since the epoch."""
    new_id: Callable[[str], str]
    """Makes an id with a prefix, derived from the request id; each call gives another one."""
    now: Callable[[], int] | None = None
    """Tells the current second since the epoch, for dialects that say when an answer ended; None stands for
    `created`."""


class Reply(Struct, frozen=True, kw_only=True):
    """A whole HTTP answer."""

    status: int
    body: bytes
    headers: dict[str, str] = {}
    """Names in lower case, besides `content-type: application/json`."""


class Writer(Protocol):
    """Turns events into the bytes of a stream in a client's dialect."""

    def feed(self, events: list[Event]) -> bytes:
        """The bytes of these events; `b""` where they show nothing yet."""
        ...

    def fail(self, error: RixinError) -> bytes:
        """The bytes that end a broken stream with the dialect's own error. Never an end that looks whole."""
        ...

    def close(self) -> bytes:
        """The bytes that end a whole stream."""
        ...

    def keep_alive(self) -> bytes:
        """Bytes that clients ignore, for a stream that is silent."""
        ...


class ImagesWriter(Protocol):
    """Turns the making of images into the bytes of a stream in a client's dialect."""

    def progress(self, progress: DrawProgress) -> bytes:
        """The bytes that tell how far it is."""
        ...

    def close(self, images: Images) -> bytes:
        """The images, which end the stream."""
        ...

    def fail(self, error: RixinError) -> bytes:
        """As of `Writer`."""
        ...

    def keep_alive(self) -> bytes:
        """As of `Writer`."""
        ...


@runtime_checkable
class Snapshots(Protocol):
    """A writer of a dialect whose clients may ask for an answer again."""

    def snapshot(self) -> bytes:
        """The whole answer as it was told; one that neither `close` nor `fail` ended was given up by its client."""
        ...


@runtime_checkable
class Typed(Protocol):
    """A writer of a stream that need not be an event stream."""

    @property
    def content_type(self) -> str:
        """What it is."""
        ...


class Reader(Protocol):
    """Turns the bytes of an upstream's stream into events. Bytes may be cut anywhere."""

    def feed(self, data: bytes) -> list[Event]:
        """The events that these bytes complete.

        Events that come before an error in the same bytes are given first: the next call raises, `feed(b"")` too.

        Raises:
            RixinError: The upstream reported an error in the stream, or sent what the dialect cannot mean.
        """
        ...

    def eof(self) -> list[Event]:
        """The events that the end of the stream completes.

        Raises:
            RixinError: `UPSTREAM_INTERRUPTED` when the stream broke off before it was complete.
        """
        ...


class Route(Struct, frozen=True, kw_only=True):
    """One operation of a dialect, and where it lives. Every path is a POST; `{model}` in one stands for a name."""

    paths: tuple[str, ...]
    parse: Callable[[Call, CardOf], Request]
    operation: Operation = "generate"
    """What is parsed."""


class EmbeddingUpstream(Struct, frozen=True, kw_only=True):
    """How a dialect asks an upstream for embeddings."""

    path: str
    """Below the upstream's base URL."""
    build_body: Callable[[Embed], JsonObject]
    """A fresh dict; for a request of the same dialect it is the client's own body."""
    parse: Callable[[bytes, Embed], Embeddings]
    """What a body answers to a request. Raises `UPSTREAM_INVALID` where it does not answer that, or the error that it
    holds."""


class DrawingUpstream(Struct, frozen=True, kw_only=True):
    """How a dialect asks an upstream for images. Paths stand below the upstream's base URL."""

    path: str
    """For new images."""
    edit_path: str
    """For images made of others."""
    build_body: Callable[[Draw], JsonObject]
    parse: Callable[[bytes, Draw], Images]
    """As of `EmbeddingUpstream`."""


class Upstream(Struct, frozen=True, kw_only=True):
    """The half of a dialect that speaks to an upstream."""

    path: str
    """Where generation lives below the upstream's base URL, such as `/chat/completions`."""
    build_body: Callable[[Generate], JsonObject]
    """A fresh dict that profiles may rewrite; for a request of the same dialect it is the client's own body."""
    parse_response: Callable[[bytes], Response]
    """A whole answer. Raises `UPSTREAM_INVALID` where it is none, or the error that it holds."""
    parse_error: Callable[[int, Mapping[str, str], bytes], RixinError]
    """What an answer with an error status means, from status, headers (lower case) and body."""
    reader: Callable[[], Reader]
    auth_headers: Callable[[str], dict[str, str]]
    """The headers that carry an upstream's API key."""
    unsaid: Callable[[Generate], tuple[str, ...]] = lambda _: ()
    """The names of what a request of another dialect asks for and this one has no words for."""
    embedding: EmbeddingUpstream | None = None
    """None where the dialect has no embeddings."""
    drawing: DrawingUpstream | None = None
    """None where the dialect has no images."""
    prompt_path: str | None = None
    """Where the continuation of a bare prompt lives; None where the dialect has none."""
    sign: Callable[[str, int], str] | None = None
    """Makes what `auth_headers` carries of a provider's key and the current second, where a key does not stand for
    itself."""
    models_path: str = "/models"
    """Where the list of models lives below the upstream's base URL."""
    read_plain: Callable[[bytes], list[Event] | None] | None = None
    """The events of a whole answer where that is so plain that they can be told in one step, None where it takes a
    reader; None where the dialect knows no such step."""
    relayed: bool = False
    """Whether a client of the same dialect may be given the upstream's own bytes. Its writer then closes a stream that
    it has not seen, so this holds only where the end of a stream repeats nothing of it."""


class Dialect(Struct, frozen=True, kw_only=True):
    """A wire format."""

    name: str
    routes: tuple[Route, ...]
    render_response: Callable[[Response, Request, Stamp], bytes]
    render_error: Callable[[RixinError, Stamp], Reply]
    writer: Callable[[Generate, Stamp], Writer]
    upstream: Upstream | None = None
    response_headers: Callable[[Stamp], dict[str, str]] | None = None
    """Headers of an answer that is no error, whole or streamed; names in lower case."""
    render_count: Callable[[int, Stamp], bytes] | None = None
    """The body of an answer to a `Count`: the tokens of its prompt."""
    render_embeddings: Callable[[Embeddings, Embed], bytes] | None = None
    """The body of an answer to an `Embed`."""
    render_images: Callable[[Images, Draw, Stamp], bytes] | None = None
    """The body of an answer to a `Draw`."""
    images_writer: Callable[[Draw, Stamp], ImagesWriter] | None = None
    """Writes the answer to a `Draw` as a stream."""
