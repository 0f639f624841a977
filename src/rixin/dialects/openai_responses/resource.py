"""The response object, without which no event and no answer is whole.

Sources: OpenAI's Responses reference; the Open Responses specification, which requires every field below.
"""

from typing import Literal, TypeAlias

import msgspec
from msgspec import Raw

from rixin.core.events import FinishReason
from rixin.core.json import JsonObject, JsonValue
from rixin.core.requests import Generate
from rixin.core.usage import Usage
from rixin.dialects.base import Stamp
from rixin.dialects.decoding import decode_any, decode_fields
from rixin.dialects.openai_responses.wire import NAME

Status: TypeAlias = Literal["in_progress", "completed", "incomplete", "failed", "cancelled"]

INCOMPLETE: dict[FinishReason, str] = {
    "length": "max_output_tokens",
    "context": "max_output_tokens",
    "content_filter": "content_filter",
}
"""Finish reasons that leave an answer incomplete, and how this wire calls them."""

_ECHOED: dict[str, JsonValue] = {
    "previous_response_id": None,
    "instructions": None,
    "conversation": None,
    "truncation": "disabled",
    "store": True,
    "background": False,
    "service_tier": "default",
    "metadata": {},
    "safety_identifier": None,
    "prompt_cache_key": None,
    "max_tool_calls": None,
}
"""Fields that are told as the client sent them, and what they are otherwise."""

_DECLARED = ("tools", "tool_choice", "parallel_tool_calls")

_NEUTRAL: dict[str, float] = {"temperature": 1, "top_p": 1, "presence_penalty": 0, "frequency_penalty": 0}

_ENCODER = msgspec.json.Encoder()


class Resource:
    """The response object of one request.

    Args:
        request: What is answered.
        stamp: Identity and time.
    """

    def __init__(self, request: Generate, stamp: Stamp) -> None:
        self.id = stamp.new_id("resp_")
        self._stamp = stamp
        # What does not change is encoded once: the tools of an agent are long, and each snapshot repeats them.
        self._constant = {name: Raw(_ENCODER.encode(value)) for name, value in _constant(request).items()}

    def render(
        self,
        status: Status,
        output: list[JsonValue],
        *,
        reason: FinishReason | None = None,
        usage: Usage | None = None,
        error: JsonObject | None = None,
    ) -> dict[str, object]:
        """The object as it is in a state.

        Args:
            status: The state.
            output: The items.
            reason: Why the model stopped; it explains `incomplete`.
            usage: What was used; None while that is not known.
            error: Why the response failed.
        """
        ended = status in ("completed", "incomplete")
        now = self._stamp.now
        return {
            "id": self.id,
            "object": "response",
            "created_at": self._stamp.created,
            "completed_at": (now() if now is not None else self._stamp.created) if ended else None,
            "status": status,
            "error": error,
            "incomplete_details": {"reason": INCOMPLETE[reason]} if status == "incomplete" and reason else None,
            "output": output,
            "usage": render_usage(usage or Usage()) if ended or usage is not None else None,
            **self._constant,
        }


def status_of(reason: FinishReason) -> Status:
    """The state of a response whose model stopped for a reason."""
    return "incomplete" if reason in INCOMPLETE else "completed"


def render_usage(usage: Usage) -> JsonObject:
    """All five counts. Retrieved passages were read by the model, and this wire has no other word for them."""
    prompt = usage.prompt + usage.knowledge
    return {
        "input_tokens": prompt,
        "input_tokens_details": {"cached_tokens": min(usage.cached, prompt)},
        "output_tokens": usage.completion,
        "output_tokens_details": {"reasoning_tokens": min(usage.reasoning, usage.completion)},
        "total_tokens": prompt + usage.completion,
    }


def _constant(request: Generate) -> JsonObject:
    extra = request.extra
    constant: JsonObject = {"model": request.model}
    for name, default in _ECHOED.items():
        constant[name] = extra.get(name, default)
    for name, neutral in _NEUTRAL.items():
        constant[name] = _number(request, name, neutral)
    if isinstance(name := constant["conversation"], str):
        constant["conversation"] = {"id": name}
    declared = _declared(request)
    tools = declared.get("tools")
    text, reasoning = extra.get("text"), extra.get("reasoning")
    return {
        **constant,
        "tools": [_tool(tool) for tool in tools] if isinstance(tools, list) else [],
        "tool_choice": declared.get("tool_choice") or "auto",
        "parallel_tool_calls": declared.get("parallel_tool_calls") is not False,
        "text": _text(text if isinstance(text, dict) else {}),
        "reasoning": {"effort": None, "summary": None, **(reasoning if isinstance(reasoning, dict) else {})},
        "max_output_tokens": request.max_tokens,
        "top_logprobs": request.top_logprobs or 0,
        "user": request.user,
    }


def _declared(request: Generate) -> JsonObject:
    """What the client said of its tools, as it said it: the request's own are in another form."""
    origin = request.origin
    if origin is None or origin.dialect != NAME:
        return {}
    fields = decode_fields(origin.body)
    return {name: decode_any(fields[name]) for name in _DECLARED if name in fields}


def _number(request: Generate, name: str, neutral: float) -> JsonValue:
    """A sampling parameter: the client's, else what the model is known to use."""
    asked: float | None = getattr(request.sampling, name)
    if asked is not None:
        return asked
    rule = request.card.fields.get(name)
    known = rule.default if rule is not None else None
    return known if isinstance(known, int | float) and not isinstance(known, bool) else neutral


def _text(text: JsonObject) -> JsonObject:
    """How the words were to be; of a schema every field is there."""
    given = text.get("format")
    form: JsonObject = given if isinstance(given, dict) else {"type": "text"}
    if form.get("type") == "json_schema":
        form = {"name": "answer", "description": None, "strict": False, **form}
    return {"format": form, **{name: value for name, value in text.items() if name != "format"}}


def _tool(tool: JsonValue) -> JsonValue:
    """A tool as it is told back; of a function every field is there."""
    if not isinstance(tool, dict) or tool.get("type") != "function":
        return tool
    return {"description": None, "parameters": None, "strict": None, **tool}
