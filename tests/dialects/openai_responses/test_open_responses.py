"""The seven checks of the Open Responses specification, as far as they concern what we write.

Each check's request gets a scripted answer. The whole of it and each event of its stream are held against the
specification: the fields that it requires, and their types.
"""

import msgspec
import pytest

from rixin.core.events import Event, Finish, Start, Text, ToolArguments, ToolEnd, ToolStart
from rixin.core.messages import ImagePart, TextPart
from rixin.core.responses import collect
from rixin.core.usage import Usage
from rixin.dialects.openai_responses import DIALECT
from tests.dialects.openai_responses.asking import ask, fresh_stamp, told, write
from tests.support.open_responses import (
    CHECKS,
    IMAGE,
    ReasoningField,
    ResponseResource,
    SchemaForm,
    check_events,
    check_response,
)

START = Start(id="x", created=1, model="true")
USAGE = Usage(prompt=7, completion=5)
GREETING: list[Event] = [START, Text(text="Hello"), Text(text=" there"), Finish(reason="stop"), USAGE]
CALLING: list[Event] = [
    START,
    ToolStart(index=0, id="call_1", name="get_weather"),
    ToolArguments(index=0, text='{"location":'),
    ToolArguments(index=0, text='"Paris"}'),
    ToolEnd(index=0),
    Finish(reason="tool_calls"),
    USAGE,
]
ANSWERS = {check: CALLING if check.startswith("tool") else GREETING for check in CHECKS}


@pytest.mark.parametrize("check", CHECKS)
def test_a_whole_answer_is_by_the_schema(check: str) -> None:
    """Every required field is there, with its type, and the response is completed with an output."""
    check_response(check, DIALECT.render_response(collect(ANSWERS[check]), ask(**CHECKS[check]), fresh_stamp()))


@pytest.mark.parametrize("check", CHECKS)
def test_every_event_of_a_stream_is_by_the_schema(check: str) -> None:
    """Each type is known, has its fields, and parts stand around the words."""
    stream = write(ask(**CHECKS[check]), ANSWERS[check])
    check_events(check, told(stream))
    assert stream.endswith(b"data: [DONE]\n\n")
    assert b"\nid:" not in stream


def test_a_schema_is_told_back_whole() -> None:
    """Also what the client left out of it."""
    form = {"type": "json_schema", "name": "n", "schema": {"type": "object"}}
    body = DIALECT.render_response(
        collect(GREETING), ask(text={"format": form}, reasoning={"effort": "low"}), fresh_stamp()
    )
    resource = msgspec.json.decode(body, type=ResponseResource)
    assert isinstance(resource.text.format, SchemaForm)
    assert resource.reasoning == ReasoningField(effort="low", summary=None)


def test_an_image_reaches_the_model() -> None:
    """What the check's image is read as."""
    assert ask(**CHECKS["image-input"]).messages[0].parts == (TextPart("What is this?"), ImagePart(url=IMAGE))
