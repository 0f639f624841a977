"""`POST /v1/responses/compact`: a conversation in, its user's messages and one item that stands for the rest out.

Source: OpenAI's Responses reference, compaction.
"""

import msgspec

from rixin.core.json import JsonValue
from rixin.core.requests import Generate
from rixin.core.responses import Response
from rixin.core.usage import Usage
from rixin.dialects.base import Call, CardOf, Stamp
from rixin.dialects.decoding import decode_any, decode_fields
from rixin.dialects.openai_responses.history import named, read_items
from rixin.dialects.openai_responses.items import COMPACTION_TRIGGER
from rixin.dialects.openai_responses.output import OUTPUT_ITEM
from rixin.dialects.openai_responses.request import parse_response_request
from rixin.dialects.openai_responses.resource import render_usage
from rixin.dialects.openai_responses.wire import NAME
from rixin.errors import invalid

_ROUTE = "compact"
_ENCODER = msgspec.json.Encoder()


def parse_compact(call: Call, card_of: CardOf) -> Generate:
    """Reads a request to compact a conversation. Raises as `parse_response_request` does, and where there is none."""
    request = parse_response_request(call, card_of)
    if not request.messages:
        raise invalid("invalid input, should have at least one item.", "input")
    extra = {**request.extra, COMPACTION_TRIGGER: True, _ROUTE: True, "store": False}
    return msgspec.structs.replace(request, stream=False, extra=extra)


def is_compact(request: Generate) -> bool:
    """Whether a request came over this route."""
    return _ROUTE in request.extra


def render_compact(response: Response, request: Generate, stamp: Stamp) -> bytes:
    """The body of the answer."""
    identity = stamp.new_id("resp_")
    return _ENCODER.encode(
        {
            "id": identity,
            "object": "response.compaction",
            "created_at": stamp.created,
            "output": [
                *_user_messages(request, identity),
                *(item.value for item in response.opaque if (item.dialect, item.kind) == (NAME, OUTPUT_ITEM)),
            ],
            "usage": render_usage(response.usage or Usage()),
        }
    )


def _user_messages(request: Generate, identity: str) -> list[JsonValue]:
    assert request.origin is not None  # noqa: S101 - what this dialect parses has an origin
    given = decode_fields(request.origin.body).get("input")
    items = named(read_items(None if given is None else decode_any(given)), identity)
    return [{**item, "status": "completed"} for item in items if item.get("role") == "user"]
