"""Whole answers, rendered for a client.

Sources: SenseNova token platform guide, section 4.3; OpenAI's Completions reference for text completions.
"""

import msgspec

from rixin.core.json import JsonObject, JsonValue
from rixin.core.messages import Opaque, ReasoningPart, RefusalPart, ToolCall
from rixin.core.requests import Generate, Request
from rixin.core.responses import Choice, Response
from rixin.dialects.base import Stamp
from rixin.dialects.openai_chat.finish import RENDERED
from rixin.dialects.openai_chat.logprobs import join_logprobs, text_logprobs
from rixin.dialects.openai_chat.usage import render_usage
from rixin.dialects.openai_chat.wire import NAME

_ENCODER = msgspec.json.Encoder()


def render_response(response: Response, request: Request, stamp: Stamp) -> bytes:
    """The body of a whole answer to a chat, or to a bare prompt."""
    if not isinstance(request, Generate):
        raise TypeError(f"a chat answers a Generate, not a {type(request).__name__}")
    render, kind = (_chat_choice, "chat.completion") if request.prompt is None else (_text_choice, "text_completion")
    own = [opaque for opaque in response.opaque if opaque.dialect == NAME]
    body: JsonObject = {
        "id": stamp.request_id,
        "request_id": stamp.request_id,
        "model": request.model,
        "object": kind,
        "created": stamp.created,
        "choices": [
            render(choice, request, [opaque for opaque in own if opaque.choice == choice.index])
            for choice in response.choices
        ],
    }
    if response.usage is not None:
        body["usage"] = render_usage(response.usage)
    for opaque in own:
        if opaque.choice is None:
            body.setdefault(opaque.kind, opaque.value)
    return _ENCODER.encode(body)


def _chat_choice(choice: Choice, request: Generate, own: list[Opaque]) -> JsonValue:
    rendered: JsonObject = {"index": choice.index, "message": _message(choice, request, own)}
    if choice.logprobs and (logprobs := join_logprobs(choice.logprobs)) is not None:
        rendered["logprobs"] = logprobs
    return _finished(rendered, choice)


def _text_choice(choice: Choice, request: Generate, own: list[Opaque]) -> JsonValue:
    rendered: JsonObject = {"index": choice.index, "text": choice.text}
    if choice.reasoning:
        rendered[request.card.reasoning_field] = choice.reasoning
    rendered["logprobs"] = text_logprobs(join_logprobs(choice.logprobs))
    for opaque in own:
        rendered.setdefault(opaque.kind, opaque.value)
    return _finished(rendered, choice)


def _finished(rendered: JsonObject, choice: Choice) -> JsonObject:
    rendered["finish_reason"] = RENDERED[choice.finish_reason]
    if choice.stop_sequence is not None:
        rendered["stop_reason"] = choice.stop_sequence
    return rendered


def _message(choice: Choice, request: Generate, own: list[Opaque]) -> JsonObject:
    """The message. Without words, `content` is null beside calls or a refusal, and absent where the length ran out."""
    message: JsonObject = {"role": "assistant"}
    refusal = "".join([part.text for part in choice.parts if type(part) is RefusalPart])
    calls, text = choice.tool_calls, choice.text
    if text:
        message["content"] = text
    elif calls or refusal:
        message["content"] = None
    elif RENDERED[choice.finish_reason] != "length":
        message["content"] = ""
    if reasoning := choice.reasoning:
        message[request.card.reasoning_field] = reasoning
    if details := [_detail(part) for part in choice.parts if type(part) is ReasoningPart and part.signature]:
        message["reasoning_details"] = details
    if refusal:
        message["refusal"] = refusal
    if calls:
        message["tool_calls"] = [_call(index, call) for index, call in enumerate(calls)]
    if choice.annotations:
        message["annotations"] = [*choice.annotations]
    for opaque in own:
        message.setdefault(opaque.kind, opaque.value)
    return message


def _detail(thought: ReasoningPart) -> JsonValue:
    return {"type": "reasoning.text", "text": thought.text, "signature": thought.signature}


def _call(index: int, call: ToolCall) -> JsonValue:
    head: JsonObject = {"index": index, "id": call.id, "type": call.kind}
    if call.kind == "custom":
        return {**head, "custom": {"name": call.name, "input": call.arguments}}
    return {**head, "function": {"name": call.name, "arguments": call.arguments}}
