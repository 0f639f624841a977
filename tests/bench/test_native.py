"""The programs that measure, measured by each other."""

import json
from pathlib import Path

import pytest

from bench.asks import CHAT
from bench.measure import WARM_UP, Loader
from bench.scenarios import SCENARIOS, Scenario
from bench.targets import Target, request


def chat(target: Target, **body: object) -> bytes:
    """The upstream's answer to a body."""
    status, answer = request(target.port, "POST", "/v1/chat/completions", body)
    assert status == 200
    return answer


def test_the_upstream_answers_whole_and_in_streams(direct: Target):
    """What is asked for decides, and a stream's length is told by the model's name."""
    assert json.loads(chat(direct, model="mock"))["choices"][0]["finish_reason"] == "stop"
    stream = chat(direct, model="mock-n3", stream=True)
    assert stream.count(b"data: ") == 3 + 4
    assert stream.endswith(b"data: [DONE]\n\n")
    assert b'"model":"mock-n3"' in stream


def test_the_upstream_counts(direct: Target):
    """Its counters tell what it has done."""

    def counters() -> list[int]:
        stats = json.loads(request(direct.port, "GET", "/stats")[1])
        return [stats[name] for name in ("streams", "done")]

    before = counters()
    chat(direct, model="mock-n2-p1-d5", stream=True)
    assert [after - since for after, since in zip(counters(), before, strict=True)] == [1, 2]  # and the look itself


def test_the_upstream_speaks_messages_too(direct: Target):
    """A Messages stream ends in its own way."""
    body = {"model": "mock-n1", "stream": True}
    assert request(direct.port, "POST", "/v1/messages", body)[1].rstrip().endswith(b'data: {"type":"message_stop"}')


@pytest.mark.parametrize(
    "scenario", [each for each in SCENARIOS if each.front is CHAT], ids=lambda scenario: scenario.name
)
def test_every_load_can_be_measured(loader: Loader, direct: Target, scenario: Scenario):
    """Each kind of load gives whole answers only, and figures that fit together."""
    measurement = loader.measure(direct, scenario, 0)
    load = measurement.load
    assert load.errors == 0, load.first_error
    assert 0 < load.counted <= load.completed
    assert load.p50_ms <= load.p90_ms <= load.p99_ms <= load.max_ms
    if scenario.stream:
        assert load.events == load.counted * 204
    assert load.per_second == pytest.approx(load.counted / load.seconds, rel=0.01)
    if scenario.rate:
        # Other tests run at the same time, and may hold it up; it makes up for that, and never asks more than is due.
        assert load.completed <= scenario.rate * (WARM_UP + load.seconds)


def test_errors_are_counted_and_told(loader: Loader, direct: Target, tmp_path: Path):
    """A stream without its end, here a whole answer where a stream was expected, is no success."""
    body = tmp_path / "body.json"
    body.write_text('{"model":"mock"}')
    with pytest.raises(RuntimeError, match="a stream without its end"):
        loader.run(direct, ["-b", str(body), "-c", "1", "-d", "0.2", "-s"])
