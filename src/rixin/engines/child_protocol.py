"""What a worker and an engine child say to each other over HTTP, beside Chat Completions.

| route | what |
| --- | --- |
| `POST /v1/chat/completions` | Chat Completions; a body with `prompt` instead of `messages` is a text completion |
| `POST /v1/count` | the same body to `PromptTokens` |
| `GET /v1/load` | a `Load`, and `{"pool_used", "pool"}` in tokens |

A stream's comments hold a `Sign` each. The child sends one whenever it knows something new of a request that has not
been answered yet, at most one a second and at least one every five, so that its silence means that it is stuck.
"""

import re

import msgspec
from msgspec import Struct

from rixin.engines.base import Sign

GENERATE_PATH = "/v1/chat/completions"
COUNT_PATH = "/v1/count"
LOAD_PATH = "/v1/load"
FAIRNESS_HEADER = "x-rixin-key"
"""Who asks; the queue takes turns between them."""

_COMMENT = re.compile(rb"^: ?(\{.*\})\r?$", re.MULTILINE)
_DECODER = msgspec.json.Decoder(Sign)


class PromptTokens(Struct, frozen=True):
    """What the engine child answers when it counts."""

    prompt_tokens: int


def encode_sign(sign: Sign) -> bytes:
    """A sign of life as a comment of an event stream."""
    return b": %s\n\n" % msgspec.json.encode(sign)


def last_sign(data: bytes) -> Sign | None:
    """The last sign of life among these bytes of a stream; None where they hold no whole one."""
    comments = _COMMENT.findall(data)
    try:
        return _DECODER.decode(comments[-1]) if comments else None
    except msgspec.DecodeError:
        return None
