"""The body that an upstream is sent.

A request that came in this dialect goes out as its client wrote it, but for the model's name and what was edited on the
way; any other is rendered from the core's language. Upstreams store nothing and are told the whole conversation: it is
ours to keep.
"""

from collections.abc import Callable

import msgspec

from rixin.core.json import JsonObject
from rixin.core.requests import Generate
from rixin.dialects.decoding import decode_object
from rixin.dialects.openai_responses.conversation import render_input
from rixin.dialects.openai_responses.errors import PREVIOUS
from rixin.dialects.openai_responses.history import anonymous, read_items, with_thoughts
from rixin.dialects.openai_responses.items import ADDITIONAL_TOOLS
from rixin.dialects.openai_responses.request import LOGPROBS
from rixin.dialects.openai_responses.tools import render_format, render_tool_choice, render_tools
from rixin.dialects.openai_responses.wire import NAME

_STATE = (PREVIOUS, "conversation")


def build_body(request: Generate) -> JsonObject:
    """A fresh body for `card.target`.

    Raises:
        RixinError: `INVALID_REQUEST` when something in the request has no form on this wire.
    """
    origin = request.origin
    if origin is None or origin.dialect != NAME:
        body: JsonObject = {"model": request.card.target}
        for render in _RENDERINGS.values():
            body.update(render(request, {}))
        body["store"] = False
        return {name: value for name, value in body.items() if value is not None}
    body = decode_object(origin.body)
    body["model"] = request.card.target
    if "thoughts" in request.edited:
        body["input"] = with_thoughts(body.get("input"), request.thoughts)
    for name in sorted(request.edited & _RENDERINGS.keys()):
        for field, value in _RENDERINGS[name](request, body).items():
            if value is None:
                body.pop(field, None)
            else:
                body[field] = value
    if body.get(PREVIOUS):
        body["input"] = anonymous(read_items(body.get("input")))
    for field in _STATE:
        body.pop(field, None)
    return {**body, "store": False}


def _input(request: Generate, _body: JsonObject) -> JsonObject:
    """The conversation; the instructions are its first message."""
    return {"input": render_input(request), "instructions": None}


def _tools(request: Generate, body: JsonObject) -> JsonObject:
    """The tools, all in one place: items of the client's own input declare them no second time."""
    fields: JsonObject = {"tools": render_tools(request.tools) or None}
    given = body.get("input")
    if isinstance(given, list):
        fields["input"] = [
            item for item in given if not (isinstance(item, dict) and item.get("type") == ADDITIONAL_TOOLS)
        ]
    return fields


def _tool_choice(request: Generate, _body: JsonObject) -> JsonObject:
    choice = request.tool_choice
    return {"tool_choice": None if choice is None else render_tool_choice(choice, request.tools)}


def _parallel(request: Generate, _body: JsonObject) -> JsonObject:
    return {"parallel_tool_calls": request.parallel_tool_calls}


def _sampling(request: Generate, _body: JsonObject) -> JsonObject:
    return dict(msgspec.structs.asdict(request.sampling))


def _max_tokens(request: Generate, _body: JsonObject) -> JsonObject:
    return {"max_output_tokens": request.max_tokens}


def _stop(request: Generate, _body: JsonObject) -> JsonObject:
    return {"stop": [*request.stop] or None}


def _logprobs(request: Generate, body: JsonObject) -> JsonObject:
    given = body.get("include")
    include = [entry for entry in given if entry != LOGPROBS] if isinstance(given, list) else []
    if request.logprobs:
        include.append(LOGPROBS)
    return {"include": include or None, "top_logprobs": request.top_logprobs if request.logprobs else None}


def _text(request: Generate, body: JsonObject) -> JsonObject:
    given = body.get("text")
    text: JsonObject = {**given} if isinstance(given, dict) else {}
    text.pop("format", None)
    if request.response_format is not None:
        text["format"] = render_format(request.response_format)
    return {"text": text or None}


def _reasoning(request: Generate, body: JsonObject) -> JsonObject:
    """The effort; a mere switch is told as one, and a budget of tokens has no word here."""
    given, wish = body.get("reasoning"), request.reasoning
    reasoning: JsonObject = {**given} if isinstance(given, dict) else {}
    effort = "none" if wish.wanted is False else wish.effort
    if effort is None:
        reasoning.pop("effort", None)
    else:
        reasoning["effort"] = effort
    return {"reasoning": reasoning or None}


def _stream(request: Generate, _body: JsonObject) -> JsonObject:
    return {"stream": True if request.stream else None}


def _user(request: Generate, _body: JsonObject) -> JsonObject:
    return {"user": request.user}


_RENDERINGS: dict[str, Callable[[Generate, JsonObject], JsonObject]] = {
    "messages": _input,
    "tools": _tools,
    "tool_choice": _tool_choice,
    "parallel_tool_calls": _parallel,
    "sampling": _sampling,
    "max_tokens": _max_tokens,
    "stop": _stop,
    "logprobs": _logprobs,
    "top_logprobs": _logprobs,
    "response_format": _text,
    "reasoning": _reasoning,
    "stream": _stream,
    "user": _user,
}
"""By the attribute of `Generate`. Each gives the fields that are to be there, and None for those that are to be absent;
it takes the request, and the client's own body (empty where that is of another dialect). In this order `tools` sees
the input that `messages` rendered."""
