"""What Prometheus reads: the sheets of all workers in one sum, and what is true now.

This module imports the Prometheus client, which takes a tenth of a second; who is never asked for metrics leaves it
alone.
"""

import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from rixin.service.telemetry.families import GAUGES, LAYOUTS, Column, Gauge
from rixin.service.telemetry.metrics import GAUGE, Sample
from rixin.service.telemetry.sheet import Row, SheetContent

_Series = dict[tuple[str, ...], list[float]]
_OPENMETRICS = "application/openmetrics-text"


def expose(
    sheets: Sequence[SheetContent],
    samples: Iterable[Sample],
    accept: str = "",
    is_alive: Callable[[int], bool] | None = None,
) -> tuple[bytes, str]:
    """All metrics as text, and its content type.

    Args:
        sheets: Of all workers, those that died included: what they counted stays, what was true of them does not.
        samples: What is true of the server as a whole.
        accept: The header of who asks: OpenMetrics where it is asked for, else the older text format.
        is_alive: Whether a process is; of this machine unless given.
    """
    families = _Families([*_counted(sheets), *_true_now(sheets, samples, is_alive or _is_alive)])
    # The client's own reading of the header fails for versions that are none.
    encode, content_type = choose_encoder(_OPENMETRICS if _OPENMETRICS in accept else "")
    return encode(families), content_type


class _Families(Collector):
    """What the client's encoders take in place of its own registry."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> list[Metric]:
        return self._families


def _counted(sheets: Iterable[SheetContent]) -> Iterator[Metric]:
    series: dict[str, _Series] = {}
    for sheet in sheets:
        for row in sheet.rows:
            _add(series, row)
    shown: set[str] = set()
    for layout in LAYOUTS.values():
        for column in layout.columns:
            if column.name not in shown:
                shown.add(column.name)
                yield _family(column, series.get(column.name, {}))


def _add(series: dict[str, _Series], row: Row) -> None:
    """Adds the numbers of a row to the series that they belong to."""
    layout = LAYOUTS.get(row.key[0])
    if layout is None or len(row.numbers) != layout.width or not any(row.numbers):
        return
    named = dict(zip(layout.labels, row.key[1:], strict=True))
    start = 0
    for column in layout.columns:
        numbers = row.numbers[start : start + column.width]
        start += column.width
        if column.bounds and not any(numbers):
            continue  # nothing of this kind was ever observed
        labels = (*(named[label] for label in column.labels.values()), *column.constant.values())
        sums = series.setdefault(column.name, {}).setdefault(labels, [0.0] * column.width)
        for place, number in enumerate(numbers):
            sums[place] += number


def _family(column: Column, series: _Series) -> Metric:
    names = (*column.labels, *column.constant)
    if not column.bounds:
        counter = CounterMetricFamily(column.name, column.help, labels=names)
        for labels, [value] in series.items():
            counter.add_metric(labels, value)
        return counter
    histogram = HistogramMetricFamily(column.name, column.help, labels=names)
    bounds = [*map(str, column.bounds), "+Inf"]
    for labels, numbers in series.items():
        buckets = list(zip(bounds, accumulate(numbers[:-1]), strict=True))
        histogram.add_metric(labels, buckets, numbers[-1])
    return histogram


def _true_now(
    sheets: Iterable[SheetContent], samples: Iterable[Sample], is_alive: Callable[[int], bool]
) -> Iterator[Metric]:
    values: dict[str, dict[tuple[str, ...], float]] = {name: {} for name in GAUGES}
    alive = [sheet for sheet in sheets if is_alive(sheet.pid)]
    values["rixin_workers"][()] = len(alive)
    for sample in samples:
        values[sample.gauge][sample.labels] = sample.value
    for sheet in alive:
        for row in sheet.rows:
            if row.key[0] == GAUGE and row.key[1] in GAUGES and not math.isnan(row.numbers[0]):
                _join(GAUGES[row.key[1]], values[row.key[1]], row)
    for name, gauge in GAUGES.items():
        family = GaugeMetricFamily(name, gauge.help, labels=gauge.labels)
        for labels, value in values[name].items():
            family.add_metric(labels, value)
        yield family


def _join(gauge: Gauge, values: dict[tuple[str, ...], float], row: Row) -> None:
    """Adds what one worker says of itself to what the others say."""
    labels, [value] = row.key[2:], row.numbers
    before = values.get(labels, 0.0)
    values[labels] = max(before, value) if gauge.worst else before + value


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid > 0
