"""What is measured, as data."""

from dataclasses import dataclass, replace
from typing import Literal

from bench.asks import CHAT, GEMINI, MESSAGES, NATIVE, RESPONSES, Ask, Front, agent

LIMITED = "mock-limited"
"""What `bench.targets.LIMITS` are about; the upstream answers for it as for `mock`."""
PACED = "mock-p5"
SLOW = "mock-p100-n100"
DELAYED = "mock-d300"
UPSTREAM_MODELS = ("mock", PACED, SLOW, DELAYED, LIMITED)
"""Names by which the scripted upstream is told how to behave: at once, an event every 5 or 100 ms, or after 300 ms."""


@dataclass(frozen=True)
class Scenario:
    """One kind of load.

    `rate` makes it an open loop of so many requests a second; `paced` says that the upstream sets the pace, so that
    the figure of interest is not how many but how late.
    """

    name: str
    title: str
    connections: int
    front: Front = CHAT
    model: str = "mock"
    stream: bool = False
    agent: bool = False
    rate: int | None = None
    paced: bool = False
    on: Literal["all", "anchors", "ours"] = "all"
    """Whom it is put to: this server only, the upstream alone and the plain proxy too, or peers too."""
    short: bool = False
    """Whether it is measured when there is little time."""

    def ask(self, prefix: str = "") -> Ask:
        """What each request asks, of a server that wants `prefix` before the model's name."""
        ask = Ask(prefix + self.model, stream=self.stream)
        return agent(ask) if self.agent else ask


def _translated(scenario: Scenario, *fronts: Front) -> tuple[Scenario, ...]:
    """The same in other dialects, which the server translates."""
    return tuple(
        replace(
            scenario,
            name=f"{scenario.name}-{front.name}",
            title=f"the same, {front.title} in front",
            front=front,
            on="ours",
            short=scenario.short and front is MESSAGES,
        )
        for front in fronts
    )


_WHOLE_16 = Scenario("whole-16", "whole answers, 16 connections", 16, short=True)
_BURST = Scenario("burst-16", "streams of 204 events at once, 16 at a time", 16, stream=True, short=True)
_AGENT = Scenario("agent-16", "agent's requests of 40 kB with 30 tools, 16 connections", 16, agent=True, short=True)

SCENARIOS = (
    Scenario("whole-1", "whole answers, 1 connection", 1),
    _WHOLE_16,
    replace(_WHOLE_16, name="limited-16", title="the same under three limits", model=LIMITED, on="ours", short=False),
    Scenario("whole-64", "whole answers, 64 connections", 64, short=True),
    Scenario("whole-1000", "whole answers, 1,000 connections", 1000, on="anchors"),
    Scenario("rate-500", "whole answers, 500 a second", 32, rate=500, on="anchors", short=True),
    _BURST,
    *_translated(_BURST, RESPONSES, MESSAGES, NATIVE, GEMINI),
    Scenario("paced-32", "32 streams, an event every 5 ms", 32, model=PACED, stream=True, paced=True, on="anchors"),
    _AGENT,
    *_translated(_AGENT, RESPONSES, MESSAGES),
)
PACED_IDEAL_MS = 203 * 5.0
"""How long a paced stream takes when nothing delays it."""

CONCURRENCIES = (1, 4, 8)
"""Streams at a time on the embedded model."""
EMBEDDED_TOKENS = 64
"""Tokens that each of them generates."""
EMBEDDED_TOPICS = (
    "the tide in a northern harbour",
    "how a clockmaker repairs a tower clock",
    "a train that crosses the steppe in winter",
    "the first day in an observatory",
    "a kitchen that feeds a mountain village",
    "why the old bridge was never closed",
    "a letter that arrived forty years late",
    "what the cartographer left out of the map",
)


def embedded_prompt(run: str, number: int) -> str:
    """A prompt of about 200 tokens that no other request of the same run begins with."""
    topic = EMBEDDED_TOPICS[number % len(EMBEDDED_TOPICS)]
    notes = " ".join(
        f"Note {run}.{number}.{line}: mention the weather, the light, and one thing that somebody nearly forgot."
        for line in range(6)
    )
    return f"Story {run}.{number}. Write a long story about {topic}. {notes}"
