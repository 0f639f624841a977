"""Images where they are not welcome."""

from typing import Any

from rixin.core.requests import Change
from rixin.profiles.profile import Profile
from rixin.profiles.sanitizers import sanitize
from rixin.profiles.sanitizers.images import MOVED, PLACEHOLDER
from tests.profiles.sanitizing import Body, rewritten

IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA", "detail": "low"}}
TEXT = {"type": "text", "text": "Look"}


def call(call_id: str) -> dict[str, Any]:
    """A call."""
    return {"id": call_id, "type": "function", "function": {"name": "f", "arguments": "{}"}}


def sent(content: Any, profile: Profile) -> Any:
    """The content of a user's message as it is sent."""
    body = rewritten({"model": "m", "messages": [{"role": "user", "content": content}]}, profile)
    return body["messages"][0]["content"]


def test_r24_a_model_without_eyes_is_told_that_there_was_an_image() -> None:
    """It neither guesses nor pays for what it cannot see, and the client is told."""
    body: Body = {"model": "m", "messages": [{"role": "user", "content": [TEXT, IMAGE]}]}
    sanitized = sanitize(body, Profile(image_policy="placeholder"))
    sent: Body = sanitized.body
    assert sent["messages"][0]["content"] == [TEXT, {"type": "text", "text": PLACEHOLDER}]
    assert sanitized.changes == (Change("image_placeholder", "messages"),)


def test_placeholders_join_the_text_where_only_strings_are_taken() -> None:
    """The string has both."""
    profile = Profile(image_policy="placeholder", content_policy="string")
    assert sent([TEXT, IMAGE], profile) == f"Look\n{PLACEHOLDER}"


def test_r24_an_image_alone_is_given_a_text() -> None:
    """Only where it stands alone, and only where that is asked for."""
    profile = Profile(image_needs_text=True)
    assert sent([IMAGE], profile) == [{"type": "text", "text": " "}, IMAGE]
    assert sent([TEXT, IMAGE], profile) == [TEXT, IMAGE]
    assert sent([IMAGE], Profile()) == [IMAGE]


def test_r24_the_detail_of_an_image_can_be_left_out() -> None:
    """The image stays."""
    assert sent([IMAGE], Profile(image_detail="drop")) == [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}
    ]


def test_images_of_results_follow_all_results_of_the_batch() -> None:
    """Results keep their words; the images come in one user message, in order, before whatever is next."""
    other = {"type": "image_url", "image_url": {"url": "http://x/2"}}
    messages = [
        {"role": "assistant", "content": "", "tool_calls": [call("a"), call("b")]},
        {"role": "tool", "tool_call_id": "a", "content": [TEXT, IMAGE]},
        {"role": "tool", "tool_call_id": "b", "content": [other]},
        {"role": "user", "content": "So?"},
    ]
    body = rewritten({"model": "m", "messages": messages}, Profile(tool_images="move"))
    assert body["messages"] == [
        messages[0],
        {"role": "tool", "tool_call_id": "a", "content": [TEXT]},
        {"role": "tool", "tool_call_id": "b", "content": MOVED},
        {"role": "user", "content": [IMAGE, other]},
        {"role": "user", "content": "So?"},
    ]
