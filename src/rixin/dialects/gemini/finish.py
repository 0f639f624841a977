"""Why a model stopped: `finishReason`, rendered."""

from rixin.core.events import FinishReason

RENDERED: dict[FinishReason, str] = {
    "stop": "STOP",
    "length": "MAX_TOKENS",
    "tool_calls": "STOP",
    "content_filter": "SAFETY",
    "context": "MAX_TOKENS",
}
"""Google has no word for calls that are to be run, which the parts tell, nor for a full window."""


def render_finish_reason(reason: FinishReason, *, refused: bool) -> str:
    """The finish reason of a candidate; `refused` says whether it holds a refusal."""
    return RENDERED["content_filter"] if refused and reason == "stop" else RENDERED[reason]
