"""Input items, read into a conversation. The ids in the names are the rows of our table of hard cases."""

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
from rixin.errors import Kind, RixinError
from tests.dialects.openai_responses.asking import ask, call, chat_of, output


def test_a_plain_text_is_a_users_message() -> None:
    """`input` may be a string."""
    assert ask(input="Hi").messages == (Message(role="user", parts=(TextPart("Hi"),)),)


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


def test_r8_a_message_of_nothing_known_reaches_no_other_upstream() -> None:
    """An item that only we carry leaves no empty message behind."""
    request = ask(input=[{"type": "compaction", "encrypted_content": "x"}, {"role": "user", "content": "x"}])
    assert chat_of(request)["messages"] == [{"role": "user", "content": "x"}]


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
