"""Moderation over HTTP, in every dialect: what is refused, what is cut short, and what is written down of it."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from rixin.core.events import Event, Finish, Reasoning, Start, Text, ToolArguments, ToolStart
from rixin.core.usage import Usage
from rixin.settings import Moderation, Server, Settings
from tests.support.engines import Step
from tests.support.hang import HANG
from tests.support.web import Site, site
from tests.upstreams.scripted import Reply, Request, ScriptedUpstream, Stall, answer

START: Event = Start(id="up-1", created=1, model="m")
END: list[Event] = [Finish(reason="stop"), Usage(prompt=7, completion=9)]
HARMLESS: list[Step] = [[START, Text(text="All")], [Text(text=" is bo")], [Text(text="ld 炸鸡")], END]
CUT: list[Step] = [
    [START, Text(text="Take the b")],
    [Text(text="om")],
    [Text(text="b, then 炸弹")],
    [Text(text="!")],
    END,
]

CHAT, MESSAGES, RESPONSES, NATIVE = (
    "/v1/chat/completions",
    "/v1/messages",
    "/v1/responses",
    "/v1/llm/chat-completions",
)
DIALECTS = pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES, NATIVE])
STREAMS = pytest.mark.parametrize("stream", [False, True])


@asynccontextmanager
async def moderated(folder: Path, **settings: Any) -> AsyncGenerator[Site, None]:
    """An application with a list of words unless the settings name something else."""
    if not settings.keys() & {"words", "check_url"}:
        settings["words"] = folder / "words.txt"
        settings["words"].write_text("bomb\n炸弹\n", encoding="utf-8")
    everything = Settings(server=Server(data_dir=folder), moderation=Moderation(**settings))
    async with site(folder, everything) as running:
        running.engine.script = HARMLESS
        yield running


@pytest.fixture
async def served(tmp_path: Path) -> AsyncGenerator[Site, None]:
    """An application with a list of words."""
    async with moderated(tmp_path) as running:
        yield running


def body_of(path: str, text: str, *, stream: bool) -> dict[str, Any]:
    """A request in the dialect of a path."""
    if path == RESPONSES:
        return {"model": "m", "input": text, "stream": stream, "store": False}
    limit = {"max_tokens": 100} if path == MESSAGES else {}
    return {"model": "m", "messages": [{"role": "user", "content": text}], "stream": stream, **limit}


async def post(served: Site, path: str, text: str = "Hi", *, stream: bool = False) -> tuple[int, str]:
    """Status and body of an answer."""
    headers = {"authorization": f"Bearer {served.key}"}
    body = body_of(path, text, stream=stream)
    async with asyncio.timeout(HANG), served.client.post(served.url + path, json=body, headers=headers) as response:
        return response.status, await response.text()


def events_of(stream: str) -> list[Any]:
    """The data of a stream's events."""
    lines = (line.removeprefix("data:").strip() for line in stream.splitlines() if line.startswith("data:"))
    return [json.loads(line) for line in lines if line != "[DONE]"]


def told(path: str, text: str, *, stream: bool) -> tuple[str, str]:
    """The words of an answer, and why it ended, in the dialect's own terms."""
    if not stream:
        whole = json.loads(text)
        if path == CHAT:
            return whole["choices"][0]["message"]["content"] or "", whole["choices"][0]["finish_reason"]
        if path == MESSAGES:
            return "".join(block["text"] for block in whole["content"]), whole["stop_reason"]
        if path == RESPONSES:
            return words_of(whole), reason_of(whole)
        return whole["data"]["choices"][0]["message"], whole["data"]["choices"][0]["finish_reason"]
    events = events_of(text)
    if path == CHAT:
        choices = [choice for event in events for choice in event["choices"]]
        return "".join(choice["delta"].get("content", "") for choice in choices), choices[-1]["finish_reason"]
    if path == MESSAGES:
        deltas = [event["delta"] for event in events if "delta" in event]
        return "".join(delta.get("text", "") for delta in deltas), deltas[-1]["stop_reason"]
    if path == RESPONSES:
        deltas = [event["delta"] for event in events if event["type"] == "response.output_text.delta"]
        assert "".join(deltas) == words_of(events[-1]["response"])
        return "".join(deltas), reason_of(events[-1]["response"])
    choices = [event["data"]["choices"][0] for event in events]
    return "".join(choice["delta"] for choice in choices), choices[-1]["finish_reason"]


def words_of(response: dict[str, Any]) -> str:
    """The words of a response."""
    return "".join(part["text"] for item in response["output"] for part in item["content"])


def reason_of(response: dict[str, Any]) -> str:
    """Why a response ended."""
    return response["status"] if response["status"] == "completed" else response["incomplete_details"]["reason"]


STOPPED = {CHAT: "stop", MESSAGES: "end_turn", RESPONSES: "completed", NATIVE: "stop"}
FILTERED = {CHAT: "content_filter", MESSAGES: "refusal", RESPONSES: "content_filter", NATIVE: "sensitive"}


@DIALECTS
@STREAMS
async def test_a_harmless_answer_passes(served: Site, path: str, stream: bool) -> None:
    """Word for word, though parts of it were held back for a while."""
    status, text = await post(served, path, stream=stream)
    assert status == 200
    assert told(path, text, stream=stream) == ("All is bold 炸鸡", STOPPED[path])
    [row] = await served.ledger.recent()
    assert (row.status, row.error, row.completion_tokens) == (200, None, 9)


@DIALECTS
@STREAMS
async def test_a_listed_word_ends_the_answer(served: Site, path: str, stream: bool) -> None:
    """Before its first character; the model is left alone, and what was served is billed."""
    served.engine.script = [*CUT[:3], asyncio.Event()]
    status, text = await post(served, path, stream=stream)
    assert status == 200
    assert told(path, text, stream=stream) == ("Take the ", FILTERED[path])
    assert "bom" not in text
    assert "then" not in text
    assert served.engine.running == 0
    [row] = await served.ledger.recent()
    assert (row.status, row.error, row.estimated, row.completion_tokens) == (200, "content_policy", True, 3)


@DIALECTS
@STREAMS
async def test_a_listed_word_in_a_request_is_refused(served: Site, path: str, stream: bool) -> None:
    """In the dialect's own form; no model is asked, nothing is billed, and the row says why."""
    status, text = await post(served, path, "How do I build a ＢＯＭＢ?", stream=stream)
    error = json.loads(text)["error"]
    if path == NATIVE:
        assert (status, error["code"]) == (400, 18)
    elif path == MESSAGES:
        assert (status, error["type"]) == (400, "invalid_request_error")
    else:
        code = "7" if path == CHAT else "invalid_prompt"
        assert (status, error["type"], error["code"]) == (403, "permission_denied_error", code)
    assert error["message"] == "The request was refused by the content policy of this server."
    assert served.engine.requests == []
    [row] = await served.ledger.recent()
    assert (row.error, row.prompt_tokens, row.completion_tokens) == ("content_policy", 0, 0)


PLACES: list[dict[str, Any]] = [
    {"messages": [{"role": "system", "content": "x 炸弹 x"}, {"role": "user", "content": "Hi"}]},
    {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "炸弹"}]}]},
    {"messages": [{"role": "user", "name": "bomb", "content": "Hi"}]},
    {
        "messages": [
            {"role": "user", "content": "Hi"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "c",
                        "type": "function",
                        "function": {"name": "f", "arguments": '{"a":"\\u70b8\\u5f39"}'},
                    }
                ],
            },
            {"role": "tool", "tool_call_id": "c", "content": "ok"},
        ]
    },
    {
        "messages": [
            {"role": "user", "content": "Hi"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
            },
            {"role": "tool", "tool_call_id": "c", "content": "a bomb"},
        ]
    },
    {"tools": [{"type": "function", "function": {"name": "f", "description": "Makes a bomb", "parameters": {}}}]},
    {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"properties": {"bomb": {}}}}}]},
    {"chat_template_kwargs": {"deep": [{"x": "a bomb"}]}},
]
"""Requests that hold a listed word, each in another place."""


@pytest.mark.parametrize("fields", PLACES)
async def test_every_part_of_a_request_is_looked_at(served: Site, fields: dict[str, Any]) -> None:
    """System prompts, parts, names, calls and their results, tools, fields that nobody knows."""
    async with served.post(**fields) as response:
        assert response.status == 403
        assert (await response.json())["error"]["code"] == "7"


async def test_a_bare_prompt_is_looked_at(served: Site) -> None:
    """So is what continues it."""
    headers = {"authorization": f"Bearer {served.key}"}
    for prompt, status in (("a bomb", 403), ("a", 200)):
        served.engine.script = CUT
        body = {"model": "m", "prompt": prompt}
        async with served.client.post(f"{served.url}/v1/completions", json=body, headers=headers) as response:
            assert response.status == status
            if status == 200:
                [choice] = (await response.json())["choices"]
                assert (choice["text"], choice["finish_reason"]) == ("Take the ", "content_filter")


SESSION = "/v1/llm/chat/sessions"
CAST: dict[str, Any] = {
    "character_settings": [{"name": "Mate", "gender": "f"}, {"name": "Guest", "gender": "m"}],
    "role_setting": {"user_name": "Guest", "primary_bot_name": "Mate"},
}


async def test_every_native_route_is_looked_at(served: Site) -> None:
    """Characters, turns of sessions and bare prompts: error 18 for what is asked, `sensitive` for what is answered."""

    async def send(path: str, **fields: Any) -> tuple[int, dict[str, Any]]:
        headers = {"authorization": f"Bearer {served.key}"}
        async with served.client.post(served.url + path, json=fields, headers=headers) as response:
            return response.status, await response.json()

    served.engine.script = CUT
    _, begun = await send(SESSION, system_prompt=[])

    async def ask(route: str, words: str) -> tuple[int, dict[str, Any]]:
        if route == "character/chat-completions":
            return await send(f"/v1/llm/{route}", model="m", **CAST, messages=[{"name": "Guest", "content": words}])
        if route == "chat-conversations":
            return await send(f"/v1/llm/{route}", model="m", session_id=begun["session_id"], content=words)
        return await send(f"/v1/llm/{route}", model="m", prompt=words)

    for route in ("character/chat-completions", "chat-conversations", "completions"):
        status, refused = await ask(route, "How do I build a bomb?")
        assert (status, refused["error"]["code"]) == (400, 18), route
        status, answered = await ask(route, "Hi")
        assert status == 200
        assert "omb" not in json.dumps(answered)
        assert '"finish_reason": "sensitive"' in json.dumps(answered)


@DIALECTS
@STREAMS
async def test_thoughts_and_arguments_are_looked_at(served: Site, path: str, stream: bool) -> None:
    """Nothing of a listed word is told of either, and no call is told as complete."""
    call: list[Event] = [ToolStart(index=0, id="c1", name="run")]
    arguments: list[Event] = [ToolArguments(index=0, text='{"a":"\\u70b8'), ToolArguments(index=0, text='\\u5f39"}')]
    for script in (
        [[START, Reasoning(text="I take a b")], [Reasoning(text="omb,")], [Text(text="Sure")], END],
        [[START], call, arguments, [Finish(reason="tool_calls")]],
    ):
        served.engine.script = script
        status, text = await post(served, path, stream=stream)
        assert status == 200
        assert "omb" not in text
        assert "u5f39" not in text
        assert "弹" not in text
        assert "Sure" not in text
        assert f'"{FILTERED[path]}"' in text
        assert '"tool_calls"' not in text.partition('"finish_reason":"')[2]


async def test_a_word_is_never_told_however_it_is_cut(served: Site) -> None:
    """Character by character, over the wire."""
    for word in ("bomb ", "炸弹"):
        for cut in range(1, len(word)):
            served.engine.script = [[START, Text(text="So: " + word[:cut])], [Text(text=word[cut:] + "x")], END]
            _, text = await post(served, CHAT, stream=True)
            assert told(CHAT, text, stream=True) == ("So: ", "content_filter")


async def test_only_what_is_wanted_is_looked_at(tmp_path: Path) -> None:
    """Requests, or answers."""
    for folder, settings, statuses in (
        ("a", {"input": False}, (200, "Take the ")),
        ("b", {"output": False}, (403, None)),
    ):
        (tmp_path / folder).mkdir()
        async with moderated(tmp_path / folder, **settings) as served:
            served.engine.script = CUT
            status, text = await post(served, CHAT, "a bomb")
            assert status == statuses[0]
            if status == 200:
                assert told(CHAT, text, stream=False)[0] == statuses[1]
            else:
                _, text = await post(served, CHAT)
                assert told(CHAT, text, stream=False) == ("Take the bomb, then 炸弹!", "stop")


def judge(request: Request) -> Reply:
    """Refuses what holds an X."""
    allowed = not any("X" in text for text in request.json["texts"])
    return answer(json.dumps({"allowed": allowed}))


@DIALECTS
@STREAMS
async def test_a_check_is_asked_about_requests_and_answers(tmp_path: Path, path: str, stream: bool) -> None:
    """What it does not allow is refused, or cut short before the window that it is in."""
    async with ScriptedUpstream(judge) as check, moderated(tmp_path, check_url=check.url, check_window=5) as served:
        served.engine.script = [[START, Text(text="Good words")], [Text(text=" and")], [Text(text=" X")], END]
        status, text = await post(served, path, stream=stream)
        assert status == 200
        assert told(path, text, stream=stream) == ("Good words", FILTERED[path])
        assert [asked.json["stage"] for asked in check.requests] == ["input", "output", "output"]
        assert [asked.json["texts"] for asked in check.requests] == [["Hi"], ["Good words"], ["words and X"]]
        assert {asked.json["model"] for asked in check.requests} == {"m"}
        status, text = await post(served, path, "An X", stream=stream)
        assert status in (400, 403)
        assert "content policy" in text
        rows = await served.ledger.recent()
        assert [row.error for row in rows] == ["content_policy"] * 2


@pytest.mark.parametrize("reply", [[Stall()], answer("garbage"), answer("", status=500)])
@STREAMS
async def test_a_check_that_fails_refuses_or_lets_pass(tmp_path: Path, reply: Reply, stream: bool) -> None:
    """By the setting: a 503 that may be tried again, or the answer."""
    async with ScriptedUpstream(reply) as check:
        for on_failure in ("closed", "open"):
            folder = tmp_path / on_failure
            folder.mkdir()
            settings = {"check_url": check.url, "check_deadline": 0.3, "on_failure": on_failure}
            async with moderated(folder, **settings) as served:
                status, text = await post(served, CHAT, stream=stream)
                if on_failure == "open":
                    assert status == 200
                    assert told(CHAT, text, stream=stream) == ("All is bold 炸鸡", "stop")
                else:
                    assert status == 503
                    assert "content check" in json.loads(text)["error"]["message"]
                    assert served.engine.requests == []


async def test_a_check_that_fails_in_mid_answer_breaks_it(tmp_path: Path) -> None:
    """What was allowed is told and billed; the stream ends with an error, and not as if it were whole."""

    def reply(request: Request) -> Reply:
        return [Stall()] if "Two" in str(request.json["texts"]) else answer('{"allowed":true}')

    async with (
        ScriptedUpstream(reply) as check,
        moderated(tmp_path, check_url=check.url, check_deadline=0.3, check_window=4) as served,
    ):
        served.engine.script = [[START, Text(text="One.")], [Text(text="Two.")], END]
        status, text = await post(served, CHAT, stream=True)
        assert status == 200
        assert "One." in text
        assert "Two" not in text
        assert "[DONE]" not in text
        assert "error" in events_of(text)[-1]
        [row] = await served.ledger.recent()
        assert (row.error, row.completion_tokens) == ("overloaded", 1)


async def test_nothing_is_asked_by_default(tmp_path: Path) -> None:
    """Without settings nobody looks."""
    async with site(tmp_path, Settings(server=Server(data_dir=tmp_path))) as served:
        served.engine.script = CUT
        _, text = await post(served, CHAT, "a bomb", stream=True)
        assert told(CHAT, text, stream=True) == ("Take the bomb, then 炸弹!", "stop")
