"""What upstreams make of their streams, as a client of Responses sees it through the whole server.

The tests are named after the hard cases of bridges: T for the way of the bytes, S for what they mean.
"""

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from msgspec import Struct

from rixin.store.usage_row import UsageRow
from tests.profiles.strict_upstream import Rules
from tests.support.clients import CHAT, MESSAGES, RESPONSES
from tests.support.healing import healing_site
from tests.upstreams.scripted import (
    DONE,
    Reply,
    Request,
    Stall,
    answer,
    completion,
    completion_chunk,
    completion_events,
    event,
    stream,
    until_close,
)
from tests.upstreams.strict import StrictUpstream

Body = dict[str, Any]
READ: Body = {"type": "object", "properties": {"path": {"type": "string"}}}
ASKED: dict[str, Body] = {
    CHAT: {
        "messages": [{"role": "user", "content": "Hi"}],
        "tools": [{"type": "function", "function": {"name": "read", "parameters": READ}}],
    },
    MESSAGES: {
        "messages": [{"role": "user", "content": "Hi"}],
        "max_tokens": 99,
        "tools": [{"name": "read", "input_schema": READ}],
    },
    RESPONSES: {"input": "Hi", "tools": [{"type": "function", "name": "read", "parameters": READ}]},
}


class Scripted(StrictUpstream):
    """An upstream that answers everything in one way."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self._scripted = reply

    def _reply(self, request: Request) -> Reply:
        return super()._reply(request) if request.method == "GET" else self._scripted


class Seen(Struct):
    """What a client saw."""

    status: int
    text: str
    """The body."""
    row: UsageRow
    """What the request log has of it."""

    @property
    def events(self) -> list[Body]:
        """The stream's events."""
        lines = [line.removeprefix("data: ") for line in self.text.splitlines() if line.startswith("data: ")]
        return [json.loads(line) for line in lines if line != "[DONE]"]

    def of(self, kind: str) -> list[Body]:
        """The events of one type."""
        return [event for event in self.events if event["type"] == kind]

    @property
    def said(self) -> str:
        """All text."""
        return "".join(event["delta"] for event in self.of("response.output_text.delta"))

    @property
    def thought(self) -> str:
        """All thoughts, as their items have them at their end."""
        items = [event["item"] for event in self.of("response.output_item.done")]
        parts = [
            part for item in items if item["type"] == "reasoning" for part in item.get("content") or item["summary"]
        ]
        return "".join(part["text"] for part in parts)

    @property
    def calls(self) -> list[tuple[str, str]]:
        """Names and arguments of the calls that are done."""
        items = [event["item"] for event in self.of("response.output_item.done")]
        return [(item["name"], item["arguments"]) for item in items if item["type"] == "function_call"]

    @property
    def end(self) -> Body:
        """The last event."""
        return self.events[-1]


async def see(folder: Path, reply: Reply, path: str = RESPONSES, **fields: Any) -> Seen:
    """Asks for a stream of an upstream that gives `reply`, once."""
    settings: Body = {"retries": 0, "first_byte_timeout": 5.0, "idle_timeout": 5.0}
    async with healing_site(folder, Scripted(reply), models=["m"], controls=False, **settings) as healing:
        body = {"model": "m", "stream": True, **ASKED[path], **fields}
        headers = {"authorization": f"Bearer {healing.site.key}"}
        async with healing.site.client.post(healing.site.url + path, json=body, headers=headers) as response:
            status, text = response.status, await response.text()
        await healing.site.ledger.flush()
        [row] = await healing.site.ledger.recent()
    return Seen(status, text, row)


def cut(data: bytes, size: int) -> list[bytes]:
    """Bytes in pieces."""
    return [data[start : start + size] for start in range(0, len(data), size)]


def chunks(*deltas: Body, finish: str | None = "stop", done: bool = True) -> Reply:
    """A stream of these deltas, and its end."""
    events = [completion_chunk(delta) for delta in deltas]
    return stream([*events, *([completion_chunk({}, finish)] if finish else []), *([DONE] if done else [])])


def calling(*calls: Body) -> Body:
    """A delta with parts of calls."""
    return {"tool_calls": list(calls)}


def part(name: str | None = None, arguments: Any = None, **fields: Any) -> Body:
    """A part of a call."""
    function = {"name": name, "arguments": arguments}
    return {**fields, "function": {key: value for key, value in function.items() if value is not None}}


@pytest.mark.parametrize("size", [1, 2, 3, 5])
async def test_t5_characters_may_be_split(tmp_path: Path, size: int) -> None:
    """A character of several bytes that comes in several reads is one character."""
    data = b"".join(completion_events(("塔 🗼", " é")))
    seen = await see(tmp_path, stream([*cut(data, size), DONE]))
    assert (seen.said, seen.end["type"]) == ("塔 🗼 é", "response.completed")


async def test_t5_bytes_that_are_no_text_hold_nothing_up(tmp_path: Path) -> None:
    """What follows them is read."""
    odd = completion_chunk({"content": "a?b"}).replace(b"?", b"\xff")
    seen = await see(tmp_path, stream([odd, completion_chunk({"content": "c"}), completion_chunk({}, "stop"), DONE]))
    assert (seen.said, seen.end["type"]) == ("a\N{REPLACEMENT CHARACTER}bc", "response.completed")


FRAMED: dict[str, bytes] = {
    "crlf": b"".join(completion_events()).replace(b"\n", b"\r\n"),
    "cr": b"".join(completion_events()).replace(b"\n", b"\r"),
    "no space": b"".join(completion_events()).replace(b"data: ", b"data:"),
    "comments": b": hi\n\n" + b": still\n\n".join(completion_events()),
    "fields": b"".join(b"event: message\nid: 7\nretry: 10\n" + data for data in completion_events()),
    "several lines": b"".join(completion_events()).replace(b',"model"', b',\ndata: "model"'),
    "byte order mark": b"\xef\xbb\xbf" + b"".join(completion_events()),
}


@pytest.mark.parametrize("size", [1, 4, 10**6])
@pytest.mark.parametrize("framing", FRAMED)
async def test_t6_events_are_framed_in_many_ways(tmp_path: Path, framing: str, size: int) -> None:
    """Every way that the standard allows, cut anywhere."""
    seen = await see(tmp_path, stream(cut(FRAMED[framing], size)))
    assert (seen.said, seen.end["type"]) == ("Paris 巴黎", "response.completed")


async def test_t7_a_line_may_be_very_long(tmp_path: Path) -> None:
    """Megabytes of arguments in one event."""
    arguments = json.dumps({"path": "x" * 3_000_000})
    data = completion_chunk(calling(part("read", arguments, index=0, id="c")))
    seen = await see(tmp_path, stream([*cut(data, 65536), completion_chunk({}, "tool_calls"), DONE]))
    assert seen.calls == [("read", arguments)]


@pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES])
async def test_t8_the_mark_of_the_end_may_be_missing(tmp_path: Path, path: str) -> None:
    """A finish is enough."""
    seen = await see(tmp_path, stream(completion_events()), path)
    ends = {CHAT: "data: [DONE]", MESSAGES: "message_stop", RESPONSES: "response.completed"}
    assert ends[path] in seen.text
    assert seen.row.error is None


@pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES])
@pytest.mark.parametrize("asked", [True, False])
@pytest.mark.parametrize("reply", [stream([*completion_events(), DONE]), answer(completion())], ids=["sse", "json"])
async def test_t9_an_answer_is_given_as_it_was_asked_for(tmp_path: Path, path: str, asked: bool, reply: Reply) -> None:
    """A stream where a whole answer was asked for, and the other way round, is converted."""
    seen = await see(tmp_path, reply, path, stream=asked)
    assert (seen.status, seen.text.startswith("{")) == (200, not asked)
    assert "Paris" in seen.text
    assert "巴黎" in seen.text


@pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES])
@pytest.mark.parametrize("status", [200, 403, 502])
async def test_t9_a_web_page_is_a_short_error(tmp_path: Path, path: str, status: int) -> None:
    """A firewall's page becomes a 502 of the client's dialect, in a sentence."""
    page = "<html><head><title>Attention Required!</title></head><body>" + "<p>x</p>" * 9000
    seen = await see(tmp_path, answer(page, status=status, content_type="text/html"), path)
    assert seen.status == 502
    error = json.loads(seen.text)["error"]
    assert "web page" in error["message"]
    assert len(seen.text) < 1000


@pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES])
@pytest.mark.parametrize("begun", [True, False], ids=["begun", "waiting"])
async def test_t10_the_upstream_sees_the_client_leave(tmp_path: Path, path: str, begun: bool) -> None:
    """Within a second of it (the limit is ten), in the middle of an answer and before it; the log says who left."""
    upstream = Scripted(stream(completion_events()[:2], end=Stall()) if begun else [Stall()])
    async with healing_site(tmp_path, upstream, models=["m"], controls=False) as healing:
        body = {"model": "m", "stream": True, **ASKED[path]}
        headers = {"authorization": f"Bearer {healing.site.key}"}
        asking = asyncio.create_task(_ask(healing.site.client, healing.site.url + path, body, headers, upstream))
        await asyncio.wait_for(asking if begun else upstream.asked.wait(), 10)
        if not begun:
            asking.cancel()
            await asyncio.wait([asking])
        await asyncio.wait_for(upstream.left.wait(), 10)
        await healing.site.app.drain(10)
        await healing.site.ledger.flush()
        [row] = await healing.site.ledger.recent()
    assert (row.status, row.error) == (499, "cancelled")


async def _ask(
    client: aiohttp.ClientSession, url: str, body: Body, headers: dict[str, str], upstream: Scripted
) -> None:
    """Reads until the first words came, and leaves."""
    async with client.post(url, json=body, headers=headers) as response:
        while b"Paris" not in await response.content.readline():
            assert not upstream.left.is_set()
        response.close()


@pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES])
@pytest.mark.parametrize("asked", [True, False], ids=["stream", "whole"])
async def test_headers_tell_who_answered_and_what_remains(tmp_path: Path, path: str, asked: bool) -> None:
    """The upstream, the calls that it took, and what the provider's limits leave, in every dialect."""
    limits = [{"unit": "requests", "amount": 5, "window": 60}, {"unit": "tokens", "amount": 9000, "window": 60}]
    upstream = StrictUpstream({"m": Rules(refused=frozenset({"temperature"}), opaque=False)})
    async with healing_site(tmp_path, upstream, controls=False, limits=limits) as healing:
        body = {"model": "m", "stream": asked, **ASKED[path], "temperature": 0.5}
        headers = {"authorization": f"Bearer {healing.site.key}"}
        async with healing.site.client.post(healing.site.url + path, json=body, headers=headers) as response:
            await response.read()
    told = {name.lower(): value for name, value in response.headers.items()}
    assert (told["x-rixin-model"], told["x-rixin-attempts"]) == ("strict/m", "2")
    assert told["x-rixin-upstream-remaining-requests"] == "3"
    assert 0 < int(told["x-rixin-upstream-remaining-tokens"]) < 9000
    assert "drop_param(temperature)" in told["x-rixin-changes"]


SEARCHES = {MESSAGES: {"type": "web_search_20250305", "name": "web_search"}, RESPONSES: {"type": "web_search"}}


@pytest.mark.parametrize("path", SEARCHES)
@pytest.mark.parametrize("on", [True, False])
async def test_the_upstreams_own_search_takes_the_place_of_the_vendors(tmp_path: Path, path: str, on: bool) -> None:
    """Where its profile says that it has one; elsewhere the tool is left out, and told."""
    upstream = Scripted(answer(completion()))
    async with healing_site(tmp_path, upstream, models=["m"], preset="mimo", controls=False) as healing:
        healing.preset = msgspec.structs.replace(
            healing.preset, profile=msgspec.structs.replace(healing.preset.profile, web_search=on)
        )
        own = ASKED[path]["tools"]
        told = await healing.ask({"model": "m", **ASKED[path], "tools": [*own, SEARCHES[path]]}, path)
    tools = [tool["type"] for tool in upstream.bodies("m")[0]["tools"]]
    assert (told.status, tools) == (200, ["function", "web_search"] if on else ["function"])
    assert ("forward_tool(web_search)" in told.changes) is on


NUMBERS: dict[str, Body | None] = {
    "none": None,
    "a part": {"prompt_tokens": 5},
    "null details": {
        "prompt_tokens": 5,
        "completion_tokens": 2,
        "total_tokens": 7,
        "prompt_tokens_details": None,
        "completion_tokens_details": {"reasoning_tokens": None},
    },
    "of Responses": {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7},
}


def usage_chunk(usage: Body | None, **fields: Any) -> bytes:
    """A chunk that holds usage."""
    return event({"id": "1", "created": 1, "model": "m", "choices": [], "usage": usage, **fields})


@pytest.mark.parametrize("usage", NUMBERS)
async def test_s2_usage_is_always_five_numbers(tmp_path: Path, usage: str) -> None:
    """Estimated where the upstream tells none, which the log says."""
    seen = await see(tmp_path, stream([*completion_events()[:-1], usage_chunk(NUMBERS[usage]), DONE]))
    told = seen.end["response"]["usage"]
    numbers = [told[name] for name in ("input_tokens", "output_tokens", "total_tokens")]
    numbers += [told["input_tokens_details"]["cached_tokens"], told["output_tokens_details"]["reasoning_tokens"]]
    assert all(type(number) is int and number >= 0 for number in numbers)
    assert numbers[2] == numbers[0] + numbers[1]
    assert numbers[0] > 0
    assert seen.row.estimated is (usage == "none")


TOKENS: Body = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
CACHED: dict[str, list[bytes]] = {
    "details": [usage_chunk({**TOKENS, "prompt_tokens_details": {"cached_tokens": 3}})],
    "deepseek": [usage_chunk({**TOKENS, "prompt_cache_hit_tokens": 3, "prompt_cache_miss_tokens": 6})],
    "top level": [usage_chunk({**TOKENS, "cached_tokens": 3})],
    "cumulative": [
        usage_chunk({**TOKENS, "completion_tokens": 1, "total_tokens": 10}),
        usage_chunk({**TOKENS, "prompt_tokens_details": {"cached_tokens": 3}}),
    ],
    "in the choice": [
        event(
            {
                "id": "1",
                "created": 1,
                "model": "m",
                "choices": [{"index": 0, "delta": {}, "usage": {**TOKENS, "cached_tokens": 3}}],
            }
        )
    ],
}


@pytest.mark.parametrize("place", CACHED)
async def test_s3_cached_tokens_stand_in_many_places(tmp_path: Path, place: str) -> None:
    """The last word counts, wherever it stands, before the finish and after it."""
    for events in (
        [*completion_events()[:-1], *CACHED[place]],
        [*completion_events()[:-2], *CACHED[place], completion_chunk({}, "stop")],
    ):
        seen = await see(tmp_path / str(len(list(tmp_path.iterdir()))), stream([*events, DONE]))
        told = seen.end["response"]["usage"]
        assert (told["input_tokens"], told["output_tokens"]) == (9, 2)
        assert told["input_tokens_details"]["cached_tokens"] == 3


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


@pytest.mark.parametrize("done", [True, False], ids=["done", "cut"])
@pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES])
async def test_s6_an_end_without_a_finish_is_an_error(tmp_path: Path, path: str, done: bool) -> None:
    """What came is shown, a call that is open is not done, and nothing looks like an end."""
    deltas = [{"content": "Par"}, calling(part("read", '{"path":"a', index=0, id="a"))]
    seen = await see(tmp_path, chunks(*deltas, finish=None, done=done), path)
    assert "Par" in seen.text
    assert seen.row.error == "upstream_interrupted"
    for mark in (
        "[DONE]",
        "message_stop",
        '"finish_reason":"stop"',
        "response.completed",
        "function_call_arguments.done",
    ):
        assert mark not in seen.text or (path == RESPONSES and mark == "[DONE]")
    if path == RESPONSES:
        assert seen.calls == []
        assert seen.end["type"] == "response.failed"
        code = seen.end["response"]["error"]["code"]
        assert code not in ("context_length_exceeded", "insufficient_quota", "invalid_prompt")


@pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES])
@pytest.mark.parametrize("reply", [answer(b""), stream([DONE]), chunks({"content": ""})], ids=["eof", "done", "empty"])
async def test_s7_no_output_is_an_error_of_http(tmp_path: Path, path: str, reply: Reply) -> None:
    """Nothing was sent yet, so the client gets a status that it may try again."""
    seen = await see(tmp_path, reply, path)
    assert seen.status == 502
    assert "message" in json.loads(seen.text)["error"]


@pytest.mark.parametrize(
    ("word", "end"),
    [
        ("stop", "response.completed"),
        ("eos", "response.completed"),
        ("length", "response.incomplete"),
        ("content_filter", "response.incomplete"),
        ("sensitive", "response.incomplete"),
        ("tool_calls", "response.completed"),
        ("function_call", "response.completed"),
    ],
)
async def test_s8_finish_words_decide_the_end(tmp_path: Path, word: str, end: str) -> None:
    """By a table; what a vendor calls otherwise means the same."""
    seen = await see(tmp_path, chunks({"content": "Paris"}, finish=word))
    assert seen.end["type"] == end
    assert seen.said == "Paris"


REFUSED: dict[str, str] = {
    CHAT: '"finish_reason":"content_filter"',
    MESSAGES: '"stop_reason":"refusal"',
    RESPONSES: '"incomplete_details":{"reason":"content_filter"}',
}


@pytest.mark.parametrize("path", REFUSED)
@pytest.mark.parametrize("word", ["content_filter", "sensitive"])
async def test_e8_a_filtered_answer_is_told_in_the_dialects_own_word(tmp_path: Path, path: str, word: str) -> None:
    """What came stays, the upstream is asked once, and no client takes it for a failure to try again."""
    upstream = Scripted(chunks({"content": "Paris"}, finish=word))
    async with healing_site(tmp_path, upstream, models=["m"], controls=False) as healing:
        told = await healing.ask({"model": "m", "stream": True, **ASKED[path]}, path)
    assert told.text == "Paris"
    assert REFUSED[path] in told.body["stream"]
    assert len(upstream.bodies("m")) == 1


@pytest.mark.parametrize("path", REFUSED)
async def test_e8_a_refusal_in_words_is_told(tmp_path: Path, path: str) -> None:
    """In the part that Responses and Chat have for it, else as what was said."""
    seen = await see(tmp_path, chunks({"refusal": "I will "}, {"refusal": "not."}), path)
    assert seen.status == 200
    if path == RESPONSES:
        [item] = [event["item"] for event in seen.of("response.output_item.done")]
        assert item["content"] == [{"type": "refusal", "refusal": "I will not."}]
    else:
        assert "I will " in seen.text
        assert "not." in seen.text


@pytest.mark.parametrize("path", REFUSED)
async def test_e8_a_refused_prompt_is_an_error_that_is_not_tried_again(tmp_path: Path, path: str) -> None:
    """The upstream's filter is asked once; the client reads a 4xx and why."""
    refusal = '{"error":{"message":"The prompt was filtered.","code":"content_filter"}}'
    upstream = Scripted(answer(refusal, status=400))
    async with healing_site(tmp_path, upstream, models=["m"], controls=False, retries=3) as healing:
        told = await healing.ask({"model": "m", **ASKED[path]}, path)
    assert 400 <= told.status < 500
    assert "filtered" in told.text
    assert len(upstream.bodies("m")) == 1


@pytest.mark.parametrize("word", ["stop", "length", "tool_calls", "eos"])
async def test_s8_calls_are_the_outcome_whatever_the_word(tmp_path: Path, word: str) -> None:
    """An answer with a whole call in it is there to call."""
    seen = await see(tmp_path, chunks(calling(part("read", '{"path":"a"}', index=0, id="a")), finish=word))
    assert seen.calls == [TWO[0]]


ERRORS: dict[str, bytes] = {
    "object": event({"error": {"message": "boom", "type": "server_error"}}),
    "event": b'event: error\ndata: {"message": "boom"}\n\n',
    "minimax": event({"base_resp": {"status_code": 1013, "status_msg": "boom"}}),
    "a code": event({"code": 500, "msg": "boom"}),
}


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("begun", [True, False])
async def test_s9_an_error_in_the_stream_is_one(tmp_path: Path, error: str, begun: bool) -> None:
    """After words it ends the stream as failed, before them it is a status; no end follows it."""
    before = [completion_chunk({"content": "Par"})] if begun else []
    seen = await see(tmp_path, stream([*before, ERRORS[error], completion_chunk({}, "stop"), DONE]))
    assert (seen.status, "response.completed" in seen.text) == (200 if begun else 502, False)
    assert "boom" in seen.text
    if begun:
        assert seen.end["type"] == "response.failed"


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


THOUGHTS: dict[str, list[Body]] = {
    "reasoning_content": [{"reasoning_content": "hm"}, {"content": "Paris"}],
    "reasoning": [{"reasoning": "hm"}, {"content": "Paris"}],
    "reasoning_details": [{"reasoning_details": [{"type": "reasoning.text", "text": "hm"}]}, {"content": "Paris"}],
}


@pytest.mark.parametrize("field", THOUGHTS)
async def test_s12_thoughts_stand_in_many_fields(tmp_path: Path, field: str) -> None:
    """All of them are thoughts to the client; tags in the text are where a profile says so."""
    seen = await see(tmp_path, chunks(*THOUGHTS[field]))
    assert (seen.thought, seen.said) == ("hm", "Paris")


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
