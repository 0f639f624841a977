"""Why a request failed: by the upstream's words where they say it, else by asking once more, part by part.

What was asked is taken from the request log, where bodies are kept. Nothing of it is changed but what is tried.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, TypeAlias, TypeVar

import msgspec
from msgspec import Struct

from rixin.accounts.request_log import AttemptRecord, RequestRecord
from rixin.core.json import JsonObject, JsonValue
from rixin.dialects.upstream_errors import parse_error
from rixin.errors import Kind, RixinError
from rixin.profiles.error_rules import ErrorRules
from rixin.profiles.explanation import Layer, facts
from rixin.profiles.mistakes import find_mistake
from rixin.profiles.phrases import Phrase
from rixin.profiles.repairs import SACRED, Part, repair, suspects
from rixin.profiles.sanitizers import sanitize
from rixin.routing.healing import MISTAKE
from rixin.service.prober import Prober, Reply

CALLS = 16
"""Calls that one explanation may cost, unless it is told otherwise."""
MOST_CALLS = 100

How: TypeAlias = Literal["rules", "words", "replay", "kind", "nothing"]

T = TypeVar("T")


class Cause(Struct, frozen=True, kw_only=True):
    """Why a request failed, as far as it could be found out."""

    request_id: str
    provider: str
    model: str
    status: int | None
    """What the upstream answered with."""
    kind: str
    """The kind of error."""
    message: str
    """The upstream's words, where they are kept."""
    how: How
    """How the culprits were found: by the documented rules, the upstream's words, asking again, or not at all."""
    culprits: tuple[str, ...] = ()
    """Fields, or parts by their names in the table of repairs."""
    en: str = ""
    zh: str = ""
    repairs: tuple[str, ...] = ()
    """What would make it pass, as sentences."""
    repair_phrases: tuple[Phrase, ...] = ()
    calls: int = 0
    """Calls that were made to find it out."""
    note: str = ""
    note_phrase: Phrase | None = None


class _SpentError(Exception):
    """No call is left."""


async def explain(
    record: RequestRecord,
    error_rules: ErrorRules,
    *,
    preset_of: Callable[[str], str],
    prober_of: Callable[[str, str], Prober] | None = None,
    calls: int = CALLS,
) -> Cause:
    """Explains a failed request.

    Args:
        record: The request, from the log.
        error_rules: What upstreams' words mean.
        preset_of: The name of a provider's preset.
        prober_of: Makes somebody who asks a provider's model again; None where nothing may be sent.
        calls: The most that may be sent.

    Raises:
        RixinError: `INVALID_REQUEST` for a request that did not fail at an upstream; as `prober_of`.
    """
    found = _failed_attempt(record)
    if found is None:
        raise RixinError(Kind.INVALID_REQUEST, _not_failed(record))
    attempt, sent, answer = found
    error = _error(attempt, answer)
    preset = preset_of(attempt.engine)
    explanation = error_rules.explain(
        attempt.status or error.status, error.message, kind=error.kind, provider=preset, param=error.param
    )
    cause = Cause(
        request_id=record.usage.id,
        provider=attempt.engine,
        model=attempt.model,
        status=attempt.status,
        kind=error.kind.value,
        message=error.message if answer is not None else "",
        how="nothing",
        en="" if explanation is None else explanation.en,
        zh="" if explanation is None else explanation.zh,
    )
    if sent is None:
        cause = _noted(cause, Phrase("not_kept"))
    body = _decoded(sent)
    if error.kind is not Kind.INVALID_REQUEST:
        return msgspec.structs.replace(cause, how="kind")
    if body is not None and (mistake := find_mistake(body)) is not None:
        en, zh = (hint.format(field=mistake) for hint in MISTAKE)
        return msgspec.structs.replace(cause, how="rules", culprits=(mistake,), en=en, zh=zh)
    if explanation is not None and (explanation.field or explanation.fix):
        fix = explanation.fix
        name = explanation.field or (fix.name if fix is not None else "")
        return _mended(msgspec.structs.replace(cause, how="words", culprits=(name,)), [] if fix is None else [fix])
    if body is None or prober_of is None:
        return cause
    return await _Replay(cause, prober_of(attempt.engine, attempt.model), calls).find(body)


class _Replay:
    """Sends a refused request again, with less and less in it."""

    def __init__(self, cause: Cause, prober: Prober, most: int) -> None:
        self._cause = cause
        self._prober = prober
        self._most = most
        self._calls = 0

    async def find(self, body: JsonObject) -> Cause:
        """What of a body the upstream refuses."""
        try:
            return await self._find(body)
        except _SpentError:
            return self._told(note=Phrase("calls_spent", {"calls": str(self._calls)}))
        except RixinError as error:
            return self._told(note=Phrase("not_asked", {"words": error.message}))

    async def _find(self, body: JsonObject) -> Cause:
        if await self._passes(body):
            return self._told(note=Phrase("passes_by_now"))
        parts = suspects(body)
        mended = sanitize(body, repair(parts)).body
        if parts and await self._passes(mended):
            harshest_first = parts[::-1]  # what is given back first is what the answer would miss most
            guilty = await _fewest(harshest_first, lambda some: self._passes(sanitize(body, repair(some)).body))
            return _mended(self._told(culprits=[part.name for part in guilty]), guilty)
        fields = [field for field in mended if field not in ("model", "messages", "stream")]
        if fields and await self._passes(_without(mended, fields)):
            named = await _fewest(fields, lambda some: self._passes(_without(mended, some)))
            return self._told(culprits=named, note=_never(named))
        smallest: JsonObject = {"model": body.get("model"), "messages": [{"role": "user", "content": "Say ok."}]}
        if await self._passes(smallest):
            return self._told(culprits=["messages"], note=Phrase("messages_themselves"))
        return self._told(note=Phrase("refuses_smallest"))

    async def _passes(self, body: JsonObject) -> bool:
        """Whether the upstream answers a body.

        Raises:
            RixinError: It neither answered nor refused.
            _SpentError: No call is left.
        """
        if self._calls >= self._most:
            raise _SpentError
        self._calls += 1
        reply: Reply = await self._prober.ask(body)
        if reply.error is not None and not reply.refused:
            raise reply.error
        return reply.error is None

    def _told(self, *, culprits: Sequence[str] = (), note: Phrase | None = None) -> Cause:
        how: How = "replay" if culprits else "nothing"
        told = msgspec.structs.replace(self._cause, how=how, culprits=tuple(culprits), calls=self._calls)
        return _noted(told, note)


async def _fewest(suspects: Sequence[T], passes_with: Callable[[Sequence[T]], Awaitable[bool]]) -> list[T]:
    """The fewest of the suspects that must be mended, by giving back ever smaller portions of them."""
    needed = list(suspects)
    size = len(needed) // 2
    while size:
        start = 0
        while start < len(needed):
            rest = needed[:start] + needed[start + size :]
            if rest and await passes_with(rest):
                needed = rest
            else:
                start += size
        size = min(size // 2, len(needed) // 2)
    return needed


def _failed_attempt(record: RequestRecord) -> tuple[AttemptRecord, str | None, str | None] | None:
    """The last call that failed at an upstream; what was sent in it and what came back, where that is kept."""
    for place in reversed(range(len(record.attempts))):
        attempt = record.attempts[place]
        if attempt.error is not None and attempt.error != Kind.CANCELLED:
            said = None if record.bodies is None else record.bodies.attempts[place]
            return attempt, None if said is None else said.sent, None if said is None else said.answer
    return None


def _not_failed(record: RequestRecord) -> str:
    error = record.usage.error
    if error is None:
        return "This request was answered."
    if error == Kind.CANCELLED:
        return "The client left before this request was answered; no upstream refused it."
    return f"No upstream was asked: the request ended with {error}."


def _error(attempt: AttemptRecord, answer: str | None) -> RixinError:
    """The error of a call, in the upstream's words where they are kept."""
    if answer is not None and attempt.status is not None and attempt.status >= 400:
        return parse_error(attempt.status, {}, answer.encode())
    return RixinError(Kind(attempt.error or Kind.INTERNAL), "")


def _decoded(text: str | None) -> JsonObject | None:
    """A body that was kept whole."""
    try:
        value: JsonValue = None if text is None else msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None
    return value if isinstance(value, dict) else None


def _without(body: JsonObject, fields: Sequence[str]) -> JsonObject:
    return {name: value for name, value in body.items() if name not in fields}


def _mended(cause: Cause, parts: Sequence[Part]) -> Cause:
    """With what mends some parts."""
    found = facts([Layer("repair", repair(parts))])
    return msgspec.structs.replace(
        cause,
        repairs=tuple(fact.meaning for fact in found),
        repair_phrases=tuple(fact.phrase for fact in found),
    )


def _noted(cause: Cause, note: Phrase | None) -> Cause:
    """With a note, or with none."""
    return msgspec.structs.replace(cause, note="" if note is None else note.text, note_phrase=note)


def _never(fields: Sequence[str]) -> Phrase | None:
    kept = [field for field in fields if field in SACRED]
    return Phrase("never_left_out", {"fields": ", ".join(kept)}) if kept else None
