"""The guide's own examples, held against what a client is given in the golden cases that hold them."""

from pathlib import Path

import msgspec

FOLDER = Path(__file__).parent


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
