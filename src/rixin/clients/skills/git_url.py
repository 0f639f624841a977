"""Which addresses git is allowed to be given.

Git knows transports that run commands (`ext::sh -c ...`), takes what begins with `-` for an option, and hands parts of
an address to ssh. So an address is not searched for what is bad: it must have one of four forms, whole.
"""

import re
from typing import NamedTuple

from rixin.errors import invalid

_HOST = r"(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])"
_PATH = r"/[A-Za-z0-9._~%+@=,/-]+"
_USER = r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*)"

_FORMS = {
    "https": re.compile(rf"https://{_HOST}(?::[0-9]{{1,5}})?{_PATH}"),
    "http": re.compile(rf"http://{_HOST}(?::[0-9]{{1,5}})?{_PATH}"),
    "ssh": re.compile(rf"ssh://(?:{_USER}@)?{_HOST}(?::[0-9]{{1,5}})?{_PATH}"),
    "file": re.compile(r"file:///[^?#\\%\x00-\x1f\x7f]+"),
}
_SCP = re.compile(rf"{_USER}@{_HOST}:(?!-)[A-Za-z0-9._~+@=,/-]+")
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
_REF = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._/+-]*[A-Za-z0-9_+-])?")


class GitUrl(NamedTuple):
    """An address that may be given to git."""

    url: str
    protocol: str
    """The one transport that git may use for it, redirections included."""


def is_git_url(text: str) -> bool:
    """Whether a text is meant for git, allowed or not; a path of this machine is not."""
    return "://" in text or "::" in text or text.startswith("-") or re.match(r"[^/\\]+@[^/\\]+:", text) is not None


def check_url(text: str) -> GitUrl:
    """An address for git.

    Raises:
        RixinError: `INVALID_REQUEST`, with what is wrong and without a password that may be in it.
    """
    scheme, separator, rest = text.partition("://")
    if _SCP.fullmatch(text):
        return GitUrl(text, "ssh")
    if not separator or scheme not in _FORMS:
        raise invalid("refused: a git URL begins with https://, ssh://, git@HOST: or file:///", "source")
    user = rest.partition("/")[0].rpartition("@")[0]
    if user and (scheme != "ssh" or ":" in user):
        raise invalid(
            "refused: the git URL holds a user name or password, which would be kept beside the skill; "
            "use ssh, or clone it yourself and install the directory",
            "source",
        )
    found = _FORMS[scheme].fullmatch(text)
    if found is None:
        raise invalid(
            "refused: the git URL holds what no address of a repository needs (options, queries, spaces)", "source"
        )
    if scheme == "http" and found["host"] not in _LOOPBACK:
        raise invalid("refused: http:// lets anybody on the way change what your agent is told; use https://", "source")
    return GitUrl(text, scheme)


def check_ref(ref: str) -> str:
    """A branch, tag or commit.

    Raises:
        RixinError: `INVALID_REQUEST` when it cannot be one.
    """
    if not _REF.fullmatch(ref) or ".." in ref or "//" in ref:
        raise invalid(f"{ref!r} is no branch, tag or commit", "ref")
    return ref
