"""What a request made engines do: each of their calls, its times and its end, and what was said, where it is kept."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from msgspec import Struct

from rixin.clock import Clock
from rixin.core.observer import Observer
from rixin.core.redaction import beginning
from rixin.errors import Kind, RixinError

MAX_ATTEMPTS = 32
"""Calls of one request that are taken down, which is more than routing makes."""

UPSTREAM: Final = "upstream"
"""What times call the calls of engines."""
SHORTEST_PHASE: Final = 0.0001
"""Seconds; what took less was no waiting."""

_ID_HEADERS = ("x-request-id", "request-id", "x-ds-trace-id", "x-trace-id", "x-amzn-requestid", "cf-ray")
"""Where upstreams name a request, the first that is there counting."""
_LONGEST_ID = 128


class Keeping(Struct, frozen=True, kw_only=True):
    """What of the bodies is kept while a request is under way."""

    bodies: bool = False
    """What is sent, and the beginning of what comes back."""
    answers: bool = False
    """All of what comes back."""
    beginning: int = 65536
    """How many bytes a beginning is, at most."""


class Phase(Struct, frozen=True):
    """A time in which a request waited for something that is no call. Milliseconds are since its arrival."""

    name: str
    began: float
    ended: float


class Spans(Protocol):
    """Follows the calls of one request beyond this server."""

    def called(self, attempt: "Attempt") -> Mapping[str, str]:
        """A call begins. Returns the headers that it carries."""
        ...


class Age:
    """Tells how old a request is.

    Args:
        clock: Time.
        since: When the request arrived, by the monotonic clock.
    """

    __slots__ = ("_clock", "_since")

    def __init__(self, clock: Clock, since: float) -> None:
        self._clock = clock
        self._since = since

    def elapsed(self) -> float:
        """Milliseconds since the request arrived."""
        return round((self._clock.monotonic() - self._since) * 1000, 3)

    def at(self, instant: float) -> float:
        """Milliseconds from the request's arrival to a reading of the monotonic clock."""
        return round((instant - self._since) * 1000, 3)


class Attempt:
    """One call of an engine. Milliseconds are since the request's arrival.

    It does not know its trace, which knows it: so both are gone with their request, not when the collector comes by.
    """

    def __init__(self, age: Age, keeping: Keeping, engine: str, dialect: str, model: str, body: bytes) -> None:
        self.engine = engine
        self.dialect = dialect
        self.model = model
        self.body = body
        """What was sent; empty where it is not kept."""
        self.began = age.elapsed()
        self.answered: float | None = None
        self.ended: float | None = None
        self.status: int | None = None
        self.error: Kind | None = None
        self.upstream_id: str | None = None
        self.headers: Mapping[str, str] = {}
        self.carried: Mapping[str, str] = {}
        """Headers that it was sent with, so that its receiver can tell what it is part of."""
        self._age = age
        self._keeping = keeping
        self._pieces: list[bytes] = []
        self._size = 0

    @property
    def answer(self) -> bytes:
        """What came back, as far as it is kept."""
        return b"".join(self._pieces)

    @property
    def beginning(self) -> bytes:
        """The beginning of it."""
        return beginning(self.answer, self._keeping.beginning)

    def on_answer(self, status: int, headers: Mapping[str, str]) -> bool:
        """The head of the answer has come; see `AttemptObserver.on_answer`."""
        self.answered, self.status, self.headers = self._age.elapsed(), status, headers
        for name in _ID_HEADERS:
            if name in headers:
                found = headers[name]
                self.upstream_id = found[:_LONGEST_ID] if found.isascii() and found.isprintable() else None
                break
        return self._keeping.bodies or self._keeping.answers

    def on_data(self, data: bytes) -> None:
        """Some of the answer's body has come."""
        if not self._keeping.answers:
            # One byte more, which tells that it was cut.
            data = data[: self._keeping.beginning + 1 - self._size]
        if data:
            self._pieces.append(data)
            self._size += len(data)

    def on_end(self, error: BaseException | None) -> None:
        """The call is over."""
        self.ended = self._age.elapsed()
        if error is None:
            return
        if isinstance(error, RixinError):
            self.error = error.kind
        elif isinstance(error, asyncio.CancelledError | GeneratorExit):
            self.error = Kind.CANCELLED
        else:
            self.error = Kind.INTERNAL


class Waiting:
    """A phase that lasts as long as it is the context."""

    __slots__ = ("_began", "_clock", "_name", "_observer")

    def __init__(self, observer: Observer, name: str, clock: Clock) -> None:
        self._observer = observer
        self._name = name
        self._clock = clock

    def __enter__(self) -> None:
        self._began = self._clock.monotonic()

    def __exit__(self, *_: object) -> None:
        self._observer.on_phase(self._name, self._began, self._clock.monotonic())


class Trace:
    """The calls that engines made for one request, in their order, and what it waited for besides.

    Args:
        clock: Time.
        since: When the request arrived, by the monotonic clock.
        keeping: What of the bodies is kept.
        tell: Called with the engine's name and the body of each call, before it is made.
        spans: Follows the calls, where somebody does.
    """

    def __init__(
        self,
        clock: Clock,
        since: float,
        keeping: Keeping = Keeping(),  # noqa: B008 - frozen
        tell: Callable[[str, bytes], None] | None = None,
        spans: Spans | None = None,
    ) -> None:
        self.attempts: list[Attempt] = []
        self.phases: list[Phase] = []
        self.keeping = keeping
        self.spans = spans
        self._clock = clock
        self._age = Age(clock, since)
        self.elapsed = self._age.elapsed
        """As `Age.elapsed`."""
        self._tell = tell

    def on_attempt(self, engine: str, dialect: str, model: str, body: bytes) -> Attempt:
        """An engine is about to be called; see `Observer.on_attempt`."""
        attempt = Attempt(self._age, self.keeping, engine, dialect, model, body if self.keeping.bodies else b"")
        if len(self.attempts) < MAX_ATTEMPTS:
            self.attempts.append(attempt)
        if self._tell is not None:
            self._tell(engine, body)
        if self.spans is not None:
            attempt.carried = self.spans.called(attempt)
        return attempt

    def on_phase(self, name: str, began: float, ended: float) -> None:
        """The request has waited for something; see `Observer.on_phase`."""
        if ended - began >= SHORTEST_PHASE:
            self.phases.append(Phase(name, self._age.at(began), self._age.at(ended)))

    def waiting(self, name: str) -> "Waiting":
        """A context that is a phase."""
        return Waiting(self, name, self._clock)

    def times(self) -> dict[str, float]:
        """How many milliseconds the request has waited for what, until now: each phase by its name, and `UPSTREAM`."""
        times: dict[str, float] = {}
        for phase in self.phases:
            times[phase.name] = times.get(phase.name, 0.0) + phase.ended - phase.began
        for attempt in self.attempts:
            ended = self.elapsed() if attempt.ended is None else attempt.ended
            times[UPSTREAM] = times.get(UPSTREAM, 0.0) + ended - attempt.began
        return times
