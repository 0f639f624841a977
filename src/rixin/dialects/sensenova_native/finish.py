"""Why a model stopped, in this platform's words; those of an upstream are read by `openai_chat.finish`."""

from rixin.core.events import FinishReason

RENDERED: dict[FinishReason, str] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "stop",
    "content_filter": "sensitive",
    "context": "context",
}
"""Nothing can be called on this wire."""
