"""Token counts, rendered: `usageMetadata`, where thoughts are counted beside the candidates and not among them."""

from rixin.core.json import JsonObject
from rixin.core.usage import Usage


def render_usage(usage: Usage) -> JsonObject:
    """The counts of an answer; those of nothing are left out, as Google does."""
    rendered: JsonObject = {
        "promptTokenCount": usage.prompt,
        "candidatesTokenCount": max(0, usage.completion - usage.reasoning),
        "totalTokenCount": usage.total,
    }
    beside = {
        "cachedContentTokenCount": usage.cached,
        "thoughtsTokenCount": min(usage.reasoning, usage.completion),
        "toolUsePromptTokenCount": usage.knowledge,
    }
    return {**rendered, **{name: count for name, count in beside.items() if count}}
