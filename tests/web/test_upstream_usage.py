"""What upstreams tell of tokens, as a client of Responses sees it through the whole server.

The tests are named after the hard cases of bridges: S for what streams mean.
"""

from pathlib import Path
from typing import Any

import pytest

from tests.upstreams.scripted import DONE, completion_chunk, completion_events, event, stream
from tests.web.seen import Body, see

NUMBERS: dict[str, Body | None] = {
    "none": None,
    "a part": {"prompt_tokens": 5},
    "null details": {
        "prompt_tokens": 5,
        "completion_tokens": 2,
        "total_tokens": 7,
        "prompt_tokens_details": None,
        "completion_tokens_details": {"reasoning_tokens": None},
    },
    "of Responses": {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7},
}


def usage_chunk(usage: Body | None, **fields: Any) -> bytes:
    """A chunk that holds usage."""
    return event({"id": "1", "created": 1, "model": "m", "choices": [], "usage": usage, **fields})


@pytest.mark.parametrize("usage", NUMBERS)
async def test_s2_usage_is_always_five_numbers(tmp_path: Path, usage: str) -> None:
    """Estimated where the upstream tells none, which the log says."""
    seen = await see(tmp_path, stream([*completion_events()[:-1], usage_chunk(NUMBERS[usage]), DONE]))
    told = seen.end["response"]["usage"]
    numbers = [told[name] for name in ("input_tokens", "output_tokens", "total_tokens")]
    numbers += [told["input_tokens_details"]["cached_tokens"], told["output_tokens_details"]["reasoning_tokens"]]
    assert all(type(number) is int and number >= 0 for number in numbers)
    assert numbers[2] == numbers[0] + numbers[1]
    assert numbers[0] > 0
    assert seen.row.estimated is (usage == "none")


TOKENS: Body = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
CACHED: dict[str, list[bytes]] = {
    "details": [usage_chunk({**TOKENS, "prompt_tokens_details": {"cached_tokens": 3}})],
    "deepseek": [usage_chunk({**TOKENS, "prompt_cache_hit_tokens": 3, "prompt_cache_miss_tokens": 6})],
    "top level": [usage_chunk({**TOKENS, "cached_tokens": 3})],
    "cumulative": [
        usage_chunk({**TOKENS, "completion_tokens": 1, "total_tokens": 10}),
        usage_chunk({**TOKENS, "prompt_tokens_details": {"cached_tokens": 3}}),
    ],
    "in the choice": [
        event(
            {
                "id": "1",
                "created": 1,
                "model": "m",
                "choices": [{"index": 0, "delta": {}, "usage": {**TOKENS, "cached_tokens": 3}}],
            }
        )
    ],
}


@pytest.mark.parametrize("place", CACHED)
async def test_s3_cached_tokens_stand_in_many_places(tmp_path: Path, place: str) -> None:
    """The last word counts, wherever it stands, before the finish and after it."""
    for events in (
        [*completion_events()[:-1], *CACHED[place]],
        [*completion_events()[:-2], *CACHED[place], completion_chunk({}, "stop")],
    ):
        seen = await see(tmp_path / str(len(list(tmp_path.iterdir()))), stream([*events, DONE]))
        told = seen.end["response"]["usage"]
        assert (told["input_tokens"], told["output_tokens"]) == (9, 2)
        assert told["input_tokens_details"]["cached_tokens"] == 3
