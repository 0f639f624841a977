"""Messages of clients, read; rows A1, A4 to A6, A8 and A9 of the agents' hard cases."""

from typing import Any

import msgspec
import pytest

from rixin.core.messages import DocumentPart, ImagePart, Message, Opaque, ReasoningPart, TextPart, ToolCall, ToolResult
from tests.dialects.anthropic.asking import (
    TOOL,
    ask,
    assistant,
    chat_messages,
    roles,
    text,
    tool_result,
    tool_use,
    user,
)


@pytest.mark.parametrize("content", ["Be brief.", [text("Be"), text("brief.")]])
def test_a1_a_system_message_may_stand_anywhere(content: Any) -> None:
    """A system message within the conversation stays where it is, in text or blocks."""
    request = ask(
        system="You are.",
        messages=[user(text("Hi")), {"role": "system", "content": content}, assistant(text("Yes")), user(text("Go"))],
    )
    assert roles(request) == ["system", "user", "system", "assistant", "user"]
    assert request.messages[2].text.replace("\n\n", " ") == "Be brief."


def test_a1_a_system_message_of_tomorrow_rides_along() -> None:
    """A block that nobody knows is no reason to refuse a system message."""
    block: dict[str, Any] = {"type": "tool_addition", "name": "f"}
    request = ask(messages=[user(text("Hi")), {"role": "system", "content": [text("You."), block]}])
    opaque = Opaque(dialect="anthropic", kind="tool_addition", value=block)
    assert request.messages[1].parts == (TextPart("You."), opaque)


def test_a1_turns_need_not_alternate() -> None:
    """Consecutive messages of one role are accepted, and a conversation may begin with the assistant."""
    request = ask(messages=[assistant(text("Hello")), user(text("a")), user(text("b"))])
    assert roles(request) == ["assistant", "user", "user"]


def test_a4_results_come_first_and_then_one_message_of_the_user() -> None:
    """Results of text, images and errors become tool messages in order, then images and words together."""
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}
    request = ask(
        tools=[TOOL],
        messages=[
            user(text("Go")),
            assistant(tool_use("t1", x=1), tool_use("t2")),
            user(
                text("Look:"),
                tool_result("t2", "broken", is_error=True),
                tool_result("t1", [text("A picture."), image]),
                text("What now?"),
            ),
        ],
    )
    result = request.messages[-1].parts[1]
    assert result == ToolResult(call_id="t2", parts=(TextPart("broken"),), is_error=True)
    first, second, last = chat_messages(request)[-3:]
    assert (first["tool_call_id"], first["content"]) == ("t1", "A picture.")
    assert (second["tool_call_id"], second["content"]) == ("t2", "Error: broken")
    assert [part["type"] for part in last["content"]] == ["text", "image_url", "text"]


@pytest.mark.parametrize("content", ["", [], None])
def test_a4_a_result_may_be_empty(content: Any) -> None:
    """A tool that gave nothing has answered nevertheless."""
    request = ask(messages=[assistant(tool_use("t1")), user(tool_result("t1", content))])
    assert request.messages[-1] == Message(role="tool", parts=(ToolResult(call_id="t1", parts=()),))


def test_a5_missing_and_repeated_results_are_repaired() -> None:
    """After an interruption each call has one result, whatever the client kept."""
    request = ask(
        messages=[
            user(text("Go")),
            assistant(tool_use("t1"), tool_use("t2")),
            user(tool_result("t1", "old"), tool_result("t1", "new"), tool_result("gone", "x"), text("Stop")),
        ]
    )
    results = [message for message in chat_messages(request) if message["role"] == "tool"]
    assert [result["tool_call_id"] for result in results] == ["t1", "t2"]
    assert results[0]["content"] == "new"
    assert "interrupted" in results[1]["content"]


def test_a6_thoughts_keep_their_signatures() -> None:
    """Thinking comes in with its signature; what is sealed rides along as it is."""
    redacted: dict[str, Any] = {"type": "redacted_thinking", "data": "EmwK"}
    request = ask(
        messages=[
            assistant(
                {"type": "thinking", "thinking": "Hm", "signature": "sig"},
                {"type": "thinking", "thinking": "", "signature": "sealed"},
                {"type": "thinking", "thinking": "unsigned"},
                redacted,
                text("So."),
            ),
            user(text("Go")),
        ]
    )
    assert request.messages[0].parts == (
        ReasoningPart(text="Hm", signature="sig"),
        ReasoningPart(signature="sealed"),
        ReasoningPart(text="unsigned"),
        Opaque(dialect="anthropic", kind="redacted_thinking", value=redacted),
        TextPart("So."),
    )
    assert b"EmwK" not in msgspec.json.encode(chat_messages(request))


def test_a8_what_server_tools_did_is_told_in_words() -> None:
    """Their calls and results in the history are text, without what is sealed."""
    request = ask(
        messages=[
            user(text("Search")),
            assistant(
                {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "rixin"}},
                {
                    "type": "web_search_tool_result",
                    "tool_use_id": "srvtoolu_1",
                    "content": [{"type": "web_search_result", "title": "日新", "url": "u", "encrypted_content": "Eqg"}],
                },
                text("Found."),
            ),
            user(text("Good")),
        ]
    )
    words = request.messages[1].text
    assert words == "[server_tool_use: web_search\nrixin][web_search_tool_result: 日新\nu]Found."


def test_a9_images_and_documents_are_read_from_every_source() -> None:
    """Base64, addresses, ids of files, plain text and results of a search."""
    pdf = {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}
    sources: list[dict[str, Any]] = [
        {"type": "image", "source": {"type": "base64", "media_type": "image/webp", "data": "UklG"}},
        {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}},
        {"type": "image", "source": {"type": "file", "file_id": "file_1"}},
        {"type": "document", "source": pdf, "title": "P"},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}},
        {"type": "document", "source": {"type": "url", "url": "https://example.org/a.pdf"}},
        {"type": "document", "source": {"type": "content", "content": [text("a"), text("b")]}, "citations": {}},
        {"type": "container_upload", "file_id": "file_2"},
        {"type": "search_result", "title": "T", "source": "https://s", "content": [text("found")]},
    ]  # fmt: skip
    assert ask(messages=[user(*sources)]).messages[0].parts == (
        ImagePart(url="data:image/webp;base64,UklG"),
        ImagePart(url="https://example.org/a.png"),
        ImagePart(file_id="file_1"),
        DocumentPart(base64="JVBE", name="P", media_type="application/pdf"),
        DocumentPart(text="words", media_type="text/plain"),
        DocumentPart(url="https://example.org/a.pdf"),
        DocumentPart(text="a\nb", media_type="text/plain"),
        DocumentPart(file_id="file_2"),
        TextPart("T\nhttps://s\nfound"),
    )


def test_calls_and_unknown_blocks_are_read() -> None:
    """Arguments become text; a block of tomorrow rides along."""
    request = ask(messages=[assistant(tool_use("t1", x=[1]), {"type": "of_tomorrow", "x": 1}), user(text("Hi"))])
    assert request.messages[0].parts == (
        ToolCall(id="t1", name="f", arguments='{"x":[1]}'),
        Opaque(dialect="anthropic", kind="of_tomorrow", value={"type": "of_tomorrow", "x": 1}),
    )
