"""The whole answer that most are: one choice, its words and perhaps its thoughts, and OpenAI's usage.

It is recognised as it is decoded, in one step, and holds nothing else that could mean something; whatever else comes is
read by the rules of `chunks`.
"""

from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta, Raw, Struct

from rixin.core.events import Event, Finish, FinishReason, Reasoning, Start, Text
from rixin.core.usage import Usage

_ABSENT = Raw(b"")
_PLAIN_FINISHES: dict[str, FinishReason] = {"stop": "stop", "length": "length"}

_Count: TypeAlias = Annotated[int, Meta(ge=0)]
_Nothing: TypeAlias = Annotated[list[Raw], Meta(max_length=0)] | None


class _PromptDetails(Struct, forbid_unknown_fields=True):
    cached_tokens: _Count | None = None
    audio_tokens: Raw = _ABSENT


class _CompletionDetails(Struct, forbid_unknown_fields=True):
    reasoning_tokens: _Count | None = None
    audio_tokens: Raw = _ABSENT
    accepted_prediction_tokens: Raw = _ABSENT
    rejected_prediction_tokens: Raw = _ABSENT


class _Usage(Struct, forbid_unknown_fields=True):
    prompt_tokens: _Count
    completion_tokens: _Count
    total_tokens: _Count
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None


class _Message(Struct, forbid_unknown_fields=True):
    content: str
    role: Raw = _ABSENT
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: None = None
    tool_calls: _Nothing = None
    function_call: None = None
    annotations: _Nothing = None
    audio: None = None


class _Choice(Struct, forbid_unknown_fields=True):
    index: int
    message: _Message
    finish_reason: str
    logprobs: None = None
    stop_reason: None = None
    token_ids: Raw = _ABSENT
    content_filter_results: Raw = _ABSENT


class _Answer(Struct, forbid_unknown_fields=True):
    """Fields of `Raw` tell of the upstream's machinery."""

    choices: tuple[_Choice]
    id: str = ""
    created: int = 0
    model: str = ""
    usage: _Usage | None = None
    error: None = None
    request_id: Raw = _ABSENT
    object: Raw = _ABSENT
    system_fingerprint: Raw = _ABSENT
    service_tier: Raw = _ABSENT
    provider: Raw = _ABSENT
    prompt_logprobs: Raw = _ABSENT
    prompt_token_ids: Raw = _ABSENT
    kv_transfer_params: Raw = _ABSENT
    timings: Raw = _ABSENT


_decode = msgspec.json.Decoder(_Answer).decode


def read_plain(body: bytes) -> list[Event] | None:
    """The events of a whole answer that is plain; None where all the rules are needed to tell them."""
    try:
        answer = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    [choice] = answer.choices
    message, finish = choice.message, _PLAIN_FINISHES.get(choice.finish_reason)
    if not message.content or finish is None:
        return None
    index = choice.index
    events: list[Event] = [Start(id=answer.id, created=answer.created, model=answer.model)]
    if thoughts := message.reasoning_content or message.reasoning:
        events.append(Reasoning(text=thoughts, choice=index))
    events += Text(text=message.content, choice=index), Finish(reason=finish, choice=index)
    if answer.usage is not None:
        events.append(_counted(answer.usage))
    return events


def _counted(usage: _Usage) -> Usage:
    prompt, completion = usage.prompt_tokens, usage.completion_tokens
    details, answer_details = usage.prompt_tokens_details, usage.completion_tokens_details
    cached = (details.cached_tokens if details is not None else None) or 0
    reasoning = (answer_details.reasoning_tokens if answer_details is not None else None) or 0
    if reasoning and usage.total_tokens == prompt + completion + reasoning:
        completion += reasoning  # as in `usage`
    return Usage(prompt=prompt, completion=completion, cached=min(cached, prompt), reasoning=min(reasoning, completion))
