"""Turns of sessions: what golden cases do not show."""

import json
from typing import Any

import pytest
from msgspec import structs

from rixin.core.events import Event, Finish, Reasoning, Start, Text
from rixin.core.messages import Opaque
from rixin.core.requests import Generate
from rixin.core.responses import collect
from rixin.core.usage import Usage
from rixin.dialects.base import Call, Snapshots
from rixin.dialects.openai_chat import DIALECT as OPENAI_CHAT
from rixin.dialects.sensenova_native import DIALECT, TURNS
from rixin.dialects.sensenova_native.turns import parse_turn, read_told
from rixin.dialects.sensenova_native.wire import NAME
from tests.dialects.support import STAMP, card_of

START = Start(id="x", created=1, model="m")
OWN: dict[str, Any] = {"session_id": "s", "content": "Hi", "action": "next"}
NOTE = {"id": "t_1", "claim": 4, "before": 1}


def ask_turn(**fields: Any) -> Generate:
    """Parses a turn's body that a conversation of two turns was put into."""
    said = ["Be brief.", "Hello", "Hello!", "Hi"]
    roles = ["system", "user", "assistant", "user"]
    messages = [{"role": role, "content": words} for role, words in zip(roles, said, strict=True)]
    body = {"model": "up-model", **OWN, "messages": messages, "turn": NOTE, **fields}
    return parse_turn(Call(body=json.dumps(body).encode()), card_of)


def test_a_turn_knows_where_the_turns_before_it_begin() -> None:
    """After what stands before all of them."""
    turn = ask_turn().turn
    assert turn is not None
    assert (turn.session, turn.id, turn.claim, turn.starts) == ("s", "t_1", 4, (1, 3))


def test_a_turn_without_its_session_is_nobodys() -> None:
    """A route that nobody keeps sessions for cannot answer it."""
    with pytest.raises(TypeError):
        ask_turn(turn=None)


@pytest.mark.parametrize("dialect", [DIALECT, OPENAI_CHAT], ids=lambda dialect: dialect.name)
def test_no_upstream_is_sent_what_only_a_session_has(dialect: Any) -> None:
    """It gets a chat; one of the same platform gets what rides along, too."""
    body = dialect.upstream.build_body(ask_turn(know_ids=["k"], max_new_tokens=5))
    assert not body.keys() & {*OWN, "turn"}
    assert [message["content"] for message in body["messages"]] == ["Be brief.", "Hello", "Hello!", "Hi"]
    assert body.get("know_ids") == (["k"] if dialect is DIALECT else None)


def test_what_a_reasoner_thinks_and_an_upstream_adds_stand_beside_the_words() -> None:
    """Whole and streamed; what would replace a field of ours does not."""
    events: list[Event] = [
        START, Reasoning(text="Hm."), Text(text="Yes."),
        Opaque(dialect=NAME, kind="plugins", value={"web": 1}), Opaque(dialect=NAME, kind="turn_id", value="forged"),
        Usage(prompt=5, completion=2, knowledge=3), Finish(reason="length"),
    ]  # fmt: skip
    data = json.loads(TURNS.render_response(collect(events), ask_turn(), STAMP))["data"]
    usage = {"prompt_tokens": 5, "knowledge_tokens": 3, "completion_tokens": 2, "total_tokens": 10}
    assert data == {
        "message": "Yes.", "reasoning_content": "Hm.", "finish_reason": "length", "session_id": "s", "turn_id": "t_1",
        "usage": usage, "plugins": {"web": 1},
    }  # fmt: skip
    writer = TURNS.writer(ask_turn(stream=True), STAMP)
    stream = (writer.feed(events) + writer.close()).decode().split("\n\n")[:-2]
    chunks = [json.loads(event.removeprefix("data:"))["data"] for event in stream]
    assert chunks[0]["reasoning_content"] == "Hm."
    assert chunks[2]["plugins"] == {"web": 1}
    assert {chunk["turn_id"] for chunk in chunks} == {"t_1"}


def test_a_turn_that_has_filled_the_window_says_so() -> None:
    """Whole, streamed, and as it is kept."""
    request = ask_turn(stream=True)
    request = structs.replace(request, card=structs.replace(request.card, context_length=7))
    events: list[Event] = [START, Text(text="Yes."), Finish(reason="length"), Usage(prompt=5, completion=2)]
    assert json.loads(TURNS.render_response(collect(events), request, STAMP))["data"]["finish_reason"] == "context"
    writer = TURNS.writer(request, STAMP)
    assert isinstance(writer, Snapshots)
    assert b'"finish_reason":"context"' in writer.feed(events) + writer.close()
    assert read_told(writer.snapshot()).finish_reason == "context"


def test_a_snapshot_tells_whether_the_answer_is_whole() -> None:
    """Only what was closed has a finish reason: an answer may be cut after its last word, too."""
    writer = TURNS.writer(ask_turn(stream=True), STAMP)
    assert isinstance(writer, Snapshots)
    writer.feed([START, Reasoning(text="Hm."), Text(text="Y"), Text(text="es")])
    assert (read_told(writer.snapshot()).message, read_told(writer.snapshot()).finish_reason) == ("Yes", "")
    writer.feed([Finish(reason="stop")])
    assert read_told(writer.snapshot()).finish_reason == ""
    writer.close()
    assert read_told(writer.snapshot()).finish_reason == "stop"
