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
    if request.thoughts or [1 for each in request.messages for part in each.parts if type(part) is ReasoningPart]:
        # For an upstream of the client's own dialect `thoughts` tells this, so that no message has to be put anew.
        request = msgspec.structs.replace(
            request,
            messages=tuple(_unsigned(message, provider) for message in request.messages),
            thoughts={sealed: thought and _shown(thought, provider) for sealed, thought in request.thoughts.items()},
        )
    if not wanted or request.recall is None:
        return request
    recall = request.recall
    messages = tuple(_reminded(message, provider, recall) for message in request.messages)
    return request if messages == request.messages else request.edit(messages=messages)


def _shown(thought: ReasoningPart, provider: str) -> ReasoningPart:
    """A thought without a signature that another provider gave."""
    if thought.issuer in (None, provider):
        return thought
    return msgspec.structs.replace(thought, signature=None, issuer=None)


def _unsigned(message: Message, provider: str) -> Message:
    parts = [_shown(part, provider) if isinstance(part, ReasoningPart) else part for part in message.parts]
    return _replaced(message, parts)


def _reminded(message: Message, provider: str, recall: Recall) -> Message:
    """A message with the thought before its calls, unless it has one."""
    calls = [part for part in message.parts if isinstance(part, ToolCall)]
    if not calls or any(isinstance(part, ReasoningPart) for part in message.parts):
        return message
    thought = next((found for call in calls if (found := recall(call)) is not None), None)
    return message if thought is None else _replaced(message, [_shown(thought, provider), *message.parts])


def _replaced(message: Message, parts: list[Part]) -> Message:
    return message if parts == [*message.parts] else msgspec.structs.replace(message, parts=tuple(parts))
