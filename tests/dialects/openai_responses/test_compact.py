"""`POST /v1/responses/compact`, read and answered."""

import json
from typing import Any

import msgspec
import pytest

from rixin.core.events import Finish, Start
from rixin.core.messages import Opaque
from rixin.core.requests import Generate
from rixin.core.responses import collect
from rixin.core.usage import Usage
from rixin.dialects.base import Call
from rixin.dialects.openai_responses import DIALECT
from rixin.errors import RixinError
from tests.dialects.openai_responses.asking import fresh_stamp
from tests.dialects.support import card_of

ITEM: dict[str, Any] = {"type": "compaction", "id": "cmp_1", "encrypted_content": "rx1.x"}


def compact(**fields: Any) -> Generate:
    """Parses a body by the route."""
    [route] = [route for route in DIALECT.routes if "/v1/responses/compact" in route.paths]
    request = route.parse(Call(body=msgspec.json.encode({"model": "up-model", **fields})), card_of)
    assert isinstance(request, Generate)
    return request


def test_k1_the_conversation_is_to_be_summed_up_and_not_streamed() -> None:
    """Whatever the body says of streaming and storing."""
    request = compact(input="Hi", stream=True, store=True)
    assert request.extra["compaction_trigger"] is True
    assert (request.stream, request.extra["store"]) == (False, False)


def test_k1_the_answer_is_the_users_messages_and_one_compaction() -> None:
    """With the usage of the summing up; nothing of what the model said or did."""
    history = [
        {"role": "developer", "content": "Be kind."},
        {"role": "user", "content": "One"},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "x"},
        {"role": "assistant", "content": "Hm."},
        {"type": "message", "role": "user", "id": "msg_u", "content": [{"type": "input_text", "text": "Two"}]},
    ]
    events = [
        Start(id="x", created=1, model="m"),
        Opaque(dialect="openai_responses", kind="output_item", value=ITEM, choice=0),
        Usage(prompt=100, completion=9),
        Finish(reason="stop"),
    ]
    body = json.loads(DIALECT.render_response(collect(events), compact(input=history), fresh_stamp()))
    assert body["object"] == "response.compaction"
    assert [item["type"] for item in body["output"]] == ["message", "message", "compaction"]
    assert [item["content"][0]["text"] for item in body["output"][:2]] == ["One", "Two"]
    assert (body["output"][1]["id"], body["output"][2]) == ("msg_u", ITEM)
    assert body["usage"]["total_tokens"] == 109


@pytest.mark.parametrize("fields", [{}, {"input": []}])
def test_k1_nothing_cannot_be_summed_up(fields: dict[str, Any]) -> None:
    """The field is named."""
    with pytest.raises(RixinError) as caught:
        compact(**fields)
    assert caught.value.param == "input"
