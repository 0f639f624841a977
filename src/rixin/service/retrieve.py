"""What knowledge bases know of a request's question, put before it; or, where a question that is often asked is near
enough, its answer in place of a model's.

The fields are those of the native platform, in whatever dialect they come: `know_ids` and `knowledge_config`. Ids that
are not in the form of ours belong to whoever answers, and are left to it.
"""

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from rixin.core.estimate import estimate_prompt, estimate_text
from rixin.core.events import Event, Finish, Start, Text
from rixin.core.json import JsonValue
from rixin.core.knowledge import Hit, is_base_id
from rixin.core.messages import Opaque
from rixin.core.requests import Generate
from rixin.core.usage import Usage
from rixin.engines.base import Batch
from rixin.errors import invalid
from rixin.knowledge.prompt import Control, inject, question_of
from rixin.knowledge.search import Answer, Found, Searcher
from rixin.service.associated_knowledge import associate
from rixin.service.fit import without_turns

IDS: Final = "know_ids"
CONFIG: Final = "knowledge_config"
RESULTS: Final = "knowledge_base_results"
PASSAGES: Final = 5
"""Passages that a question is given."""
_BUDGET: Final = 2048
"""Tokens that they may take."""
_SHARE: Final = 0.5
"""How much of what the window leaves they may take."""

_Threshold = Annotated[float, Meta(gt=0, lt=1)]


class _BaseConfig(Struct, frozen=True):
    know_id: str
    faq_threshold: _Threshold | None = None


class _Config(Struct, frozen=True):
    control_level: Control = "normal"
    knowledge_base_result: bool = False
    knowledge_base_configs: tuple[_BaseConfig, ...] = ()


class Retrieved:
    """A request with what was found for it.

    Args:
        request: What a model is to be asked.
        results: What was found, where the client wants to be told.
        answer: The answer of a base, where no model needs to be asked.
    """

    def __init__(self, request: Generate, results: list[JsonValue] | None = None, answer: str | None = None) -> None:
        self.request = request
        self.answer = answer
        self._results = results

    @property
    def tells(self) -> bool:
        """Whether an answer differs somewhere from what its model said, so that it is rendered anew as a whole."""
        return bool(self.request.knowledge_tokens) or self._results is not None

    def direct(self) -> list[Event] | None:
        """The whole answer, where no model needs to be asked."""
        if self.answer is None:
            return None
        request = self.request
        usage = Usage(prompt=estimate_prompt(request), completion=estimate_text(self.answer), estimated=True)
        choices = range(request.n)
        texts = [Text(text=self.answer, choice=choice) for choice in choices]
        finishes = [Finish(reason="stop", choice=choice) for choice in choices]
        return [Start(id="", created=0, model=request.card.target), *texts, *finishes, usage]

    def count(self, events: list[Event]) -> list[Event]:
        """Events whose counts tell what passages cost apart from the prompt, in the same list where nothing differs."""
        knowledge = self.request.knowledge_tokens
        if not knowledge or not any(isinstance(event, Usage) for event in events):
            return events
        return [_apart(event, knowledge) if isinstance(event, Usage) else event for event in events]

    def tell(self, events: list[Event]) -> list[Event]:
        """Events with what is known of the cost before any word, in the same list where that is nothing."""
        if not self.request.knowledge_tokens or not _begins(events):
            return events
        estimate = Usage(prompt=estimate_prompt(self.request), estimated=True)
        return [events[0], _apart(estimate, self.request.knowledge_tokens), *events[1:]]

    @property
    def discloses(self) -> bool:
        """Whether the client is told what was found."""
        return self._results is not None and self.request.origin is not None

    async def disclosed(self, answer: AsyncGenerator[Batch, None]) -> AsyncGenerator[Batch, None]:
        """An answer that tells what was found before any word; the client is to want it."""
        if self._results is None or self.request.origin is None:
            raise TypeError("there is nothing to disclose")
        results = Opaque(dialect=self.request.origin.dialect, kind=RESULTS, value=self._results)
        async with aclosing(answer) as batches:
            async for batch in batches:
                yield _after_start(batch, results) if _begins(batch.events) else batch


def most_found(request: Generate) -> int:
    """Tokens of what is yet to be found for a request that it may be given at most, by estimate."""
    return _BUDGET if request.extra.get(IDS) else 0


def _apart(usage: Usage, knowledge: int) -> Usage:
    """A count of a prompt that holds passages of so many tokens."""
    prompt = max(0, usage.prompt - knowledge)
    return msgspec.structs.replace(usage, prompt=prompt, knowledge=usage.knowledge + knowledge)


def _begins(events: Sequence[Event]) -> bool:
    return bool(events) and isinstance(events[0], Start)


def _after_start(batch: Batch, event: Event) -> Batch:
    start, *others = batch.events
    return msgspec.structs.replace(batch, events=[start, event, *others], raw=None)


async def one_batch(events: list[Event]) -> AsyncGenerator[Batch, None]:
    """An answer that is there at once."""
    yield Batch(events)


class Retriever:
    """Looks up what requests ask for."""

    def __init__(self, searcher: Searcher) -> None:
        self._searcher = searcher

    async def retrieve(self, request: Generate, owner: str) -> Retrieved:
        """A request with what its bases know, and what its client knows itself.

        Raises:
            RixinError: `INVALID_REQUEST` naming the field; `NOT_FOUND` for a base that is not the owner's; what the
                embedding model raises.
        """
        request = associate(request)
        ids = _ids(request.extra.get(IDS))
        if not ids:
            return Retrieved(request)
        config = _config(request.extra.get(CONFIG))
        if request.prompt is not None:
            raise invalid(f"invalid {IDS}, a bare prompt asks no question: send messages.", IDS)
        extra = {name: value for name, value in request.extra.items() if name not in (IDS, CONFIG)}
        request = msgspec.structs.replace(request.edit(extra=extra), peculiar=_without_ours(request.peculiar))
        asked = question_of(request.messages)
        found = await self._searcher.search(owner, ids, "" if asked is None else asked[1], PASSAGES)
        answer = _near_enough(found, config)
        if answer is not None:
            results = [_result(answer.base_id, [(answer.text, answer.score)])]
            return Retrieved(request, results if config.knowledge_base_result else None, answer.text)
        request, count = inject(request, found.hits, config.control_level, _budget(request))
        return Retrieved(request, _results(ids, found.hits[:count]) if config.knowledge_base_result else None)


def _without_ours(names: tuple[str, ...] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(name for name in names if name not in (IDS, CONFIG))


def _ids(value: JsonValue) -> list[str]:
    """The bases of ours that are asked for, each once."""
    if value is None:
        return []
    try:
        named = msgspec.convert(value, list[str])
    except msgspec.ValidationError:
        raise invalid(f"invalid {IDS}, should be a list of strings.", IDS) from None
    ours = [name for name in dict.fromkeys(named) if is_base_id(name)]
    if ours and len(ours) < len(set(named)):
        raise invalid(f"invalid {IDS}, some are of this server and some are not.", IDS)
    return ours


def _config(value: JsonValue) -> _Config:
    try:
        return msgspec.convert({} if value is None else value, _Config)
    except msgspec.ValidationError as error:
        raise invalid(f"invalid {CONFIG}, {error}", CONFIG) from None


def _near_enough(found: Found, config: _Config) -> Answer | None:
    """The nearest answer that is above the threshold of its base."""
    thresholds = {each.know_id: each.faq_threshold for each in config.knowledge_base_configs}
    for answer in found.answers:
        threshold = thresholds.get(answer.base_id)
        if threshold is not None and answer.score >= threshold:
            return answer
    return None


def _budget(request: Generate) -> int:
    window = request.card.context_length
    if window is None:
        return _BUDGET
    bound = (request.max_tokens or 0) if request.max_tokens_binding else 0
    prompt = estimate_prompt(without_turns(request))  # the turns before this one make room for passages
    return min(_BUDGET, int(_SHARE * max(0, window - prompt - bound)))


def _results(ids: Iterable[str], hits: Sequence[Hit]) -> list[JsonValue]:
    return [_result(identity, [(hit.text, hit.score) for hit in hits if hit.base_id == identity]) for identity in ids]


def _result(identity: str, found: Iterable[tuple[str, float]]) -> JsonValue:
    results: list[JsonValue] = [{"result": text, "score": round(score, 4)} for text, score in found]
    return {"know_id": identity, "results": results}
