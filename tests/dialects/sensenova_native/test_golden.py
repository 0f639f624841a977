"""The guide's own examples, as it prints them, against what is read and written here.

| example of the documentation | file |
| --- | --- |
| introduction, recognition of an image | `guide/image_recognition.json` |
| introduction, visual dialogue | `guide/visual_dialogue.json` |
| image-text chat, request | `guide/chat.json` |
| image-text chat, streamed answer (printed twice in Chinese, once in English) | `guide_streaming/upstream.sse` |
| image-text chat, whole answer | `guide_not_streaming/upstream.sse` |
| errors, body | `guide/error.json` |
"""

import json
from pathlib import Path

import msgspec
import pytest

from rixin.core.messages import ImagePart, Message, TextPart
from rixin.core.requests import Sampling
from rixin.dialects.sensenova_native import DIALECT
from rixin.errors import Kind, RixinError
from tests.dialects.sensenova_native.asking import parse
from tests.dialects.support import STAMP

FOLDER = Path(__file__).parent


def test_the_guides_request_is_read() -> None:
    """Every field has its place; words that stand for values are replaced by such values."""
    printed = (FOLDER / "guide" / "chat.json").read_bytes()
    with pytest.raises(RixinError) as caught:
        parse(printed.replace(b'"model": "string"', b'"model": "up-model"'))
    assert caught.value.param == "messages[0].role"
    filled = printed.replace(b'"model": "string"', b'"model": "up-model"').replace(
        b'"role": "string"', b'"role": "user"'
    )
    request = parse(filled)
    assert request.messages == (Message(role="user", parts=(ImagePart(url="string"), TextPart("string"))),)
    assert request.sampling == Sampling(temperature=0.8, top_p=0.7, repetition_penalty=1.0)
    assert (request.max_tokens, request.max_tokens_binding) == (1024, True)
    assert (request.stream, request.include_usage, request.user, request.extra) == (False, True, "string", {})


@pytest.mark.parametrize(
    ("name", "words"), [("image_recognition", "这是什么?"), ("visual_dialogue", "图片中的小猫在干什么?")]
)
def test_the_guides_messages_are_read(name: str, words: str) -> None:
    """As they are but for the model, which the introduction leaves out and nobody may."""
    printed = (FOLDER / "guide" / f"{name}.json").read_bytes()
    with pytest.raises(RixinError) as caught:
        parse(printed)
    assert caught.value.param == "model"
    [message] = parse(printed.replace(b"{", b'{"model": "up-model",', 1)).messages
    assert message == Message(role="user", parts=(ImagePart(file_id="file_id"), TextPart(words)))


def test_the_guides_error_is_ours() -> None:
    """The same keys in the same order, each of the same type."""
    printed = json.loads((FOLDER / "guide" / "error.json").read_bytes())
    ours = json.loads(DIALECT.render_error(RixinError(Kind.INTERNAL, "x"), STAMP).body)
    assert list(ours) == list(printed)
    assert [(key, type(value)) for key, value in ours["error"].items()] == [
        (key, type(value)) for key, value in printed["error"].items()
    ]


def test_the_guides_stream_is_ours_but_for_its_blanks() -> None:
    """Line by line the same objects, framed by the same bytes; the guide's last sum is one too high."""
    guide, ours = ((FOLDER / "guide_streaming" / name).read_bytes() for name in ("upstream.sse", "client.sse"))
    theirs = guide.replace(b'"total_tokens":13', b'"total_tokens":12').replace(b'"123456789012345"', b'"1"')
    assert b"data: " not in ours
    assert [_framed(line) for line in ours.split(b"\n")] == [_framed(line) for line in theirs.split(b"\n")]


def test_the_guides_answer_is_ours() -> None:
    """Key by key, in the guide's order; the role is the guide's word for a type there."""
    case = FOLDER / "guide_not_streaming"
    theirs = (case / "upstream.sse").read_bytes().replace(b'"4b44cd86cd2c000"', b'"1"')
    theirs = theirs.replace(b'"role": "string"', b'"role": "assistant"')
    assert msgspec.json.format((case / "response.json").read_bytes(), indent=0) == msgspec.json.format(theirs, indent=0)


def _framed(line: bytes) -> bytes:
    """A line of a stream with the blanks of its JSON left out."""
    data = line.removeprefix(b"data:")
    return b"data:" + msgspec.json.format(data, indent=-1) if line.startswith(b"data:{") else line
