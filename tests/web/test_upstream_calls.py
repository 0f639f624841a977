"""What upstreams make of calls, as a client of Responses sees it through the whole server.

The tests are named after the hard cases of bridges: S for what streams mean.
"""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.upstreams.scripted import completion_chunk, until_close
from tests.web.seen import Body, calling, chunks, part, see

TWO = [("read", '{"path":"a"}'), ("read", '{"path":"b"}')]
FRAGMENTS: dict[str, list[Body]] = {
    "one index for both": [
        calling(part("read", '{"path":"a"}', index=0, id="a")),
        calling(part("read", '{"path":"b"}', index=0, id="b")),
    ],
    "no index": [
        calling(part("read", '{"path":', id="a")),
        calling(part(None, '"a"}')),
        calling(part("read", '{"path":"b"}', id="b")),
    ],
    "the id on each": [
        calling(part("read", '{"path":', index=0, id="a")),
        calling(part("read", '"a"}', index=0, id="a")),
        calling(part("read", '{"path":"b"}', index=1, id="b")),
    ],
    "empty id and name": [
        calling(part("read", "", index=0, id="a")),
        calling(part("", '{"path":"a"}', index=0, id="")),
        calling(part("read", "", index=1, id="b")),
        calling(part("", '{"path":"b"}', index=1, id="")),
    ],
    "the name late": [
        calling(part(None, "", index=0, id="a")),
        calling(part("read", '{"path":"a"}', index=0)),
        calling(part("read", '{"path":"b"}', index=1, id="b")),
    ],
    "interleaved": [
        calling(part("read", '{"path":', index=0, id="a"), part("read", '{"path":', index=1, id="b")),
        calling(part(None, '"a"}', index=0), part(None, '"b"}', index=1)),
    ],
}


@pytest.mark.parametrize("fragments", FRAGMENTS)
async def test_s4_calls_are_told_apart(tmp_path: Path, fragments: str) -> None:
    """By index, id, name and whether their JSON is complete; each is announced with its name."""
    seen = await see(tmp_path, chunks(*FRAGMENTS[fragments], finish="tool_calls"))
    assert seen.calls == TWO
    announced = [event["item"] for event in seen.of("response.output_item.added")]
    assert [item["name"] for item in announced if item["type"] == "function_call"] == ["read", "read"]
    assert len({item["call_id"] for item in announced if item["type"] == "function_call"}) == 2


WHOLE: dict[str, tuple[Body, str]] = {
    "one chunk": (calling(part("read", '{"path":"a"}', index=0, id="a")), '{"path":"a"}'),
    "an object": (calling(part("read", {"path": "a"}, index=0, id="a")), '{"path":"a"}'),
    "legacy": ({"function_call": {"name": "read", "arguments": '{"path":"a"}'}}, '{"path":"a"}'),
    "null": ({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "read", "arguments": None}}]}, "{}"),
    "nothing": (calling(part("read", "", index=0, id="a")), "{}"),
}


@pytest.mark.parametrize("way", WHOLE)
async def test_s5_arguments_come_in_many_ways(tmp_path: Path, way: str) -> None:
    """What the client is given is a JSON object as text."""
    delta, arguments = WHOLE[way]
    seen = await see(tmp_path, chunks(delta, finish="tool_calls"))
    assert [(name, json.loads(text)) for name, text in seen.calls] == [("read", json.loads(arguments))]


@pytest.mark.parametrize("word", ["stop", "length", "tool_calls", "eos"])
async def test_s8_calls_are_the_outcome_whatever_the_word(tmp_path: Path, word: str) -> None:
    """An answer with a whole call in it is there to call."""
    seen = await see(tmp_path, chunks(calling(part("read", '{"path":"a"}', index=0, id="a")), finish=word))
    assert seen.calls == [TWO[0]]


async def test_s11_items_are_closed_and_opened_again(tmp_path: Path) -> None:
    """Words, thoughts and calls in any order: no delta without an item that is open, and each done is its deltas."""
    seen = await see(
        tmp_path,
        chunks(
            {"content": "a"},
            {"reasoning_content": "hm"},
            {"content": "b"},
            calling(part("read", '{"path":"a"}', index=0, id="a")),
            {"content": "c"},
            {"reasoning_content": "so"},
            finish="tool_calls",
        ),
    )
    assert (seen.said, seen.thought, seen.calls) == ("abc", "hmso", [TWO[0]])
    open_items: set[str] = set()
    for one in seen.events:
        if one["type"] == "response.output_item.added":
            open_items.add(one["item"]["id"])
        elif one["type"] == "response.output_item.done":
            open_items.remove(one["item"]["id"])
        elif one["type"].endswith(".delta"):
            assert one["item_id"] in open_items
    assert open_items == set()


LEAKS = {
    "hermes": '<tool_call>{"name": "read", "arguments": {"path": "a"}}</tool_call>',
    "glm": "<tool_call>read\n<arg_key>path</arg_key>\n<arg_value>a</arg_value>\n</tool_call>",
    "deepseek": '<｜DSML｜function_calls><｜DSML｜invoke name="read"><｜DSML｜parameter name="path" string="true">a'
    "</｜DSML｜parameter></｜DSML｜invoke></｜DSML｜function_calls>",
    "kimi": "<|tool_calls_section_begin|><|tool_call_begin|>functions.read:0<|tool_call_argument_begin|>"
    '{"path": "a"}<|tool_call_end|><|tool_calls_section_end|>',
}


@pytest.mark.parametrize("size", [1, 5, 1000])
@pytest.mark.parametrize("markup", LEAKS)
async def test_s13_leaked_calls_are_calls_and_logged(tmp_path: Path, markup: str, size: int) -> None:
    """From an upstream of which nothing is known, wherever its words are cut."""
    seen = await see(tmp_path, chunks(*_said(LEAKS[markup], size)))
    assert [(name, json.loads(arguments)) for name, arguments in seen.calls] == [("read", {"path": "a"})]
    assert seen.said == ""
    assert "heal_tool_calls(content)" in (seen.row.changes or "")
    assert seen.row.error is None


@pytest.mark.parametrize("size", [1, 1000])
async def test_s13_markup_of_no_tool_is_text(tmp_path: Path, size: int) -> None:
    """What names a tool that the request has not stays as it is."""
    markup = '<tool_call>{"name": "write", "arguments": {}}</tool_call>'
    seen = await see(tmp_path, chunks(*_said(markup, size)))
    assert (seen.said, seen.calls) == (markup, [])


def _said(text: str, size: int) -> Iterable[Body]:
    return [{"content": text[start : start + size]} for start in range(0, len(text), size)]


@pytest.mark.parametrize("arguments", ['{"path":"a', "nonsense", '{"path":"a"}{"path":"b"}'])
async def test_s15_invalid_arguments_fail_or_are_what_was_sent(tmp_path: Path, arguments: str) -> None:
    """The deltas that went out and the item that ends the call say the same."""
    seen = await see(tmp_path, chunks(calling(part("read", arguments, index=0, id="a")), finish="tool_calls"))
    sent: dict[str, str] = {}
    for one in seen.of("response.function_call_arguments.delta"):
        sent[one["item_id"]] = sent.get(one["item_id"], "") + one["delta"]
    ended = {one["item_id"]: one["arguments"] for one in seen.of("response.function_call_arguments.done")}
    assert all(sent[item] == text for item, text in ended.items())
    assert ended or seen.end["type"] == "response.failed"


async def test_s15_a_call_at_whose_end_the_connection_ends_is_none(tmp_path: Path) -> None:
    """Its arguments are whole, but nobody said so."""
    whole = completion_chunk(calling(part("read", '{"path":"a"}', index=0, id="a")))
    seen = await see(tmp_path, until_close(whole))
    assert seen.calls == []
    assert seen.end["type"] == "response.failed"
