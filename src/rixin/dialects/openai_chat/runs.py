"""Runs of chunks that are alike to the byte but for their words, read all at once.

An upstream's chunks of words differ in nothing but the words: identity, time and model are the same in each. So where
one was read, what stands before and after its words tells the next ones, and a run of them is cut and decoded in a few
steps however many they are. Whatever is not exactly alike ends a run, and is read like everything else.
"""

import re
from typing import NamedTuple

import msgspec

from rixin.core.events import Event, Text

_FIELD = re.compile(rb'"content": ?"')
_WORDS = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*')
_END = b"\n\n"
_PATIENCE = 4
"""Patterns in a row that may prove useless: some upstreams put something new into each chunk."""

_decode = msgspec.json.Decoder(list[str]).decode


class _Pattern(NamedTuple):
    """What stands around the words of a choice in an event."""

    choice: int
    before: bytes
    after: bytes


class RunReader:
    """Recognises runs by the last chunk of words that was read in another way."""

    def __init__(self) -> None:
        self._pattern: _Pattern | None = None
        self._patience = _PATIENCE

    @property
    def choice(self) -> int | None:
        """Whose words the next run would be."""
        return None if self._pattern is None else self._pattern.choice

    def learn(self, choice: int, chunk: str) -> None:
        """Takes a chunk, the data of its event, that holds nothing but words of a choice."""
        if not self._patience:
            return
        self._patience -= 1
        data = chunk.encode()
        field = _FIELD.search(data)
        words = None if field is None else _WORDS.match(data, field.end())
        if words is None:
            return
        before, after = b"data: " + data[: words.start()], data[words.end() :]
        around = before + after
        if around.count(b'"content"') > 1 or b"\\" in around or b"\n" in around:
            return  # nobody knows which of them are the words, or how the next chunk is written
        self._pattern = _Pattern(choice, before, after)

    def read(self, data: bytes) -> tuple[list[Event], bytes]:
        """The words of the run that these bytes begin with, and the bytes after it. They begin where an event does."""
        pattern = self._pattern
        if pattern is None or not data.startswith(pattern.before):
            return [], data
        choice, before, after = pattern
        start, end = len(before), -len(after)
        chunks = data.split(_END)
        alike = [chunk[:start] == before and chunk[end:] == after for chunk in chunks]
        alike[-1] = False  # it has not come to its end
        count = alike.index(False)
        encoded = [chunk[start:end] for chunk in chunks[:count]]
        if b"" in encoded and min(map(len, chunks[:count])) < start - end:
            return [], data  # what stands before the words and what stands after them are not both there
        texts = _decoded(encoded)
        if texts is None:
            return [], data
        self._patience = _PATIENCE
        return [Text(text=text, choice=choice) for text in texts if text], _END.join(chunks[count:])


def _decoded(encoded: list[bytes]) -> list[str] | None:
    """Texts as JSON has them between quotes; None where one of them is no such text, or there is none.

    They are decoded as one array. Lest a text that breaks out of its quotes makes up for another one, none may end with
    a backslash: each quote put between two of them then is one, and their number tells whether there are others.
    """
    joined = b'","'.join(encoded)
    if not encoded or b'\\","' in joined or joined.endswith(b"\\"):
        return None
    try:
        texts = _decode(b'["%s"]' % joined)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return texts if len(texts) == len(encoded) else None
