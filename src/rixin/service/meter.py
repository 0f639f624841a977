"""What an answer costs, followed event by event on its way to the client."""

from rixin.clock import Clock
from rixin.core.estimate import estimate_prompt, estimate_text
from rixin.core.events import Event, Finish, Reasoning, Refusal, Text, ToolArguments
from rixin.core.requests import Generate
from rixin.core.usage import Usage


class Meter:
    """Follows an answer: what it cost, when it began.

    An upstream that counts may do so at the end, with every chunk, or at the beginning, where it knows the prompt only.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.reported: Usage | None = None
        """What the upstream counted last."""
        self.first_event_at: float | None = None
        self.filtered = False
        """Whether a choice was ended because of what it says, by us or by its upstream."""
        self._finished = False
        self._counted = False
        """Whether words had been relayed when the upstream counted last."""
        self._words = 0
        self._thoughts = 0
        """Tokens of what was relayed since then."""
        self._prompt: int | None = None

    def feed(self, events: list[Event]) -> None:
        """Takes events on their way to the client."""
        if self.first_event_at is None and events:
            self.first_event_at = self._clock.monotonic()
        start = 0
        for position, event in enumerate(events):
            if type(event) is Text:  # as by far the most are
                continue
            if start < position:
                self._hear(events[start:position])
            start = position + 1
            self._take(event)
        if start < len(events):
            self._hear(events[start:] if start else events)

    def _hear(self, words: list[Event]) -> None:
        """Takes words between which nothing else came; where nobody counted them they are estimated together."""
        texts = [word.text for word in words if type(word) is Text and word.tokens is None]
        if texts:
            self._words += estimate_text(texts[0] if len(texts) == 1 else "".join(texts))
        if len(texts) < len(words):
            self._words += sum([word.tokens or 0 for word in words if type(word) is Text])

    def _take(self, event: Event) -> None:
        match event:
            case Usage():
                self.reported = event
                self._counted = self._counted or self._words + self._thoughts > 0
                self._words = self._thoughts = 0
            case ToolArguments() | Refusal():
                self._words += estimate_text(event.text)
            case Reasoning():
                self._thoughts += estimate_text(event.text) if event.tokens is None else event.tokens
            case Finish():
                self._finished = True
                self.filtered = self.filtered or event.reason == "content_filter"
            case _:
                pass

    def usage(self, request: Generate) -> Usage:
        """What an answer that is complete has cost: as reported, else estimated from what passed."""
        partial = request.stream and not self._counted and self._words + self._thoughts > 0
        return self.relayed(request) if self.reported is None or partial else self.reported

    def relayed(self, request: Generate) -> Usage:
        """What was relayed of an answer that was cut here: as far as it was counted, the rest of it estimated.

        Words that were relayed before the upstream counted are in its count. What it counted before there were any is
        none of them.
        """
        reported, since = self.reported, self._words + self._thoughts
        if reported is not None and self._finished and not since:
            return reported
        completion, reasoning = since, self._thoughts
        if reported is None:
            if self._prompt is None:
                self._prompt = estimate_prompt(request) - request.knowledge_tokens
            reported = Usage(prompt=self._prompt, knowledge=request.knowledge_tokens)
        elif self._counted:
            completion, reasoning = reported.completion + since, reported.reasoning + self._thoughts
        return Usage(
            prompt=reported.prompt,
            completion=completion,
            cached=reported.cached,
            reasoning=reasoning,
            knowledge=reported.knowledge,
            estimated=True,
        )
