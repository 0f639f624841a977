"""Whether the upstream answers at all, how its streams look, and what it does with tools."""

from rixin.core.events import Reasoning, ToolStart
from rixin.core.json import JsonObject
from rixin.errors import RixinError
from rixin.profiles.phrases import Phrase
from rixin.profiles.probes import parallel_request, smallest, tool_request
from rixin.profiles.profile import Profile
from rixin.profiles.stream_facts import StreamFacts, stream_facts
from rixin.service.doctor.examination import Examination, StoppedError
from rixin.service.prober import Reply

_NAMED: JsonObject = {"type": "function", "function": {"name": "note"}}
_SOME: JsonObject = {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [_NAMED]}}


async def models(examination: Examination) -> None:
    """What the upstream lists, and whether the model is among it."""
    examination.count_call()
    try:
        listed = {model.name: model for model in await examination.prober.models()}
    except RixinError as error:
        examination.record("models", "unknown", examination.reason(error))
        return
    model = listed.get(examination.model)
    if model is None:
        told = {"models": str(len(listed)), "model": examination.model}
        examination.record("models", "note", Phrase("models_without", told))
        return
    examination.context_length = model.context_length
    examination.record("models", "yes", Phrase("models", {"models": str(len(listed))}))


async def baseline(examination: Examination) -> None:
    """The smallest request. Unless the upstream answers it, nothing else would tell anything.

    Raises:
        StoppedError: It does not.
    """
    reply = await examination.ask(smallest(examination.model))
    if reply.error is None:
        examination.thinks = any(isinstance(event, Reasoning) for event in reply.events)
        examination.record("auth", "yes")
        return
    if reply.refused:
        streamed = await examination.ask(smallest(examination.model, stream=True))
        if streamed.error is None:
            examination.record("auth", "note", Phrase("only_streams"))
            raise StoppedError(Phrase("only_streams_stopped"))
    raise StoppedError(examination.reason(reply.error))


async def streams(examination: Examination) -> None:
    """How a stream looks, with usage asked for and without."""
    asked = await examination.ask(smallest(examination.model, stream=True, stream_options={"include_usage": True}))
    if asked.error is None:
        examination.taken.add("stream_options")
        examination.record("stream_options", "yes")
        _record_stream(examination, asked)
        return
    plain = await examination.ask(smallest(examination.model, stream=True))
    if plain.error is not None:
        examination.record("streaming", "no" if plain.refused else "unknown", plain.error.message)
        return
    if asked.refused:
        examination.refused.add("stream_options")
        rule = Profile(drop_params=frozenset({"stream_options"}))
        examination.record("stream_options", "no", asked.error.message, rule)
    _record_stream(examination, plain)


def _record_stream(examination: Examination, reply: Reply) -> None:
    facts = stream_facts(reply.raw)
    if not facts.is_stream:
        examination.record("streaming", "no", Phrase("came_whole"))
        return
    quirks = ", ".join(sorted(facts.quirks))
    examination.record("streaming", "yes", Phrase("own_ways", {"quirks": quirks}) if quirks else "", facts.rule)
    place = Phrase(f"usage_{facts.usage or 'nowhere'}")
    examination.record("usage", "no" if facts.usage is None else "yes", place)
    examination.record("finish", "note", ", ".join(facts.finish_words))
    if facts.reasoning_field is not None:
        examination.record("reasoning", "note", Phrase("in_field", {"field": facts.reasoning_field}))


async def tools(examination: Examination) -> None:
    """Whether tools are taken, called, and called at once."""
    reply = await examination.ask(tool_request(examination.model))
    if reply.error is not None:
        examination.takes_tools = not reply.refused
        examination.record("tools", "no" if reply.refused else "unknown", reply.error.message)
        return
    facts = stream_facts(reply.raw)
    if facts.leaks_calls:
        examination.record("tools", "yes", Phrase("calls_leak"), facts.rule)
        return
    called = any(isinstance(event, ToolStart) for event in reply.events)
    examination.record("tools", "yes", "" if called else Phrase("not_called"))


async def parallel_tools(examination: Examination) -> None:
    """Whether several tools are called at once, and how their fragments are told apart."""
    if not examination.takes_tools:
        return
    body = parallel_request(examination.model)
    reply = await examination.ask(body)
    if reply.error is not None:
        examination.record("parallel_tools", "unknown", reply.error.message)
        return
    facts = stream_facts(reply.raw)
    detail = ", ".join(sorted(facts.quirks & {"same_index_tool_calls"}))
    verdict = "yes" if facts.calls > 1 else "note"
    calls = Phrase("called", {"calls": str(facts.calls)}) if facts.calls < 2 else detail
    examination.record("parallel_tools", verdict, calls, _quirks(facts))


def _quirks(facts: StreamFacts) -> Profile:
    return Profile(stream_quirks=facts.quirks & {"same_index_tool_calls"})


async def tool_choices(examination: Examination) -> None:
    """Which ways to say what shall be called are taken."""
    if not examination.takes_tools:
        return
    auto = Profile(forced_tool_choice="auto")
    model = examination.model
    probes = (
        ("tool_choice_required", "required", auto),
        ("tool_choice_named", _NAMED, auto),
        ("tool_choice_none", "none", Profile()),
        ("tool_choice_allowed", _SOME, Profile(allowed_tools_choice="filter")),
    )
    for name, choice, rule in probes:
        await examination.probe(name, tool_request(model, tool_choice=choice), refused=rule)
