"""The body that an upstream is sent.

A request that came in this dialect goes out as its client wrote it, but for the model's name and what was edited on the
way; any other is rendered from the core's language. What this wire cannot say and the answer depends on (tools, stop
sequences, a form of the answer) is refused by name.
"""

from collections.abc import Callable
from math import ceil
from typing import NamedTuple

import msgspec

from rixin.core.estimate import estimate_prompt
from rixin.core.json import JsonObject, JsonValue
from rixin.core.requests import Generate
from rixin.dialects.decoding import decode_object
from rixin.dialects.sensenova_native.bounds import CHAT, COMPLETION, Bounds, fit
from rixin.dialects.sensenova_native.conversation import render_messages
from rixin.dialects.sensenova_native.wire import NAME, ChatBody, CompletionBody
from rixin.errors import invalid

_ERROR = 1.25
"""By how much an estimate of tokens may be too low."""


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
        _check_sayable(request)
        body: JsonObject = {"model": request.card.target}
        for rendering in RENDERINGS.values():
            body.update(rendering.render(request))
        return body
    body = decode_object(origin.body)
    body["model"] = request.card.target
    if "extra" in request.edited:
        body = {name: value for name, value in body.items() if name in _KNOWN} | request.extra
    for name in request.edited & RENDERINGS.keys():
        rendering = RENDERINGS[name]
        for field in rendering.fields:
            body.pop(field, None)
        body.update(rendering.render(request))
    return body


def unsaid(request: Generate) -> tuple[str, ...]:
    """How another dialect wanted tokens drawn and this wire cannot say: see `_sampling` for what it can."""
    sampling = request.sampling
    said = {"temperature", "top_p", "repetition_penalty"}
    if sampling.repetition_penalty is None:
        said.add("frequency_penalty")
    asked = msgspec.structs.asdict(sampling).items()
    return tuple(name for name, value in asked if value is not None and name not in said)


def _check_sayable(request: Generate) -> None:
    form = request.response_format
    unsayable = {
        "tools": bool(request.tools),
        "stop": bool(request.stop) and request.prompt is None,
        "response_format": form is not None and form.kind != "text",
        "logprobs": request.logprobs,
    }
    for field, present in unsayable.items():
        if present:
            raise invalid(f"invalid {field}, this model's API has no such field.", field)


def _messages(request: Generate) -> JsonObject:
    return {"messages": render_messages(request)} if request.prompt is None else {"prompt": request.prompt}


def _bounds(request: Generate) -> Bounds:
    return CHAT if request.prompt is None else COMPLETION


def _max_tokens(request: Generate) -> JsonObject:
    """The limit. Where nobody gave one it is what the window leaves: unsaid, the platform's would be 1024."""
    card, wanted = request.card, request.max_tokens
    if wanted is None and card.max_output_length is not None:
        wanted = card.max_output_length
        if card.context_length is not None:
            wanted = min(wanted, max(1, card.context_length - ceil(_ERROR * estimate_prompt(request))))
    return {} if wanted is None else {"max_new_tokens": int(fit(_bounds(request), "max_new_tokens", wanted))}


def _sampling(request: Generate) -> JsonObject:
    """The three that this wire knows, moved into their ranges, which are open where others' are closed.

    A frequency penalty stands in for a repetition penalty: its range is laid over the other one.
    """
    sampling = request.sampling
    repetition = sampling.repetition_penalty
    if repetition is None and sampling.frequency_penalty is not None:
        repetition = (sampling.frequency_penalty + 2) / 2
    fields = {"temperature": sampling.temperature, "top_p": sampling.top_p, "repetition_penalty": repetition}
    return {name: fit(_bounds(request), name, value) for name, value in fields.items() if value is not None}


def _thinking(request: Generate) -> JsonObject:
    wanted = request.reasoning.wanted
    return {} if wanted is None else {"thinking": {"enabled": wanted}}


def _given(name: str, value: JsonValue) -> JsonObject:
    return {name: value} if value else {}


def _count(request: Generate) -> JsonObject:
    return _given("n", 0 if request.n == 1 else request.n)


def _stop(request: Generate) -> JsonObject:
    return _given("stop", [*request.stop])


def _stream(request: Generate) -> JsonObject:
    return _given("stream", request.stream)


def _user(request: Generate) -> JsonObject:
    return _given("user", request.user)


_MESSAGES = _Rendering(("messages", "prompt"), _messages)
_KNOWN = frozenset({*ChatBody.__struct_fields__, *CompletionBody.__struct_fields__})

RENDERINGS: dict[str, _Rendering] = {
    "messages": _MESSAGES,
    "prompt": _MESSAGES,
    "max_tokens": _Rendering(("max_new_tokens",), _max_tokens),
    "sampling": _Rendering(("temperature", "top_p", "repetition_penalty"), _sampling),
    "stop": _Rendering(("stop",), _stop),
    "n": _Rendering(("n",), _count),
    "reasoning": _Rendering(("thinking",), _thinking),
    "stream": _Rendering(("stream",), _stream),
    "user": _Rendering(("user",), _user),
}
"""By the attribute of `Generate`. Attributes without a row (`card`, `session`, `origin`, ...) are not said."""
