"""Searching: whose, by what, and how well."""

import asyncio
import json
from typing import Any

import pytest

from rixin.errors import Kind, RixinError
from rixin.knowledge.search import Mode, fuse
from rixin.knowledge.tokens import query_tokens, tokens
from tests.knowledge.conftest import BASE, Room
from tests.knowledge.corpus import CASES, FACTS, HIDDEN

OTHER = BASE.replace("ab7", "cd7")


def is_chinese(text: str) -> bool:
    """Whether there is a Chinese character in a text."""
    return any("\u4e00" <= character <= "\u9fff" for character in text)


def test_the_corpus_is_what_it_says() -> None:
    """At least 300 passages and 60 questions, half in Chinese; a third share no content word with their answers."""
    assert len(set(FACTS)) == len(FACTS) >= 300
    assert len({case.question for case in CASES}) == len(CASES) >= 60
    assert sum(map(is_chinese, FACTS)) * 2 >= len(FACTS)
    assert sum(is_chinese(case.question) for case in CASES) * 2 >= len(CASES)
    assert len(HIDDEN) * 3 >= len(CASES)
    assert not [case for case in HIDDEN if set(query_tokens(case.question)) & set(tokens(case.fact))]


async def test_both_ways_together_find_most(room: Room, capsys: pytest.CaptureFixture[str]) -> None:
    """Of the answers at least nine in ten are among the first five, and more than by words or by meaning alone."""
    await room.add(json.dumps({"text_lst": FACTS}), "application/json")
    await room.index()

    async def recall(mode: Mode) -> float:
        found = 0
        for case in CASES:
            hits = (await room.searcher.search("ada", [BASE], case.question, 5, mode)).hits
            found += case.fact in [hit.text for hit in hits]
        return found / len(CASES)

    modes: tuple[Mode, ...] = ("text", "vector", "hybrid")
    text, vector, hybrid = [await recall(mode) for mode in modes]
    with capsys.disabled():
        print(  # noqa: T201 - the figures are what the test is for
            f"\nrecall at 5, {len(CASES)} questions over {len(FACTS)} passages: "
            f"text {text:.3f}, vector {vector:.3f}, hybrid {hybrid:.3f}"
        )
    assert hybrid > max(text, vector)
    assert hybrid >= 0.9


async def test_only_the_owner_searches(room: Room) -> None:
    """For everybody else the base is not there."""
    await room.add("The safe's combination is in the blue book.", "text/plain")
    await room.index()
    assert (await room.searcher.search("ada", [BASE], "combination of the safe", 5)).hits
    with pytest.raises(RixinError) as caught:
        await room.searcher.search("eve", [BASE], "combination of the safe", 5)
    assert caught.value.kind is Kind.NOT_FOUND


async def test_only_the_bases_that_are_named_are_searched(room: Room) -> None:
    """By words and by meaning."""
    await room.add("The ferry leaves at noon.", "text/plain")
    await room.add("The ferry leaves at midnight.", "text/plain", base=OTHER)
    await room.index()
    hits = (await room.searcher.search("ada", [OTHER], "When does the ferry leave?", 5)).hits
    assert [(hit.base_id, hit.text) for hit in hits] == [(OTHER, "The ferry leaves at midnight.")]
    both = (await room.searcher.search("ada", [BASE, OTHER], "When does the ferry leave?", 5)).hits
    assert {hit.base_id for hit in both} == {BASE, OTHER}


async def test_a_passage_is_told_with_how_it_was_found(room: Room) -> None:
    """Its place by words and by meaning, each where it was found so."""
    await room.add("The ferry leaves at noon.", "text/plain")
    await room.add("The kiosk sells tickets.", "text/plain")
    await room.index()
    [both, *_] = (await room.searcher.search("ada", [BASE], "When does the ferry leave?", 5)).hits
    assert (both.text_rank, both.vector_rank) == (1, 1)
    [by_words] = (await room.searcher.search("ada", [BASE], "ferry", 5, "text")).hits
    assert (by_words.text_rank, by_words.vector_rank) == (1, None)
    by_meaning = (await room.searcher.search("ada", [BASE], "ferry", 5, "vector")).hits
    assert [(hit.text_rank, hit.vector_rank) for hit in by_meaning] == [(None, 1), (None, 2)]


async def test_what_is_taken_away_is_not_found(room: Room) -> None:
    """At once, although its passages go later."""
    file_id = await room.add("The ferry leaves at noon.", "text/plain")
    await room.add("The kiosk sells tickets.", "text/plain")
    await room.index()
    assert await room.bases.detach("ada", BASE, file_id, room.clock.now())
    hits = (await room.searcher.search("ada", [BASE], "When does the ferry leave at noon?", 5)).hits
    assert [hit.text for hit in hits] == ["The kiosk sells tickets."]
    while await room.passages.clear():
        pass
    assert await room.passages.match(["ferry"], [1, 2], 5) == []
    assert await room.passages.match(["kiosk"], [1, 2], 5) == [(2, 0)]


async def test_a_question_that_is_often_asked_has_an_answer(room: Room) -> None:
    """The same question in any of its wordings scores 1, one that means the same more than one that does not."""
    entries: list[dict[str, Any]] = [
        {"std_q": "如何重置密码？", "simi_qs": ["密码忘了怎么办"], "answer": "在登录页点击“忘记密码”。"},
        {"std_q": "食堂几点开门？", "simi_qs": [], "answer": "早上七点。"},
    ]
    await room.add(json.dumps({"qa_lst": entries}), "application/json")
    await room.index()

    async def best(question: str) -> tuple[str, float]:
        answer = (await room.searcher.search("ada", [BASE], question, 5)).answers[0]
        return answer.text, answer.score

    for asked in ("如何重置密码？", "密码忘了怎么办"):
        assert await best(asked) == (entries[0]["answer"], pytest.approx(1.0, abs=1e-3))
    answer, near = await best("怎么重新设置我的密码")
    assert answer == entries[0]["answer"]
    _, far = await best("明天会下雨吗")
    assert 0.6 < near < 1
    assert far < 0.4
    hits = (await room.searcher.search("ada", [BASE], "重置密码", 5)).hits
    assert [hit.text for hit in hits] == ["如何重置密码？\n在登录页点击“忘记密码”。", "食堂几点开门？\n早上七点。"]


async def test_vectors_of_another_model_are_left_out(room: Room) -> None:
    """What they are of is found by its words."""
    await room.add("The ferry leaves at noon.", "text/plain")
    await room.index()
    room.embedder.model = "another"
    assert not (await room.searcher.search("ada", [BASE], "ferry", 5, "vector")).hits
    assert (await room.searcher.search("ada", [BASE], "ferry", 5)).hits


async def test_searches_at_the_same_time_share_what_is_kept(room: Room) -> None:
    """A shelf that is too small for anything serves them all the same."""
    room.searcher = type(room.searcher)(room.bases, room.passages, room.embedder, cache=1)
    await room.add("The ferry leaves at noon.", "text/plain")
    await room.add("The kiosk sells tickets.", "text/plain")
    await room.index()
    found = await asyncio.gather(*(room.searcher.search("ada", [BASE], "tickets", 1) for _ in range(8)))
    assert {each.hits[0].text for each in found} == {"The kiosk sells tickets."}


def test_what_both_ways_name_comes_first() -> None:
    """Scores are between 0 and 1; 1 is first in both."""
    assert fuse([[(1, 0), (1, 1)], [(1, 0), (1, 2)]])[0] == ((1, 0), 1.0)
    assert fuse([[(1, 1), (1, 2)], [(1, 3), (1, 2)]])[0][0] == (1, 2)
    assert fuse([]) == []
