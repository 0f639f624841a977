"""Tables and ratios."""

import msgspec
import pytest

from bench.agent import AgentTurn, agent_body
from bench.embedded import EmbeddedResult, Generation
from bench.measure import LoadResult, Measurement
from bench.report import Result, Starts, median_ratio, render, table


def load_result(per_second: float, p50_ms: float) -> LoadResult:
    """What the load generator tells."""
    zeros: dict[str, int] = dict.fromkeys(LoadResult.__struct_fields__, 0)
    return LoadResult(**{**zeros, "per_second": per_second, "p50_ms": p50_ms, "p99_ms": p50_ms, "first_error": ""})  # pyright: ignore[reportArgumentType] - one value of another type


def measurement(target: str, number: int, per_second: float, p50_ms: float) -> Measurement:
    """One round of the open loop."""
    load = load_result(per_second, p50_ms)
    return Measurement(
        scenario="rate-500", target=target, round=number, load=load, cpu_us=50, memory_mb=80, other_cpu=0.4
    )


STARTS = Starts(version_seconds=0.02, first_start_seconds=1.5, start_seconds=0.9, idle_memory_mb=80)


def test_a_table_is_aligned():
    """Columns are as wide as their widest cell."""
    assert table(["a", "long"], [["wide", "b"]]).splitlines() == [
        "| a    | long |",
        "|------|------|",
        "| wide | b    |",
    ]


@pytest.mark.parametrize(
    ("ours", "theirs", "ratio"),
    [([2.0, 9.0, 4.0], [1.0, 3.0, 4.0], 2.0), ([1.0], [0.0], None), ([], [], None), ([1.0, 2.0], [2.0], 0.5)],
)
def test_a_ratio_is_the_median_of_the_rounds(ours: list[float], theirs: list[float], ratio: float | None):
    """Each round is compared with its own neighbour."""
    assert median_ratio(ours, theirs) == ratio


def test_a_report_names_what_its_figures_depend_on():
    """Commit and machine come first, then ratios, the added latency and doubtful rounds."""
    result = Result(
        machine={"cpu": "2 x fast", "memory": "24 GiB", "python": "3.11"},
        commit="abc",
        command="python -m bench",
        starts=STARTS,
        measurements=[
            *(measurement("direct", number, 1000, 0.1) for number in range(2)),
            *(measurement("rixin", number, 250, 0.4) for number in range(2)),
        ],
        embedded=None,
    )
    text = render(result)
    assert text.startswith("commit abc; 2 x fast, 24 GiB, Python 3.11")
    assert "0.40 !" in text
    assert "| 0.25 " in text
    assert "added latency at 500 requests a second: p50 0.30 ms, p99 0.30 ms" in text
    assert "0.020 s" in text


def test_an_agents_turns_are_compared_with_its_first():
    """What is known of a prompt shows in the tokens, and in the wait for the first one."""
    generations = [
        Generation(target=target, concurrency=many, round=0, tokens=64, seconds=4.0, first_token_seconds=1.0)
        for target in ("rixin", "native")
        for many in (1, 4, 8)
    ]
    turns = [
        AgentTurn(name="first turn", prompt_tokens=10_000, cached_tokens=0, first_token_seconds=80.0),
        AgentTurn(name="second turn", prompt_tokens=10_020, cached_tokens=9_990, first_token_seconds=0.8),
    ]
    text = render(
        Result(
            machine={"cpu": "2 x fast", "memory": "24 GiB", "python": "3.11"},
            commit="abc",
            command="python -m bench",
            starts=STARTS,
            measurements=[],
            embedded=EmbeddedResult(
                model="tiny", first_answer_seconds=2.0, generations=generations, probe=load_result(50, 0.4), turns=turns
            ),
        )
    )
    assert "| second turn     | 10020         | 9990   | 0.8           | 0.01                |" in text


def test_an_agents_request_is_always_the_same():
    """Its instructions and tools are the same each time, whatever is said after them, and about as large as Codex's."""
    first, second = agent_body("Hello."), agent_body("Hello.", "Hi.", "Go on.")
    assert first["tools"] == second["tools"]
    assert 50_000 < len(msgspec.json.encode(first)) < 60_000
    assert isinstance(second["messages"], list)
    assert second["messages"][:2] == first["messages"]
