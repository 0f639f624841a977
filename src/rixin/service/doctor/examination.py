"""One examination under way: its calls, and what they have shown."""

from collections.abc import Callable

from rixin.core.json import JsonObject
from rixin.errors import Kind, RixinError
from rixin.profiles.diagnosis import Diagnosis, Finding, Verdict, differences, found_profile, news, plain_profile
from rixin.profiles.error_rules import ErrorRules, Explanation
from rixin.profiles.phrases import Phrase
from rixin.profiles.probes import about as about_probe
from rixin.profiles.profile import NOTHING, Profile
from rixin.service.prober import Prober, Reply

RESERVE = 2
"""Calls that are kept for the last look at whether what was found is enough."""
TOLERANCE = 3
"""Answers in a row that tell nothing, after which the upstream is let be."""
MAX_DETAIL = 200

FATAL = frozenset(
    {Kind.UPSTREAM_CREDENTIAL, Kind.QUOTA_EXHAUSTED, Kind.MODEL_NOT_FOUND, Kind.CONFIGURATION, Kind.PERMISSION_DENIED}
)
"""Kinds of errors after which nothing is worth asking."""


class NoCallsLeftError(Exception):
    """All calls that were allowed are made."""


class StoppedError(Exception):
    """The upstream does not answer, whatever it is asked."""

    def __init__(self, reason: Phrase) -> None:
        super().__init__(reason.text)
        self.reason = reason


class Examination:
    """What is asked and found of one model.

    Args:
        prober: Asks it.
        known: What is known of it already.
        error_rules: What its words mean.
        preset: The name of the provider's preset.
        budget: The most calls.
        tell: Called with each finding as it is made.
        image_url: An image that the upstream can fetch.
    """

    def __init__(
        self,
        prober: Prober,
        known: Profile,
        error_rules: ErrorRules,
        *,
        preset: str,
        budget: int,
        tell: Callable[[Finding], None],
        image_url: str | None = None,
    ) -> None:
        self.prober = prober
        self.model = prober.model
        self.calls = 0
        self.budget = budget
        self.findings: list[Finding] = []
        self.taken: set[str] = set()
        """Names of the subjects that the upstream takes."""
        self.refused: set[str] = set()
        """Names of the subjects that it refuses."""
        self.maxima: dict[str, float] = {}
        """The largest numbers that fields take, as far as there is one."""
        self.image_url = image_url
        self.context_length: int | None = None
        self.context_told = False
        """Whether the window is what a refusal said."""
        self.thinks = False
        """Whether its answers have thoughts, unasked."""
        self.takes_tools = True
        self.verified: bool | None = None
        self.stopped: Phrase | None = None
        self._known = known
        self._error_rules = error_rules
        self._preset = preset
        self._tell = tell
        self._unclear = 0
        self._reserve = RESERVE

    @property
    def room(self) -> int:
        """Calls that may still be made."""
        return self.budget - self._reserve - self.calls

    @property
    def profile(self) -> Profile:
        """What was found asks for."""
        return found_profile(self.findings)

    @property
    def diagnosis(self) -> Diagnosis:
        """What was found so far."""
        return Diagnosis(
            provider=self.prober.provider,
            model=self.model,
            preset=self._preset,
            calls=self.calls,
            budget=self.budget,
            findings=tuple(self.findings),
            differences=differences(self._known, self.profile),
            profile=plain_profile(news(self._known, self.profile)),
            context_length=self.context_length,
            context_told=self.context_told,
            verified=self.verified,
            stopped=None if self.stopped is None else self.stopped.text,
            stopped_phrase=self.stopped,
        )

    def use_reserve(self) -> None:
        """Allows the last calls."""
        self._reserve = 0

    def count_call(self) -> None:
        """A call is about to be made.

        Raises:
            NoCallsLeftError: It may not be.
        """
        if self.room <= 0:
            raise NoCallsLeftError
        self.calls += 1

    async def ask(self, body: JsonObject) -> Reply:
        """Asks once.

        Raises:
            NoCallsLeftError: No call is left.
            StoppedError: Nothing is worth asking any more.
        """
        self.count_call()
        reply = await self.prober.ask(body)
        error = reply.error
        if error is None or reply.refused:
            self._unclear = 0
            if error is not None and error.kind is Kind.CONTEXT_OVERFLOW and error.limit is not None:
                self.context_length, self.context_told = error.limit, True
            return reply
        self._unclear += 1
        if error.kind in FATAL or self._unclear >= TOLERANCE:
            raise StoppedError(self.reason(error))
        return reply

    async def probe(self, name: str, body: JsonObject, *, refused: Profile = NOTHING) -> bool | None:
        """Asks once and takes the outcome down.

        Args:
            name: The probe's.
            body: The request.
            refused: What it means if the upstream says no.

        Returns:
            Whether it said yes; None where it did neither.
        """
        reply = await self.ask(body)
        if reply.error is None:
            self.record(name, "yes")
            return True
        if not reply.refused:
            self.record(name, "unknown", reply.error.message)
            return None
        self.record(name, "no", reply.error.message, refused)
        return False

    def record(
        self,
        name: str,
        verdict: Verdict,
        detail: str | Phrase = "",
        rule: Profile = NOTHING,
        *,
        about: Phrase | None = None,
    ) -> None:
        """Takes a finding down, about what its name stands for unless another thing is given."""
        asked = about or about_probe(name)
        finding = Finding(
            name=name,
            about=asked.text,
            about_phrase=asked,
            verdict=verdict,
            detail=(detail if isinstance(detail, str) else detail.text)[:MAX_DETAIL],
            detail_phrase=detail if isinstance(detail, Phrase) else None,
            rule=rule,
        )
        self.findings.append(finding)
        self._tell(finding)

    def explain(self, reply: Reply) -> Explanation | None:
        """What a refusal's words mean."""
        error = reply.error
        if error is None:
            return None
        return self._error_rules.explain(
            reply.status or error.status, error.message, kind=error.kind, provider=self._preset, param=error.param
        )

    def reason(self, error: RixinError) -> Phrase:
        """An error with what helps, in a sentence or two."""
        hint = self._error_rules.explain(error.status, error.message, kind=error.kind, provider=self._preset)
        if hint is None or hint.en in error.message:
            return Phrase("words", {"words": error.message})
        return Phrase("words_and_hint", {"words": error.message, "hint": hint.en, "hint_zh": hint.zh})
