"""The metrics: their names, what they tell, and where their numbers stand in a worker's rows.

What OpenTelemetry's conventions for generative AI and for HTTP know goes by their names, units and bucket bounds, in
the form that Prometheus gives them (https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/ and
https://opentelemetry.io/docs/specs/semconv/http/http-metrics/). The rest begins with `rixin_`.
"""

from bisect import bisect_left
from itertools import accumulate
from typing import Final

from msgspec import Struct

_DURATION: Final = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_FIRST_TOKEN: Final = (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
_PER_TOKEN: Final = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5)
_TOKENS: Final = tuple(float(4**power) for power in range(14))
_HTTP: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
_OVERHEAD: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)

_GEN_AI: Final = {
    "gen_ai_operation_name": "operation",
    "gen_ai_provider_name": "provider",
    "gen_ai_request_model": "model",
}
_GEN_AI_ERROR: Final = {**_GEN_AI, "error_type": "error"}
_MODEL: Final = {"provider": "provider", "model": "model"}


class Column(Struct, frozen=True, kw_only=True):
    """A metric that is counted together with others, in one row."""

    name: str
    """A counter's without its `_total`."""
    help: str
    labels: dict[str, str]
    """Those that it has, by name, and what they are called in the row."""
    bounds: tuple[float, ...] = ()
    """The upper bounds of a histogram's buckets; none for a counter."""
    constant: dict[str, str] = {}
    """Labels that the row does not have, and their values."""

    @property
    def width(self) -> int:
        """How many numbers it is: a counter itself; of a histogram its buckets, a last one without a bound, its sum."""
        return len(self.bounds) + 2 if self.bounds else 1


class Place:
    """Where the numbers of a column are within its row.

    Args:
        offset: Of the first of them.
        bounds: The column's.
    """

    __slots__ = ("_bounds", "_offset", "_sum")

    def __init__(self, offset: int, bounds: tuple[float, ...]) -> None:
        self._offset = offset
        self._bounds = bounds
        self._sum = offset + len(bounds) + 1

    def count(self, numbers: "memoryview[float]", row: int, by: float = 1) -> None:
        """Adds to a counter; `row` is the place of its row among all numbers."""
        numbers[row + self._offset] += by

    def observe(self, numbers: "memoryview[float]", row: int, value: float) -> None:
        """Puts a value into a histogram; `row` is the place of its row among all numbers."""
        numbers[row + self._offset + bisect_left(self._bounds, value)] += 1
        numbers[row + self._sum] += value


class Layout(Struct, frozen=True, kw_only=True):
    """A kind of row, of which there is one for each set of labels."""

    kind: str
    labels: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def width(self) -> int:
        """How many numbers a row is."""
        return sum(column.width for column in self.columns)

    @property
    def places(self) -> tuple[Place, ...]:
        """Where in the row each column is."""
        offsets = accumulate((column.width for column in self.columns[:-1]), initial=0)
        return tuple(Place(offset, column.bounds) for offset, column in zip(offsets, self.columns, strict=True))


REQUESTS: Final = Layout(
    kind="requests",
    labels=("operation", "dialect", "provider", "model", "error"),
    columns=(
        Column(
            name="rixin_requests",
            help="Requests of clients that have ended, by what they asked for and how they ended.",
            labels={"operation": "operation", "dialect": "dialect", **_MODEL, "error_type": "error"},
        ),
        Column(name="rixin_prompt_tokens", help="Tokens of prompts, cached ones included.", labels=_MODEL),
        Column(name="rixin_completion_tokens", help="Tokens of answers, reasoning included.", labels=_MODEL),
        Column(name="rixin_cached_tokens", help="Tokens of prompts that a cache knew.", labels=_MODEL),
        Column(name="rixin_reasoning_tokens", help="Tokens of answers that were thoughts.", labels=_MODEL),
        Column(name="rixin_knowledge_tokens", help="Tokens of passages from knowledge bases.", labels=_MODEL),
        Column(
            name="gen_ai_server_request_duration_seconds",
            help="From a request's arrival to the end of its answer.",
            labels=_GEN_AI_ERROR,
            bounds=_DURATION,
        ),
        Column(
            name="gen_ai_server_time_to_first_token_seconds",
            help="From a request's arrival to the first word of its answer, of streams.",
            labels=_GEN_AI,
            bounds=_FIRST_TOKEN,
        ),
        Column(
            name="gen_ai_server_time_per_output_token_seconds",
            help="Between two tokens of an answer after the first one, on average over the answer, of streams.",
            labels=_GEN_AI,
            bounds=_PER_TOKEN,
        ),
        Column(
            name="gen_ai_client_token_usage",
            help="Tokens of one request.",
            labels=_GEN_AI,
            bounds=_TOKENS,
            constant={"gen_ai_token_type": "input"},
        ),
        Column(
            name="gen_ai_client_token_usage",
            help="Tokens of one request.",
            labels=_GEN_AI,
            bounds=_TOKENS,
            constant={"gen_ai_token_type": "output"},
        ),
        Column(
            name="rixin_request_queue_time_seconds",
            help="How long a request that was sent on waited for its turn.",
            labels=_MODEL,
            bounds=_DURATION,
        ),
        Column(
            name="rixin_overhead_seconds",
            help="A request's time that was spent in Rixin itself, and not in waiting for anybody else.",
            labels=_MODEL,
            bounds=_OVERHEAD,
        ),
    ),
)
ATTEMPTS: Final = Layout(
    kind="attempts",
    labels=("operation", "provider", "model", "error"),
    columns=(
        Column(
            name="rixin_upstream_attempts",
            help="Calls of upstreams and engines that have ended, by how.",
            labels={**_MODEL, "error_type": "error"},
        ),
        Column(
            name="gen_ai_client_operation_duration_seconds",
            help="From the begin of a call to the end of its answer.",
            labels=_GEN_AI_ERROR,
            bounds=_DURATION,
        ),
        Column(
            name="rixin_upstream_response_seconds",
            help="From the begin of a call, connecting included, until the head of its answer came.",
            labels=_MODEL,
            bounds=_FIRST_TOKEN,
        ),
    ),
)
EXCHANGES: Final = Layout(
    kind="exchanges",
    labels=("method", "route", "status"),
    columns=(
        Column(
            name="http_server_request_duration_seconds",
            help="HTTP exchanges, by the route's path; those that lead nowhere share one route.",
            labels={
                "http_request_method": "method",
                "http_route": "route",
                "http_response_status_code": "status",
            },
            bounds=_HTTP,
        ),
    ),
)
REFUSALS: Final = Layout(
    kind="refusals",
    labels=("error",),
    columns=(
        Column(
            name="rixin_limits_refused",
            help="Requests that the limits of their own key refused, by what was told.",
            labels={"error_type": "error"},
        ),
    ),
)
LOSSES: Final = Layout(
    kind="losses",
    labels=("book",),
    columns=(
        Column(
            name="rixin_rows_lost",
            help="Rows of usage and of the request log that no store took.",
            labels={"book": "book"},
        ),
    ),
)
LAYOUTS: Final = {layout.kind: layout for layout in (REQUESTS, ATTEMPTS, EXCHANGES, REFUSALS, LOSSES)}


class Gauge(Struct, frozen=True, kw_only=True):
    """A metric that is looked at now and then."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    worst: bool = False
    """Whether of several workers the one counts that says the most, instead of their sum."""


GAUGES: Final = {
    gauge.name: gauge
    for gauge in (
        Gauge(name="rixin_build_info", help="Always 1; the version is its label.", labels=("version",)),
        Gauge(name="rixin_workers", help="Workers that serve."),
        Gauge(name="http_server_active_requests", help="HTTP exchanges under way."),
        Gauge(name="rixin_streams_active", help="Streams that are being sent to clients."),
        Gauge(name="rixin_tasks", help="Tasks of the workers' event loops."),
        Gauge(
            name="rixin_upstream_requests_waiting",
            help="Requests that wait for a key or the recovery of an upstream.",
            labels=("provider",),
        ),
        Gauge(
            name="rixin_upstream_breaker_state",
            help="0 closed, 1 half open, 2 open: the worst of all workers.",
            labels=("provider", "model"),
            worst=True,
        ),
        Gauge(
            name="rixin_upstream_keys_resting",
            help="Keys that are not sent now for a model, since the upstream refused them; the most of all workers.",
            labels=("provider", "model"),
            worst=True,
        ),
        Gauge(name="rixin_engine_state", help="1 for the state that a local model is in.", labels=("model", "state")),
        Gauge(
            name="rixin_engine_memory_bytes", help="What a local model takes, or would take, loaded.", labels=("model",)
        ),
        Gauge(name="rixin_engine_slots", help="Requests that a local model works on at a time.", labels=("model",)),
        Gauge(name="rixin_engine_slots_busy", help="Requests that it works on.", labels=("model",)),
        Gauge(name="rixin_engine_requests_waiting", help="Requests that wait for one of its slots.", labels=("model",)),
        Gauge(name="rixin_store_up", help="Whether a store answered just now.", labels=("store",)),
        Gauge(name="rixin_store_response_seconds", help="How long it took to.", labels=("store",)),
    )
}
