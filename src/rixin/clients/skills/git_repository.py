"""A repository of git as a source of skills.

The commit is fetched alone into a bare repository and never checked out: trees and files are read as objects. So there
is no work tree in which links, hooks, filters, attributes or submodules could do anything, and the names in the tree
have been seen before a file of that name exists.
"""

import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rixin.clients.skills.entries import MAX_BYTES, Entry, EntryKind, check_listed
from rixin.clients.skills.git_command import Git
from rixin.clients.skills.git_url import check_ref, check_url
from rixin.errors import Kind, RixinError, invalid

MAX_FETCHED = 2**30
"""Bytes of a commit with all its files, packed."""
MAX_LISTING = 64 * 2**20
"""Bytes of the names of all its files."""
_LARGE_FILES = b"version https://git-lfs.github.com/spec/"

_KINDS = {
    "100644": EntryKind.FILE,
    "100664": EntryKind.FILE,
    "100755": EntryKind.FILE,
    "120000": EntryKind.LINK,
    "160000": EntryKind.SUBMODULE,
}


@contextmanager
def fetched(url: str, ref: str | None, *, deadline: float = 300.0) -> Generator["GitRepository"]:
    """One commit of a repository, on this machine for as long as the context lasts.

    Args:
        url: Where the repository is.
        ref: A branch, tag or commit; the repository's default branch if None.
        deadline: Seconds that fetching may take.

    Raises:
        RixinError: The address is refused, git is missing, or the repository cannot be had.
    """
    address = check_url(url)
    wanted = "HEAD" if ref is None else check_ref(ref)
    with tempfile.TemporaryDirectory(prefix="rixin-skills-", ignore_cleanup_errors=True) as directory:
        git = Git(Path(directory), address.protocol)
        git.run("init", "--quiet", "--bare", "--template=", "repository")
        options = ("--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules")
        git.run("fetch", *options, "--", address.url, wanted, limit=MAX_FETCHED, deadline=deadline)
        commit = git.run("rev-parse", "--verify", "FETCH_HEAD^{commit}").decode().strip()
        yield GitRepository(git, commit)


class GitRepository:
    """The files of one commit."""

    def __init__(self, git: Git, commit: str) -> None:
        self._git = git
        self.version = commit

    def entries(self) -> list[Entry]:
        """All entries of the commit that are no folders.

        Raises:
            RixinError: There are far too many, or a name is not UTF-8.
        """
        listing = self._git.run("ls-tree", "-r", "-z", "-l", "--full-tree", self.version, limit=MAX_LISTING)
        lines = listing.split(b"\0")[:-1]
        check_listed(len(lines))
        return [_entry(line) for line in lines]

    def read(self, entries: Sequence[Entry]) -> Iterator[bytes]:
        """The contents of files, as they are in the commit: no filter and no line ending is applied.

        Raises:
            RixinError: A file is kept elsewhere (Git LFS), or git cannot read one.
        """
        asked = "".join(f"{entry.object_id}\n" for entry in entries).encode()
        limit = MAX_BYTES + 256 * (len(entries) + 1)
        answer = memoryview(self._git.run("cat-file", "--batch", stdin=asked, limit=limit))
        begin = 0
        for entry in entries:
            # Each answer is `<id> blob <size>`, a line feed, the content, a line feed.
            begin += len(f"{entry.object_id} blob {entry.size}\n")
            content = bytes(answer[begin : begin + entry.size])
            begin += entry.size + 1
            if len(content) != entry.size:
                raise RixinError(Kind.UPSTREAM_INVALID, f"git did not give the whole of {entry.path}")
            if content.startswith(_LARGE_FILES):
                raise invalid(
                    f"{entry.path} is kept in Git LFS, which is not fetched; "
                    "clone it yourself and install the directory"
                )
            yield content


def _entry(line: bytes) -> Entry:
    head, _, raw = line.partition(b"\t")
    mode, _, object_id, size = head.decode("ascii").split()
    try:
        path = raw.decode()
    except UnicodeDecodeError:
        raise invalid(f"refused: the name {raw!r} is not UTF-8") from None
    return Entry(
        path=path,
        kind=_KINDS.get(mode, EntryKind.SPECIAL),
        size=int(size) if size.isdecimal() else 0,
        executable=mode == "100755",
        object_id=object_id,
    )
