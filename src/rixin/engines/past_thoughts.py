"""What of its earlier thoughts a conversation brings to an upstream."""

import msgspec

from rixin.core.messages import Message, Part, ReasoningPart, ToolCall
from rixin.core.requests import Generate, Recall


def with_past_thoughts(request: Generate, provider: str, *, wanted: bool) -> Generate:
    """The request as a provider is to be told it.

    Another provider's signature proves nothing there, and is left out. What was thought before calls and did not come
    back with them is looked up.

    Args:
        request: What is asked.
        provider: Its name.
        wanted: Whether the provider wants to be told thoughts again.
    """
    recall = request.recall if wanted else None
    messages = tuple(_message(message, provider, recall) for message in request.messages)
    return request if messages == request.messages else request.edit(messages=messages)


def _message(message: Message, provider: str, recall: Recall | None) -> Message:
    if message.role != "assistant":
        return message
    parts = [_unsigned(part, provider) for part in message.parts]
    if recall is not None and not any(isinstance(part, ReasoningPart) for part in parts):
        calls = [part for part in parts if isinstance(part, ToolCall)]
        thought = next((found for call in calls if (found := recall(call)) is not None), None)
        if thought is not None:
            parts = [_unsigned(thought, provider), *parts]
    return message if parts == [*message.parts] else msgspec.structs.replace(message, parts=tuple(parts))


def _unsigned(part: Part, provider: str) -> Part:
    """A part without a signature that another provider gave."""
    if not isinstance(part, ReasoningPart) or part.issuer in (None, provider):
        return part
    return msgspec.structs.replace(part, signature=None, issuer=None)
