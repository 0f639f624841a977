"""Where skills come from, as the user names it and as a marker remembers it."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, Protocol

from msgspec import Struct

from rixin import __version__
from rixin.clients.skills.directory import Directory
from rixin.clients.skills.entries import Entry
from rixin.clients.skills.git_repository import fetched
from rixin.clients.skills.git_url import is_git_url
from rixin.errors import Kind, RixinError, invalid

_BUNDLED = (Path(__file__).parent / "bundled", Path(__file__).parents[4] / "skills")
"""Rixin's own skills: in an installed package, and in a checkout."""


class SourceName(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A source, so that it can be found again."""

    kind: Literal["git", "directory", "bundled"]
    location: str = ""
    """The URL or the absolute path; empty for the skills that come with Rixin."""
    ref: str | None = None
    """The branch, tag or commit of a repository; its own default if None."""
    path: str = ""
    """The folder within it in which to look."""

    def __str__(self) -> str:
        where = self.location or "rixin itself"
        return where + (f" at {self.ref}" if self.ref else "") + (f", {self.path}" if self.path else "")


class Source(Protocol):
    """Something that holds skills."""

    @property
    def version(self) -> str | None:
        """The commit, or whatever else says which state of the source this is."""
        ...

    def entries(self) -> list[Entry]:
        """Everything in it; what git or Python keep for themselves is left out."""
        ...

    def read(self, entries: Sequence[Entry]) -> Iterator[bytes]:
        """The contents of files, in the order of `entries`."""
        ...


def name_source(text: str | None, *, ref: str | None = None, path: str = "") -> SourceName:
    """The source that a user means: a git URL, a directory, or with None the skills that come with Rixin.

    Raises:
        RixinError: `INVALID_REQUEST` when it is none of these.
    """
    path = path.replace("\\", "/").strip("/").removeprefix("./")
    if text is not None and is_git_url(text):
        return SourceName(kind="git", location=text, ref=ref, path=path)
    if ref is not None:
        raise invalid("only a git URL has branches, tags and commits", "ref")
    if text is None:
        return SourceName(kind="bundled", path=path)
    directory = Path(text).expanduser()
    if not text or not directory.is_dir():
        owner, _, name = text.partition("/")
        hint = f"; a repository is named by its URL, such as https://github.com/{text}" if _is_word(owner, name) else ""
        raise invalid(f"{text or 'an empty text'} is neither a directory nor a git URL{hint}", "source")
    return SourceName(kind="directory", location=str(directory.resolve()), path=path)


def _is_word(*parts: str) -> bool:
    return all(part.replace("-", "").replace("_", "").replace(".", "").isalnum() for part in parts)


@contextmanager
def opened(name: SourceName) -> Generator[Source]:
    """A source, ready to be read; a repository is fetched first.

    Raises:
        RixinError: It cannot be had: the message says why.
    """
    if name.kind == "git":
        with fetched(name.location, name.ref) as repository:
            yield repository
    elif name.kind == "directory":
        yield Directory(Path(name.location))
    else:
        # Installers of Python packages make hard links of what they have in their caches.
        yield Directory(_bundled(), hard_links=True, version=__version__)


def _bundled() -> Path:
    for directory in _BUNDLED:
        if directory.is_dir():
            return directory
    raise RixinError(Kind.CONFIGURATION, "this installation of Rixin has lost its skills; install it again")
