"""What else an upstream may take: images, formats, efforts, switches of thinking, fields that nobody knows."""

from rixin.core.events import Reasoning
from rixin.core.json import JsonObject
from rixin.profiles.diagnosis import Verdict
from rixin.profiles.phrases import Phrase
from rixin.profiles.probes import EFFORTS, IMAGE, NOWHERE, STRANGE, TOGGLES, allow_list, image_message, smallest
from rixin.profiles.profile import NOTHING, Profile
from rixin.service.doctor.examination import Examination
from rixin.service.prober import Reply

_SCHEMA: JsonObject = {
    "type": "object",
    "properties": {"ok": {"type": "boolean"}},
    "required": ["ok"],
    "additionalProperties": False,
}
_WANTED: JsonObject = {"type": "json_schema", "json_schema": {"name": "reply", "schema": _SCHEMA, "strict": True}}


_FETCHES, _REFUSES = "image_not_loaded", frozenset({"no_images", "images_as_data", "content_must_be_text"})
"""The rules by whose words an upstream looked for an image where there is none, and those by which it does not."""


async def strange_field(examination: Examination) -> None:
    """A field that nobody knows: an upstream that refuses it takes only what it has in its table."""
    taken = await examination.probe("unknown_field", smallest(examination.model, **{STRANGE: True}))
    if taken is False:
        rule = Profile(allowed_fields=allow_list(examination.taken, examination.refused))
        examination.record("allowed_fields", "note", Phrase("tried"), rule)


async def formats(examination: Examination) -> None:
    """Answers under a schema."""
    if "response_format" in examination.refused:
        return
    await examination.probe("json_schema", smallest(examination.model, response_format=_WANTED))


async def images(examination: Examination) -> None:
    """Images as data and by address: one that was given, else one that leads nowhere, where words tell."""
    model, data = examination.model, f"data:image/png;base64,{IMAGE}"
    address = examination.image_url or NOWHERE
    by_data = await examination.ask({"model": model, "messages": [image_message(data)]})
    by_url = await examination.ask({"model": model, "messages": [image_message(address)]})
    data_verdict, data_detail = _taken(by_data)
    url_verdict, url_detail = _taken(by_url) if examination.image_url else _looked_for(examination, by_url)
    if by_url.refused and (url_verdict, data_verdict) == ("unknown", "no"):
        url_verdict = "no"
    rules: dict[tuple[Verdict, Verdict], Profile] = {
        ("no", "no"): Profile(image_policy="placeholder"),
        ("yes", "no"): Profile(image_policy="data_only"),
        ("no", "yes"): Profile(image_policy="url_only"),
    }
    rule = rules.get((data_verdict, url_verdict), NOTHING)
    examination.record("image_data", data_verdict, data_detail, rule)
    examination.record("image_url", url_verdict, url_detail, rule)


def _taken(reply: Reply) -> tuple[Verdict, str | Phrase]:
    if reply.error is None:
        return "yes", ""
    return "no" if reply.refused else "unknown", reply.error.message


def _looked_for(examination: Examination, reply: Reply) -> tuple[Verdict, str | Phrase]:
    """Whether an upstream looked for an image where there is none."""
    if reply.error is None:
        return "note", Phrase("answered_nowhere")
    explanation = examination.explain(reply)
    rule = "" if explanation is None else explanation.rule
    if reply.refused and rule == _FETCHES:
        return "yes", Phrase("looked_for", {"words": reply.error.message})
    if reply.refused and rule in _REFUSES:
        return "no", reply.error.message
    return "unknown", Phrase("image_url_tells", {"words": reply.error.message})


async def efforts(examination: Examination) -> None:
    """The words for how much to think."""
    if "reasoning_effort" in examination.refused:
        return
    known: list[str] = []
    refused: list[str] = []
    for word in EFFORTS:
        if examination.room <= 0:
            break
        reply = await examination.ask(smallest(examination.model, reasoning_effort=word))
        if reply.error is None:
            known.append(word)
        elif reply.refused:
            refused.append(word)
            explanation = examination.explain(reply)
            named = None if explanation is None or explanation.fix is None else explanation.fix.rule.efforts
            if named:
                known = list(named)
                break
    words = ", ".join(known)
    detail = Phrase("efforts_but", {"known": words, "refused": ", ".join(refused)}) if refused else words
    rule = Profile(efforts=tuple(known)) if refused and known else Profile()
    examination.record("efforts", "note", detail, rule)


async def toggles(examination: Examination) -> None:
    """Which field switches thinking: the first that makes a difference."""
    for toggle in TOGGLES:
        if toggle.name in examination.refused or examination.room <= 0:
            continue
        reply = await examination.ask(smallest(examination.model, **toggle.fields(on=not examination.thinks)))
        if reply.error is not None:
            continue
        thought = any(isinstance(event, Reasoning) for event in reply.events)
        if thought is not examination.thinks:
            rule = Profile(reasoning_style=toggle.style)
            examination.record("thinking_switch", "note", toggle.name, rule)
            return
    if examination.thinks:
        examination.record("thinking_switch", "no", Phrase("always_thinks"))
