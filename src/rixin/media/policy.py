"""In which form an engine takes images, videos and documents."""

from collections.abc import Iterable
from typing import Final, Literal, TypeAlias, get_args

import msgspec
from msgspec import Struct

from rixin.profiles.profile import Profile

Images: TypeAlias = Literal["inline", "pass", "urls", "leave", "describe", "refuse"]
"""`inline`: as data, which we make of everything. `pass`: as the client sent them; the engine fetches URLs itself.
`urls`: likewise, but by URL only. `leave`: none, and the profile says what becomes of them. `describe`: none, and they
are told of in words. `refuse`: none."""
Videos: TypeAlias = Literal["frames", "inline", "pass", "describe", "refuse"]
"""`frames`: as a few images; the others as for images."""

Documents: TypeAlias = Literal["text", "inline"]
"""`text`: as their words. `inline`: as data, which we make of everything."""


class Policy(Struct, frozen=True, kw_only=True):
    """What an engine takes."""

    images: Images
    videos: Videos
    documents: Documents = "text"


TEXT_ONLY: Final = Policy(images="refuse", videos="refuse")
IMAGES_AS_DATA: Final = Policy(images="inline", videos="frames")


def described(policy: Policy) -> Policy:
    """What is taken where images and videos that would not be can be described."""
    return msgspec.structs.replace(
        policy,
        images="describe" if policy.images in ("leave", "refuse") else policy.images,
        videos="describe" if policy.videos == "refuse" else policy.videos,
    )


def policy_of_upstream(profile: Profile, modalities: tuple[str, ...]) -> Policy:
    """What an upstream takes.

    It is given a client's URLs only where its profile says so: one that fetches them inside a private network would
    reach what we keep from clients.

    Args:
        profile: Of the model there.
        modalities: What the model takes in, as far as that is known.
    """
    video = "video" in modalities
    as_data = profile.document_policy == "data" or (profile.document_policy is None and "file" in modalities)
    documents: Documents = "inline" if as_data else "text"
    match profile.image_policy:
        case "pass":
            return Policy(images="pass", videos="pass" if video else "frames", documents=documents)
        case "url_only":
            return Policy(images="urls", videos="pass" if video else "refuse", documents=documents)
        case "placeholder":
            return Policy(images="leave", videos="refuse", documents=documents)
        case "data_only" | None:
            return Policy(images="inline", videos="inline" if video else "frames", documents=documents)


def combined(policies: Iterable[Policy]) -> Policy:
    """What serves all engines that may answer: the form that most of them can do something with."""
    offered = list(policies)
    images = {policy.images for policy in offered}
    videos = {policy.videos for policy in offered}
    documents = {policy.documents for policy in offered}
    return Policy(
        images=next((form for form in get_args(Images) if form in images), "refuse"),
        videos=next((form for form in get_args(Videos) if form in videos), "refuse"),
        documents="inline" if documents == {"inline"} else "text",
    )
