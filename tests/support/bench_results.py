"""What measuring could have found, made up."""

from bench.agent import AgentTurn
from bench.descriptors import Counts
from bench.embedded import EmbeddedResult, Generation
from bench.growth import Growth
from bench.held import Held
from bench.measure import LoadResult, Measurement
from bench.result import Result
from bench.soak import SoakResult
from bench.starts import Starts
from bench.watcher import Sample

IDLE = Counts(descriptors=40, sockets=9, upstream=3, tasks=20)


def load_result(per_second: float, p50_ms: float) -> LoadResult:
    """What the load generator tells."""
    zeros: dict[str, int] = dict.fromkeys(LoadResult.__struct_fields__, 0)
    return LoadResult(**{**zeros, "per_second": per_second, "p50_ms": p50_ms, "p99_ms": p50_ms, "first_error": ""})  # pyright: ignore[reportArgumentType] - one value of another type


def measurement(
    target: str,
    number: int,
    *,
    scenario: str = "rate-500",
    per_second: float = 500,
    p50_ms: float = 0.4,
    cpu_us: float = 50,
) -> Measurement:
    """One round."""
    return Measurement(
        scenario=scenario,
        target=target,
        round=number,
        load=load_result(per_second, p50_ms),
        cpu_us=cpu_us,
        memory_mb=80,
        other_cpu=0.4,
    )


STARTS = Starts(
    version_seconds=0.02,
    first_start_seconds=1.5,
    start_seconds=0.9,
    idle_memory_mb=80,
    streams=1000,
    streams_memory_mb=140,
)


def result_of(
    *measurements: Measurement,
    starts: Starts | None = None,
    held: list[Held] | None = None,
    growth: list[Growth] | None = None,
    embedded: EmbeddedResult | None = None,
) -> Result:
    """A run with these."""
    return Result(
        machine={"cpu": "2 x fast", "memory": "24 GiB", "python": "3.11"},
        commit="abc",
        command="python -m bench",
        starts=starts,
        measurements=list(measurements),
        held=held or [],
        growth=growth or [],
        embedded=embedded,
        peers={"nginx": "as the system has it"},
    )


def full_result() -> Result:
    """A run with everything."""
    generations = [
        Generation(target=target, concurrency=many, round=0, tokens=64, seconds=4.0, first_token_seconds=1.0)
        for target in ("rixin", "native")
        for many in (1, 4, 8)
    ]
    turns = [
        AgentTurn(name="first turn", prompt_tokens=10_000, cached_tokens=0, first_token_seconds=80.0),
        AgentTurn(name="second turn", prompt_tokens=10_020, cached_tokens=9_990, first_token_seconds=0.8),
    ]
    loads = [
        measurement(target, number, per_second=rate, p50_ms=p50_ms)
        for number in range(2)
        for target, rate, p50_ms in (("direct", 1000, 0.1), ("rixin", 250, 0.4))
    ]
    return result_of(
        *loads,
        starts=STARTS,
        held=[Held(target="rixin", front="messages", streams=640, cpu_us_per_event=9.0, probes=[])],
        growth=[
            Growth(
                what="stored keys",
                few="10",
                many="100,000",
                measurements=[measurement("10", 0, cpu_us=100), measurement("100,000", 0, cpu_us=110)],
            )
        ],
        embedded=EmbeddedResult(
            model="tiny", first_answer_seconds=2.0, generations=generations, probe=load_result(50, 0.4), turns=turns
        ),
    )


def soak_result(*, end_mb: float = 102.0, back: float | None = 0.4, failed: int = 0) -> SoakResult:
    """Half an hour, at 100 MB until its last minutes."""
    samples = [
        Sample(minute=minute, memory_mb=end_mb if minute > 25 else 100.0, counts=IDLE) for minute in range(1, 31)
    ]
    return SoakResult(
        commit="abc",
        command="python -m bench.soak",
        minutes=30,
        visitors=64,
        done={"whole": 3, "streamed": 4, "left": 2, "failed": failed},
        first_error="none",
        idle=IDLE,
        after=IDLE,
        back_seconds=back,
        upstream_seconds=4.1,
        samples=samples,
    )
