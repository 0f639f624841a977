"""In which form engines take images and videos."""

from typing import Literal

import pytest

from rixin.media.policy import (
    IMAGES_AS_DATA,
    TEXT_ONLY,
    Documents,
    Images,
    Policy,
    Videos,
    combined,
    policy_of_upstream,
)
from rixin.profiles.profile import Profile


@pytest.mark.parametrize(
    ("image_policy", "modalities", "images", "videos"),
    [
        (None, ("text",), "inline", "frames"),
        (None, ("text", "image", "video"), "inline", "inline"),
        ("data_only", ("text", "image"), "inline", "frames"),
        ("pass", ("text", "image"), "pass", "frames"),
        ("pass", ("text", "image", "video"), "pass", "pass"),
        ("url_only", ("text", "image"), "urls", "refuse"),
        ("url_only", ("text", "image", "video"), "urls", "pass"),
        ("placeholder", ("text",), "leave", "refuse"),
    ],
)
def test_a_profile_says_what_an_upstream_takes(
    image_policy: str | None, modalities: tuple[str, ...], images: Images, videos: Videos
):
    """Only one that is known to fetch URLs is given them."""
    profile = Profile(image_policy=image_policy)  # pyright: ignore[reportArgumentType] - of the table
    assert policy_of_upstream(profile, modalities) == Policy(images=images, videos=videos)


@pytest.mark.parametrize(
    ("document_policy", "modalities", "documents"),
    [
        (None, ("text",), "text"),
        (None, ("text", "file"), "inline"),
        ("data", ("text",), "inline"),
        ("text", ("text", "file"), "text"),
    ],
)
def test_documents_are_words_unless_more_is_known(
    document_policy: Literal["data", "text"] | None, modalities: tuple[str, ...], documents: Documents
):
    """Every model reads words."""
    profile = Profile(document_policy=document_policy)
    assert policy_of_upstream(profile, modalities).documents == documents


def test_one_form_serves_several_engines():
    """Data does for those that fetch, too; who takes nothing does not count beside who does."""
    fetching = Policy(images="pass", videos="pass")
    assert combined([fetching]) == fetching
    assert combined([fetching, IMAGES_AS_DATA]) == IMAGES_AS_DATA
    assert combined([TEXT_ONLY, fetching]) == fetching
    assert combined([TEXT_ONLY, TEXT_ONLY]) == TEXT_ONLY
    assert combined([]) == TEXT_ONLY
    reading = Policy(images="refuse", videos="refuse", documents="inline")
    assert combined([reading, reading]).documents == "inline"
    assert combined([reading, TEXT_ONLY]).documents == "text"
