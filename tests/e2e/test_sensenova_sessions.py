"""Sessions and character chats with the unmodified Python SDK of the SenseNova V6 platform, before a real model."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.support.sensenova_sdk import call, variables
from tests.support.server import Server

MODEL = "SenseNova-V6-Turbo"


@pytest.fixture(scope="module")
def environ(server: Server) -> dict[str, str]:
    """What the SDK reads."""
    return variables(server, "sessions")


def say(environ: dict[str, str], session: str, content: str, **fields: Any) -> Any:
    """Takes a turn of at most a few words."""
    given = {"model": MODEL, "max_new_tokens": 40, "temperature": 0.01, **fields}
    return call(environ, f"sensenova.ChatConversation.create(session_id={session!r}, content={content!r}, **{given!r})")


def test_a_session_remembers(environ: dict[str, str]) -> None:
    """What was said in one turn is known in the next, whole and streamed; a turn is answered anew."""
    prompt = [{"role": "system", "content": "You are a helpful assistant. Answer in one short sentence."}]
    session = call(environ, f"sensenova.ChatSession.create(system_prompt={prompt})")["session_id"]
    first = say(environ, session, "My name is Zhangwei. Please remember it.")["data"]
    assert first["message"]
    assert first["session_id"] == session
    chunks = say(environ, session, "What is my name?", stream=True)
    assert "Zhangwei" in "".join(chunk["data"]["delta"] for chunk in chunks)
    last = chunks[-1]["data"]
    assert (last["delta"], last["session_id"]) == ("", session)
    assert last["finish_reason"] in ("stop", "length")
    assert last["usage"]["total_tokens"] == last["usage"]["prompt_tokens"] + last["usage"]["completion_tokens"]
    again = say(environ, session, "What is my name?", action="regeneration")["data"]
    assert again["turn_id"] == last["turn_id"].removesuffix("_1") + "_2"
    assert "Zhangwei" in again["message"]


def test_a_session_begins_without_a_word(environ: dict[str, str]) -> None:
    """As the SDK asks where it is given nothing."""
    session = call(environ, "sensenova.ChatSession.create()")["session_id"]
    answer = say(environ, session, "地球的直径是多少米?", know_ids=[], stream=False)
    assert answer["data"]["message"]


def test_nobody_knows_a_session_that_is_none(environ: dict[str, str]) -> None:
    """The SDK makes its own error of it."""
    assert say(environ, "55b1f0815c76000", "Hello")[:2] == ["InvalidRequestError", 404]


def test_a_character_answers(environ: dict[str, str]) -> None:
    """The SDK's own example, with as many choices as it asks for."""
    fields = {
        "model": MODEL,
        "n": 2,
        "max_new_tokens": 30,
        "character_settings": [
            {"name": "y", "gender": "男", "nickname": "铁老师", "other_setting": "特别喜欢钱,主播赚的钱都是我的."},
            {"name": "d", "gender": "男", "nickname": "卖菜员"},
        ],
        "role_setting": {"user_name": "d", "primary_bot_name": "y"},
        "messages": [{"name": "d", "content": "请问铁老师,我为公司赚了几百亿,我能分多少钱."}],
    }
    data = call(environ, f"sensenova.CharacterChatCompletion.create(**{fields!r})")["data"]
    assert [choice["index"] for choice in data["choices"]] == [0, 1]
    assert data["reply"] == data["choices"][0]["message"] != ""


def test_workers_share_sessions(launch: Callable[..., Server]) -> None:
    """Whichever of them a turn comes to knows all turns before it; of many at once, each answered one is remembered."""
    server = launch("--workers", "2")
    headers = {"authorization": f"Bearer {server.key}", "connection": "close"}

    def post(path: str, **body: Any) -> requests.Response:
        return requests.post(f"{server.url}/v1/llm/{path}", headers=headers, json=body, timeout=120)

    session = post("chat/sessions").json()["session_id"]

    def turn(content: str) -> requests.Response:
        fields = {"session_id": session, "model": MODEL, "content": content, "max_new_tokens": 2}
        return post("chat-conversations", **fields)

    prompts = [turn(f"This is turn {number}.").json()["data"]["usage"]["prompt_tokens"] for number in range(8)]
    assert prompts == sorted(set(prompts))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(turn, [f"This is turn {number}." for number in range(8)]))
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) <= {200, 409}
    step = prompts[-1] - prompts[-2]
    grown = turn("This is turn 9.").json()["data"]["usage"]["prompt_tokens"] - prompts[-1]
    assert abs(grown - step * (statuses.count(200) + 1)) <= statuses.count(200) + 1  # answers of one token or two
