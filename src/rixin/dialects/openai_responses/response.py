"""Whole answers, rendered for a client."""

from collections.abc import Iterator

import msgspec

from rixin.core.events import (
    Annotation,
    Event,
    Finish,
    Reasoning,
    Refusal,
    Text,
    ToolArguments,
    ToolEnd,
    ToolStart,
)
from rixin.core.messages import ReasoningPart, RefusalPart, TextPart, ToolCall
from rixin.core.requests import Generate, Request
from rixin.core.responses import Choice, Response
from rixin.dialects.base import Stamp
from rixin.dialects.openai_chat.logprobs import join_logprobs
from rixin.dialects.openai_responses.compact import is_compact, render_compact
from rixin.dialects.openai_responses.output import Output
from rixin.dialects.openai_responses.resource import Resource, status_of

_ENCODER = msgspec.json.Encoder()


def render_response(response: Response, request: Request, stamp: Stamp) -> bytes:
    """The body of a whole answer: what the end of its stream would say."""
    if not isinstance(request, Generate):
        raise TypeError(f"a response answers a Generate, not a {type(request).__name__}")
    if is_compact(request):
        return render_compact(response, request, stamp)
    resource = Resource(request, stamp)
    output = Output(request.tools, stamp.new_id, summary=wants_summary(request))
    choice = response.choices[0]
    for event in (*response.opaque, *_events(choice)):
        output.take(event)
    status = status_of(choice.finish_reason)
    return _ENCODER.encode(resource.render(status, output.render(), reason=choice.finish_reason, usage=response.usage))


def render_input_tokens(tokens: int, stamp: Stamp) -> bytes:  # noqa: ARG001 - this answer has no identity
    """The body of an answer to a request for the number of its input's tokens."""
    return _ENCODER.encode({"object": "response.input_tokens", "input_tokens": tokens})


def wants_summary(request: Generate) -> bool:
    """Whether the client asked to be told of the model's thoughts in summaries."""
    reasoning = request.extra.get("reasoning")
    if not isinstance(reasoning, dict):
        return False
    return (reasoning.get("summary") or reasoning.get("generate_summary") or "none") != "none"


def _events(choice: Choice) -> Iterator[Event]:
    """The events that a choice amounts to; citations and log probabilities belong to its last and its first words."""
    logprobs = join_logprobs(choice.logprobs)
    texts = [index for index, part in enumerate(choice.parts) if isinstance(part, TextPart)]
    for index, part in enumerate(choice.parts):
        match part:
            case TextPart():
                yield Text(text=part.text, logprobs=logprobs if index == texts[0] else None)
                if index == texts[-1]:
                    yield from (Annotation(value=value) for value in choice.annotations)
            case ReasoningPart():
                yield Reasoning(text=part.text or "\n\n".join(part.summary), signature=part.signature)
            case RefusalPart():
                yield Refusal(text=part.text)
            case ToolCall():
                yield ToolStart(index=index, id=part.id, name=part.name, kind=part.kind)
                yield ToolArguments(index=index, text=part.arguments)
                yield ToolEnd(index=index)
            case _:
                pass  # an answer holds no other parts
    if not texts:
        yield from (Annotation(value=value) for value in choice.annotations)
    yield Finish(reason=choice.finish_reason)
