"""Bodies read. The ids in the names are the rows of our table of hard cases that a test stands for."""

import json
from typing import Any

import pytest

from rixin.core.messages import Message, TextPart
from rixin.errors import Kind, RixinError
from tests.dialects.openai_responses.asking import SCHEMA, ask, call, chat_of, function, output


def test_instructions_come_first() -> None:
    """They are the first system message."""
    messages = ask(instructions="Be brief.", input="Hi").messages
    assert messages[0] == Message(role="system", parts=(TextPart("Be brief."),))


@pytest.mark.parametrize("value", [None, "", []])
def test_t12_nothing_at_all_is_asked(value: Any) -> None:
    """Agents do so to see whether anybody answers; there is nothing in it that is wrong."""
    assert ask(input=value).messages == ()


def test_r26_the_form_of_the_answer() -> None:
    """`text.format` is the response format; the verbosity rides along."""
    form = {"type": "json_schema", "name": "out", "schema": SCHEMA, "strict": True}
    request = ask(text={"format": form, "verbosity": "low"})
    assert request.response_format is not None
    assert (request.response_format.name, request.response_format.schema) == ("out", SCHEMA)
    assert request.extra["text"] == {"format": form, "verbosity": "low"}
    assert chat_of(request)["response_format"]["json_schema"]["strict"] is True


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"text": {"format": {"type": "poem"}}}, "text.format.type"),
        ({"text": {"format": {"type": "json_schema"}}}, "text.format.schema"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"temperature": 2.5}, "temperature"),
        ({"top_p": -1}, "top_p"),
        ({"top_logprobs": 21}, "top_logprobs"),
        ({"stop": [""]}, "stop"),
        ({"stream": "yes"}, "stream"),
        ({"model": ""}, "model"),
        ({"tools": ["x"]}, "tools[0]"),
        ({"tool_choice": "required"}, "tool_choice"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, Any], param: str) -> None:
    """The error says which field is at fault."""
    with pytest.raises(RixinError) as caught:
        ask(**fields)
    assert (caught.value.kind, caught.value.param) == (Kind.INVALID_REQUEST, param)


def test_r27_the_limit_of_the_answer() -> None:
    """`max_output_tokens` is the limit, also beyond what the model gives: a profile clamps it."""
    assert ask(model="sensenova-6.7-flash-lite", max_output_tokens=128000).max_tokens == 128000


@pytest.mark.parametrize("effort", ["none", "minimal", "low", "xhigh", "max", "ultra"])
def test_r28_every_word_for_effort_is_taken(effort: str) -> None:
    """An agent does not know the model's vocabulary; a profile finds the nearest word."""
    request = ask(model="sensenova-6.7-flash-lite", reasoning={"effort": effort, "context": "all_turns"})
    assert request.reasoning.effort == effort
    assert ask(reasoning=None).reasoning.effort is None


def test_r29_what_a_service_must_resolve_is_carried() -> None:
    """The fields stand in `extra`, and the reference among the messages; nothing is ignored."""
    fields = {"previous_response_id": "resp_0", "store": True, "background": False, "conversation": {"id": "conv_1"}}
    request = ask(**fields, input=[{"type": "item_reference", "id": "msg_1"}, {"id": "msg_2"}])
    assert {name: request.extra[name] for name in fields} == fields
    parts = request.messages[0].parts
    assert [(part.kind, part.value["id"]) for part in parts] == [  # type: ignore[union-attr, index, call-overload]
        ("item_reference", "msg_1"),
        ("item_reference", "msg_2"),
    ]
    assert ask(previous_response_id="resp_0", input=None).messages == ()


def test_r30_other_fields_are_accepted_and_reach_no_other_upstream() -> None:
    """They ride along in `extra`; another dialect's body has none of them."""
    fields = {
        "prompt_cache_key": "k",
        "metadata": {"a": "b"},
        "client_metadata": {"c": "d"},
        "include": ["reasoning.encrypted_content"],
        "truncation": "disabled",
        "service_tier": "auto",
        "safety_identifier": "s",
        "something_new": {"x": 1},
    }
    request = ask(**fields)
    assert {name: request.extra[name] for name in fields} == fields
    assert (request.session, request.user) == ("k", "s")
    assert not fields.keys() & chat_of(request).keys()


def test_k7_the_session_is_also_told_by_headers() -> None:
    """The cache key wins over the headers of agents."""
    assert ask({"session-id": "s"}).session == "s"
    assert ask({"thread-id": "t"}).session == "t"
    assert ask({"session-id": "s"}, prompt_cache_key="k").session == "k"


def test_r32_the_same_history_is_the_same_prefix() -> None:
    """What comes later changes nothing of what is sent of the earlier messages and of the tools."""
    tools = [{"type": "namespace", "name": "n." * 40, "tools": [function("a"), function("b")]}]
    history = [{"role": "user", "content": "x"}, call("a", "1", namespace="n." * 40), output("1")]
    first, second = (chat_of(ask(tools=tools, input=items)) for items in (history, [*history, call("b", "2")]))
    assert json.dumps(first["tools"]) == json.dumps(second["tools"])
    assert json.dumps(first["messages"]) == json.dumps(second["messages"][: len(first["messages"])])


def test_k2_a_trigger_asks_for_compaction() -> None:
    """As the last item it is a flag and no message; twice it is refused."""
    trigger = {"type": "compaction_trigger"}
    request = ask(input=[{"role": "user", "content": "x"}, trigger])
    assert request.extra["compaction_trigger"] is True
    assert len(request.messages) == 1
    assert "compaction_trigger" not in ask().extra
    with pytest.raises(RixinError):
        ask(input=[trigger, trigger])


def test_log_probabilities_are_asked_for_by_inclusion() -> None:
    """The entry of `include` turns them on."""
    request = ask(include=["message.output_text.logprobs"], top_logprobs=3)
    assert (request.logprobs, request.top_logprobs) == (True, 3)
    assert not ask().logprobs
