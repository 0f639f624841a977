"""Links to files: who may make them, for how long they count, and which URLs are ours."""

from urllib.parse import parse_qs, urlsplit

import pytest

from rixin.accounts.file_links import LIFETIME, FileLinks, named_in
from rixin.accounts.root_secret import RootSecret
from rixin.errors import Kind, RixinError
from tests.accounts.manual_clock import ManualClock

ONE = "file-01a2016d85897b81961a9b987332eb80"
TWO = "01a2016d-8589-7b81-961a-9b987332eb80"


@pytest.fixture
def links(root_secret: RootSecret, clock: ManualClock) -> FileLinks:
    """Of a server behind a proxy."""
    return FileLinks(root_secret, "https://Rixin.example/base/", clock)


def query_of(link: str) -> dict[str, str]:
    """What a link's query holds."""
    return {name: value for name, [value] in parse_qs(urlsplit(link).query).items()}


def test_a_link_counts_for_a_day(links: FileLinks, clock: ManualClock) -> None:
    """To the second."""
    query = query_of(links.link(ONE, ""))
    links.check(ONE, query)
    clock.advance(LIFETIME - 1)
    links.check(ONE, query)
    clock.advance(1)
    with pytest.raises(RixinError, match="expired") as refused:
        links.check(ONE, query)
    assert refused.value.kind is Kind.PERMISSION_DENIED


@pytest.mark.parametrize(
    "wrong",
    [
        {"signature": ""},
        {"signature": "0" * 64},
        {"signature": "é"},
        {"signature": "\udcff"},
        {"expires": "9999999999"},
        {"expires": ""},
        {"expires": "-1"},
        {"expires": "1e9"},
    ],
)
def test_a5_nobody_else_makes_links(links: FileLinks, wrong: dict[str, str]) -> None:
    """Whatever is changed of one."""
    with pytest.raises(RixinError) as refused:
        links.check(ONE, query_of(links.link(ONE, "")) | wrong)
    assert refused.value.kind is Kind.PERMISSION_DENIED


def test_a_link_is_for_one_file(links: FileLinks) -> None:
    """And of one server's secret, used for nothing else."""
    query = query_of(links.link(ONE, ""))
    with pytest.raises(RixinError):
        links.check(TWO, query)
    with pytest.raises(RixinError):
        FileLinks(RootSecret(b"another" * 5), None, ManualClock()).check(ONE, query)


def test_a_link_begins_where_the_client_is(links: FileLinks, root_secret: RootSecret, clock: ManualClock) -> None:
    """At the public URL, or where none is known, at the host that was asked."""
    assert links.link(ONE, "http://host:1").startswith(f"https://rixin.example/base/v1/files/{ONE}/content?expires=")
    unknown = FileLinks(root_secret, None, clock)
    assert unknown.link(ONE, "http://host:1").startswith(f"http://host:1/v1/files/{ONE}/content?")
    assert unknown.named_by(unknown.link(ONE, "http://host:1")) is None


@pytest.mark.parametrize(
    ("url", "named"),
    [
        (f"https://rixin.example/base/v1/files/{ONE}/content", ONE),
        (f"https://rixin.example/base/v1/files/{TWO}/content?expires=1&signature=2", TWO),
        (f"HTTPS://RIXIN.EXAMPLE:443/base/v1/files/{ONE}/content#x", ONE),
        (f"http://rixin.example/base/v1/files/{ONE}/content", None),
        (f"https://rixin.example:8443/base/v1/files/{ONE}/content", None),
        (f"https://rixin.example.evil.test/base/v1/files/{ONE}/content", None),
        (f"https://rixin.example@evil.test/base/v1/files/{ONE}/content", None),
        (f"https://rixin.example/v1/files/{ONE}/content", None),
        (f"https://rixin.example/basement/v1/files/{ONE}/content", None),
        (f"https://rixin.example/base/v1/files/{ONE}", None),
        (f"https://rixin.example/base/v1/files/../{ONE}/content", None),
        ("https://rixin.example/base/v1/files/x/content", None),
        (f"https://rixin.example/base/v1/files/{ONE}/content?{'x' * 3000}", None),
        ("https://[", None),
        ("data:image/png;base64,AAAA", None),
        ("", None),
        ("\udcff", None),
    ],
)
def test_m1_which_urls_are_ours(links: FileLinks, url: str, named: str | None) -> None:
    """Those below the public URL that name a file; all others are somebody else's."""
    assert links.named_by(url) == named


def test_which_paths_are_files() -> None:
    """Exactly these."""
    assert named_in(f"/v1/files/{ONE}/content") == ONE
    for path in (f"/v1/files/{ONE}", f"/v1/files/{ONE}/content/", f"/v1/files//{ONE}/content", "/v1/files/x/content"):
        assert named_in(path) is None
