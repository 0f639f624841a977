"""What requests cost under limits: what is presumed before they are served, and what it came to."""

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Final

from rixin.conversations.compaction import most_asked
from rixin.core.estimate import estimate_drawing, estimate_inputs, estimate_prompt
from rixin.core.prices import FREE, Price
from rixin.core.requests import Asked, Draw, Generate
from rixin.core.usage import Usage
from rixin.limits.base import Cost
from rixin.routing.catalog import Candidate, Resolution
from rixin.service.associated_knowledge import associate
from rixin.service.compact import wants_compaction
from rixin.service.retrieve import most_found

FIRST_OUTPUT: Final = 1024
"""Tokens that the answer to a key's first request is taken to have."""
MEMORY: Final = 8
"""The mean is that of about so many answers."""
UNKNOWN_OUTPUT: Final = 131_072
"""Tokens that an answer may have at most where nobody knows a limit."""
IMAGE_OUTPUT: Final = 24_576
"""Tokens that one image may come to at most where nobody knows a limit. The largest of OpenAI's, 2880 by 2880 pixels of
gpt-image-2 at high quality, comes to 23,718; those of gpt-image-1 to 6,240 at most."""
CACHED: Final = 4096
"""Keys whose mean output is remembered, and names whose credits are."""


def _free(_provider: str, _model: str) -> Price:
    return FREE


class Costs:
    """Tells what requests cost.

    Args:
        credits_: What one request for a model costs in credits, by a name or a glob; of several the first counts.
        price_of: The price of a provider's model.
    """

    def __init__(
        self, credits_: Mapping[str, int] | None = None, price_of: Callable[[str, str], Price] = _free
    ) -> None:
        self._credits = credits_ or {}
        self._price_of = price_of
        self._outputs: dict[str, float] = {}
        self._names: dict[tuple[str, str], int] = {}

    def presumed(self, request: Asked, resolution: Resolution, key: str) -> Cost:
        """What a request will presumably cost; in money the most that it may, whoever answers.

        Args:
            request: What is asked.
            resolution: Of its model's name.
            key: Whose request it is. Keys are known by how long the answers are that they usually get.

        Raises:
            RixinError: As `associate`.
        """
        if isinstance(request, Generate):
            prompt, usual = estimate_prompt(associate(request)), self._usual_output(request, key)
            read, written = _most(request, prompt)
        elif isinstance(request, Draw):
            read = prompt = estimate_drawing(request)
            usual, written = 0, request.n * (request.card.max_output_length or IMAGE_OUTPUT)
        else:
            read = prompt = estimate_inputs(request.inputs)
            usual = written = 0
        prices = (self._price_of(candidate.provider, candidate.model) for candidate in resolution.candidates)
        money = max((price.worst_case(read, written) for price in prices), default=0)
        return Cost(tokens=prompt + usual, credits=self.credits_of(request.model, request.card.target), money=money)

    def spent(self, request: Asked, usage: Usage, candidate: Candidate | None) -> Cost:
        """What a request came to that `candidate` served, None being nobody who has a price."""
        price = FREE if candidate is None else self._price_of(candidate.provider, candidate.model)
        credits_ = self.credits_of(request.model, request.card.target)
        return Cost(tokens=usage.total, credits=credits_, money=price.cost(usage))

    def learn(self, key: str, completion: int) -> None:
        """Takes down how long an answer was that a key got, in tokens."""
        mean = self._outputs.pop(key, FIRST_OUTPUT)
        if len(self._outputs) >= CACHED:
            del self._outputs[next(iter(self._outputs))]
        self._outputs[key] = mean + (completion - mean) / MEMORY

    def credits_of(self, asked: str, model: str) -> int:
        """What one request costs in credits, by the name that was asked for, else by the true one."""
        found = self._names.get((asked, model))
        if found is None:
            if len(self._names) >= CACHED:
                self._names.clear()
            found = self._names[asked, model] = self._look_up(asked, model)
        return found

    def _usual_output(self, request: Generate, key: str) -> int:
        """Tokens that answers of a key usually have."""
        mean = self._outputs.get(key, FIRST_OUTPUT)
        return round(mean if request.max_tokens is None else min(mean, request.max_tokens))

    def _look_up(self, asked: str, model: str) -> int:
        for name in (asked, model):
            if name in self._credits:
                return self._credits[name]
        for glob, amount in self._credits.items():
            if fnmatchcase(asked, glob) or fnmatchcase(model, glob):
                return amount
        return 1


def _most(request: Generate, prompt: int) -> tuple[int, int]:
    """Tokens that models may read, and those that they may write, for a request whose prompt has so many."""
    card = request.card
    longest = card.max_output_length or card.context_length or UNKNOWN_OUTPUT
    if wants_compaction(request):
        questions, read = most_asked(request.messages, card.context_length)
        return read, questions * longest
    return prompt + most_found(request), request.n * (longest if request.max_tokens is None else request.max_tokens)
