"""The body that an upstream is sent.

A request that came in this dialect goes out as its client wrote it, but for the model's name, the line of attribution
and what was edited on the way; any other is rendered from the core's language.
"""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from rixin.core.json import JsonObject, JsonValue
from rixin.core.requests import Generate
from rixin.dialects.anthropic.billing import drop_billing
from rixin.dialects.anthropic.conversation import render_conversation
from rixin.dialects.anthropic.reasoning import render_effort, render_thinking
from rixin.dialects.anthropic.request import FIELDS
from rixin.dialects.anthropic.thoughts import with_thoughts
from rixin.dialects.anthropic.tools import SERVER_TOOLS, render_tool_choice, render_tools
from rixin.dialects.anthropic.wire import NAME
from rixin.dialects.decoding import decode_object
from rixin.errors import invalid

FALLBACK_MAX_TOKENS = 32_000
"""Sent where neither the client nor the model's card gives a limit, which Anthropic demands."""


class _Rendering(NamedTuple):
    """How an attribute of a request is said: those of `fields` that `render` leaves out are to be absent."""

    fields: tuple[str, ...]
    render: Callable[[Generate], JsonObject]


def build_body(request: Generate) -> JsonObject:
    """A fresh body for `card.target`.

    Raises:
        RixinError: `INVALID_REQUEST` when something in the request has no form on this wire.
    """
    origin = request.origin
    if origin is None or origin.dialect != NAME:
        body: JsonObject = {"model": request.card.target}
        for rendering in (*RENDERINGS.values(), _COUNT):
            body.update(rendering.render(request))
        return body
    body = decode_object(origin.body)
    body["model"] = request.card.target
    drop_billing(body)
    if "extra" in request.edited:
        body = {name: value for name, value in body.items() if name in FIELDS} | _extra(request)
    if "thoughts" in request.edited:
        body["messages"] = with_thoughts(body.get("messages"), request.thoughts)
    for name in request.edited & RENDERINGS.keys():
        rendering = RENDERINGS[name]
        for field in rendering.fields:
            body.pop(field, None)
        body.update(rendering.render(request))
    return body


def _messages(request: Generate) -> JsonObject:
    if request.prompt is not None:
        return {"messages": [{"role": "user", "content": request.prompt}]}
    system, messages = render_conversation(request)
    return {"system": system, "messages": messages} if system else {"messages": messages}


def _limit(request: Generate) -> int:
    return request.max_tokens or request.card.max_output_length or FALLBACK_MAX_TOKENS


def _max_tokens(request: Generate) -> JsonObject:
    return {"max_tokens": _limit(request)}


def _sampling(request: Generate) -> JsonObject:
    """The three that this wire knows."""
    sampling = request.sampling
    fields: JsonObject = {"temperature": sampling.temperature, "top_p": sampling.top_p, "top_k": sampling.top_k}
    return {name: value for name, value in fields.items() if value is not None}


def unsaid(request: Generate) -> tuple[str, ...]:
    """What was asked for in another dialect and has no form on this wire."""
    sampling = msgspec.structs.asdict(request.sampling)
    form = request.response_format
    lost = {
        **{name: value is not None for name, value in sampling.items() if name not in RENDERINGS["sampling"].fields},
        "logprobs": request.logprobs,
        "response_format": form is not None and form.kind == "json_object",
    }
    return tuple(name for name, asked in lost.items() if asked)


def _thinking(request: Generate) -> JsonObject:
    return render_thinking(request, _limit(request)) | _output_config(request)


def _output_config(request: Generate) -> JsonObject:
    """Effort and schema; that an answer shall be JSON of any kind cannot be said."""
    config: JsonObject = {}
    if (effort := render_effort(request)) is not None:
        config["effort"] = effort
    form = request.response_format
    if form is not None and form.kind == "json_schema":
        config["format"] = {"type": "json_schema", "schema": form.schema}
    return {"output_config": config} if config else {}


def _stop(request: Generate) -> JsonObject:
    return {"stop_sequences": [*request.stop]} if request.stop else {}


def _stream(request: Generate) -> JsonObject:
    return {"stream": True} if request.stream else {}


def _user(request: Generate) -> JsonObject:
    return {"metadata": {"user_id": request.user}} if request.user else {}


def _one(request: Generate) -> JsonObject:
    """Refuses to ask for several answers: this wire gives one."""
    if request.n != 1:
        raise invalid("invalid n, this model gives one answer to a request.", "n")
    return {}


def _extra(request: Generate) -> JsonObject:
    known: dict[str, JsonValue] = {name: value for name, value in request.extra.items() if name not in FIELDS}
    known.pop(SERVER_TOOLS, None)
    return known


_TOOL_CHOICE = _Rendering(("tool_choice",), render_tool_choice)
_OUTPUT = _Rendering(("thinking", "output_config", "output_format"), _thinking)
_COUNT = _Rendering((), _one)

RENDERINGS: dict[str, _Rendering] = {
    "max_tokens": _Rendering(("max_tokens",), _max_tokens),
    "messages": _Rendering(("system", "messages"), _messages),
    "tools": _Rendering(("tools",), render_tools),
    "tool_choice": _TOOL_CHOICE,
    "parallel_tool_calls": _TOOL_CHOICE,
    "sampling": _Rendering(("temperature", "top_p", "top_k"), _sampling),
    "stop": _Rendering(("stop_sequences",), _stop),
    "response_format": _OUTPUT,
    "reasoning": _OUTPUT,
    "stream": _Rendering(("stream",), _stream),
    "user": _Rendering(("metadata",), _user),
}
"""By the attribute of `Generate`. Attributes without a row (`card`, `session`, `n`, ...) are not said."""
