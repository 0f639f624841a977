"""Bodies read. The ids in the names are the rows of our table of hard cases that a test stands for."""

import json
from typing import Any

import pytest

from rixin.core.messages import (
    DocumentPart,
    ImagePart,
    Message,
    Opaque,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCall,
    ToolResult,
)
from rixin.core.requests import Change, Generate
from rixin.core.tools import ToolChoice
from rixin.dialects.openai_chat import DIALECT as CHAT
from rixin.errors import Kind, RixinError
from tests.dialects.openai_responses.asking import ask

SCHEMA = {"type": "object", "properties": {"x": {"type": "string"}}}


def function(name: str, **fields: Any) -> dict[str, Any]:
    """A function on offer."""
    return {"type": "function", "name": name, "parameters": SCHEMA, **fields}


def call(name: str, call_id: str, **fields: Any) -> dict[str, Any]:
    """A replayed call."""
    return {"type": "function_call", "call_id": call_id, "name": name, "arguments": "{}", **fields}


def output(call_id: str, value: Any = "done") -> dict[str, Any]:
    """What a call gave."""
    return {"type": "function_call_output", "call_id": call_id, "output": value}


def chat_of(request: Generate) -> Any:
    """What a Chat upstream would be sent."""
    assert CHAT.upstream is not None
    return CHAT.upstream.build_body(request)


def test_a_plain_text_is_a_users_message() -> None:
    """`input` may be a string."""
    assert ask(input="Hi").messages == (Message(role="user", parts=(TextPart("Hi"),)),)


def test_instructions_come_first() -> None:
    """They are the first system message."""
    messages = ask(instructions="Be brief.", input="Hi").messages
    assert messages[0] == Message(role="system", parts=(TextPart("Be brief."),))


@pytest.mark.parametrize("value", [None, "", []])
def test_t12_nothing_at_all_is_asked(value: Any) -> None:
    """Agents do so to see whether anybody answers; there is nothing in it that is wrong."""
    assert ask(input=value).messages == ()


def test_items_without_a_type_are_messages() -> None:
    """Role and content are enough."""
    request = ask(input=[{"role": "user", "content": "a"}, {"role": "assistant", "content": ""}])
    assert request.messages == (Message(role="user", parts=(TextPart("a"),)),)


def test_all_kinds_of_content_are_read() -> None:
    """Texts, images, files and refusals have their parts; what nobody knows rides along."""
    request = ask(
        input=[
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "a"},
                    {"type": "input_image", "image_url": "data:image/png;base64,AA", "detail": "high"},
                    {"type": "input_image", "file_id": "file-1"},
                    {"type": "input_file", "file_data": "data:application/pdf;base64,AA", "filename": "a.pdf"},
                    {"type": "input_file", "file_id": "file-2"},
                    {"type": "input_file", "file_url": "https://x.test/a.pdf"},
                    {"type": "input_audio", "input_audio": {}},
                ],
            },
            {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "b"}, {"type": "refusal", "refusal": "no"}],
            },
        ]
    )
    assert request.messages == (
        Message(
            role="user",
            parts=(
                TextPart("a"),
                ImagePart(url="data:image/png;base64,AA", detail="high"),
                ImagePart(file_id="file-1"),
                DocumentPart(url="data:application/pdf;base64,AA", name="a.pdf"),
                DocumentPart(file_id="file-2"),
                DocumentPart(url="https://x.test/a.pdf"),
                Opaque(
                    dialect="openai_responses", kind="input_audio", value={"type": "input_audio", "input_audio": {}}
                ),
            ),
        ),
        Message(role="assistant", parts=(TextPart("b"), RefusalPart("no"))),
    )


@pytest.mark.parametrize(
    ("item", "param"),
    [
        ({"role": "nobody", "content": "x"}, "input[0].role"),
        ({"type": "message", "content": "x"}, "input[0].role"),
        ({"role": "user", "content": [{"type": "input_text"}]}, "input[0].content[0].text"),
        ({"role": "user", "content": [7]}, "input[0].content[0]"),
        ({"role": "user", "content": 7}, "input[0].content"),
        ({"role": "user", "content": [{"type": "input_image"}]}, "input[0].content[0].image_url"),
        ({"role": "user", "content": [{"type": "input_file"}]}, "input[0].content[0].file_data"),
        ({"type": "function_call", "call_id": "c"}, "input[0].name"),
        ({"type": "function_call_output", "output": "x"}, "input[0].call_id"),
        ({"type": "local_shell_call", "call_id": "c"}, "input[0].action"),
        ({"type": 7}, "input[0].type"),
        ({"type": "additional_tools", "tools": {}}, "input[0].tools"),
        ({"type": "compaction_trigger"}, "input[0]"),
    ],
)
def test_a_wrong_item_is_named(item: dict[str, Any], param: str) -> None:
    """The error says which field of which item is at fault."""
    with pytest.raises(RixinError) as caught:
        ask(input=[item, {"role": "user", "content": "x"}])
    assert (caught.value.kind, caught.value.param) == (Kind.INVALID_REQUEST, param)


def test_r1_additional_tools_are_hoisted_and_merged() -> None:
    """Tools that items declare join those of the body, each once; no empty message is left of the item."""
    tools = {"type": "additional_tools", "role": "developer", "tools": [function("a"), function("b")]}
    request = ask(tools=[function("a")], input=[tools, {"role": "user", "content": "x"}, tools])
    assert [tool.name for tool in request.tools] == ["a", "b"]
    assert [message.role for message in request.messages] == ["user"]
    assert request.changes == ()


def test_r2_a_custom_tool_is_offered_as_a_function() -> None:
    """It takes one text; the grammar is advice in its description."""
    grammar = {"type": "grammar", "syntax": "lark", "definition": "start: /x/"}
    request = ask(tools=[{"type": "custom", "name": "apply_patch", "description": "Patches.", "format": grammar}])
    (tool,) = request.tools
    assert [tool["type"] for tool in chat_of(request)["tools"]] == ["function"]
    assert (tool.kind, tool.name) == ("function", "apply_patch")
    assert tool.parameters is not None
    assert (tool.parameters["required"], tool.parameters["additionalProperties"]) == (["input"], False)
    assert tool.description == "Patches.\n\n`input` must follow this lark:\nstart: /x/"


def test_r3_custom_calls_in_the_history_are_calls_of_that_function() -> None:
    """Their text is wrapped as the arguments, and their outputs are results."""
    request = ask(
        tools=[{"type": "custom", "name": "apply_patch"}],
        input=[
            {"type": "custom_tool_call", "call_id": "c1", "name": "apply_patch", "input": 'a\n"b"'},
            {"type": "custom_tool_call_output", "call_id": "c1", "output": [{"type": "input_text", "text": "ok"}]},
        ],
    )
    assert request.messages == (
        Message(role="assistant", parts=(ToolCall(id="c1", name="apply_patch", arguments='{"input":"a\\n\\"b\\""}'),)),
        Message(role="tool", parts=(ToolResult(call_id="c1", parts=(TextPart("ok"),)),)),
    )


@pytest.mark.parametrize(
    ("namespace", "name", "flat"),
    [
        ("multi_agent_v1", "spawn_agent", "multi_agent_v1__spawn_agent"),
        ("functions", "exec", "exec"),
        ("mcp.server", "read file", "mcp_server__read_file_"),
        ("mcp__" + "a" * 60, "read", "mcp__" + "a" * 50 + "_"),
    ],
)
def test_r5_namespaces_are_flattened(namespace: str, name: str, flat: str) -> None:
    """Names are of at most 64 plain characters and the same in the tools and in the history."""
    request = ask(
        tools=[{"type": "namespace", "name": namespace, "tools": [function(name)]}],
        input=[call(name, "c1", namespace=namespace), output("c1")],
    )
    (tool,) = request.tools
    assert tool.name == flat or (flat.endswith("_") and tool.name.startswith(flat))
    assert len(tool.name) <= 64
    assert request.messages[0].parts == (ToolCall(id="c1", name=tool.name, arguments="{}"),)
    assert tool.origin is not None
    assert (tool.origin.namespace, tool.origin.name) == (namespace, name)


def test_r5_a_collision_drops_nothing() -> None:
    """Two tools whose flat names are the same are told apart, the same in each request."""
    tools = [
        {"type": "namespace", "name": "a", "tools": [function("b__c")]},
        {"type": "namespace", "name": "a__b", "tools": [function("c")]},
        function("a__b__c"),
    ]
    names = [tool.name for tool in ask(tools=tools).tools]
    assert names[0] == "a__b__c"
    assert len(set(names)) == 3
    assert names == [tool.name for tool in ask(tools=tools).tools]


def test_r5_namespaces_may_nest() -> None:
    """A tree of any depth is flattened."""
    inner = {"type": "namespace", "name": "b", "tools": [function("c")]}
    assert ask(tools=[{"type": "namespace", "name": "a", "tools": [inner]}]).tools[0].name == "a__b__c"


def test_r6_found_tools_join_those_on_offer() -> None:
    """A search's output declares tools, and is a result in the history."""
    request = ask(
        tools=[{"type": "tool_search", "execution": "client", "parameters": SCHEMA}],
        input=[
            {"type": "tool_search_call", "call_id": "c1", "execution": "client", "arguments": {"query": "mail"}},
            {"type": "tool_search_output", "call_id": "c1", "tools": [function("send_mail")]},
        ],
    )
    assert [tool.name for tool in request.tools] == ["tool_search", "send_mail"]
    assert request.messages[0].parts == (ToolCall(id="c1", name="tool_search", arguments='{"query":"mail"}'),)
    assert "send_mail" in request.messages[1].parts[0].parts[0].text  # type: ignore[union-attr]


def test_r7_the_local_shell_is_a_function() -> None:
    """Its calls and outputs in the history are that function's."""
    request = ask(
        tools=[{"type": "local_shell"}],
        input=[
            {
                "type": "local_shell_call",
                "id": "lsh_1",
                "call_id": "c1",
                "action": {"type": "exec", "command": ["ls"], "timeout_ms": None},
            },
            {"type": "local_shell_call_output", "call_id": "c1", "output": "a.txt"},
        ],
    )
    assert request.tools[0].name == "local_shell"
    assert request.messages == (
        Message(role="assistant", parts=(ToolCall(id="c1", name="local_shell", arguments='{"command":["ls"]}'),)),
        Message(role="tool", parts=(ToolResult(call_id="c1", parts=(TextPart("a.txt"),)),)),
    )


def test_r8_hosted_tools_are_dropped_by_name() -> None:
    """The client is told of each; their replayed calls are no error and reach no other upstream."""
    request = ask(
        tools=[{"type": "web_search"}, {"type": "mcp", "server_url": "https://x.test"}, function("a")],
        input=[
            {"role": "user", "content": "x"},
            {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {}},
            {"type": "image_generation_call", "id": "ig_1", "result": "AA"},
            {"type": "message", "role": "assistant", "content": "y"},
        ],
    )
    assert [tool.name for tool in request.tools] == ["a"]
    assert request.changes == (Change("drop_hosted_tool", "web_search"), Change("drop_hosted_tool", "mcp"))
    assert chat_of(request)["messages"] == [
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": "y"},
    ]


def test_r8_a_message_of_nothing_known_reaches_no_other_upstream() -> None:
    """An item that only we carry leaves no empty message behind."""
    request = ask(input=[{"type": "compaction", "encrypted_content": "x"}, {"role": "user", "content": "x"}])
    assert chat_of(request)["messages"] == [{"role": "user", "content": "x"}]


def test_r9_nameless_and_second_tools() -> None:
    """Without a name a tool is dropped and told of; the same one twice is one; another of its name is told of."""
    request = ask(tools=[function(" "), {"type": "function"}, function("a"), function("a"), function("a", strict=True)])
    assert [tool.name for tool in request.tools] == ["a"]
    assert request.changes == (
        Change("drop_nameless_tool", "tools[0]"),
        Change("drop_nameless_tool", "tools[1]"),
        Change("drop_second_tool", "a"),
    )


def test_r11_strict_is_only_told_where_it_is_a_boolean() -> None:
    """null is absent."""
    tools = ask(tools=[function("a", strict=None), function("b", strict=False)]).tools
    assert [tool.strict for tool in tools] == [None, False]


@pytest.mark.parametrize("choice", ["auto", "none", "required", {"type": "function", "name": "a"}, None])
def test_r12_without_tools_there_is_no_choice_among_them(choice: Any) -> None:
    """Both fields go when no tool is left."""
    request = ask(tools=[{"type": "web_search"}], tool_choice=choice, parallel_tool_calls=True)
    assert (request.tools, request.tool_choice, request.parallel_tool_calls) == ((), None, None)
    assert not {"tools", "tool_choice", "parallel_tool_calls"} & chat_of(request).keys()


@pytest.mark.parametrize(
    ("choice", "read", "names"),
    [
        ("auto", ToolChoice("auto"), "abn"),
        ("none", ToolChoice("none"), "abn"),
        ("required", ToolChoice("required"), "abn"),
        ({"type": "function", "name": "a"}, ToolChoice("named", "a"), "abn"),
        ({"type": "custom", "name": "b"}, ToolChoice("named", "b"), "abn"),
        ({"type": "function", "name": "c", "namespace": "n"}, ToolChoice("named", "n__c"), "abn"),
        ({"type": "function", "name": "c"}, ToolChoice("named", "n__c"), "abn"),
        ({"type": "web_search"}, ToolChoice("auto"), "abn"),
        (
            {"type": "allowed_tools", "mode": "required", "tools": [{"type": "custom", "name": "b"}]},
            ToolChoice("required"),
            "b",
        ),
        ({"type": "allowed_tools", "mode": "auto", "tools": [{"type": "web_search"}]}, ToolChoice("none"), "abn"),
    ],
)
def test_r13_choices_of_tools(choice: Any, read: ToolChoice, names: str) -> None:
    """Each form is mapped; an allowance narrows the tools; a hosted one is relaxed."""
    space = {"type": "namespace", "name": "n", "tools": [function("c")]}
    request = ask(tools=[function("a"), {"type": "custom", "name": "b"}, space], tool_choice=choice)
    assert request.tool_choice == read
    assert "".join(tool.name[0] for tool in request.tools) == names


@pytest.mark.parametrize(
    ("choice", "param"),
    [
        ("perhaps", "tool_choice"),
        ({"type": "function", "name": "zzz"}, "tool_choice.name"),
        ({"type": "allowed_tools", "mode": "perhaps", "tools": []}, "tool_choice.mode"),
        ({"type": "allowed_tools", "mode": "auto"}, "tool_choice.tools"),
    ],
)
def test_r13_a_choice_of_what_is_not_there_is_refused(choice: Any, param: str) -> None:
    """The error names the field."""
    with pytest.raises(RixinError) as caught:
        ask(tools=[function("a")], tool_choice=choice)
    assert caught.value.param == param


def test_r14_developers_speak_as_the_system() -> None:
    """Each keeps its place, and all of its parts."""
    parts = [{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}]
    request = ask(input=[{"role": "user", "content": "x"}, {"role": "developer", "content": parts}])
    assert request.messages[1] == Message(role="system", parts=(TextPart("a"), TextPart("b")))


def test_r15_r18_thoughts_keep_their_words_and_envelope() -> None:
    """Content, summaries and the envelope are read, whoever sealed it."""
    item = {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "s"}],
        "content": [{"type": "reasoning_text", "text": "t"}],
        "encrypted_content": "foreign",
    }
    request = ask(input=[item])
    assert request.messages[0].parts == (ReasoningPart(text="t", summary=("s",), signature="foreign"),)
    assert "foreign" not in json.dumps(chat_of(request))


def test_r17_one_turn_is_one_message_in_its_order() -> None:
    """Thoughts, words and calls in a row are one assistant message, and nothing stands before their results."""
    thought = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "s"}]}
    said = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "t"}]}
    request = ask(input=[thought, call("a", "1"), thought, said, call("a", "2"), output("2"), output("1")])
    assert [message.role for message in request.messages] == ["assistant", "tool"]
    assert [type(part).__name__ for part in request.messages[0].parts] == [
        "ReasoningPart",
        "ToolCall",
        "ReasoningPart",
        "TextPart",
        "ToolCall",
    ]


def test_r20_calls_outputs_and_then_the_users_words() -> None:
    """N calls and N outputs are two messages; what the user says comes after."""
    request = ask(
        input=[call("a", "1"), call("b", "2"), output("2"), output("1"), {"role": "user", "content": "go on"}]
    )
    roles = [message["role"] for message in chat_of(request)["messages"]]
    assert roles == ["assistant", "tool", "tool", "user"]


def test_r21_ids_are_kept_as_they_came() -> None:
    """Odd ones and those of another field are no error."""
    request = ask(input=[call("a", "functions.x:0"), output("functions.x:0"), call("a", "", id="fc_1")])
    assert [part.id for message in request.messages for part in message.parts if isinstance(part, ToolCall)] == [
        "functions.x:0",
        "fc_1",
    ]


@pytest.mark.parametrize(("arguments", "read"), [("", "{}"), (None, "{}"), ({"a": 1}, '{"a":1}'), ("{half", "{half")])
def test_r22_arguments_of_any_shape(arguments: Any, read: str) -> None:
    """Objects are text; half a text is no less for being broken: a profile repairs it."""
    (part,) = ask(input=[call("a", "1", arguments=arguments)]).messages[0].parts
    assert isinstance(part, ToolCall)
    assert part.arguments == read


def test_r23_images_of_tools_follow_all_results() -> None:
    """The text stays in the tool's message; the user shows the image after the whole batch."""
    image = {"type": "input_image", "image_url": "data:image/png;base64,iVBORAA=", "detail": "high"}
    request = ask(
        input=[
            call("view_image", "1"),
            call("b", "2"),
            output("1", [{"type": "input_text", "text": "seen"}, image]),
            output("2", "two"),
        ]
    )
    assert chat_of(request)["messages"][1:] == [
        {"role": "tool", "tool_call_id": "1", "content": "seen"},
        {"role": "tool", "tool_call_id": "2", "content": "two"},
        {
            "role": "user",
            "content": [
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORAA=", "detail": "high"}}
            ],
        },
    ]


def test_r25_empty_texts_say_nothing() -> None:
    """They leave neither a part nor a message."""
    request = ask(
        input=[
            {"role": "user", "content": [{"type": "input_text", "text": ""}, {"type": "input_text", "text": "a"}]},
            {"role": "user", "content": None},
            {"role": "assistant", "content": []},
        ]
    )
    assert request.messages == (Message(role="user", parts=(TextPart("a"),)),)


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
