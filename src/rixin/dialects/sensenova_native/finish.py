"""Why a model stopped, in this platform's words; those of an upstream are read by `openai_chat.finish`."""

from rixin.core.events import FinishReason
from rixin.core.requests import Generate, Request
from rixin.core.usage import Usage

_RENDERED: dict[FinishReason, str] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "stop",
    "content_filter": "sensitive",
    "context": "context",
}
"""Nothing can be called on this wire."""


def finish_word(reason: FinishReason, usage: Usage, request: Request) -> str:
    """Why a choice ended, as a client is told.

    Engines have one word for an answer as long as it may be and for one that has filled the window; this platform has
    two, and tells them apart by what prompt and answer came to in the end.
    """
    if reason == "length" and _fills_window(usage, request):
        reason = "context"
    return _RENDERED[reason]


def _fills_window(usage: Usage, request: Request) -> bool:
    if not isinstance(request, Generate) or request.max_tokens_binding:
        return False  # a limit that the client set itself had room
    window = request.card.context_length
    return window is not None and usage.prompt + usage.knowledge + usage.completion / request.n >= window
