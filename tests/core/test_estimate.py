"""Estimates of token counts."""

import json

import pytest

from rixin.core.cards import ModelCard
from rixin.core.estimate import estimate_prompt, estimate_text, most_prompt_tokens
from rixin.core.messages import ImagePart, Message, TextPart, ToolCall, ToolResult
from rixin.core.requests import Change, Generate, Origin
from rixin.core.tools import Tool
from rixin.service.served import changes_text

CARD = ModelCard(name="m", target="m")


def test_scripts_differ() -> None:
    """Four ASCII characters are about one token, one Chinese character is about one."""
    assert estimate_text("") == 0
    assert estimate_text("abcd") == 1
    assert estimate_text("abcde") == 2
    assert estimate_text("机器学习") == 4
    assert estimate_text("机器 ok") == 3


def test_everything_in_a_request_counts() -> None:
    """Messages, calls, results, images and tools each add something."""
    bare = Generate(model="m", card=CARD, messages=(Message(role="user", parts=(TextPart("hello"),)),))
    call = Message(role="assistant", parts=(ToolCall(id="c", name="f", arguments='{"a": 1}'),))
    result = Message(role="tool", parts=(ToolResult(call_id="c", parts=(TextPart("a result"),)),))
    image = Message(role="user", parts=(ImagePart(url="https://x.example/a.png"),))
    sizes = [
        estimate_prompt(Generate(model="m", card=CARD, messages=(*bare.messages, *more), tools=tools))
        for more, tools in [
            ((), ()),
            ((call,), ()),
            ((call, result), ()),
            ((call, result, image), ()),
            ((call, result, image), (Tool(name="f", description="does f", parameters={"type": "object"}),)),
        ]
    ]
    assert sizes == sorted(set(sizes))


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("The quick brown fox jumps over the lazy dog, and nobody knows why it does. " * 60, 1020),
        ("今天天气很好，我们去公园散步，顺便买一些水果和蔬菜回家做饭。" * 60, 1080),
        ("Съешь ещё этих мягких французских булок, да выпей чаю. " * 60, 1381),
        (json.dumps([{"id": i, "name": f"item {i}", "tags": ["a", "b"], "price": i * 1.25} for i in range(200)]), 7193),
    ],
    ids=["English", "Chinese", "Russian", "JSON"],
)
def test_a16_a_prompt_is_estimated_to_a_fifth(text: str, tokens: int) -> None:
    """Whatever it is made of; the true counts are those of Qwen2.5's tokenizer."""
    request = Generate(model="m", card=CARD, messages=(Message(role="user", parts=(TextPart(text),)),))
    assert abs(estimate_prompt(request) / tokens - 1) < 0.2


def test_the_upper_bound_is_one_token_a_byte() -> None:
    """No tokenizer makes more tokens of a text than it has bytes."""
    body = '{"messages":[{"role":"user","content":"机器学习"}]}'.encode()
    message = Message(role="user", parts=(TextPart("机器学习"),))
    request = Generate(model="m", card=CARD, messages=(message,), origin=Origin("x", body))
    assert most_prompt_tokens(request) >= len(body)


def test_changes_are_told_within_a_kilobyte() -> None:
    """What does not fit is counted, not dropped in silence."""
    assert changes_text(()) == ""
    assert changes_text((Change("lowered", "max_tokens"), Change("ignored", "a"))) == "lowered(max_tokens), ignored(a)"
    many = tuple(Change("ignored", f"field_{index}") for index in range(200))
    text = changes_text(many)
    assert len(text) <= 1024
    listed = text.split(", ")
    assert listed[-1] == f"+{200 - len(listed) + 1}"
