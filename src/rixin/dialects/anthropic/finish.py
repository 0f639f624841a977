"""Why a model stopped: `stop_reason`, read and rendered."""

from rixin.core.events import FinishReason

RENDERED: dict[FinishReason, str] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
    "context": "model_context_window_exceeded",
}

READ: dict[str, FinishReason] = {
    **{word: reason for reason, word in RENDERED.items()},
    "stop_sequence": "stop",
    # gateways that keep the words of Chat Completions
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
}
"""What a stop reason means. Any other word, such as `pause_turn`, is a stop, and the word rides along."""


def render_stop_reason(
    reason: FinishReason, *, stop_sequence: str | None, called: bool, refused: bool, native: str | None
) -> str:
    """The stop reason of an answer.

    Args:
        reason: Why it finished.
        stop_sequence: Which of the client's sequences ended it.
        called: Whether it holds tool calls, which are to be run unless it was cut short.
        refused: Whether it holds a refusal.
        native: An upstream's word of this dialect that `reason` could not say.
    """
    if native is not None:
        return native
    if reason == "stop" and called:
        return "tool_use"
    if reason == "stop" and refused:
        return "refusal"
    return "stop_sequence" if reason == "stop" and stop_sequence is not None else RENDERED[reason]


def read_stop_reason(word: str, *, called: bool) -> FinishReason:
    """What a stop reason means; `called` says whether the answer holds tool calls."""
    reason = READ.get(word, "stop")
    return "tool_calls" if reason == "stop" and called else reason
