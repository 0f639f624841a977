"""What upstreams differ in most: optional fields and forms of messages and tools, found out in groups."""

from collections.abc import Iterable

from rixin.core.json import JsonObject
from rixin.profiles.group_test import GroupTest
from rixin.profiles.phrases import Phrase
from rixin.profiles.probes import IMPLIED, OF_TOOLS, SUBJECTS, Family, Subject, rule_of, single, together
from rixin.profiles.profile import NOTHING, Profile, merge
from rixin.profiles.repairs import other_way
from rixin.profiles.sanitizers import sanitize
from rixin.service.doctor.examination import Examination, NoCallsLeftError
from rixin.service.prober import Reply

_BY_NAME = {subject.name: subject for subject in SUBJECTS}


async def fields(examination: Examination) -> None:
    """The optional fields."""
    await _family(examination, Family.FIELDS)


async def shapes(examination: Examination) -> None:
    """The forms of messages and tools that clients send most."""
    await _family(examination, Family.SHAPES)


async def rarities(examination: Examination) -> None:
    """What few upstreams mind, or few clients send."""
    await _family(examination, Family.RARITIES)


async def _family(examination: Examination, family: Family) -> None:
    subjects = {subject.name: subject for subject in SUBJECTS if subject.family is family}
    _leave_out(examination, subjects)
    test = GroupTest({name: subject.likely for name, subject in subjects.items()})
    try:
        while names := test.next_group():
            reply = await examination.ask(together(examination.model, [subjects[name] for name in names]))
            if reply.error is None:
                test.passed()
                for name in names:
                    examination.taken.add(name)
                    examination.record(name, "yes")
            elif not reply.refused:
                test.give_up()
                for name in names:
                    examination.record(name, "unknown", reply.error.message)
            else:
                found = len(test.guilty)
                test.refused(_named(examination, reply, names))
                for name in test.guilty[found:]:
                    _convict(examination, subjects[name], reply.error.message)
    except NoCallsLeftError:
        for name in test.undecided:
            examination.record(name, "unknown", Phrase("no_call_left"))


def _leave_out(examination: Examination, subjects: dict[str, Subject]) -> None:
    """Takes out what need not be asked."""
    for name, by in IMPLIED.items():
        if name in subjects and by in examination.refused:
            del subjects[name]
            examination.record(name, "no", Phrase("as_subject", {"subject": by}))
    if not examination.takes_tools:
        for name in OF_TOOLS & subjects.keys():
            del subjects[name]


def _named(examination: Examination, reply: Reply, names: Iterable[str]) -> str | None:
    """The one of these that a refusal names."""
    explanation = examination.explain(reply)
    if explanation is None or explanation.fix is None:
        return None
    fix = explanation.fix
    return next((name for name in names if name == fix.name or _BY_NAME[name].part.rule == fix.rule), None)


def _convict(examination: Examination, subject: Subject, words: str) -> None:
    examination.refused.add(subject.name)
    rule = rule_of(subject, refused=frozenset(examination.refused))
    examination.record(subject.name, "no", words, rule)


async def verification(examination: Examination) -> None:
    """One request with all that was refused, mended: whether what was found is enough.

    Where it is not, parts that can be mended in another way are, once more.
    """
    examination.use_reserve()
    guilty = [_BY_NAME[name] for name in sorted(examination.refused & _BY_NAME.keys())]
    if not guilty and not examination.maxima:
        return
    body = _everything(examination, guilty)
    profile = examination.profile
    reply = await examination.ask(sanitize(body, profile).body)
    examination.verified = reply.error is None
    if examination.verified or not reply.refused:
        return
    others = [subject for subject in guilty if subject.part.alternative not in (None, NOTHING)]
    if not others:
        return
    rule = _alternatives(others)
    reply = await examination.ask(sanitize(body, merge(profile, rule)).body)
    if reply.error is None:
        examination.verified = True
        about = Phrase("probe_other_way", {"parts": ", ".join(subject.name for subject in others)})
        examination.record("other_way", "note", "", rule, about=about)


def _alternatives(subjects: Iterable[Subject]) -> Profile:
    rule = NOTHING
    for subject in subjects:
        rule = merge(rule, other_way(subject.part).rule)
    return rule


def _everything(examination: Examination, guilty: list[Subject]) -> JsonObject:
    """A request that has all that was refused, and numbers beyond all bounds that were found."""
    body = together(examination.model, guilty) if guilty else single(examination.model, _BY_NAME["store"])
    for field, maximum in examination.maxima.items():
        body[field] = maximum * 2
    return body
