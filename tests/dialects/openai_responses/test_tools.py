"""Tools on offer, and the choice among them. The ids in the names are the rows of our table of hard cases."""

from typing import Any

import pytest

from rixin.core.messages import Message, TextPart, ToolCall, ToolResult
from rixin.core.requests import Change
from rixin.core.tools import ToolChoice
from rixin.errors import RixinError
from tests.dialects.openai_responses.asking import SCHEMA, ask, call, chat_of, function, output


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
