"""What operators see of a worker: the metrics of all workers at `/metrics`, and traces, where somebody takes them."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from rixin.accounts.ledger import Ledger
from rixin.accounts.request_log import RequestLog, RequestWatch
from rixin.cli.lifetime import Lifetime
from rixin.clock import Clock
from rixin.core.redaction import Redactor
from rixin.engines.base import Load
from rixin.engines.control import ModelStatus
from rixin.errors import Kind, RixinError
from rixin.routing.router import Router
from rixin.service.store_watch import StoreWatch
from rixin.service.telemetry import samples
from rixin.service.telemetry.metrics import Metrics, Sample
from rixin.service.telemetry.sheet import Sheet, read_sheet
from rixin.service.telemetry.watch import Watch
from rixin.settings import Settings, Telemetry
from rixin.web.exchange import Exchange
from rixin.web.metrics import MetricsHandler, from_this_machine
from rixin.web.routes import Access, Endpoint

SUFFIX: Final = ".metrics"
"""How the names of sheets end."""
INTERVAL: Final = 1.0
"""Seconds after which others see what is true of a worker."""
_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


class Observed(Struct, frozen=True, kw_only=True):
    """What is looked at."""

    exchanges: Callable[[], Collection[Exchange]]
    """Those under way."""
    router: Router
    models: Mapping[str, ModelStatus]
    """The local models."""
    load_of: Callable[[str], Awaitable[Load | None]]
    """How busy one of them is."""
    ledger: Ledger
    requests: RequestLog
    stores: StoreWatch


class Telemeter:
    """The metrics and traces of one worker.

    Args:
        directory: Where the sheets of all workers are.
        watch: Sees every request; None where nobody wants to know.
    """

    def __init__(self, directory: Path, watch: Watch | None) -> None:
        self.watch = watch
        self.metrics = None if watch is None else watch.metrics
        self._directory = directory

    def endpoints(self, observed: Observed) -> Iterator[Endpoint]:
        """`/metrics`, unless metrics are off."""
        metrics = self.metrics
        if metrics is None:
            return

        async def scrape(accept: str) -> tuple[bytes, str]:
            self._look(metrics, observed)
            found = await samples.of_server(observed.models, observed.load_of, observed.stores)
            return await asyncio.to_thread(_expose, self._directory, found, accept)

        yield Endpoint(
            method="GET",
            path="/metrics",
            access=Access.METRICS,
            dialect=None,
            handler=MetricsHandler(scrape),
            proven=from_this_machine,
            wire=False,
        )

    async def look_always(self, observed: Observed) -> None:
        """Keeps what others see of this worker up to date, until it is cancelled."""
        while self.metrics is not None:
            self._look(self.metrics, observed)
            await asyncio.sleep(INTERVAL)

    def _look(self, metrics: Metrics, observed: Observed) -> None:
        exchanges = observed.exchanges()
        metrics.show(
            [
                Sample("http_server_active_requests", len(exchanges)),
                Sample("rixin_streams_active", sum(exchange.streaming for exchange in exchanges)),
                Sample("rixin_tasks", len(asyncio.all_tasks())),
                *samples.of_upstreams(observed.router.gates.values()),
            ]
        )
        metrics.lost("usage", observed.ledger.lost)
        metrics.lost("requests", observed.requests.lost)


def open_telemetry(
    settings: Settings,
    place: tuple[Path, int],
    redactor: Redactor,
    environ: Mapping[str, str],
    clock: Clock,
    life: Lifetime,
) -> Telemeter:
    """The metrics and traces of a worker, as far as the settings and the SDK's own variables want them.

    Args:
        settings: Of the server.
        place: Where all workers of the server keep their numbers, and which of them this one is.
        redactor: Hides what traces must not tell.
        environ: For `OTEL_*`.
        clock: Time.
        life: Ends what began.

    Raises:
        RixinError: `CONFIGURATION` where there is no room for them.
    """
    directory, index = place
    metrics = None
    if settings.telemetry.metrics:
        sheet = _open_sheet(directory / f"worker-{index}{SUFFIX}")
        life.callback(sheet.close)
        metrics = Metrics(sheet)
    tracing = _tracing(settings.telemetry, redactor, environ, clock, life)
    watch = None if metrics is None and tracing is None else Watch(metrics, tracing)
    return Telemeter(directory, watch)


def _open_sheet(path: Path) -> Sheet:
    try:
        return Sheet(path)
    except OSError as error:
        message = f"there is no room for metrics in {path.parent}: {error.strerror}; set telemetry.metrics to false"
        raise RixinError(Kind.CONFIGURATION, message) from None


def _tracing(
    settings: Telemetry, redactor: Redactor, environ: Mapping[str, str], clock: Clock, life: Lifetime
) -> RequestWatch | None:
    wanted = settings.otlp_endpoint is not None or any(environ.get(name) for name in _ENDPOINTS)
    off = environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or environ.get("OTEL_TRACES_EXPORTER") == "none"
    if not wanted or off:
        return None
    # OpenTelemetry's SDK takes half a second and 20 MB, which servers without traces are spared.
    from rixin.service.telemetry.tracing import Tracing  # noqa: PLC0415 - as above

    told = redactor if settings.capture_content else None
    return life.hold(Tracing(settings.otlp_endpoint, environ, told, clock))


def _expose(directory: Path, found: list[Sample], accept: str) -> tuple[bytes, str]:
    # The Prometheus client takes a tenth of a second, which servers that nobody scrapes are spared.
    from rixin.service.telemetry.exposition import expose  # noqa: PLC0415 - as above

    return expose([read_sheet(path) for path in sorted(directory.glob(f"*{SUFFIX}"))], found, accept)
