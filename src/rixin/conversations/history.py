"""Opens what a client's history carries in envelopes, and drops by name what is none of ours.

What a thought was signed with proves something to who signed it only. So whatever a model of any upstream thinks leaves
in an envelope of ours, and what comes back in none began elsewhere: it would be refused, and is left out.
"""

from collections.abc import Callable, Iterable
from typing import TypeAlias

import msgspec

from rixin.conversations.envelope import Content, Refusal, Summary, Thought
from rixin.core.messages import Message, Opaque, Part, ReasoningPart, TextPart
from rixin.core.requests import Change, Generate
from rixin.dialects.anthropic.wire import NAME as ANTHROPIC
from rixin.dialects.gemini.wire import NAME as GEMINI
from rixin.dialects.openai_responses.wire import NAME as RESPONSES

Open: TypeAlias = Callable[[str], Content | Refusal]
"""Opens an envelope for the account that asks."""

HISTORY_FIELDS = {ANTHROPIC: "messages", RESPONSES: "input", GEMINI: "contents"}
"""The dialects whose clients send thoughts back with what signs them, and the field that holds their history."""

COMPACTIONS = frozenset({"compaction", "compaction_summary", "context_compaction"})
"""Items of a Responses input that stand for a compacted history."""

SUMMARY = "This is a summary of the conversation so far, in place of its messages:\n\n{text}"


def open_history(request: Generate, open_: Open) -> Generate:
    """The request with its thoughts and summaries opened; `Generate.thoughts` tells what its envelopes held."""
    field = None if request.origin is None else HISTORY_FIELDS.get(request.origin.dialect)
    if field is None:
        return request
    history = _History(open_)
    messages = tuple(history.messages(request.messages))
    if messages == request.messages:
        return request
    # An upstream of the client's own dialect has envelopes replaced where they stand, and all else as it was.
    request = msgspec.structs.replace(
        request,
        messages=messages,
        changes=request.changes + tuple(Change(name, field) for name in history.dropped),
        edited=request.edited | ({"messages"} if history.compacted else set()),
    )
    return request.edit(thoughts=history.thoughts)


class _History:
    """One conversation on its way in."""

    def __init__(self, open_: Open) -> None:
        self.thoughts: dict[str, ReasoningPart | None] = {}
        self.compacted = False
        """Whether there were summaries, ours or not."""
        self.dropped: dict[str, None] = {}
        """Names of what was dropped, in order."""
        self._open = open_

    def messages(self, messages: Iterable[Message]) -> Iterable[Message]:
        for message in messages:
            parts = [*self._parts(message)]
            if parts == [*message.parts]:
                yield message
            else:
                yield from _split(message, parts)

    def _parts(self, message: Message) -> Iterable[Part | Summary]:
        for part in message.parts:
            match part:
                case ReasoningPart(signature=str(envelope)):
                    opened = self._thought(envelope)
                case Opaque(dialect=dialect, kind="redacted_thinking", value={"data": str(envelope)}) if (
                    dialect == ANTHROPIC
                ):
                    opened = self._thought(envelope)
                case Opaque(dialect=dialect, kind=kind, value=dict(item)) if (
                    dialect == RESPONSES and kind in COMPACTIONS
                ):
                    opened = self._summary(item.get("encrypted_content"))
                case _:
                    opened = part
            if opened is not None:
                yield opened

    def _thought(self, envelope: str) -> ReasoningPart | None:
        thought, opened = None, self._open(envelope)
        if isinstance(opened, Thought) and (opened.text or opened.signature):
            thought = ReasoningPart(text=opened.text, signature=opened.signature, issuer=opened.issuer)
        elif not isinstance(opened, Thought):
            self._drop(opened, "reasoning")
        self.thoughts[envelope] = thought
        return thought

    def _summary(self, envelope: object) -> Summary | None:
        self.compacted = True
        opened = self._open(envelope if isinstance(envelope, str) else "")
        if isinstance(opened, Summary):
            return opened
        self._drop(opened, "compaction")
        return None

    def _drop(self, opened: Content | Refusal, what: str) -> None:
        """Takes down why something is dropped; an envelope of ours in the wrong place is as good as broken."""
        why = opened if isinstance(opened, Refusal) else Refusal.BROKEN
        self.dropped[f"drop_{why.value}_{what}"] = None


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
