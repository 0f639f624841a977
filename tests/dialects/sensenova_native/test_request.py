"""A client's body, read."""

from typing import Any

import msgspec
import pytest

from rixin.core.messages import ImagePart, Message, TextPart, VideoPart
from rixin.core.requests import Generate, ReasoningWish, Sampling
from rixin.dialects.sensenova_native.bounds import MAX_IMAGES
from rixin.errors import Kind, RixinError
from tests.dialects.sensenova_native.asking import CHAT, COMPLETIONS, ask, ask_prompt, parse


def refusal(**fields: Any) -> RixinError:
    """Why a chat with these fields is not taken."""
    with pytest.raises(RixinError) as caught:
        ask(**fields)
    assert caught.value.kind is Kind.INVALID_REQUEST
    return caught.value


def user(*parts: Any) -> list[dict[str, Any]]:
    """A conversation of one message."""
    return [{"role": "user", "content": list(parts)}]


def image(number: int = 0) -> dict[str, str]:
    """An image."""
    return {"type": "image_url", "image_url": f"https://example.com/{number}.png"}


def test_absent_fields_have_the_documented_defaults() -> None:
    """Whatever model answers; a limit that nobody sent binds nobody. An absent penalty is none."""
    for request in (
        ask(),
        ask(temperature=None, top_p=None, max_new_tokens=None, n=None, stream=None, user=None, repetition_penalty=None),
    ):
        assert request.sampling == Sampling(temperature=0.8, top_p=0.7)
        assert (request.max_tokens, request.max_tokens_binding) == (1024, False)
        assert (request.n, request.stream, request.user, request.reasoning) == (1, False, None, ReasoningWish())
    assert ask_prompt().sampling == Sampling(temperature=0.8, top_p=0.7, repetition_penalty=1.05)
    assert (ask_prompt().max_tokens, ask_prompt().max_tokens_binding) == (1024, False)


@pytest.mark.parametrize(
    ("asking", "field", "good", "bad", "range_text"),
    [
        (ask, "max_new_tokens", [1, 1024, 16384], [0, -1, 16385], "[1,16384]"),
        (ask_prompt, "max_new_tokens", [1, 1024, 2048], [0, -1, 2049], "[1,2048]"),
        (ask, "top_p", [0.000001, 0.7, 0.999999], [0, 1, 1.0, -0.1, 1.5], "(0,1)"),
        (ask_prompt, "top_p", [0.000001, 0.7, 1], [0, -0.1, 1.5], "(0,1]"),
        *(
            (asking, *case)
            for asking in (ask, ask_prompt)
            for case in (
                ("repetition_penalty", [0.000001, 1, 1.2, 2], [0, -1, 2.000001], "(0,2]"),
                ("temperature", [0.000001, 0.8, 1, 2, 2.0], [0, 0.0, -0.5, 2.1], "(0,2]"),
                ("n", [1, 4], [0, 5, 1000000], "[1,4]"),
            )
        ),
    ],
)
def test_numbers_have_the_documented_ranges(
    asking: Any, field: str, good: list[float], bad: list[float], range_text: str
) -> None:
    """Open ends are open; a breach names the field and its range."""
    for value in good:
        assert isinstance(asking(**{field: value}), Generate)
    for value in bad:
        with pytest.raises(RixinError, match=f"^invalid {field}, should in ") as caught:
            asking(**{field: value})
        assert (caught.value.kind, caught.value.param) == (Kind.INVALID_REQUEST, field)
        assert range_text in caught.value.message


@pytest.mark.parametrize(("text", "taken"), [
    ("0.123456", True), ("1.5e-1", True), ("1.10000000", True), ("1e-6", True), ("2", True),
    ("0.1234567", False), ("1e-7", False), ("1.0000001", False),
])  # fmt: skip
def test_a_temperature_has_at_most_six_decimals(text: str, taken: bool) -> None:
    """As the documentation has it; zeros at the end count nothing."""
    body = b'{"model":"up-model","messages":[{"role":"user","content":"Hi"}],"temperature":%s}' % text.encode()
    if taken:
        assert parse(body).sampling.temperature == float(text)
    else:
        with pytest.raises(RixinError, match="at most 6 decimals") as caught:
            parse(body)
        assert caught.value.param == "temperature"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"max_new_tokens": 1.5}, "max_new_tokens"),
        ({"max_new_tokens": "9"}, "max_new_tokens"),
        ({"top_p": "0.7"}, "top_p"),
        ({"stream": "true"}, "stream"),
        ({"user": 7}, "user"),
        ({"messages": []}, "messages"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"content": "Hi"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": None}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": {"type": "text"}}]}, "messages[0].content"),
        ({"messages": [{"role": "tool", "content": "Hi"}]}, "messages[0].role"),
        ({"messages": [{"role": "developer", "content": "Hi"}]}, "messages[0].role"),
        ({"messages": user({"type": "image_url", "image_url": {"url": "x"}})}, "messages[0].content[0].image_url"),
        ({"messages": user({"type": "text", "text": "a"}, {"type": "video_url"})}, "messages[0].content[1].video_url"),
        ({"messages": user({"type": "image_url", "image_url": ""})}, "messages[0].content[0].image_url"),
        ({"messages": user({"type": "image_url", "text": "a"})}, "messages[0].content[0].image_url"),
        ({"messages": user({"type": "audio_url", "audio_url": "a"})}, "messages[0].content[0].type"),
        ({"messages": user({"audio_url": "a"})}, "messages[0].content[0].type"),
        ({"messages": user({"text": "a", "image_url": "b"})}, "messages[0].content[0].type"),
        ({"messages": user({})}, "messages[0].content[0].type"),
        ({"thinking": {"type": "maybe"}}, "thinking.type"),
        ({"model": ""}, "model"),
        ({"model": None}, "model"),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_wrong_is_named(fields: dict[str, Any], param: str) -> None:
    """The error says which field, in the client's own spelling."""
    assert refusal(**fields).param == param


@pytest.mark.parametrize("role", ["assistant", "system"])
def test_the_last_message_is_the_users(role: str) -> None:
    """A conversation that ends otherwise is refused, naming the message."""
    error = refusal(messages=[{"role": "user", "content": "Hi"}, {"role": role, "content": "Hello"}])
    assert (error.param, "should be of role user" in error.message) == ("messages[1].role", True)
    messages = [{"role": role, "content": "Hello"}, {"role": "user", "content": "Hi"}]
    assert [message.role for message in ask(messages=messages).messages] == [role, "user"]


@pytest.mark.parametrize(
    ("kind", "part"),
    [
        ("text", TextPart("v")),
        ("image_url", ImagePart(url="v")),
        ("image_file_id", ImagePart(file_id="v")),
        ("image_base64", ImagePart(base64="v")),
        ("video_url", VideoPart(url="v")),
        ("video_file_id", VideoPart(file_id="v")),
    ],
)
def test_six_kinds_of_parts_are_read_with_their_type_and_without(kind: str, part: Any) -> None:
    """Where the type is left out, the one field that is there tells it."""
    for value in ({"type": kind, kind: "v"}, {kind: "v"}, {"type": None, kind: "v", "other": 1}):
        assert ask(messages=user(value)).messages[0].parts == (part,)


def test_plain_and_parted_words_are_the_same() -> None:
    """Text models take a plain text; an empty one is no part."""
    assert ask(messages=[{"role": "user", "content": "Hi"}]) != ask(messages=user({"text": "Hi"}))
    assert ask(messages=[{"role": "user", "content": "Hi"}]).messages == ask(messages=user({"text": "Hi"})).messages
    assert ask(messages=[{"role": "user", "content": ""}]).messages == (Message(role="user", parts=()),)


def test_six_images_or_one_video() -> None:
    """Counted over the whole conversation; both together are refused."""
    six = [image(number) for number in range(MAX_IMAGES)]
    assert len(ask(messages=user(*six)).messages[0].parts) == MAX_IMAGES
    split = [*user(*six[:3]), {"role": "assistant", "content": "Fine."}, *user(*six[3:])]
    assert len(ask(messages=split).messages) == 3
    assert "at most 6 images, has 7" in refusal(messages=user(*six, image())).message
    assert "at most 6 images, has 7" in refusal(messages=[*split, *user(image())]).message
    video = {"type": "video_url", "video_url": "https://example.com/v.mp4"}
    assert ask(messages=user(video)).messages[0].parts == (VideoPart(url="https://example.com/v.mp4"),)
    assert "at most 1 video, has 2" in refusal(messages=user(video, {"video_file_id": "f"})).message
    assert "not both" in refusal(messages=user(video, image())).message
    assert "not both" in refusal(messages=[*user(video), *user(image())]).message


@pytest.mark.parametrize(
    ("thinking", "enabled"),
    [
        ({"enabled": True}, True),
        ({"enabled": False}, False),
        ({"type": "enabled"}, True),
        ({"type": "disabled"}, False),
        ({}, None),
        (None, None),
    ],
)
def test_thinking_is_switched(thinking: dict[str, Any] | None, enabled: bool | None) -> None:
    """In the platform's spelling, and in the token platform's."""
    assert ask(thinking=thinking).reasoning == ReasoningWish(enabled=enabled)


def test_fields_that_nobody_knows_ride_along() -> None:
    """Knowledge bases and plugins are somebody else's to understand."""
    knowledge = {"control_level": "normal", "knowledge_base_result": True}
    request = ask(know_ids=["s76f"], knowledge_config=knowledge, plugins={}, other=None)
    assert request.extra == {"know_ids": ["s76f"], "knowledge_config": knowledge, "plugins": {}}


def test_a_prompt_is_continued() -> None:
    """Legacy completions have a prompt and may have stops."""
    request = ask_prompt(stop=["\n"], n=2, stream=True)
    assert (request.prompt, request.stop, request.n, request.stream) == ("Once", ("\n",), 2, True)
    assert request.messages == ()
    for fields in ({"stop": [""]}, {"stop": ["x"] * 17}, {"prompt": ["a"]}, {"prompt": None}):
        with pytest.raises(RixinError) as caught:
            ask_prompt(**fields)
        assert caught.value.kind is Kind.INVALID_REQUEST


@pytest.mark.parametrize("path", [CHAT, COMPLETIONS])
@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"model":1}', b"\xff", b"[" * 5000, b'{"model":"up-model"}'])
def test_what_is_no_request_is_refused(path: str, body: bytes) -> None:
    """Broken, foreign and deep bodies are the client's mistake."""
    with pytest.raises(RixinError) as caught:
        parse(body, path)
    assert caught.value.kind is Kind.INVALID_REQUEST


def test_a_model_that_does_not_chat_is_not_found() -> None:
    """Nor is one that is not there at all."""
    for model in ("embedder", "unknown"):
        with pytest.raises(RixinError) as caught:
            ask(model=model)
        assert caught.value.kind is Kind.MODEL_NOT_FOUND


def test_many_fields_parts_and_messages_are_bounded() -> None:
    """No list or object grows without an end."""
    assert "fields" in refusal(**{f"x{number}": 1 for number in range(600)}).message
    assert "parts" in refusal(messages=user(*[{"text": "a"}] * 5000)).message
    assert "messages" in refusal(messages=user({"text": "a"}) * 20_000).message
    deep = msgspec.json.decode(b"[" * 100 + b"]" * 100)
    assert "nests deeper" in refusal(plugins=deep).message
