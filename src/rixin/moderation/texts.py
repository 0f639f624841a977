"""All that can be read in a request, and in an event of an answer."""

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias, assert_never

import msgspec

from rixin.core.events import Annotation, Event, Reasoning, Refusal, Text, ToolArguments, ToolStart
from rixin.core.json import JsonValue
from rixin.core.messages import (
    DocumentPart,
    ImagePart,
    Opaque,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCall,
    ToolResult,
    VideoPart,
)
from rixin.core.requests import Asked, Draw, Embed

Spoken: TypeAlias = Text | Reasoning | Refusal | ToolArguments
"""Events that continue a text; `voice_of` tells which one."""

Voice: TypeAlias = tuple[type[Spoken], int]
"""One of the texts of a choice: its words, its thoughts, the arguments of one of its calls."""


class Reading(NamedTuple):
    """A text, and whether it is JSON whose escapes are to be looked through."""

    text: str
    escaped: bool = False


def request_texts(request: Asked) -> Iterator[Reading]:
    """What a client sends: what was said, tools and their descriptions, fields that nobody knows; texts to embed, and
    what is to be drawn.

    Images, videos and documents are not read, nor is what stands in envelopes: that was an answer once. Token ids are
    in the words of a model's own vocabulary, and not read either.
    """
    if isinstance(request, Embed):
        yield from (Reading(text) for text in request.inputs if isinstance(text, str))
        return
    if isinstance(request, Draw):
        yield from map(Reading, (request.prompt, *strings([*request.extra.values()])))
        return
    if request.prompt is not None:
        yield Reading(request.prompt)
    for message in request.messages:
        if message.name is not None:
            yield Reading(message.name)
        for part in message.parts:
            yield from _part_texts(part)
    declared: list[JsonValue] = [*request.extra.values()]
    for tool in request.tools:
        declared += [tool.name, tool.description, tool.parameters, tool.format]
    if (form := request.response_format) is not None:
        declared += [form.name, form.schema]
    yield from map(Reading, strings(declared))


def _part_texts(part: Part) -> Iterator[Reading]:
    match part:
        case TextPart(text) | RefusalPart(text):
            yield Reading(text)
        case ReasoningPart():
            yield from map(Reading, (part.text, *part.summary))
        case ToolCall():
            yield Reading(part.name)
            yield Reading(part.arguments, escaped=part.kind == "function")
        case ToolResult():
            for inner in part.parts:
                yield from _part_texts(inner)
        case DocumentPart():
            yield from map(Reading, filter(None, (part.name, part.text)))
        case Opaque():
            yield from map(Reading, strings(part.value))
        case ImagePart() | VideoPart():
            return
        case _:
            assert_never(part)


def aside_texts(event: Event) -> Iterator[str]:
    """What can be read in an event that continues no text: a call's name, a citation, what only its dialect knows."""
    match event:
        case ToolStart():
            yield event.name
        case Annotation() | Opaque():
            yield from strings(event.value)
        case _:
            return


def strings(value: JsonValue) -> Iterator[str]:
    """Every text in a JSON value, names of members included."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str(text):
                yield text
            case list(items):
                waiting += reversed(items)
            case dict(members):
                waiting += [*members.keys(), *members.values()]
            case _:
                pass


def choice_of(event: Event) -> int | None:
    """The choice that an event belongs to; None for what belongs to the whole answer."""
    return getattr(event, "choice", None)


def voice_of(event: Spoken) -> Voice:
    """The text that an event continues."""
    return type(event), event.index if isinstance(event, ToolArguments) else 0


def cut(event: Spoken, size: int) -> tuple[Spoken, Spoken]:
    """An event as two, the first with so many characters; what was told of the whole stays with the second."""
    first, second = event.text[:size], event.text[size:]
    rest = msgspec.structs.replace(event, text=second)
    match event:
        case Text():
            return msgspec.structs.replace(event, text=first, tokens=None, logprobs=None), rest
        case Reasoning():
            return msgspec.structs.replace(event, text=first, tokens=None, signature=None), rest
        case Refusal() | ToolArguments():
            return msgspec.structs.replace(event, text=first), rest
