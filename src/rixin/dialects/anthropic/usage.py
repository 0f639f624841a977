"""Token counts, read and rendered.

On this wire `input_tokens` are those that no cache knew: the prompt is the sum of them, of what was read from a cache
and of what was written to one.
"""

from rixin.core.json import JsonObject, JsonValue
from rixin.core.usage import Usage

READ, WRITTEN = "cache_read_input_tokens", "cache_creation_input_tokens"

_COUNTED = frozenset({"input_tokens", "output_tokens", "output_tokens_details", READ})


class UsageReader:
    """Follows the usage of an answer: it begins with the prompt's counts, and its end brings the answer's.

    Attributes:
        beside: What the upstream tells besides, such as `server_tool_use`, as it came.
    """

    def __init__(self) -> None:
        self._usage = Usage()
        self._counts: dict[str, int] = {}
        self.beside: JsonObject = {}

    def feed(self, value: JsonValue) -> Usage | None:
        """The counts of a usage object, if they are news. What it leaves out stays as it was.

        Counts of the prompt that are all zero, as some gateways end with, are no counts.
        """
        if not isinstance(value, dict):
            return None
        self._count(value, "input_tokens", READ, WRITTEN)
        self._count(value, "output_tokens")
        details = value.get("output_tokens_details")
        if isinstance(details, dict):
            self._count(details, "thinking_tokens")
        self.beside.update({name: told for name, told in value.items() if name not in _COUNTED and told})
        usage = self._told()
        if usage == self._usage:
            return None
        self._usage = usage
        return usage

    def _count(self, told: JsonObject, *names: str) -> None:
        counts = {name: max(0, int(count)) for name in names if isinstance(count := told.get(name), int | float)}
        if any(counts.values()):
            self._counts.update(counts)

    def _told(self) -> Usage:
        counts = self._counts
        cached, completion = counts.get(READ, 0), counts.get("output_tokens", 0)
        return Usage(
            prompt=counts.get("input_tokens", 0) + cached + counts.get(WRITTEN, 0),
            completion=completion,
            cached=cached,
            reasoning=min(counts.get("thinking_tokens", 0), completion),
        )


def render_usage(usage: Usage, beside: JsonObject) -> JsonObject:
    """The usage object of an answer; `beside` is what `UsageReader.beside` told of it."""
    written = beside.get(WRITTEN)
    written = written if isinstance(written, int) else 0
    rendered: JsonObject = {
        "input_tokens": max(0, usage.prompt - usage.cached - written),
        WRITTEN: written,
        READ: usage.cached,
        "output_tokens": usage.completion,
    }
    if usage.reasoning:
        rendered["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    return {**rendered, **beside}
