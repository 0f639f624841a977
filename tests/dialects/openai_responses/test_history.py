"""Input items as they are kept, listed and put in front."""

from typing import Any

import pytest

from rixin.core.json import JsonObject
from rixin.core.messages import ReasoningPart
from rixin.dialects.openai_responses.history import (
    by_id,
    continued,
    named,
    read_items,
    references,
    resolved,
    with_thoughts,
)
from rixin.errors import Kind, RixinError

HELLO: JsonObject = {"role": "user", "content": "Hi"}
CALL: JsonObject = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}


def test_a_bare_text_is_the_users_message() -> None:
    """A list holds its items; what is no item is the parser's to refuse."""
    assert read_items("Hi") == [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}]
    assert read_items([HELLO, "x", 1]) == [HELLO]
    assert read_items(None) == []


def test_every_listed_item_has_a_type_and_an_id_of_its_own() -> None:
    """Those that clients gave stay, and no new one is the same."""
    items = named([HELLO, {**CALL, "id": "msg_xi0"}, HELLO, {"type": "x_new", "id": ""}], "resp_x")
    assert [item["id"] for item in items] == ["msg_xi1", "msg_xi0", "msg_xi2", "item_xi3"]
    assert [item["type"] for item in items] == ["message", "function_call", "message", "x_new"]


def test_listed_messages_have_parts() -> None:
    """By who said them."""
    items: Any = named([HELLO, {"type": "message", "id": "m", "role": "assistant", "content": "Yes"}], "resp_x")
    assert [item["content"][0]["type"] for item in items] == ["input_text", "output_text"]


def test_k2_a_conversation_goes_on_from_its_last_compaction() -> None:
    """What stood before it is in it."""
    first, second = ({"type": "compaction", "id": f"cmp_{n}", "encrypted_content": "x"} for n in range(2))
    assert continued([HELLO, {**first}, HELLO, {**second}, CALL]) == [{**second}, CALL]
    assert continued([HELLO, CALL]) == [HELLO, CALL]


def test_s6_half_a_call_is_not_gone_on_from() -> None:
    """Nobody ran it; what was said before it stays, also where that was cut."""
    half: JsonObject = {**CALL, "status": "incomplete", "arguments": '{"a'}
    said: JsonObject = {"type": "message", "role": "assistant", "content": [], "status": "incomplete"}
    assert continued([HELLO, said, {**CALL, "status": "completed"}, half]) == [
        HELLO,
        said,
        {**CALL, "status": "completed"},
    ]


@pytest.mark.parametrize("reference", [{"type": "item_reference", "id": "msg_1"}, {"id": "msg_1"}])
def test_r29_a_reference_becomes_what_it_names(reference: JsonObject) -> None:
    """Where it stands; an item that merely has an id is none."""
    item: JsonObject = {"type": "message", "id": "msg_1", "role": "user", "content": "Hi"}
    assert references([item, HELLO, reference]) == {2: "msg_1"}
    assert resolved([HELLO, reference], by_id([item]).get) == [HELLO, item]
    with pytest.raises(RixinError) as caught:
        resolved([HELLO, reference], by_id([]).get)
    assert (caught.value.kind, caught.value.param) == (Kind.NOT_FOUND, "input[1].id")


def test_r18_envelopes_are_replaced_where_they_stand() -> None:
    """By what their upstream gave; one that holds nothing for it goes, unless its words stand beside it."""
    thought: JsonObject = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "ours"}
    foreign: JsonObject = {**thought, "encrypted_content": "foreign"}
    words: JsonObject = {**thought, "content": [{"type": "reasoning_text", "text": "Hm."}]}
    theirs: dict[str, ReasoningPart | None] = {"ours": ReasoningPart(text="Hm.", signature="sig"), "foreign": None}
    nobodys: dict[str, ReasoningPart | None] = {"ours": ReasoningPart(text="Hm."), "foreign": None}
    assert with_thoughts([HELLO, thought, foreign, CALL], theirs) == [
        HELLO,
        {**thought, "encrypted_content": "sig"},
        CALL,
    ]
    assert with_thoughts([thought, words], nobodys) == [
        {"type": "reasoning", "summary": [], "content": words["content"]}
    ]
    unknown: JsonObject = {**thought, "encrypted_content": "other"}
    assert with_thoughts([unknown], theirs) == [unknown]
    assert with_thoughts("Hi", theirs) == "Hi"
