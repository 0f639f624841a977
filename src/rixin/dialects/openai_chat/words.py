"""The chunk that streams are made of: one choice, and some words of it.

Hundreds of these come for each chunk of another kind. They are recognised as they are decoded, in one step, and hold
nothing else that could mean something; whatever else comes is read by the rules of `chunks`.
"""

import msgspec
from msgspec import Raw, Struct

_ABSENT = Raw(b"")


class _Delta(Struct, forbid_unknown_fields=True):
    content: str
    role: Raw = _ABSENT
    name: Raw = _ABSENT
    reasoning: None = None
    reasoning_content: None = None
    refusal: None = None
    tool_calls: None = None
    function_call: None = None
    annotations: None = None


class _Choice(Struct, forbid_unknown_fields=True):
    index: int
    delta: _Delta
    logprobs: None = None
    finish_reason: None = None
    stop_reason: None = None
    token_ids: Raw = _ABSENT
    content_filter_results: Raw = _ABSENT


class _Chunk(Struct, forbid_unknown_fields=True):
    """Fields of `Raw` tell of the upstream's machinery, or what the stream's first chunk has told already."""

    choices: tuple[_Choice]
    usage: None = None
    id: Raw = _ABSENT
    request_id: Raw = _ABSENT
    object: Raw = _ABSENT
    created: Raw = _ABSENT
    model: Raw = _ABSENT
    system_fingerprint: Raw = _ABSENT
    service_tier: Raw = _ABSENT
    provider: Raw = _ABSENT
    obfuscation: Raw = _ABSENT


_decode = msgspec.json.Decoder(_Chunk).decode


def words_of(data: str) -> tuple[int, str] | None:
    """The index of the choice and the words, where a chunk holds nothing else."""
    try:
        [choice] = _decode(data).choices
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None
    content = choice.delta.content
    return (choice.index, content) if content else None
