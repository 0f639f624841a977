"""The ranges of numbers."""

from rixin.core.cards import FieldRule
from rixin.profiles.group_test import GroupTest
from rixin.profiles.phrases import Phrase
from rixin.profiles.probes import COUNTS, EDGES, RANGES, Edge, Ranged, smallest
from rixin.profiles.profile import Profile
from rixin.profiles.range_search import RangeSearch
from rixin.service.doctor.examination import Examination, NoCallsLeftError
from rixin.service.prober import Reply


async def ranges(examination: Examination) -> None:
    """The largest numbers, by halving what is left."""
    for ranged in RANGES:
        if ranged.field not in examination.refused:
            await _largest(examination, ranged)


async def _largest(examination: Examination, ranged: Ranged) -> None:
    field, about = ranged.field, Phrase("probe_range", {"field": ranged.field})
    search = RangeSearch(ranged.numbers, ranged.likely)
    words = ""
    try:
        while (value := search.value) is not None:
            reply = await examination.ask(smallest(examination.model, **{field: _number(value)}))
            if reply.error is None:
                search.passed()
            elif reply.refused:
                words = reply.error.message
                search.refused(_told(examination, reply, field))
            else:
                examination.record(field, "unknown", reply.error.message, about=about)
                return
    except NoCallsLeftError:
        if not search.is_bounded:
            examination.record(field, "unknown", Phrase("no_call_left"), about=about)
            return
    if not search.is_bounded:
        most = Phrase("up_to_the_most", {"number": f"{ranged.numbers[-1]:g}"})
        examination.record(f"{field}_range", "yes", most, about=about)
        return
    if (
        search.largest == ranged.numbers[0]
        and field not in examination.taken
        and await _is_refused(examination, ranged)
    ):
        return
    largest = Phrase("up_to", {"number": f"{search.largest:g}", "words": words})
    if ranged in COUNTS:
        examination.record(f"{field}_range", "note", largest, about=about)
        return
    rule = FieldRule(maximum=search.largest)
    examination.maxima[field] = search.largest
    examination.record(f"{field}_range", "note", largest, Profile(clamp={field: rule}), about=about)


async def _is_refused(examination: Examination, ranged: Ranged) -> bool:
    """Whether the field is refused whatever its value."""
    field = ranged.field
    reply = await examination.ask(smallest(examination.model, **{field: _number(ranged.numbers[0])}))
    if not reply.refused or reply.error is None:
        return False
    explanation = examination.explain(reply)
    rule = Profile(drop_params=frozenset({field}))
    if explanation is not None and explanation.fix is not None and explanation.fix.rule.max_tokens_field is not None:
        rule = explanation.fix.rule
    examination.refused.add(field)
    examination.record(field, "no", reply.error.message, rule)
    return True


def _told(examination: Examination, reply: Reply, field: str) -> float | None:
    """The largest number by the refusal's own words."""
    rule = _rule_told(examination, reply, field)
    return None if rule is None else rule.maximum


def _rule_told(examination: Examination, reply: Reply, field: str) -> FieldRule | None:
    """The range by the refusal's own words."""
    explanation = examination.explain(reply)
    return None if explanation is None or explanation.fix is None else explanation.fix.rule.clamp.get(field)


async def counts(examination: Examination) -> None:
    """Numbers that are only told."""
    for ranged in COUNTS:
        if f"{ranged.field}_default" in examination.taken:
            await _largest(examination, ranged)


async def edges(examination: Examination) -> None:
    """The other ends of documented ranges."""
    for side in ("maximum", "minimum"):
        asked = {edge.field: edge for edge in EDGES if edge.side == side and edge.field in examination.taken}
        if asked:
            await _edges(examination, asked)


async def _edges(examination: Examination, asked: dict[str, Edge]) -> None:
    test = GroupTest({field: edge.likely for field, edge in asked.items()})
    while names := test.next_group():
        body = smallest(examination.model, **{name: _number(asked[name].number) for name in names})
        reply = await examination.ask(body)
        if reply.error is None:
            test.passed()
            for name in names:
                examination.record(f"{name}_{asked[name].side}", "yes", about=asked[name].about)
            continue
        if not reply.refused:
            test.give_up()
            continue
        found = len(test.guilty)
        told = next((name for name in names if _rule_told(examination, reply, name) is not None), None)
        test.refused(told)
        for name in test.guilty[found:]:
            await _narrow(examination, asked[name], reply.error.message, _rule_told(examination, reply, name))


async def _narrow(examination: Examination, edge: Edge, words: str, told: FieldRule | None) -> None:
    """An end was refused: how far towards it numbers are taken, unless the refusal told it."""
    rule = told
    if rule is None:
        search = RangeSearch(range(len(edge.steps)), len(edge.steps) - 2)
        search.refused()
        while (step := search.value) is not None:
            reply = await examination.ask(smallest(examination.model, **{edge.field: _number(edge.steps[int(step)])}))
            if reply.error is None:
                search.passed()
            elif reply.refused:
                search.refused()
            else:
                break
        rule = edge.rule(int(search.largest))
    name, detail = f"{edge.field}_{edge.side}", f"{rule.range_text()}: {words}"
    examination.record(name, "no", detail, Profile(clamp={edge.field: rule}), about=edge.about)


def _number(value: float) -> int | float:
    return int(value) if value == int(value) else value
