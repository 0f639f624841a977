"""Answers that hold nothing: an upstream that stops without a word has lost its answer, and may be asked again."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing

from rixin.core.events import Event, Finish, Reasoning, Start, Text
from rixin.core.usage import Usage
from rixin.engines.base import Batch
from rixin.errors import Kind, RixinError


class EmptyAnswerError(RixinError):
    """An answer without words and calls that came to its end. It says nothing of the upstream's health."""

    def __init__(self) -> None:
        super().__init__(Kind.UPSTREAM_INTERRUPTED, "The model ended its answer without a word.")


async def not_empty(batches: AsyncGenerator[Batch, None]) -> AsyncGenerator[Batch, None]:
    """The batches of an answer, from the first one that shows something.

    Args:
        batches: Of an upstream.

    Raises:
        EmptyAnswerError: The answer stopped, and nothing was said or called; before its first event, unless there were
            thoughts.
        RixinError: As the batches do.
    """
    held: list[Batch] = []
    finishes: list[Finish] = []
    async with aclosing(batches):
        async for batch in batches:
            says = any(map(_says, batch.events))
            if not says:
                finishes += [event for event in batch.events if isinstance(event, Finish)]
            if not (says or (not finishes and any(isinstance(event, Reasoning) for event in batch.events))):
                if batch.events:
                    held.append(batch)
                    batch = Batch([])  # noqa: PLW2901 - a sign of life in its place
                yield batch
                continue
            for shown in (*held, batch):
                yield shown
            held.clear()
            if says:
                break
        async for batch in batches:
            yield batch
    if held and _stopped(finishes):
        raise EmptyAnswerError
    for earlier in held:
        yield earlier


def refuse_empty(events: list[Event]) -> None:
    """The same for an answer that is there at once.

    Raises:
        EmptyAnswerError: It stopped, and nothing was said or called.
    """
    if not any(map(_says, events)) and _stopped(event for event in events if isinstance(event, Finish)):
        raise EmptyAnswerError


def _stopped(finishes: Iterable[Finish]) -> bool:
    """Whether every choice came to its own end."""
    reasons = {finish.reason for finish in finishes}
    return reasons == {"stop"}


def _says(event: Event) -> bool:
    if isinstance(event, Text):
        return bool(event.text)
    return not isinstance(event, Start | Usage | Finish | Reasoning)
