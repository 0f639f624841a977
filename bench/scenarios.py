"""What is measured, as data."""

from dataclasses import dataclass

QUESTION = (
    "What is the throughput of a gateway, and how would one go about measuring it fairly on a small and noisy machine? "
    "Please answer in one or two sentences."
)
LIMITED = "mock-limited"
"""What `bench.targets.LIMITS` are about; the upstream answers for it as for `mock`."""
UPSTREAM_MODELS = ("mock", "mock-p5", LIMITED)
"""Names by which the scripted upstream is told how to behave: at once, or an event every 5 ms."""


@dataclass(frozen=True)
class Scenario:
    """One kind of load.

    `rate` makes it an open loop of so many requests a second; `paced` says that the upstream sets the pace, so that
    the figure of interest is not how many but how late.
    """

    name: str
    title: str
    connections: int
    model: str = "mock"
    stream: bool = False
    rate: int | None = None
    paced: bool = False

    def body(self) -> dict[str, object]:
        """The request's body."""
        body: dict[str, object] = {
            "model": self.model,
            "messages": [
                {"role": "system", "content": "You are a helpful assistant that answers briefly and to the point."},
                {"role": "user", "content": QUESTION},
            ],
            "temperature": 0.7,
            "max_tokens": 256,
            "top_p": 1,
            "user": "bench-user-1",
        }
        if self.stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        return body


SCENARIOS = (
    Scenario("whole-1", "whole answers, 1 connection", 1),
    Scenario("whole-16", "whole answers, 16 connections", 16),
    Scenario("limited-16", "the same under three limits", 16, model=LIMITED),
    Scenario("whole-64", "whole answers, 64 connections", 64),
    Scenario("rate-500", "whole answers, 500 a second", 32, rate=500),
    Scenario("burst-16", "streams of 204 events at once, 16 at a time", 16, stream=True),
    Scenario("paced-32", "32 streams, an event every 5 ms", 32, model="mock-p5", stream=True, paced=True),
    Scenario("paced-128", "128 streams, an event every 5 ms", 128, model="mock-p5", stream=True, paced=True),
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
