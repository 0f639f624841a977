"""The body that an upstream is sent."""

import json
from typing import Any

import pytest

from rixin.core.cards import ModelCard
from rixin.core.json import JsonObject
from rixin.core.messages import (
    DocumentPart,
    ImagePart,
    Message,
    Opaque,
    Part,
    ReasoningPart,
    RefusalPart,
    Role,
    TextPart,
    ToolCall,
    ToolResult,
    VideoPart,
)
from rixin.core.requests import Change, Generate, ReasoningWish, Sampling
from rixin.core.tools import ResponseFormat, Tool
from rixin.dialects.sensenova_native import DIALECT
from rixin.dialects.sensenova_native.body import RENDERINGS
from rixin.errors import Kind, RixinError
from tests.dialects.sensenova_native.asking import ask, ask_prompt
from tests.dialects.support import ask_chat

CARD = ModelCard(name="alias", target="SenseNova-V6-Pro", context_length=32768, max_output_length=16384)
HI = (Message(role="user", parts=(TextPart("Hi"),)),)
RICH: JsonObject = {
    "model": "alias",
    "messages": [{"role": "user", "content": [{"text": "Hi", "note": 1}, {"image_url": "https://x"}]}],
    "max_new_tokens": 2000,
    "repetition_penalty": 1.05,
    "temperature": 0.5,
    "top_p": 0.6,
    "n": 2,
    "stream": True,
    "user": "u",
    "thinking": {"enabled": False},
    "know_ids": ["s76f"],
    "plugins": None,
}
CALL = ToolCall(id="c", name="f", arguments="{}")


def sent(request: Generate) -> JsonObject:
    """What an upstream is sent."""
    assert DIALECT.upstream is not None
    return DIALECT.upstream.build_body(request)


def foreign(**fields: Any) -> JsonObject:
    """What becomes of a request from another dialect."""
    given: dict[str, Any] = {"model": "alias", "card": CARD, "messages": HI, "max_tokens": 9, **fields}
    return sent(Generate(**given))


def item(part: Part, role: Role = "user") -> Any:
    """What becomes of a part beside a text."""
    messages: Any = foreign(messages=(Message(role=role, parts=(part, TextPart("x"))), *HI))["messages"]
    return messages[0]["content"][0]


def test_a_request_of_the_platforms_own_goes_out_as_it_came() -> None:
    """But for the model's name: null, unknown and untyped things stay, and no default is added."""
    assert sent(ask(**RICH)) == {**RICH, "model": "true-model"}
    assert sent(ask(model="alias")) == {"model": "true-model", "messages": [{"role": "user", "content": "Hi"}]}


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        ({"max_tokens": 7}, {"max_new_tokens": 7}),
        ({"stream": False}, {"stream": ...}),
        ({"stop": ("a",)}, {"stop": ["a"]}),
        ({"n": 1}, {"n": ...}),
        ({"user": None}, {"user": ...}),
        ({"reasoning": ReasoningWish(effort="none")}, {"thinking": {"enabled": False}}),
        ({"reasoning": ReasoningWish()}, {"thinking": ...}),
        ({"sampling": Sampling(top_p=0.2)}, {"top_p": 0.2, "temperature": ..., "repetition_penalty": ...}),
        ({"messages": HI}, {"messages": [{"role": "user", "content": "Hi"}]}),
        ({"extra": {"know_ids": ["other"]}}, {"know_ids": ["other"], "plugins": ...}),
        ({"include_usage": True}, {}),
    ],
    ids=str,
)
def test_an_edit_changes_only_its_own_fields(edit: dict[str, Any], expected: dict[str, Any]) -> None:
    """What was edited is rendered anew; all else stays."""
    wanted = {name: value for name, value in {**RICH, "model": "true-model", **expected}.items() if value is not ...}
    assert sent(ask(**RICH).edit(Change("edit", "x"), **edit)) == wanted


def test_every_attribute_of_a_request_is_said_or_known_to_stay() -> None:
    """A new field of `Generate` must be given its rendering here, or its refusal."""
    refused = {"tools", "tool_choice", "parallel_tool_calls", "response_format", "logprobs", "top_logprobs"}
    unsaid = {"model", "card", "max_tokens_binding", "include_usage", "session", "fairness_key", "knowledge_tokens"}
    unsaid |= {"form", "peculiar", "turn", "observer", "thoughts", "recall", "extra", "changes", "origin", "edited"}
    assert set(Generate.__struct_fields__) - refused - unsaid == set(RENDERINGS)


def test_a_foreign_request_is_rendered() -> None:
    """Each attribute has its field."""
    assert foreign(
        sampling=Sampling(temperature=0.5, top_p=0.9, repetition_penalty=1.1, top_k=5),
        n=2,
        stream=True,
        user="u",
        reasoning=ReasoningWish(enabled=True),
    ) == {
        "model": "SenseNova-V6-Pro",
        "messages": [{"role": "user", "content": "Hi"}],
        "max_new_tokens": 9,
        "temperature": 0.5,
        "top_p": 0.9,
        "repetition_penalty": 1.1,
        "n": 2,
        "stream": True,
        "user": "u",
        "thinking": {"enabled": True},
    }
    assert foreign(messages=(), prompt="Once", stop=("\n",)) == {
        "model": "SenseNova-V6-Pro",
        "prompt": "Once",
        "max_new_tokens": 9,
        "stop": ["\n"],
    }


@pytest.mark.parametrize(
    ("sampling", "expected"),
    [
        ({"temperature": 0}, {"temperature": 0.000001}),
        ({"temperature": 1.23456789}, {"temperature": 1.234568}),
        ({"temperature": 1e-9}, {"temperature": 0.000001}),
        ({"top_p": 1}, {"top_p": 0.999999}),
        ({"top_p": 0}, {"top_p": 0.000001}),
        ({"top_p": 0.9999999}, {"top_p": 0.999999}),
        ({"repetition_penalty": 5}, {"repetition_penalty": 2}),
        ({"frequency_penalty": 0}, {"repetition_penalty": 1}),
        ({"frequency_penalty": 2}, {"repetition_penalty": 2}),
        ({"frequency_penalty": -2}, {"repetition_penalty": 0.000001}),
        ({"frequency_penalty": 1, "repetition_penalty": 1.1}, {"repetition_penalty": 1.1}),
    ],
    ids=str,
)
def test_sampling_is_moved_into_the_platforms_ranges(sampling: dict[str, Any], expected: dict[str, float]) -> None:
    """Their ends are open where others' are closed, and a temperature has six decimals."""
    body = foreign(sampling=Sampling(**sampling))
    assert {name: body[name] for name in expected} == expected
    assert sum(name in body for name in ("temperature", "top_p", "repetition_penalty")) == 1


@pytest.mark.parametrize(
    ("card", "words", "limit"),
    [
        (CARD, 1, 16384),
        (CARD, 30_000, 32768 - 24_380),
        (CARD, 200_000, 1),
        (ModelCard(name="m", target="m", max_output_length=100_000), 1, 16384),
        (ModelCard(name="m", target="m", context_length=32768), 1, None),
    ],
)
def test_no_small_limit_is_hidden_in_what_is_not_said(card: ModelCard, words: int, limit: int | None) -> None:
    """A client that wants an answer of any length is not cut at the platform's default, and fits the window."""
    messages = (Message(role="user", parts=(TextPart("日" * words),)),)
    assert foreign(card=card, messages=messages, max_tokens=None).get("max_new_tokens") == limit


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (TextPart("a"), {"type": "text", "text": "a"}),
        (RefusalPart("no"), {"type": "text", "text": "no"}),
        (ImagePart(url="https://x"), {"type": "image_url", "image_url": "https://x"}),
        (ImagePart(url="data:image/png;base64,QUJD"), {"type": "image_base64", "image_base64": "QUJD"}),
        (ImagePart(base64="QUJD"), {"type": "image_base64", "image_base64": "QUJD"}),
        (ImagePart(file_id="f"), {"type": "image_file_id", "image_file_id": "f"}),
        (VideoPart(url="https://v"), {"type": "video_url", "video_url": "https://v"}),
        (VideoPart(file_id="f"), {"type": "video_file_id", "video_file_id": "f"}),
        (DocumentPart(text="words"), {"type": "text", "text": "words"}),
        (DocumentPart(text="words", name="a.txt"), {"type": "text", "text": "a.txt:\nwords"}),
    ],
)
def test_parts_have_the_platforms_form(part: Part, expected: JsonObject) -> None:
    """Texts, images, videos, and documents whose words are known."""
    assert item(part) == expected


def test_thoughts_and_other_dialects_parts_are_left_out() -> None:
    """This wire has no place for them; a message that holds nothing else is empty, and stays in its place."""
    messages = (
        Message(role="system", parts=(TextPart("s"),)),
        Message(role="assistant", parts=(ReasoningPart(text="Hm"), TextPart("a"))),
        Message(role="assistant", parts=(Opaque(dialect="x", kind="y", value=1),)),
        *HI,
    )
    assert foreign(messages=messages)["messages"] == [
        {"role": "system", "content": "s"},
        {"role": "assistant", "content": "a"},
        {"role": "assistant", "content": ""},
        {"role": "user", "content": "Hi"},
    ]


def test_a_last_system_message_is_told_by_the_user() -> None:
    """The platform wants the user's turn last."""
    messages = (*HI, Message(role="system", parts=(TextPart("Be brief."),)))
    assert foreign(messages=messages)["messages"] == [
        {"role": "user", "content": "Hi"},
        {"role": "user", "content": "Be brief."},
    ]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tools": (Tool(name="f"),)}, "tools"),
        ({"stop": ("a",)}, "stop"),
        ({"response_format": ResponseFormat(kind="json_object")}, "response_format"),
        ({"logprobs": True}, "logprobs"),
        ({"messages": (*HI, Message(role="assistant", parts=(TextPart("a"),)))}, "messages"),
        ({"messages": (Message(role="assistant", parts=(CALL,)), *HI)}, "messages"),
        ({"messages": (Message(role="tool", parts=(ToolResult(call_id="c", parts=()),)), *HI)}, "messages"),
        ({"messages": (Message(role="user", parts=(DocumentPart(file_id="f"),)),)}, None),
        ({"messages": (Message(role="user", parts=(ImagePart(url="data:image/png,x"),)),)}, None),
    ],
)  # fmt: skip
def test_what_cannot_be_said_is_refused(fields: dict[str, Any], param: str | None) -> None:
    """An answer that ignores it would be another one."""
    with pytest.raises(RixinError) as caught:
        foreign(**fields)
    assert (caught.value.kind, caught.value.param) == (Kind.INVALID_REQUEST, param)


def test_a_text_answer_is_what_this_wire_gives() -> None:
    """To ask for it says nothing."""
    assert "response_format" not in foreign(response_format=ResponseFormat(kind="text"))


def test_a_prompt_of_the_platforms_own_goes_out_as_it_came() -> None:
    """As a chat does."""
    assert sent(ask_prompt(model="alias", stop="x")) == {"model": "true-model", "prompt": "Once", "stop": "x"}
    assert json.dumps(sent(ask_prompt(model="alias").edit(prompt="Twice"))) == (
        '{"model": "true-model", "prompt": "Twice"}'
    )


def test_how_tokens_shall_be_drawn_is_said_or_named() -> None:
    """A frequency penalty stands in for a repetition penalty, unless there is one."""
    assert DIALECT.upstream is not None
    request = ask_chat(temperature=1, top_k=5, seed=7, min_p=0.1, frequency_penalty=1, presence_penalty=1)
    assert DIALECT.upstream.unsaid(request) == ("top_k", "min_p", "presence_penalty", "seed")
    request = ask_chat(repetition_penalty=1.1, frequency_penalty=1)
    assert DIALECT.upstream.unsaid(request) == ("frequency_penalty",)
