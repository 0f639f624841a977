"""Runs of chunks of words, read all at once."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rixin.core.events import Event, Start, Text
from rixin.dialects.openai_chat.chunks import ChunkReader
from rixin.dialects.openai_chat.reader import ChatReader
from rixin.errors import RixinError

HEAD = {"id": "a", "object": "chat.completion.chunk", "created": 1, "model": "m"}


class SlowReader(ChatReader):
    """Reads each chunk by all the rules."""

    def _glance(self, data: str) -> list[Event] | None:
        del data
        return None

    def _skim(self, data: bytes) -> tuple[list[Event], bytes]:
        return [], data


def chunk(delta: dict[str, Any], index: int = 0, **fields: Any) -> bytes:
    """A chunk as an event."""
    choice = {"index": index, "delta": delta, "finish_reason": fields.pop("finish_reason", None)}
    value = {**HEAD, "choices": [choice], **fields}
    return b"data: " + json.dumps(value, separators=(",", ":")).encode() + b"\n\n"


def raw(words: bytes, space: bytes = b"") -> bytes:
    """A chunk of words which stand there as these bytes."""
    around = chunk({"content": "@"}).replace(b'"content":', b'"content":' + space)
    return around.replace(b"@", words)


BROKEN = raw(b"@").replace(b'"@"', b'"')
"""One quote is both the first and the last."""


CALL = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
USAGE = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
ODD = [
    b": comment\n\n",
    b"data: [DONE]\n\n",
    b'data: {"error":{"message":"overloaded","code":503}}\n\n',
    b"event: error\ndata: no\n\n",
    b"event: ping\n",
    b"data: not JSON\n\n",
    b"\n",
    b"\r\n\r\n",
    chunk({}, finish_reason="stop"),
    chunk({"content": "the end"}, finish_reason="length"),
    chunk({"tool_calls": [CALL]}),
    chunk({"reasoning_content": "hm"}),
    chunk({"content": "both", "reasoning_content": "hm"}),
    chunk({"content": "counted"}, usage=USAGE),
    b"data: " + json.dumps({**HEAD, "choices": [], "usage": USAGE}).encode() + b"\n\n",
    chunk({"content": "other choice"}, index=1),
    chunk({"content": "cited"}, citations=["x"]),
    chunk({"content": "filtered"}, content_filter_results={"content": "safe"}),
    raw(b"spaced", space=b" "),
    raw(b'","x":"'),
    raw(b"\\"),
    raw(b'a\\","b'),
    raw(b'a"},"finish_reason":"stop","b":{"c":"'),
    raw(b"\\ud83d"),
    raw(b"\\ude00"),
    raw(b"\xff"),
    raw(b"\xed\xa0\x80"),
    raw(b"tab\there"),
    raw(b""),
    BROKEN,
    chunk({"content": "windows"}).replace(b"\n", b"\r\n"),
    chunk({"content": "no space"}).replace(b"data: ", b"data:"),
    chunk({"content": "two lines"}).replace(b',"choices"', b',\ndata: "choices"'),
]
words = st.one_of(st.text(max_size=6), st.sampled_from(["", "\\", '"', "\n\n", "data: ", "😀", "\u2028"]))
plain = words.map(lambda text: chunk({"content": text}))
escaped = words.map(lambda text: raw(json.dumps(text).encode()[1:-1]))
events = st.lists(st.one_of(plain, plain, plain, escaped, st.sampled_from(ODD)), max_size=24)


def read(reader: ChatReader, pieces: Iterable[bytes]) -> tuple[list[Event], tuple[str, str] | None]:
    """The events of a stream, and what ends it where that is an error."""
    told: list[Event] = []
    try:
        for piece in pieces:
            told += reader.feed(piece)
        told += reader.eof()
    except RixinError as error:
        return told, (error.kind.value, error.message)
    return told, None


@settings(max_examples=400, deadline=None)
@given(events, st.data())
def test_a_run_is_read_as_its_chunks_are(each: list[bytes], data: st.DataObject):
    """Whatever a stream is made of and wherever it is cut, its events and end are the same in runs and one by one."""
    stream = chunk({"role": "assistant", "content": ""}) + b"".join(each)
    if data.draw(st.booleans()):
        stream += chunk({}, finish_reason="stop") + b"data: [DONE]\n\n"
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=6)))
    pieces = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert read(ChatReader(), pieces) == read(SlowReader(), pieces)


@pytest.mark.parametrize("odd", ODD, ids=ascii)
def test_a_run_ends_where_something_else_stands(odd: bytes):
    """Between two runs each other thing is read as it would be alone, and at each byte the stream may be cut."""
    stream = b"".join(
        [chunk({"content": "one"}), chunk({"content": "two"}), raw(b"th\\u00e9"), odd, raw(b"4"), raw(b"5")]
    )
    for cut in range(len(stream)):
        pieces = stream[:cut], stream[cut:]
        assert read(ChatReader(), pieces) == read(SlowReader(), pieces)


def test_a_run_is_known_by_the_chunk_before_it():
    """The first words tell how the next are written, and so they are all told at once."""
    reader = ChunkReader()
    first, *others = [raw(word) for word in (b"one", b"two", b"", b"th\\u00e9", b"four")]
    run = b"".join(others)
    assert reader.skim(run) == ([], run)
    assert reader.feed(json.loads(first[6:])) == [Start(id="a", created=1, model="m"), Text(text="one")]
    assert reader.glance(first[6:-2].decode()) == [Text(text="one")]
    told: list[Event] = [Text(text="two"), Text(text="thé"), Text(text="four")]
    assert reader.skim(run) == (told, b"")
    assert reader.skim(run + ODD[0]) == (told, ODD[0])
    assert reader.skim(run[:-1]) == (told[:-1], others[-1][:-1])


def test_a_stream_whose_chunks_all_differ_is_not_looked_at_for_runs_for_long():
    """An upstream that puts something new into each chunk costs a few tries and no more."""
    reader = ChunkReader()
    chunks = [chunk({"content": "x"}, obfuscation=str(number)) for number in range(9)]
    reader.feed(json.loads(chunks[0][6:]))
    for each in chunks[1:]:
        assert reader.skim(each) == ([], each)
        assert reader.glance(each[6:-2].decode()) == [Text(text="x")]
    assert reader.skim(chunks[-1]) == ([], chunks[-1])
