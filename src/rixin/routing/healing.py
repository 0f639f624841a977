"""Makes refused requests pass: what to send instead, and what to tell the client where nothing helps.

A repair is its request's own. What it suggests of the upstream is proved in the background (`controls`) before it holds
for anybody else.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Final

import msgspec
import structlog

from rixin.core.events import Event, Finish, Text
from rixin.core.json import JsonObject, JsonValue
from rixin.core.requests import Change, Generate
from rixin.dialects.decoding import decode_object
from rixin.dialects.openai_chat.wire import NAME as CHAT
from rixin.engines.base import Batch, Prepared
from rixin.errors import Kind, RixinError
from rixin.profiles.answer_check import fault
from rixin.profiles.error_rules import ErrorRules, Explanation
from rixin.profiles.mistakes import find_mistake
from rixin.profiles.search import EXTRA_CALLS, Search, Suspicion
from rixin.routing.catalog import Candidate
from rixin.routing.controls import Controls
from rixin.routing.suspicions import Suspicions

INSTRUCTED: Final = "instruct_format"
"""The change after which an answer's form is the model's good will."""

UNCHECKED: Final = Change("format_not_kept", "response_format")
"""Told where an answer has not the form that was asked for, and no call is left to ask again."""

AGAIN: Final = "This is not the form that was asked for: {fault}. Give the whole answer again, in that form, only that."

MISTAKE: Final = (
    "The field {field} is not valid by the documented rules, whatever the upstream.",
    "字段 {field} 不符合接口文档的规定，与上游无关。",
)
HINDERED: Final = (
    "It may pass in another form, which could not be sent now: {obstacle}",
    "换一种写法或可通过，但目前无法发送。",
)
UNKNOWN: Final = (
    "The upstream does not say what is wrong, and leaving out or rewriting the optional parts did not help.",
    "上游没有说明原因；去掉或改写可选部分后仍被拒绝。",
)

log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger("rixin.routing")


class FormError(RixinError):
    """An answer that has not the form that was asked for. It never leaves the loop."""

    def __init__(self, wrong: str, answer: str) -> None:
        super().__init__(Kind.INVALID_REQUEST, f"The answer has not the form that was asked for: {wrong}.")
        self.wrong = wrong
        self.answer = answer


class SelfHealing:
    """Cares for requests: routing's `Healer`.

    Args:
        error_rules: What upstreams' words mean.
        suspicions: What each model is suspected of.
        controls: Proves it.
        preset_of: The name of a provider's preset.
    """

    def __init__(
        self,
        error_rules: ErrorRules,
        suspicions: Suspicions,
        controls: Controls,
        preset_of: Callable[[str], str] = lambda _provider: "",
    ) -> None:
        self.error_rules = error_rules
        self.suspicions = suspicions
        self.controls = controls
        self.preset_of = preset_of

    def __call__(self, candidate: Candidate, request: Generate, prepared: Prepared) -> "Care":
        """Begins the care for a request; see `Healer`."""
        return Care(self, candidate, request, prepared)


class Care:
    """The care for one request at one candidate; see `Healing`."""

    def __init__(self, healing: SelfHealing, candidate: Candidate, request: Generate, prepared: Prepared) -> None:
        self._healing = healing
        self._candidate = candidate
        self._request = request
        self._asked = prepared
        """What was sent at first."""
        self._sent = prepared
        self._extra = 0
        self._search: Search | None = None
        self._passed = False
        self._mistake: str | None = None
        self._first_refusal: RixinError | None = None
        self._last_refusal: tuple[RixinError, Explanation | None] | None = None
        self.held: list[Batch] = []
        """What was answered, but not in the form that was asked for; see `Healing.held`."""

    def refused(self, error: RixinError) -> Prepared | RixinError:
        """The last version was refused; see `Healing.refused`."""
        if isinstance(error, FormError):
            return self._ask_again(error)
        if self.held:
            return error  # it is our own words that are refused now
        self._first_refusal = self._first_refusal or error
        explanation = self._healing.error_rules.explain(
            error.status,
            error.message,
            kind=error.kind,
            provider=self._healing.preset_of(self._candidate.engine),
            param=error.param,
        )
        self._last_refusal = error, explanation
        if self._request.prompt is None and (version := self._repaired(explanation)) is not None:
            return self._next(version)
        return self._told(error, explanation)

    def hindered(self, obstacle: RixinError) -> RixinError:
        """The last version cannot be sent in time; see `Healing.hindered`."""
        if self._last_refusal is None:
            return obstacle
        error, explanation = self._last_refusal
        hints = () if explanation is None else (explanation.en, explanation.zh)
        told = (hint.format(obstacle=_sentence(obstacle.message)) for hint in HINDERED)
        return _refusal(error, (*hints, *told), explanation)

    def checked(self, answer: AsyncGenerator[Batch, None]) -> AsyncGenerator[Batch, None]:
        """The answer, held back until it is whole where its form must be looked at; see `Healing.checked`."""
        return self._looked_at(answer) if self.checks else answer

    @property
    def checks(self) -> bool:
        """Whether the answer's form must be looked at; see `Healing.checks`."""
        return not self._request.stream and bool([1 for change in self._sent.changes if change.name == INSTRUCTED])

    def answered(self) -> None:
        """The last version was accepted; see `Healing.answered`."""
        if self._search is None:
            suspicion = self._healing.suspicions.about(self._candidate.engine, self._candidate.model)
            if suspicion is not None:
                suspicion.observed(self._sent.body)
        elif not self._passed:
            self._passed = True
            self._search.passed()
            log.info(
                "a refused request was repaired",
                provider=self._candidate.engine,
                model=self._candidate.model,
                changes=[f"{change.name}({change.field})" for change in self._search.changes],
                extra_calls=self._extra,
            )

    def close(self) -> None:
        """It is over; see `Healing.close`."""
        if self._search is not None:
            self._search.close()
        self._healing.controls.notice(
            self._candidate.engine, self._candidate.model, self._request.card, searched=self._search is not None
        )

    def _repaired(self, explanation: Explanation | None) -> Prepared | None:
        """The next version that may pass; None where there is none worth a call."""
        if self._search is None:
            self._mistake = find_mistake(self._own_body())
            self._search = self._suspicion.search(
                self._asked.body,
                explore=not self._healing.controls.cools(self._candidate.engine, self._candidate.model),
            )
        hopeless = self._mistake is not None or (explanation is not None and not explanation.heal)
        self._search.failed(explanation.fix if explanation else None, final=hopeless)
        body = self._search.next_body() if self._extra < EXTRA_CALLS else None
        if body is None:
            return None
        search, asked = self._search, self._asked
        renamed = {sent: asked.tool_names.get(name, name) for sent, name in search.tool_names.items()}
        return Prepared(body=body, changes=asked.changes + search.changes, tool_names=asked.tool_names | renamed)

    @property
    def _suspicion(self) -> Suspicion:
        return self._healing.suspicions(self._candidate.engine, self._candidate.model)

    def _own_body(self) -> JsonObject:
        """What the client itself sent, where that is Chat; else what its request was put as."""
        origin = self._request.origin
        return decode_object(origin.body) if origin is not None and origin.dialect == CHAT else self._asked.body

    def _next(self, version: Prepared) -> Prepared:
        self._extra += 1
        self._sent = version
        return version

    def _told(self, error: RixinError, explanation: Explanation | None) -> RixinError:
        """What the client is told: the upstream's words, and what they mean."""
        if self._mistake is not None:
            hints = tuple(hint.format(field=self._mistake) for hint in MISTAKE)
            return _refusal(error, hints, explanation, param=self._mistake)
        if explanation is not None:
            return _refusal(error, (explanation.en, explanation.zh), explanation)
        return _refusal(self._first_refusal or error, UNKNOWN)  # the client's own request, not a version of ours

    async def _looked_at(self, answer: AsyncGenerator[Batch, None]) -> AsyncGenerator[Batch, None]:
        batches: list[Batch] = []
        async with aclosing(answer):
            async for batch in answer:
                batches.append(batch)
                yield Batch([])
        wrong = _form_error(self._response_format, [event for batch in batches for event in batch.events])
        if wrong is not None:
            self.answered()
            batches.insert(0, Batch([], changes=(UNCHECKED,)))
            if self._extra < EXTRA_CALLS and not self.held:
                self.held = batches
                raise wrong
        for batch in batches:
            yield batch

    @property
    def _response_format(self) -> JsonValue:
        return self._own_body().get("response_format")

    def _ask_again(self, error: FormError) -> Prepared:
        """Asks for the form once more, with the answer that had it not."""
        messages = self._sent.body.get("messages")
        body: JsonObject = {
            **self._sent.body,
            "messages": [
                *(messages if isinstance(messages, list) else []),
                {"role": "assistant", "content": error.answer},
                {"role": "user", "content": AGAIN.format(fault=error.wrong)},
            ],
        }
        return self._next(msgspec.structs.replace(self._sent, body=body))


def _refusal(
    error: RixinError, hints: tuple[str, ...], explanation: Explanation | None = None, *, param: str | None = None
) -> RixinError:
    """An upstream's refusal with hints, and the field that is at fault as far as anybody names one."""
    param = param or error.param or (explanation.field if explanation is not None else None)
    return RixinError(error.kind, " ".join((_sentence(error.message), *hints)), param=param, detail=error.detail)


def _form_error(response_format: JsonValue, events: list[Event]) -> FormError | None:
    """What is wrong with the form of an answer. One that calls tools, or was cut off, is no answer yet."""
    texts: dict[int, list[str]] = {}
    for event in events:
        if isinstance(event, Text):
            texts.setdefault(event.choice, []).append(event.text)
        elif isinstance(event, Finish) and event.reason != "stop":
            return None
    for text in map("".join, texts.values()):
        wrong = fault(response_format, text)
        if wrong is not None:
            return FormError(wrong, text)
    return None


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?", "。")) else f"{text}."
