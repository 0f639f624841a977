"""Chats among characters."""

import json
from typing import Any

import pytest

from rixin.core.events import Finish, Start, Text
from rixin.core.requests import Generate
from rixin.core.responses import collect
from rixin.core.usage import Usage
from rixin.dialects.base import Call
from rixin.dialects.sensenova_native import CHARACTERS, DIALECT
from rixin.dialects.sensenova_native.character import parse_character
from rixin.errors import Kind, RixinError
from tests.dialects.support import STAMP, card_of

EXAMPLE: dict[str, Any] = {
    "model": "up-model",
    "n": 2,
    "max_new_tokens": 300,
    "character_settings": [
        {
            "name": "y",
            "gender": "男",
            "nickname": "铁老师",
            "other_setting": "特别喜欢钱,主播赚的钱都是我的.",
        },
        {"name": "d", "gender": "男", "nickname": "卖菜员"},
    ],
    "role_setting": {"user_name": "d", "primary_bot_name": "y"},
    "messages": [{"name": "d", "content": "请问铁老师,我为公司赚了几百亿,我能分多少钱."}],
}
"""The request of the SDK's own test."""


def ask(**fields: Any) -> Generate:
    """Parses the SDK's request with some fields replaced."""
    return parse_character(Call(body=json.dumps({**EXAMPLE, **fields}).encode()), card_of)


def test_the_sdks_request_is_a_conversation_with_the_cast_before_it() -> None:
    """The model is told whom it plays, and everything that is known of everyone."""
    request = ask()
    cast, question = request.messages
    assert (cast.role, question.role, question.text) == ("system", "user", EXAMPLE["messages"][0]["content"])
    for told in ("You are y in a conversation with d", "铁老师", "特别喜欢钱", "卖菜员", "gender: 男"):
        assert told in cast.text
    assert (request.n, request.max_tokens, request.stream) == (2, 300, False)


def test_who_speaks_is_said_where_it_is_a_third_one() -> None:
    """The model's own words are the assistant's."""
    settings = [*EXAMPLE["character_settings"], {"name": "z", "gender": "女"}]
    said = [{"name": name, "content": f"I am {name}"} for name in ("d", "y", "z", "d")]
    messages = ask(character_settings=settings, messages=said).messages[1:]
    assert [(message.role, message.text) for message in messages] == [
        ("user", "I am d"), ("assistant", "I am y"), ("user", "z: I am z"), ("user", "I am d"),
    ]  # fmt: skip


def test_an_absent_limit_is_300() -> None:
    """It binds nobody."""
    body = {name: value for name, value in EXAMPLE.items() if name != "max_new_tokens"}
    request = parse_character(Call(body=json.dumps(body).encode()), card_of)
    assert (request.max_tokens, request.max_tokens_binding) == (300, False)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"max_new_tokens": 1025}, "max_new_tokens"),
        ({"n": 5}, "n"),
        ({"stream": True}, "stream"),
        ({"messages": []}, "messages"),
        ({"messages": [{"name": "x", "content": "Hi"}]}, "messages[0].name"),
        ({"messages": [{"name": "y", "content": "Hi"}]}, "messages[0].name"),
        ({"messages": [{"name": "d"}]}, "messages[0].content"),
        ({"role_setting": {"user_name": "d", "primary_bot_name": "x"}}, "role_setting.primary_bot_name"),
        ({"role_setting": {"user_name": "x", "primary_bot_name": "y"}}, "role_setting.user_name"),
        ({"role_setting": {"user_name": "y", "primary_bot_name": "y"}}, "role_setting"),
        ({"role_setting": {"user_name": "d"}}, "role_setting.primary_bot_name"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, Any], param: str) -> None:
    """By its place."""
    with pytest.raises(RixinError) as caught:
        ask(**fields)
    assert (caught.value.kind, caught.value.param) == (Kind.INVALID_REQUEST, param)


@pytest.mark.parametrize(
    ("setting", "field"),
    [
        ({"name": "n" * 51}, "name"),
        ({"name": ""}, "name"),
        ({"gender": "g" * 51}, "gender"),
        ({"nickname": "n" * 51}, "nickname"),
        ({"identity": "i" * 201}, "identity"),
        ({"detail_setting": "d" * 501}, "detail_setting"),
        ({"other_setting": "o" * 2001}, "other_setting"),
        ({"feeling_toward": [{"name": "d", "level": 4}]}, "feeling_toward[0].level"),
    ],
)
def test_a_setting_has_its_documented_size(setting: dict[str, Any], field: str) -> None:
    """One more character is too much."""
    with pytest.raises(RixinError) as caught:
        ask(character_settings=[{**EXAMPLE["character_settings"][0], **setting}, EXAMPLE["character_settings"][1]])
    assert caught.value.param == f"character_settings[0].{field}"


def test_an_answer_is_the_platforms_key_by_key() -> None:
    """`reply` is the first of the choices."""
    events = [
        Start(id="x", created=1, model="m"), Text(text="很多"), Text(text="没有", choice=1),
        Finish(reason="stop"), Finish(reason="length", choice=1), Usage(prompt=9, completion=4),
    ]  # fmt: skip
    assert CHARACTERS.render_response(collect(events), ask(), STAMP).decode() == (
        '{"data":{"id":"1","reply":"很多","choices":['
        '{"index":0,"message":"很多","finish_reason":"stop"},{"index":1,"message":"没有","finish_reason":"length"}],'
        '"usage":{"prompt_tokens":9,"knowledge_tokens":0,"completion_tokens":4,"total_tokens":13}}}'
    )


def test_an_upstream_of_the_platform_is_asked_in_a_chat() -> None:
    """With what rides along, and without the fields that only characters have."""
    assert DIALECT.upstream is not None
    body = DIALECT.upstream.build_body(ask(know_ids=["k"], max_new_tokens=None))
    assert set(body) == {"model", "n", "max_new_tokens", "messages", "know_ids"}
    assert (body["max_new_tokens"], body["n"], body["know_ids"]) == (300, 2, ["k"])
