"""Streams as Google's SDKs read them."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

_LINE = re.compile("^[\\s\ufeff]*data: ([^\n\r\u2028\u2029]*)(?:\n\n|\r\r|\r\n\r\n)")
"""What Google's JavaScript SDK looks for at the beginning of what it has not read yet."""


class BrokenError(Exception):
    """The stream is not whole, or tells an error."""


def read_events(stream: bytes) -> list[dict[str, Any]]:
    """The chunks of an event stream. What is no event must be blank, or else it is an error."""
    chunks: list[dict[str, Any]] = []
    rest = stream.decode()
    while match := _LINE.match(rest):
        chunks.append(json.loads(match[1]))
        rest = rest[match.end() :]
    if rest.strip():
        raise BrokenError(rest)
    return chunks


def read_array(stream: bytes) -> list[dict[str, Any]]:
    """The chunks of a JSON array."""
    try:
        chunks: list[dict[str, Any]] = json.loads(stream)
    except ValueError as error:
        raise BrokenError(str(error)) from None
    for chunk in chunks:
        if "error" in chunk:
            raise BrokenError(json.dumps(chunk))
    return chunks


@dataclass
class Heard:
    """A candidate, as it was told."""

    parts: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    finish: str | None = None

    def take(self, told: dict[str, Any]) -> None:
        """Takes what is new; words that continue others are joined to them."""
        assert told["content"]["role"] == "model"
        for part in told["content"]["parts"]:
            last = self.parts[-1] if self.parts else {}
            goes_on = "text" in last and ("thought" in part) is ("thought" in last)
            if goes_on and {*part} in ({"text"}, {"text", "thought"}):
                last["text"] += part["text"]
            elif part != {"text": ""}:
                self.parts.append({**part})
        self.finish = told.get("finishReason", self.finish)


def hear(chunks: list[dict[str, Any]]) -> dict[int, Heard]:
    """The candidates that chunks, or one whole answer, amount to."""
    heard: dict[int, Heard] = {}
    for chunk in chunks:
        for told in chunk["candidates"]:
            heard.setdefault(told["index"], Heard()).take(told)
    return heard


def finished(chunks: list[dict[str, Any]]) -> bool:
    """Whether a client takes the chunks for a whole answer."""
    heard = hear(chunks)
    return bool(heard) and all(candidate.finish is not None for candidate in heard.values())
