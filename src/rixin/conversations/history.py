"""Opens what a client's history carries in envelopes, and drops by name what is none of ours."""

from collections.abc import Callable, Iterable
from typing import TypeAlias

import msgspec

from rixin.conversations.envelope import Content, Refusal, Summary, Thought
from rixin.core.messages import Message, Opaque, Part, ReasoningPart, TextPart
from rixin.core.requests import Change, Generate
from rixin.dialects.anthropic.wire import NAME as ANTHROPIC
from rixin.dialects.openai_responses.wire import NAME as RESPONSES

Open: TypeAlias = Callable[[str], Content | Refusal]
"""Opens an envelope for the account that asks."""

WHERE = {ANTHROPIC: "messages", RESPONSES: "input"}
"""The dialects whose clients send thoughts back with what signs them, and the field that holds their history."""

COMPACTIONS = frozenset({"compaction", "compaction_summary", "context_compaction"})
"""Items of a Responses input that stand for a compacted history."""

SUMMARY = "This is a summary of the conversation so far, in place of its messages:\n\n{text}"


def open_history(request: Generate, open_: Open, *, native: bool) -> Generate:
    """The request with its thoughts and summaries opened.

    Args:
        request: As its dialect read it.
        open_: Opens envelopes.
        native: The request goes to upstreams of its client's own dialect: what is not ours may be theirs, and stays.
    """
    where = None if request.origin is None else WHERE.get(request.origin.dialect)
    if where is None:
        return request
    history = _History(open_, native=native)
    messages = tuple(history.messages(request.messages))
    if messages == request.messages:
        return request
    changes = tuple(Change(name, where) for name in history.dropped)
    return msgspec.structs.replace(request.edit(messages=messages), changes=request.changes + changes)


class _History:
    """One conversation on its way in."""

    def __init__(self, open_: Open, *, native: bool) -> None:
        self.dropped: dict[str, None] = {}
        """Names of what was dropped, in order."""
        self._open = open_
        self._native = native

    def messages(self, messages: Iterable[Message]) -> Iterable[Message]:
        for message in messages:
            parts = [*self._parts(message)]
            if all(new is old for new, old in zip(parts, message.parts, strict=False)) and len(parts) == len(
                message.parts
            ):
                yield message
            else:
                yield from _split(message, parts)

    def _parts(self, message: Message) -> Iterable[Part | Summary]:
        for part in message.parts:
            match part:
                case ReasoningPart(signature=str(envelope)):
                    opened = self._opened(envelope, "reasoning")
                case Opaque(dialect=dialect, kind="redacted_thinking", value={"data": str(envelope)}) if (
                    dialect == ANTHROPIC
                ):
                    opened = self._opened(envelope, "reasoning")
                case Opaque(dialect=dialect, kind=kind, value=dict(item)) if (
                    dialect == RESPONSES and kind in COMPACTIONS
                ):
                    envelope = item.get("encrypted_content")
                    opened = self._opened(envelope if isinstance(envelope, str) else "", "compaction")
                case _:
                    yield part
                    continue
            if opened is Refusal.FOREIGN:
                yield part
            elif isinstance(opened, ReasoningPart | Summary):
                yield opened

    def _opened(self, envelope: str, what: str) -> ReasoningPart | Summary | Refusal | None:
        """What an envelope holds; `FOREIGN` for what stays as it is, None for what is dropped."""
        opened = self._open(envelope)
        match opened:
            case Thought():
                if not opened.text and opened.signature is None:
                    return None
                return ReasoningPart(text=opened.text, signature=opened.signature, issuer=opened.issuer)
            case Summary():
                return opened
            case Refusal.FOREIGN if self._native:
                return opened
            case Refusal():
                self.dropped[f"drop_{opened.value}_{what}"] = None
                return None


def _split(message: Message, parts: Iterable[Part | Summary]) -> Iterable[Message]:
    """A message without what was dropped. A summary is the user's, whoever's turn it stood in."""
    rest: list[Part] = []
    for part in parts:
        if not isinstance(part, Summary):
            rest.append(part)
            continue
        if rest:
            yield msgspec.structs.replace(message, parts=tuple(rest))
        yield Message(role="user", parts=(TextPart(SUMMARY.format(text=part.text)),))
        rest = []
    if rest:
        yield msgspec.structs.replace(message, parts=tuple(rest))
