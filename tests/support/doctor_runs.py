"""Many strict upstreams, each examined by the doctor, and a table of what it found of their rules."""

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import aclosing
from importlib.resources import files
from typing import Any

import msgspec
from msgspec import Struct, field

from rixin.clock import SystemClock
from rixin.dialects.openai_chat import DIALECT
from rixin.engines.remote import Remote
from rixin.limits.process import ProcessLimiter
from rixin.profiles.diagnosis import Diagnosis
from rixin.profiles.error_rules import load_error_rules
from rixin.profiles.profile import NOTHING, Profile
from rixin.profiles.repairs import BY_NAME
from rixin.profiles.sanitizers import sanitize
from rixin.routing.gate import Gate
from rixin.service.doctor import BUDGET, examine
from rixin.service.prober import GateProber
from rixin.settings import Provider
from tests.profiles.sanitizing import Body
from tests.profiles.strict_upstream import OPTIONAL, Rules
from tests.upstreams.scripted import ScriptedUpstream
from tests.upstreams.strict import StrictUpstream

ERROR_RULES = load_error_rules(files("rixin.profiles").joinpath("error_rules.toml").read_bytes())

FLAGS = {
    "null_content": "null_content",
    "several_systems": "several_systems",
    "late_system": "late_system",
    "developer": "developer",
    "text_parts": "text_parts",
    "strict": "strict",
    "schema_dialect": "schema",
    "tool_choice_auto": "tool_choice_default",
    "echoed_reasoning": "reasoning_echo",
}
"""Rules that are there or not, and the part that breaks each of them."""

_MERGED = ("several_systems", "late_system")

MUCH = {"temperature": 2, "max_tokens": 1 << 20}


class Runs(Struct):
    """What was found of all rules."""

    budget: int
    drawn: Counter[str] = field(default_factory=Counter[str])
    """Rules that there are, by kind."""
    recovered: Counter[str] = field(default_factory=Counter[str])
    imagined: Counter[str] = field(default_factory=Counter[str])
    """Rules that were found and that there are not."""
    calls: list[int] = field(default_factory=list[int])
    verified: int = 0
    missed: list[str] = field(default_factory=list[str])

    @property
    def share(self) -> float:
        """The share of the rules that were recovered."""
        return self.recovered.total() / self.drawn.total()

    def rows(self) -> list[list[str]]:
        """A table, a kind of rules in each row."""
        rows = [
            self._row(kind, self.drawn[kind], self.recovered[kind], self.imagined[kind]) for kind in sorted(self.drawn)
        ]
        whole = self._row("all", self.drawn.total(), self.recovered.total(), self.imagined.total())
        return [["rule", "there are", "recovered", "share", "imagined"], *rows, whole]

    def _row(self, kind: str, drawn: int, recovered: int, imagined: int) -> list[str]:
        return [kind, str(drawn), str(recovered), f"{recovered / drawn:.1%}", str(imagined)]


async def run(*, seed: int, rule_sets: int, budget: int = BUDGET) -> Runs:
    """Examines that many upstreams, whose rules are drawn at random.

    Args:
        seed: Of all that is drawn.
        rule_sets: How many.
        budget: The most calls of one examination.
    """
    upstream = StrictUpstream.drawn(random.Random(seed), rule_sets)
    runs = Runs(budget)
    async with upstream:
        for model in upstream.rules:
            diagnosis = await diagnose(upstream, model, budget=budget)
            assert upstream.calls[model] <= diagnosis.calls <= budget
            judge(runs, model, upstream.rules[model], diagnosis, done=model not in upstream.without_done)
    return runs


async def diagnose(
    upstream: ScriptedUpstream,
    model: str,
    *,
    known: Profile = NOTHING,
    budget: int = BUDGET,
    image_url: str | None = None,
    **settings: Any,
) -> Diagnosis:
    """Examines one model of a running upstream."""
    clock = SystemClock()
    provider = Provider(name="strict", base_url=upstream.url, api_keys=("sk-upstream",), **settings)
    async with aclosing(Remote.connect(provider, DIALECT, {}, lambda _model: known)) as engine:
        gate = Gate(engine, provider, limiter=ProcessLimiter(clock), clock=clock)
        prober = GateProber(gate, model, clock)
        return await examine(prober, known, ERROR_RULES, budget=budget, image_url=image_url)


def judge(runs: Runs, model: str, rules: Rules, diagnosis: Diagnosis, *, done: bool) -> None:
    """Counts which of the rules were recovered: what breaks one alone passes once it is mended, and is mended as far
    as it must be only."""
    found = msgspec.convert(diagnosis.profile, Profile)
    runs.calls.append(diagnosis.calls)
    runs.verified += diagnosis.verified is True
    for kind, rule, body in _facts(rules):
        sent = sanitize(body, found).body
        if rule is None:
            runs.imagined[kind] += sent != body
            continue
        runs.drawn[kind] += 1
        if rule.refuses(body) is not None and rule.refuses(sent) is None and _keeps(body, sent, rules):
            runs.recovered[kind] += 1
        else:
            runs.missed.append(f"{model}: {kind} {body.keys() - {'model', 'messages'}}, {diagnosis.calls} calls")
    runs.drawn["stream without [DONE]"] += not done
    runs.recovered["stream without [DONE]"] += not done and "missing_done" in found.stream_quirks
    runs.imagined["stream without [DONE]"] += done and "missing_done" in found.stream_quirks


def _facts(rules: Rules) -> Iterator[tuple[str, Rules | None, Body]]:
    """All rules that there may be: the kind, the rule alone if there is one, and a body with just that fact."""
    for name in OPTIONAL:
        rule = Rules(refused=frozenset({name})) if name in rules.refused else None
        yield "refused field", rule, _body(name)
    if "temperature" not in rules.refused:
        rule = Rules(temperature_cap=rules.temperature_cap) if rules.temperature_cap < MUCH["temperature"] else None
        yield "cap on temperature", rule, _body(temperature=MUCH["temperature"])
    rule = Rules(max_tokens_cap=rules.max_tokens_cap) if rules.max_tokens_cap < MUCH["max_tokens"] else None
    yield "cap on max_tokens", rule, _body(max_tokens=MUCH["max_tokens"])
    for flag, part in FLAGS.items():
        rule = Rules(**{flag: True}) if getattr(rules, flag) else None  # pyright: ignore[reportArgumentType] - a flag
        if rule is None and flag in _MERGED and (rules.several_systems or rules.late_system):
            continue  # one repair is for both
        control = BY_NAME[part].control("m", NOTHING)
        assert control is not None
        yield flag.replace("_", " "), rule, control.having


def _body(optional: str | None = None, **fields: Any) -> Body:
    """The smallest body with one field, and what that field goes with."""
    body: Body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], **fields}
    if optional is None:
        return body
    if optional == "parallel_tool_calls":
        control = BY_NAME["parallel_tool_calls_default"].control("m", NOTHING)
        assert control is not None
        return control.having
    if optional == "stream_options":
        body["stream"] = True
    return {**body, optional: OPTIONAL[optional]}


def _keeps(body: Body, sent: Body, rules: Rules) -> bool:
    """Whether a number is lowered no further than it must be."""
    if body.get("max_tokens") == MUCH["max_tokens"]:
        return sent.get("max_tokens") == rules.max_tokens_cap
    if body.get("temperature") == MUCH["temperature"]:
        return sent.get("temperature", 0) >= rules.temperature_cap - 0.1
    return True
