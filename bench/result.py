"""A whole run, as it is kept, and what can be asked of it."""

import msgspec

from bench.embedded import EmbeddedResult
from bench.growth import Growth
from bench.held import Held
from bench.measure import Measurement, median
from bench.starts import Starts
from bench.targets import ANCHOR, OUR_NAME


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A whole run."""

    machine: dict[str, str]
    commit: str
    command: str
    starts: Starts | None = None
    measurements: list[Measurement] = []
    held: list[Held] = []
    growth: list[Growth] = []
    embedded: EmbeddedResult | None = None
    peers: dict[str, str] = {}
    """Those that were asked for: what was installed, or why it was not."""

    def rounds(self, scenario: str, target: str) -> list[Measurement]:
        """All rounds of a scenario on a target."""
        return [each for each in self.measurements if (each.scenario, each.target) == (scenario, target)]

    def rates(self, scenario: str, target: str) -> list[float]:
        """Requests a second, round by round."""
        return [each.load.per_second for each in self.rounds(scenario, target)]

    def cpu_us(self, scenario: str, target: str = OUR_NAME) -> float | None:
        """Processor time of a request; None where it was not measured."""
        rounds = self.rounds(scenario, target)
        return median([each.cpu_us for each in rounds]) if rounds else None

    def added_ms(self, scenario: str) -> tuple[float, float] | None:
        """What this server adds to the upstream's latency, p50 and p99; None where it was not measured."""
        pairs = list(zip(self.rounds(scenario, OUR_NAME), self.rounds(scenario, ANCHOR), strict=False))
        if not pairs:
            return None
        return (
            median([ours.load.p50_ms - alone.load.p50_ms for ours, alone in pairs]),
            median([ours.load.p99_ms - alone.load.p99_ms for ours, alone in pairs]),
        )

    def held_by(self, target: str, front: str = "chat") -> Held | None:
        """How many paced streams a target keeps on time; None where nobody looked."""
        return next((each for each in self.held if (each.target, each.front) == (target, front)), None)

    def grown(self, what: str) -> Growth | None:
        """How the cost grows with something; None where it was not measured."""
        return next((each for each in self.growth if each.what == what), None)
