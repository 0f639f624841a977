"""Names of tools that fit where long names, dots and colons are refused; the same name always becomes the same."""

import hashlib
import re

MAX_LENGTH = 64
_FOREIGN = re.compile(r"[^A-Za-z0-9_-]")
_MARK = 9
"""Letters of the mark that tells changed names apart: an underscore and eight of a digest."""


def fitting(name: str, length: int = MAX_LENGTH) -> str:
    """A name of at most `length` letters out of `[A-Za-z0-9_-]`.

    A name that fits stays. Any other keeps its beginning and gets a mark made from the whole of it, so that two names
    stay two and neither depends on which others there are.
    """
    plain = _FOREIGN.sub("_", name)
    if plain == name and 0 < len(name) <= length:
        return name
    return f"{plain[: length - _MARK]}_{digest(name)[:8]}"


def digest(text: str) -> str:
    """Forty hexadecimal digits that stand for a text; not for secrets."""
    return hashlib.sha1(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()
