"""Token counts, read from many vendors' shapes and rendered in the token platform's."""

from typing import TypeAlias

from rixin.core.json import JsonObject, JsonValue
from rixin.core.usage import Usage

_Place: TypeAlias = tuple[str | None, str]
"""The object within the usage, where it is in one, and the field."""

PROMPT: tuple[_Place, ...] = ((None, "prompt_tokens"), (None, "input_tokens"))
COMPLETION: tuple[_Place, ...] = ((None, "completion_tokens"), (None, "output_tokens"))
TOTAL: tuple[_Place, ...] = ((None, "total_tokens"),)
KNOWLEDGE: tuple[_Place, ...] = ((None, "knowledge_tokens"),)
CACHED: tuple[_Place, ...] = (
    ("prompt_tokens_details", "cached_tokens"),
    ("input_tokens_details", "cached_tokens"),
    (None, "prompt_cache_hit_tokens"),
    (None, "cached_tokens"),
    (None, "cache_read_input_tokens"),
)
REASONING: tuple[_Place, ...] = (
    ("completion_tokens_details", "reasoning_tokens"),
    ("output_tokens_details", "reasoning_tokens"),
    (None, "reasoning_tokens"),
)
"""Where each count may stand, the first that holds a number wins: OpenAI's Chat and Responses names, DeepSeek's
`prompt_cache_hit_tokens`, Kimi's `cached_tokens`."""


class UsageReader:
    """Follows the usage of an answer: upstreams report it once, or again and again, or in parts."""

    def __init__(self) -> None:
        self._usage: Usage | None = None

    def feed(self, value: JsonValue) -> Usage | None:
        """The counts of a usage object, if they are news. What it leaves out stays as it was."""
        usage = read_usage(value, self._usage)
        if usage is None or usage == self._usage:
            return None
        self._usage = usage
        return usage


def read_usage(value: JsonValue, before: Usage | None = None) -> Usage | None:
    """The counts of a usage object; None where it holds none. What it leaves out stays as it was `before`."""
    if not isinstance(value, dict):
        return None
    prompt, completion = _find(value, PROMPT), _find(value, COMPLETION)
    if prompt is None and completion is None:
        return None
    old = before or Usage()
    prompt = old.prompt if prompt is None else prompt
    completion = old.completion if completion is None else completion
    reasoning = _find(value, REASONING)
    reasoning = old.reasoning if reasoning is None else reasoning
    cached = _find(value, CACHED)
    cached = old.cached if cached is None else cached
    knowledge = _find(value, KNOWLEDGE)
    if reasoning and _find(value, TOTAL) == prompt + completion + reasoning + (knowledge or 0):
        completion += reasoning  # xAI counts thoughts beside the completion
    return Usage(
        prompt=prompt,
        completion=completion,
        cached=min(cached, prompt),
        reasoning=min(reasoning, completion),
        knowledge=old.knowledge if knowledge is None else knowledge,
    )


def render_usage(usage: Usage) -> JsonObject:
    """The usage object of an answer. Knowledge tokens are told only where there are any."""
    rendered: JsonObject = {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.total,
        "prompt_tokens_details": {"cached_tokens": usage.cached, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    }
    if usage.knowledge:
        rendered["knowledge_tokens"] = usage.knowledge
    return rendered


def _find(usage: JsonObject, places: tuple[_Place, ...]) -> int | None:
    for within, name in places:
        if within is not None:
            inner = usage.get(within)
            value = inner.get(name) if isinstance(inner, dict) else None
        elif name in usage:
            value = usage[name]
        else:
            continue
        if isinstance(value, int | float) and not isinstance(value, bool):
            return max(0, int(value))
    return None
