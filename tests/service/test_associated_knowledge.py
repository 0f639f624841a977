"""What clients know of their questions."""

from typing import Any

import pytest

from rixin.core.cards import ModelCard
from rixin.core.messages import Message, TextPart
from rixin.core.requests import Generate
from rixin.errors import Kind, RixinError
from rixin.service.associated_knowledge import associate

CARD = ModelCard(name="m", target="m")
QUESTION = Message(role="user", parts=(TextPart("What is aasda?"),))


def asking(plugins: Any, *messages: Message) -> Generate:
    """A request with plugins, of which only the platform makes something."""
    extra: dict[str, Any] = {"plugins": plugins, "other": 1}
    return Generate(model="m", card=CARD, messages=messages or (QUESTION,), extra=extra, peculiar=("plugins", "other"))


def test_what_is_known_stands_before_the_last_question() -> None:
    """And no field of it goes on."""
    before = Message(role="user", parts=(TextPart("Hello"),))
    answer = Message(role="assistant", parts=(TextPart("Hi"),))
    known = {"associated_knowledge": {"content": " A cinema. ", "mode": "concatenate"}}
    request = associate(asking(known, before, answer, QUESTION))
    assert request.messages[:2] == (before, answer)
    assert request.messages[2].parts == (TextPart("A cinema.\n\n"), *QUESTION.parts)
    assert request.extra == {"other": 1}
    assert request.peculiar == ("other",)
    assert request.edited == {"extra", "messages"}


def test_other_plugins_are_left_to_those_that_have_them() -> None:
    """Beside it, and alone."""
    search: dict[str, Any] = {"web_search": {"search_enable": True}}
    request = associate(asking({"associated_knowledge": {"content": "A cinema."}, **search}))
    assert request.extra["plugins"] == search
    assert request.peculiar == ("plugins", "other")
    for plugins in (search, None, [{"id": "web"}], {}):
        alone = asking(plugins)
        assert associate(alone) is alone


def test_nothing_is_put_before_nothing() -> None:
    """Neither what is empty, nor anything before what is no question."""
    assert associate(asking({"associated_knowledge": {"content": " "}})).messages == (QUESTION,)
    silent = Message(role="user", parts=())
    assert associate(asking({"associated_knowledge": {"content": "A cinema."}}, silent)).messages == (silent,)


@pytest.mark.parametrize("wrong", [{}, {"content": 1}, {"content": "x", "mode": "replace"}, "x", None])
def test_what_is_wrong_is_named(wrong: Any) -> None:
    """By its place."""
    with pytest.raises(RixinError) as caught:
        associate(asking({"associated_knowledge": wrong}))
    assert (caught.value.kind, caught.value.param) == (Kind.INVALID_REQUEST, "plugins.associated_knowledge")
