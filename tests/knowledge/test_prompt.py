"""Passages in conversations."""

import msgspec

from rixin.core.cards import ModelCard
from rixin.core.estimate import estimate_prompt, most_prompt_tokens
from rixin.core.knowledge import Hit
from rixin.core.messages import ImagePart, Message, TextPart
from rixin.core.requests import Generate, Origin
from rixin.knowledge.prompt import inject, question_of


def said(role: str, text: str) -> Message:
    """A turn."""
    return Message(role="user" if role == "user" else "assistant", parts=(TextPart(text),))


def ask(*messages: Message) -> Generate:
    """A request."""
    return Generate(model="m", card=ModelCard(name="m", target="m", provider="p"), messages=messages)


def hit(text: str, page: int | None = None) -> Hit:
    """A passage."""
    return Hit(base_id="s", file_id="f", document="guide.pdf", heading="Ferries", text=text, page=page, score=1.0)


def test_passages_stand_before_the_last_question() -> None:
    """Under their numbers, with what they are from; the other turns stay as they are."""
    request = ask(said("user", "Hello"), said("assistant", "Hi"), said("user", "When does it leave?"))
    injected, count = inject(request, [hit("At noon.", 3), hit("It is red.")], "normal", 1000)
    assert count == 2
    assert injected.messages[:2] == request.messages[:2]
    text = injected.messages[2].text
    assert "[1] guide.pdf, Ferries, page 3\nAt noon." in text
    assert "[2] guide.pdf, Ferries\nIt is red." in text
    assert text.endswith("Question:\nWhen does it leave?")
    assert injected.knowledge_tokens == estimate_prompt(injected) - estimate_prompt(request) > 0
    assert "messages" in injected.edited


def test_the_words_are_in_the_questions_language() -> None:
    """Chinese for Chinese."""
    injected, _ = inject(ask(said("user", "几点开船？")), [hit("中午。", 3)], "normal", 1000)
    assert "guide.pdf, Ferries, 第3页\n中午。" in injected.messages[0].text
    assert injected.messages[0].text.endswith("问题：\n几点开船？")


def test_control_decides_what_else_an_answer_may_hold() -> None:
    """`high` says nothing that no passage says, and says so where there is none."""
    request = ask(said("user", "When does it leave?"))
    normal, high = (inject(request, [hit("At noon.")], control, 1000)[0] for control in ("normal", "high"))
    assert "from what you know" in normal.messages[0].text
    assert "Say nothing that they do not say" in high.messages[0].text
    assert inject(request, [], "normal", 1000) == (request, 0)
    nothing, count = inject(request, [], "high", 1000)
    assert (count, nothing.knowledge_tokens) == (0, 0)
    assert "holds nothing" in nothing.messages[0].text


def test_passages_that_do_not_fit_are_left_out() -> None:
    """The worst first; where none fits the question goes as it was asked."""
    request = ask(said("user", "When does it leave?"))
    hits = [hit("word " * 100) for _ in range(5)]
    injected, count = inject(request, hits, "normal", 400)
    assert 0 < count < 5
    assert injected.knowledge_tokens <= 400
    assert inject(request, hits, "normal", 50) == (request, 0)


def test_passages_count_where_it_is_looked_whether_a_prompt_fits() -> None:
    """Although the client's own body does not hold them."""
    request = msgspec.structs.replace(ask(said("user", "几点开船？")), origin=Origin("sensenova_native", b"x" * 50))
    injected, _ = inject(request, [hit("中文" * 300)], "normal", 2000)
    assert most_prompt_tokens(injected) >= len(injected.messages[0].text) > most_prompt_tokens(request)


def test_a_question_is_what_was_asked_last_in_words() -> None:
    """Not a turn of images, nor one of the assistant's."""
    picture = Message(role="user", parts=(ImagePart(url="https://example.org/a.png"),))
    assert question_of((said("user", "What is this?"), picture, said("assistant", "Hm"))) == (0, "What is this?")
    assert question_of((picture,)) is None
