"""Who sees every request: its numbers go to the metrics, its spans to the traces, each where it is wanted."""

from rixin.accounts.request_log import RequestWatch
from rixin.engines.trace import Spans, Trace
from rixin.service.telemetry.metrics import Metrics
from rixin.store.usage_row import UsageRow


class Watch:
    """The one recorder of requests; see `RequestWatch`.

    Args:
        metrics: Counts them; None where nobody wants numbers.
        tracing: Tells of each one; None where nobody wants traces.
    """

    def __init__(self, metrics: Metrics | None, tracing: RequestWatch | None) -> None:
        self.metrics = metrics
        self._tracing = tracing

    @property
    def wants_answers(self) -> bool:
        """Whether all that comes back from upstreams is wanted."""
        return self._tracing is not None and self._tracing.wants_answers

    def began(self, since: float, traceparent: str) -> Spans | None:
        """A request has begun; see `RequestWatch.began`."""
        return None if self._tracing is None else self._tracing.began(since, traceparent)

    def ended(self, row: UsageRow, trace: Trace | None, body: bytes) -> None:
        """A request is over; see `RequestWatch.ended`."""
        if self.metrics is not None:
            self.metrics.ended(row, trace)
        if self._tracing is not None:
            self._tracing.ended(row, trace, body)
