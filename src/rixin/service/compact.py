"""Sums up a conversation instead of answering it."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import TypeAlias

import msgspec

from rixin.conversations.compaction import summarise
from rixin.core.estimate import estimate_prompt, estimate_text
from rixin.core.events import Finish, Start
from rixin.core.messages import Message, Opaque, TextPart
from rixin.core.requests import Generate
from rixin.core.responses import Collector
from rixin.core.usage import Usage
from rixin.dialects.openai_responses.history import COMPACTION
from rixin.dialects.openai_responses.items import COMPACTION_TRIGGER
from rixin.dialects.openai_responses.output import OUTPUT_ITEM
from rixin.dialects.openai_responses.wire import NAME
from rixin.engines.base import Batch
from rixin.errors import Kind, RixinError

Answer: TypeAlias = Callable[[Generate], AsyncGenerator[Batch, None]]
"""Sends a request on its way."""


def wants_compaction(request: Generate) -> bool:
    """Whether a client wants its history summed up instead of an answer."""
    return request.origin is not None and request.origin.dialect == NAME and COMPACTION_TRIGGER in request.extra


async def compact(
    request: Generate, answer: Answer, seal: Callable[[str], str], identity: str, used: list[Usage]
) -> AsyncGenerator[Batch, None]:
    """The answer to a request for a compaction: one item that stands for the whole conversation.

    Args:
        request: With the conversation.
        answer: Asks the model that the request names.
        seal: Makes the envelope of the summary.
        identity: The item's id.
        used: Is told what each question came to; of the one that is being answered the prompt.

    Raises:
        RixinError: As `summarise`; `CONTENT_POLICY` where the summary was cut short by one.
    """

    async def ask(prompt: str) -> str:
        question = _question(request, prompt)
        estimate = Usage(prompt=estimate_prompt(question), estimated=True)
        used.append(estimate)
        collector = Collector()
        try:
            async with aclosing(answer(question)) as batches:
                async for batch in batches:
                    collector.feed(batch.events)
            response = collector.response()
        except RixinError:  # a question that failed came to nothing; not so one that its asker leaves
            del used[-1]
            raise
        told = response.choices[0]
        thoughts = estimate_text(told.reasoning)
        completion = estimate_text(told.text) + thoughts
        used[-1] = response.usage or msgspec.structs.replace(estimate, completion=completion, reasoning=thoughts)
        if told.finish_reason == "content_filter":
            raise RixinError(Kind.CONTENT_POLICY, "The summary of the conversation was cut short by a content policy.")
        return told.text

    summary = await summarise(request.messages, request.card.context_length, ask)
    item = {"type": COMPACTION, "id": identity, "encrypted_content": seal(summary)}
    yield Batch(
        [
            Start(id=identity, created=0, model=request.card.target),
            Opaque(dialect=NAME, kind=OUTPUT_ITEM, value={**item}, choice=0),
            total(used),
            Finish(reason="stop"),
        ]
    )


def _question(request: Generate, prompt: str) -> Generate:
    """A prompt for the model that a request names, and nothing else of that request but who asks."""
    return Generate(
        model=request.model,
        card=request.card,
        messages=(Message(role="user", parts=(TextPart(prompt),)),),
        reasoning=request.reasoning,
        stream=True,
        user=request.user,
        fairness_key=request.fairness_key,
        observer=request.observer,
    )


def total(used: list[Usage]) -> Usage:
    """What all questions came to together."""
    return Usage(
        prompt=sum(usage.prompt for usage in used),
        completion=sum(usage.completion for usage in used),
        cached=sum(usage.cached for usage in used),
        reasoning=sum(usage.reasoning for usage in used),
        knowledge=sum(usage.knowledge for usage in used),
        estimated=any(usage.estimated for usage in used),
    )
