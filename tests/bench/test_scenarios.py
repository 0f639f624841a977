"""What is asked of the server when it is measured."""

import json
from dataclasses import replace

import pytest

from bench.asks import CHAT, FRONTS, MESSAGES, RESPONSES, Ask, Front, agent
from bench.measure import Loader
from bench.scenarios import SCENARIOS, Scenario
from bench.targets import Target, request

FEW = 8
"""Connections that any machine serves in a moment."""


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_server_answers_every_load(loader: Loader, rixin: Target, scenario: Scenario):
    """Each kind of load, with fewer connections, gets whole answers and costs something."""
    fewer = replace(scenario, connections=min(scenario.connections, FEW), rate=scenario.rate and FEW)
    measured = loader.measure(rixin, fewer, 0)
    assert measured.load.errors == 0, measured.load.first_error
    assert measured.load.counted > 0
    assert measured.cpu_us > 0
    assert measured.memory_mb > 10


@pytest.mark.parametrize("front", FRONTS, ids=lambda front: front.name)
def test_every_dialect_is_asked_for_the_same(rixin: Target, front: Front):
    """Whatever the dialect, the answer has the upstream's words, and its stream all of them."""
    ask = Ask("mock")
    status, whole = request(rixin.port, "POST", front.path_of(ask), front.body(ask), rixin.headers)
    assert status == 200, whole
    assert b"The quick brown fox" in whole
    ask = Ask("mock", stream=True)
    status, stream = request(rixin.port, "POST", front.path_of(ask), front.body(ask), rixin.headers)
    assert status == 200, stream
    assert b"tok0000" in stream
    assert b"tok0199" in stream


@pytest.mark.parametrize("front", [CHAT, RESPONSES, MESSAGES], ids=lambda front: front.name)
def test_an_agents_request_is_a_large_one(front: Front):
    """It has 30 tools and 40 kB, and is the same each time."""
    body = front.body(agent(Ask("mock")))
    text = json.dumps(body, separators=(",", ":"))
    assert text.count('"description":') == 30 * (1 + 4)
    assert len(text) == pytest.approx(40_000, rel=0.05)
    assert body == front.body(agent(Ask("mock")))
