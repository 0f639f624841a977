"""A file that a client left with us, and the two families of names that clients know files by."""

import re
from typing import Literal, TypeAlias

from msgspec import Struct

Shape: TypeAlias = Literal["native", "openai"]
"""Whose API a file was made by, in whose words it is shown from then on."""
Status: TypeAlias = Literal["uploaded", "valid", "invalid"]
"""`uploaded`: still being looked at; `invalid`: of no use for its purpose."""

_OPENAI_PREFIX = "file-"
_NATIVE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_OPENAI = re.compile(rf"{_OPENAI_PREFIX}[0-9a-f]{{32}}")


class File(Struct, frozen=True, kw_only=True):
    """What is told of a file. Instants are seconds since the epoch, sizes bytes."""

    key: str
    """What stores know it by: 32 hex digits that sort by when it was made."""
    shape: Shape
    purpose: str
    """What it is for: a purpose of OpenAI's, or a scheme of the native platform's, as `shape` says."""
    name: str
    media_type: str
    """As its first bytes tell, whatever its sender said."""
    size: int
    status: Status
    created_at: float
    updated_at: float
    expires_at: float | None = None
    description: str = ""

    @property
    def id(self) -> str:
        """What clients know it by: a UUID on the native platform, `file-...` elsewhere."""
        if self.shape == "openai":
            return _OPENAI_PREFIX + self.key
        key = self.key
        return f"{key[:8]}-{key[8:12]}-{key[12:16]}-{key[16:20]}-{key[20:]}"


def key_of(id: str) -> tuple[Shape, str] | None:  # noqa: A002 - it is the id
    """The shape and the key of the file with an id; None for what is no id of ours."""
    if _OPENAI.fullmatch(id):
        return "openai", id.removeprefix(_OPENAI_PREFIX)
    return ("native", id.replace("-", "")) if _NATIVE.fullmatch(id) else None


class FilePage(Struct, frozen=True, kw_only=True):
    """Which of an account's files are asked for, in the order in which they were made."""

    limit: int
    after: str | None = None
    """The id of the last file of the page before."""
    descending: bool = True
    """Whether the newest come first."""
    purposes: tuple[str, ...] = ()
    """For any of these, in either shape's words; empty for all."""
