"""What is counted of requests, calls and exchanges, as Prometheus reads it."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from rixin.clock import SystemClock
from rixin.engines.trace import Trace
from rixin.errors import Kind, RixinError
from rixin.service.telemetry.exposition import expose
from rixin.service.telemetry.families import GAUGES, LAYOUTS
from rixin.service.telemetry.metrics import MOST_ROWS, Metrics, Sample
from rixin.service.telemetry.sheet import Sheet, SheetContent, read_sheet
from rixin.store.usage_row import UsageRow
from tests.limits.manual_clock import ManualClock

CHAT = {"gen_ai_operation_name": "chat", "gen_ai_provider_name": "p", "gen_ai_request_model": "m"}
MODEL = {"provider": "p", "model": "m"}


def usage(**fields: Any) -> UsageRow:
    """A row of a request that was answered."""
    values: dict[str, Any] = {
        "time": 1.0,
        "id": "r",
        "key_id": "k",
        "key_name": "k",
        "dialect": "openai_chat",
        "operation": "generate",
        "model_asked": "m",
        "model": "m",
        "provider": "p",
        "status": 200,
        "total_ms": 1000.0,
    }
    return UsageRow(**{**values, **fields})


class Place:
    """The sheets of some workers, and what is exposed of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sheets: list[Sheet] = []

    def worker(self, index: int = 0) -> Metrics:
        """The metrics of a process that begins in a place."""
        sheet = Sheet(self.folder / f"worker-{index}.metrics")
        self.sheets.append(sheet)
        return Metrics(sheet)

    def contents(self) -> list[SheetContent]:
        """What is in all sheets."""
        return [read_sheet(path) for path in sorted(self.folder.iterdir())]

    def text(self, *samples: Sample) -> str:
        """What Prometheus reads."""
        return expose(self.contents(), samples)[0].decode()

    def values(self, *samples: Sample) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        """The same, by name and labels."""
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(self.text(*samples))
            for sample in family.samples
        }

    def value(self, name: str, **labels: str) -> float | None:
        """One of them; None where it is not there."""
        return self.values().get((name, tuple(sorted(labels.items()))))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """An empty folder for sheets."""
    there = Place(tmp_path)
    yield there
    for sheet in there.sheets:
        sheet.close()


def called(trace: Trace, began: float, answered: float | None, ended: float, error: Kind | None = None) -> None:
    """Puts a call into a trace, by milliseconds since the arrival."""
    attempt = trace.on_attempt("p", "openai_chat", "m", b"")
    attempt.on_end(None if error is None else RixinError(error, ""))
    attempt.began, attempt.answered, attempt.ended = began, answered, ended


def test_a_stream_is_counted_with_its_tokens_and_times(place: Place) -> None:
    """Each token where it belongs, the first word from the arrival on, the others by the time between two of them."""
    row = usage(
        stream=True,
        prompt_tokens=100,
        completion_tokens=21,
        cached_tokens=60,
        reasoning_tokens=5,
        first_token_ms=400.0,
        total_ms=2400.0,
    )
    place.worker().ended(row, None)
    assert place.value("rixin_requests_total", operation="chat", dialect="openai_chat", error_type="", **MODEL) == 1
    for name, tokens in (("prompt", 100), ("completion", 21), ("cached", 60), ("reasoning", 5), ("knowledge", 0)):
        assert place.value(f"rixin_{name}_tokens_total", **MODEL) == tokens
    assert place.value("gen_ai_server_request_duration_seconds_sum", error_type="", **CHAT) == 2.4
    assert place.value("gen_ai_server_request_duration_seconds_bucket", error_type="", le="1.28", **CHAT) == 0
    assert place.value("gen_ai_server_request_duration_seconds_bucket", error_type="", le="2.56", **CHAT) == 1
    assert place.value("gen_ai_server_time_to_first_token_seconds_sum", **CHAT) == 0.4
    assert place.value("gen_ai_server_time_per_output_token_seconds_sum", **CHAT) == pytest.approx(0.1)
    for kind, tokens in (("input", 100), ("output", 21)):
        assert place.value("gen_ai_client_token_usage_sum", gen_ai_token_type=kind, **CHAT) == tokens


def test_a_whole_answer_has_no_first_token(place: Place) -> None:
    """All of its words come at once, which tells nothing of how long one takes."""
    place.worker().ended(usage(completion_tokens=21, first_token_ms=990.0), None)
    assert "gen_ai_server_request_duration_seconds_bucket{" in place.text()
    assert "gen_ai_server_time_to_first_token_seconds_bucket{" not in place.text()
    assert "gen_ai_server_time_per_output_token_seconds_bucket{" not in place.text()


def test_calls_are_counted_by_how_they_ended_and_our_own_time_is_what_is_left(place: Place) -> None:
    """Of a second, 100 ms in a queue, 300 ms in a call that failed and 550 ms in one that answered leave 50 ms."""
    clock = ManualClock()
    trace = Trace(clock, clock.monotonic())
    trace.on_phase("queue", clock.monotonic(), clock.monotonic() + 0.1)
    called(trace, 100, None, 400, Kind.UPSTREAM_TIMEOUT)
    called(trace, 420, 500, 970)
    place.worker().ended(usage(), trace)
    failed = Kind.UPSTREAM_TIMEOUT.value
    assert place.value("rixin_upstream_attempts_total", error_type=failed, **MODEL) == 1
    assert place.value("rixin_upstream_attempts_total", error_type="", **MODEL) == 1
    assert place.value("gen_ai_client_operation_duration_seconds_sum", error_type=failed, **CHAT) == 0.3
    assert place.value("rixin_upstream_response_seconds_sum", **MODEL) == pytest.approx(0.08)
    assert place.value("rixin_request_queue_time_seconds_sum", **MODEL) == pytest.approx(0.1)
    assert place.value("rixin_overhead_seconds_sum", **MODEL) == pytest.approx(0.05)


def test_exchanges_refusals_and_losses_are_counted(place: Place) -> None:
    """Exchanges by route; a method that nobody knows is no label; rows that are lost once, however often it is told."""
    metrics = place.worker()
    metrics.exchanged("POST", "/v1/chat/completions", 200, 0.02)
    metrics.exchanged("BREW", "", 404, 0.001)
    metrics.refused(Kind.RATE_LIMITED)
    for lost in (3, 3, 5):
        metrics.lost("usage", lost)
    exchange = "http_server_request_duration_seconds_count"
    labels = {"http_request_method": "POST", "http_route": "/v1/chat/completions", "http_response_status_code": "200"}
    assert place.value(exchange, **labels) == 1
    labels = {"http_request_method": "_OTHER", "http_route": "", "http_response_status_code": "404"}
    assert place.value(exchange, **labels) == 1
    assert place.value("rixin_limits_refused_total", error_type="rate_limited") == 1
    assert place.value("rixin_rows_lost_total", book="usage") == 5


def test_workers_are_one_sum(place: Place) -> None:
    """Whoever is asked tells what all of them counted, and of what is true now the sum or the worst."""
    for index in range(3):
        metrics = place.worker(index)
        metrics.ended(usage(prompt_tokens=10), None)
        metrics.show([Sample("rixin_streams_active", 2), Sample("rixin_upstream_breaker_state", index, ("p", "m"))])
    assert place.value("rixin_prompt_tokens_total", **MODEL) == 30
    assert place.value("rixin_streams_active") == 6
    assert place.value("rixin_upstream_breaker_state", **MODEL) == 2
    assert place.value("rixin_workers") == 3


def test_a_dead_worker_keeps_its_counts_and_loses_what_was_true(place: Place) -> None:
    """Before another one takes its place, and after."""
    place.worker(0).ended(usage(prompt_tokens=1), None)
    dead = place.worker(1)
    dead.ended(usage(prompt_tokens=10), None)
    dead.show([Sample("rixin_streams_active", 2)])
    dead.lost("usage", 4)

    text = expose(place.contents(), [], is_alive=lambda pid: False)[0].decode()
    assert 'rixin_prompt_tokens_total{model="m",provider="p"} 11.0' in text
    assert "\nrixin_streams_active " not in text
    assert "\nrixin_workers 0.0" in text

    after = place.worker(1)
    assert place.value("rixin_streams_active") is None
    after.ended(usage(prompt_tokens=100), None)
    after.lost("usage", 1)
    assert place.value("rixin_prompt_tokens_total", **MODEL) == 111
    assert place.value("rixin_rows_lost_total", book="usage") == 5


def test_what_is_true_no_more_is_not_told(place: Place) -> None:
    """An upstream that was taken out of the settings has no breaker."""
    metrics = place.worker()
    metrics.show([Sample("rixin_upstream_breaker_state", 2, ("p", "m")), Sample("rixin_streams_active", 1)])
    metrics.show([Sample("rixin_streams_active", 1)])
    assert "rixin_upstream_breaker_state{" not in place.text()
    assert place.value("rixin_streams_active") == 1


def test_l7_a_hundred_thousand_names_share_a_label(place: Place) -> None:
    """However many models an upstream lists, the text stays short, and nothing that was counted is missing."""
    metrics = place.worker()
    for number in range(100_000):
        metrics.ended(usage(model=f"invented-{number}" * 20, prompt_tokens=1), None)
    lines = [line for line in place.text().splitlines() if line.startswith("rixin_requests_total{")]
    requests = {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}
    assert sum(requests.values()) == 100_000
    assert len(requests) <= MOST_ROWS + 1
    assert max(requests.values()) >= 100_000 - MOST_ROWS
    assert max(map(len, requests)) <= 400


def test_every_metric_is_described(place: Place) -> None:
    """Each has a help text and a type, and is told once, with as many labels as it says."""
    text = place.text()
    names = {column.name for layout in LAYOUTS.values() for column in layout.columns} | set(GAUGES)
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert set(families) == names
    assert all(family.documentation.endswith(".") for family in families.values())
    assert len(text.splitlines()) == len(set(text.splitlines()))


def test_openmetrics_is_told_to_who_asks_for_it(place: Place) -> None:
    """It ends with its mark; an `accept` header of any kind is no error."""
    place.worker().ended(usage(), None)
    text, content_type = expose(place.contents(), [], "application/openmetrics-text; version=what, */*")
    assert text.endswith(b"# EOF\n")
    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    assert expose(place.contents(), [])[1].startswith("text/plain; version=0.0.4")


def test_a_request_costs_microseconds(place: Place) -> None:
    """Everything that is counted of one, with a call, is a few of them; the limit is ten times what was measured."""
    metrics, clock = place.worker(), SystemClock()
    trace = Trace(clock, clock.monotonic())
    called(trace, 1, 2, 3)
    row = usage(stream=True, prompt_tokens=10, completion_tokens=10, first_token_ms=5.0)
    began = time.process_time()
    for _ in range(2000):
        metrics.ended(row, trace)
        metrics.exchanged("POST", "/v1/chat/completions", 200, 0.1)
    assert (time.process_time() - began) / 2000 < 60e-6
