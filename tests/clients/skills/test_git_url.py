"""Which addresses reach git."""

import pytest

from rixin.clients.skills.git_url import check_ref, check_url, is_git_url
from rixin.errors import RixinError


@pytest.mark.parametrize(
    ("url", "protocol"),
    [
        ("https://github.com/OpenSenseNova/SenseNova-Skills", "https"),
        ("https://github.com/OpenSenseNova/SenseNova-Skills.git", "https"),
        ("https://git.example:8443/~me/a%20b.git", "https"),
        ("http://127.0.0.1:8080/a.git", "http"),
        ("http://localhost/a.git", "http"),
        ("ssh://git@git.example:2222/a/b.git", "ssh"),
        ("git@github.com:OpenSenseNova/SenseNova-Skills.git", "ssh"),
        ("file:///srv/git/skills.git", "file"),
        ("file:///srv/数据 库/skills", "file"),
    ],
)
def test_plain_addresses(url: str, protocol: str) -> None:
    """The four transports, each with nothing but an address; git may use no other for it."""
    assert is_git_url(url)
    assert check_url(url).protocol == protocol


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c touch% /tmp/pwned",
        "ext::sh://x",
        "fd::17",
        "file::/srv/a",
        "--upload-pack=touch /tmp/pwned",
        "-oProxyCommand=true",
        "--upload-pack=x://y",
        "git://git.example/a",
        "ftp://git.example/a",
        "https://-oProxyCommand=true/a",
        "ssh://-oProxyCommand=touch/a",
        "ssh://git@-oProxyCommand=touch/a",
        "-a@git.example:b",
        "git@-oProxyCommand=touch:b",
        "git@git.example:--upload-pack=x",
        "https://git.example/a --upload-pack=x",
        "https://git.example/a\n--upload-pack=x",
        "https://git.example/a?upload-pack=x",
        "https://git.example/a#x",
        "https://git.example",
        "file:///a?upload-pack=touch",
        "file:///a#b",
        "file:///a%20b",
        "file:///a\nb",
        "file://server/share",
        "file://../a",
        "HTTPS://git.example/a",
        "https:///a",
        "https://git.example:port/a",
        "https://git.example/$(touch x)",
        "https://git.example/`touch x`",
        "https://git.example/a;b",
    ],
)
def test_tricks_are_refused(url: str) -> None:
    """Transports that run commands, options, and everything that is no address."""
    with pytest.raises(RixinError, match="refused"):
        check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://me:hunter2@git.example/a",
        "https://ghp_hunter2@git.example/a",
        "ssh://git:hunter2@git.example/a",
        "http://me:hunter2@127.0.0.1/a",
    ],
)
def test_credentials_are_refused_and_not_repeated(url: str) -> None:
    """A password in an address would be kept beside the skill; the message does not hold it."""
    with pytest.raises(RixinError, match="user name or password") as caught:
        check_url(url)
    assert "hunter2" not in caught.value.message


def test_plain_http_is_for_this_machine() -> None:
    """Over http anybody on the way could write what an agent reads."""
    with pytest.raises(RixinError, match="use https"):
        check_url("http://git.example/a")


@pytest.mark.parametrize("path", ["skills", "./skills", "/srv/skills", "../a", "~/skills", "./a@b:c", "/a@b:c"])
def test_directories_are_no_addresses(path: str) -> None:
    """What can be a path of this machine is not given to git."""
    assert not is_git_url(path)


@pytest.mark.parametrize("ref", ["main", "v1.2", "feature/x", "99fdf94", "refs/tags/v1", "release_1+2"])
def test_refs(ref: str) -> None:
    """Branches, tags and commits."""
    assert check_ref(ref) == ref


@pytest.mark.parametrize(
    "ref", ["", "-x", "--upload-pack=x", "a..b", "a:b", "+a", "a b", "/a", "a//b", "a^{x}", "a~1", "@{u}"]
)
def test_what_is_no_ref(ref: str) -> None:
    """Options, refspecs and expressions."""
    with pytest.raises(RixinError, match="no branch, tag or commit"):
        check_ref(ref)
