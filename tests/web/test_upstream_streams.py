"""What upstreams' streams mean, as a client sees it through the whole server.

The tests are named after the hard cases of bridges: S for what streams mean.
"""

import json
from pathlib import Path

import msgspec
import pytest

from tests.profiles.strict_upstream import Rules
from tests.support.clients import CHAT, MESSAGES, RESPONSES
from tests.support.healing import healing_site
from tests.upstreams.scripted import DONE, Reply, answer, completion, completion_chunk, event, stream
from tests.upstreams.strict import StrictUpstream
from tests.web.seen import ASKED, Body, Scripted, calling, chunks, part, see


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
