"""Token counts, rendered; those of an upstream are read by `openai_chat.usage`, which knows these names."""

from rixin.core.estimate import estimate_prompt, estimate_text
from rixin.core.events import Reasoning, Refusal, Text
from rixin.core.json import JsonObject
from rixin.core.requests import Generate
from rixin.core.usage import Usage


def render_usage(usage: Usage) -> JsonObject:
    """The usage object of a chunk or an answer."""
    return {
        "prompt_tokens": usage.prompt,
        "knowledge_tokens": usage.knowledge,
        "completion_tokens": usage.completion,
        "total_tokens": usage.total,
    }


class RunningUsage:
    """What an answer has cost so far, which every chunk tells.

    Most engines count at the end only: until they do, the prompt is estimated, and so is what was said since the last
    count.
    """

    def __init__(self, request: Generate) -> None:
        self._request = request
        self._reported: Usage | None = None
        self._since = 0

    def report(self, usage: Usage) -> None:
        """Takes an engine's count of all until now."""
        self._reported, self._since = usage, 0

    def add(self, event: Text | Reasoning | Refusal) -> None:
        """Takes words that no count covers yet. Most engines stream token by token, and estimates round up."""
        tokens = None if isinstance(event, Refusal) else event.tokens
        self._since += max(1, estimate_text(event.text) - 1) if tokens is None else tokens

    def now(self) -> Usage:
        """The counts by now."""
        if self._reported is None:
            self._reported = Usage(prompt=estimate_prompt(self._request), estimated=True)
        reported = self._reported
        return Usage(prompt=reported.prompt, completion=reported.completion + self._since, knowledge=reported.knowledge)
