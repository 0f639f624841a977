"""Chunks of words, told at a glance."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rixin.core.events import Event, Start, Text
from rixin.dialects.openai_chat.chunks import ChunkReader
from rixin.errors import RixinError

PLAIN: dict[str, Any] = {
    "id": "a",
    "object": "chat.completion.chunk",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "delta": {"content": "words"}, "finish_reason": None}],
}
VALUES: list[Any] = [None, 0, 1, 1.0, True, "", "x", "stop", [], {}, ["x"], {"message": "x"}, {"content": "y"}]
PLACES = ("chunk", "choice", "delta")
FIELDS = {
    "chunk": ["id", "model", "choices", "usage", "error", "base_resp", "citations", "system_fingerprint", "provider"],
    "choice": ["index", "delta", "message", "text", "logprobs", "finish_reason", "stop_reason", "usage", "token_ids"],
    "delta": ["content", "role", "reasoning", "reasoning_content", "refusal", "tool_calls", "annotations", "audio"],
}
changes = st.lists(
    st.sampled_from(PLACES).flatmap(
        lambda place: st.tuples(st.just(place), st.sampled_from(FIELDS[place]), st.sampled_from(VALUES))
    ),
    max_size=3,
)


def changed(changes: list[tuple[str, str, Any]]) -> dict[str, Any]:
    """A chunk of words with some fields put in their places."""
    chunk = json.loads(json.dumps(PLAIN))
    choice = chunk["choices"][0]
    places = {"chunk": chunk, "choice": choice, "delta": choice["delta"]}
    for place, field, value in changes:
        places[place][field] = value
    return chunk


def read(chunks: list[dict[str, Any]], *, glances: bool) -> list[list[Event] | str]:
    """The events of each chunk, or the error that it is, with or without a glance at each."""
    reader = ChunkReader()
    told: list[list[Event] | str] = []
    for chunk in chunks:
        events = reader.glance(json.dumps(chunk)) if glances else None
        try:
            told.append(reader.feed(json.loads(json.dumps(chunk))) if events is None else events)
        except RixinError as error:
            told.append(error.message)
    return [*told, reader.end()]


def test_words_are_told_at_a_glance():
    """Once the answer has begun, words are all that a chunk of words is."""
    reader = ChunkReader()
    assert reader.glance(json.dumps(PLAIN)) is None
    assert reader.feed(PLAIN) == [Start(id="a", created=1, model="m"), Text(text="words")]
    assert reader.glance(json.dumps(PLAIN)) == [Text(text="words")]
    assert reader.glance(json.dumps(changed([("choice", "index", 1)]))) is None


@given(st.lists(changes, max_size=6))
def test_a_glance_tells_what_reading_does(each: list[list[tuple[str, str, Any]]]):
    """Whatever a stream is made of, its events are the same with and without glances."""
    chunks = [PLAIN, *map(changed, each)]
    assert read(chunks, glances=True) == read(chunks, glances=False)
