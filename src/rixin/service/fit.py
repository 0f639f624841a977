"""Makes an answer fit into what the model's window leaves."""

from collections.abc import Awaitable, Callable

from rixin.core.estimate import most_prompt_tokens
from rixin.core.requests import Change, Generate
from rixin.errors import Kind, RixinError


async def fit_output(request: Generate, count: Callable[[Generate], Awaitable[int | None]]) -> Generate:
    """Lowers `max_tokens` to what the card and the window allow, and says so in the request's changes.

    Args:
        request: The request as the client sent it.
        count: Counts the prompt exactly, or gives None where the engine cannot. Asked only when the window may be too
            small.

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
