"""Makes a conversation and its answer fit into the model's window."""

from collections.abc import Awaitable, Callable
from math import ceil
from typing import TypeAlias

from rixin.core.estimate import estimate_prompt, most_prompt_tokens
from rixin.core.requests import Change, Generate
from rixin.errors import Kind, RixinError

Count: TypeAlias = Callable[[Generate], Awaitable[int | None]]
"""Counts a prompt exactly, or gives None where the engine cannot."""

_ERROR = 1.25
"""By how much an estimate of tokens may be too low."""


async def fit_history(request: Generate, count: Count) -> Generate:
    """Leaves out the oldest turns of a kept conversation, as many as it takes for the rest and the answer to fit.

    What stands before all turns stays, and so does the turn that is asked, whether it fits or not.

    Args:
        request: The request, as far as it is resolved.
        count: Asked only when the window may be too small.
    """
    turn, card = request.turn, request.card
    if turn is None or len(turn.starts) < 2 or card.context_length is None:
        return request
    output = min(limit for limit in (request.max_tokens, card.max_output_length, card.context_length) if limit)
    room = card.context_length - output
    if not request.max_tokens_binding:
        room = max(room, card.context_length // 2)
    if most_prompt_tokens(request) <= room:
        return request

    async def fits(turns: int) -> bool:
        shorter = without_turns(request, turns)
        tokens = await count(shorter)
        return (ceil(_ERROR * estimate_prompt(shorter)) if tokens is None else tokens) <= room

    least, most = 0, len(turn.starts) - 1
    while least < most:
        middle = (least + most) // 2
        if await fits(middle):
            most = middle
        else:
            least = middle + 1
    return request if least == 0 else without_turns(request, least).edit(Change("trimmed", "messages"))


def without_turns(request: Generate, turns: int = -1) -> Generate:
    """A request without the oldest turns of its conversation, as many as given; by default without all but the one that
    is asked.
    """
    if request.turn is None:
        return request
    starts = request.turn.starts
    return request.edit(messages=request.messages[: starts[0]] + request.messages[starts[turns] :])


async def fit_output(request: Generate, count: Count) -> Generate:
    """Lowers `max_tokens` to what the card and the window allow, and says so in the request's changes.

    Args:
        request: The request as the client sent it.
        count: Asked only when the window may be too small.

    Raises:
        RixinError: `CONTEXT_OVERFLOW` with both numbers when the prompt alone fills the window, or does so with a
            `max_tokens` that is binding.
    """
    card, wanted = request.card, request.max_tokens
    bound = (wanted or 0) if request.max_tokens_binding else 0
    if wanted is not None and card.max_output_length is not None and wanted > card.max_output_length:
        wanted = card.max_output_length
    most = most_prompt_tokens(request) + max(1, wanted or 0, bound)
    if card.context_length is not None and most > card.context_length:
        prompt = await count(request)
        if prompt is not None:
            left = card.context_length - prompt
            if left < max(1, bound):
                raise context_overflow(card.context_length, prompt, request.max_tokens or 0)
            wanted = wanted and min(wanted, left)
    return request if wanted == request.max_tokens else request.edit(Change("lowered", "max_tokens"), max_tokens=wanted)


def context_overflow(limit: int, prompt: int, output: int) -> RixinError:
    """The error for a request whose prompt leaves no room for its answer."""
    asked = f"{prompt} in the messages" + (f" and {output} for the answer" if output else "")
    return RixinError(
        Kind.CONTEXT_OVERFLOW,
        f"This model's maximum context length is {limit} tokens, and the request needs {prompt + output}: {asked}. "
        "Send fewer or shorter messages.",
        param="messages",
        limit=limit,
        requested=prompt + output,
    )
