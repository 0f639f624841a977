"""What may be fetched: M1 of the security checklist, row by row."""

from ipaddress import ip_address

import pytest

from rixin.errors import Kind, RixinError
from rixin.media.guard import MAX_URL, Guard, host_of, is_public, parse_url

PUBLIC = ["93.184.216.34", "8.8.8.8", "172.15.255.255", "172.32.0.1", "100.63.255.255", "2606:2800:220:1::1"]

NOT_PUBLIC = {
    "M1 this network": "0.0.0.0",
    "M1 this network, not zero": "0.1.2.3",
    "M1 private 10": "10.0.0.1",
    "M1 shared 100.64": "100.64.0.1",
    "M1 shared 100.127": "100.127.255.254",
    "M1 loopback": "127.0.0.1",
    "M1 loopback, far end": "127.255.255.254",
    "M1 metadata": "169.254.169.254",
    "M1 private 172.16": "172.16.0.1",
    "M1 private 172.31": "172.31.255.255",
    "M1 protocol assignments": "192.0.0.8",
    "M1 documentation": "192.0.2.1",
    "M1 6to4 relay": "192.88.99.1",
    "M1 private 192.168": "192.168.1.1",
    "M1 benchmarks": "198.19.0.1",
    "M1 multicast": "224.0.0.1",
    "M1 reserved": "240.0.0.1",
    "M1 broadcast": "255.255.255.255",
    "M1 v6 unspecified": "::",
    "M1 v6 loopback": "::1",
    "M1 v4 mapped": "::ffff:127.0.0.1",
    "M1 v4 mapped, public": "::ffff:8.8.8.8",
    "M1 v4 compatible": "::127.0.0.1",
    "M1 v4 translated": "::ffff:0:127.0.0.1",
    "M1 NAT64": "64:ff9b::7f00:1",
    "M1 NAT64, local": "64:ff9b:1::a00:1",
    "M1 6to4": "2002:7f00:1::",
    "M1 Teredo": "2001:0:4136:e378::1",
    "M1 v6 documentation": "2001:db8::1",
    "M1 unique local": "fc00::1",
    "M1 unique local, metadata": "fd00:ec2::254",
    "M1 v6 link-local": "fe80::1",
    "M1 v6 link-local with a scope": "fe80::1%eth0",
    "M1 v6 site-local": "fec0::1",
    "M1 v6 multicast": "ff02::1",
}

UNFETCHABLE = {
    "M1 file": "file:///etc/passwd",
    "M1 gopher": "gopher://127.0.0.1:6379/_INFO",
    "M1 ftp": "ftp://example.com/a.png",
    "M1 nested": "data:text/plain,http://example.com/",
    "M1 view-source": "view-source:http://example.com/",
    "M1 no scheme": "//example.com/a.png",
    "M1 no host": "http:///a.png",
    "M1 no authority": "http:example.com",
    "M1 empty": "",
    "M1 user": "http://user@example.com/",
    "M1 user and password": "http://user:secret@example.com/",
    "M1 public user, private host": "http://example.com@127.0.0.1/",
    "M1 backslash in the authority": "http://example.com\\@127.0.0.1/",
    "M1 backslash in the path": "http://example.com/\\127.0.0.1",
    "M1 backslashes for slashes": "http:\\\\example.com\\a.png",
    "M1 CRLF": "http://example.com/a\r\nHost: internal",
    "M1 CRLF in the host": "http://example.com\r\n.internal/",
    "M1 NUL": "http://example.com\x00.internal/",
    "M1 tab": "http://exam\tple.com/",
    "M1 space": "http://example.com /a",
    "M1 leading space": " http://example.com/",
    "M1 decimal": "http://2130706433/",
    "M1 octal": "http://0177.0.0.1/",
    "M1 octal, whole": "http://017700000001/",
    "M1 hexadecimal": "http://0x7f000001/",
    "M1 hexadecimal, one part": "http://127.0.0.0x1/",
    "M1 two parts": "http://127.1/",
    "M1 five parts": "http://1.2.3.4.5/",
    "M1 too large a part": "http://127.0.0.256/",
    "M1 percent-encoded host": "http://%31%32%37.0.0.1/",
    "M1 percent-encoded dot": "http://127%2e0.0.1/",
    "M1 Arabic digits": "http://١٢٧.0.0.1/",
    "M1 brackets without an address": "http://[localhost]/",
    "M1 unclosed bracket": "http://[::1/",
    "M1 two dots": "http://example..com/",
    "M1 hyphen first": "http://-example.com/",
    "M1 long label": f"http://{'a' * 64}.com/",
    "M1 long host": f"http://{'a.' * 127}com/",
    "M1 port 0": "http://example.com:0/",
    "M1 port too high": "http://example.com:65536/",
    "M1 port is no number": "http://example.com:http/",
    "M1 long": f"http://example.com/{'a' * MAX_URL}",
}


@pytest.mark.parametrize("address", PUBLIC)
def test_m1_a_public_address_may_be_connected_to(address: str):
    """Hosts on the Internet are what a guard is for."""
    assert is_public(ip_address(address))
    assert Guard().admits("example.com", ip_address(address), 443)


@pytest.mark.parametrize("address", NOT_PUBLIC.values(), ids=NOT_PUBLIC.keys())
def test_m1_any_other_address_may_not(address: str):
    """Addresses within our network, of no network, and those that hide another one are refused."""
    assert not Guard().admits("example.com", ip_address(address), 443)


@pytest.mark.parametrize("url", UNFETCHABLE.values(), ids=UNFETCHABLE.keys())
def test_m1_a_url_that_may_be_read_in_two_ways_is_refused(url: str):
    """The error names the part of the request, and nothing of the URL."""
    with pytest.raises(RixinError) as caught:
        parse_url(url, "messages[0].content[1]")
    assert caught.value.kind is Kind.INVALID_REQUEST
    assert caught.value.param == "messages[0].content[1]"
    assert caught.value.message == (
        "invalid messages[0].content[1], should be an http or https URL without a user name."
    )


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://example.com/a.png?b=c#d", "example.com"),
        ("HTTP://EXAMPLE.com", "example.com"),
        ("http://example.com:8080/", "example.com"),
        ("http://example.com./a", "example.com"),
        ("http://93.184.216.34/", "93.184.216.34"),
        ("http://[2606:2800:220:1::1]/", "2606:2800:220:1::1"),
        ("https://例え.jp/写真.png", "xn--r8jz45g.jp"),
        ("https://my_bucket.s3.example.com/a", "my_bucket.s3.example.com"),
        ("https://example.com/a%20b?c=%2F", "example.com"),
        # What comes after the host cannot become one.
        ("http://example.com#@127.0.0.1/", "example.com"),
        ("http://example.com/@127.0.0.1/", "example.com"),
        ("http://example.com?@127.0.0.1/", "example.com"),
    ],
)
def test_m1_a_plain_url_is_read_once(url: str, host: str):
    """The host that is checked is the one that the fetch connects to: both are of the same parsed object."""
    assert host_of(parse_url(url, "url")) == host


@pytest.mark.parametrize("url", ["http://127。0。0。1/", "http://①②⑦.0.0.1/", "http://127.0.0.1/"])
def test_m1_an_address_in_other_characters_is_the_address(url: str):
    """IDNA maps ideographic dots and circled digits before anything is checked."""
    assert host_of(parse_url(url, "url")) == "127.0.0.1"
    assert not Guard().admits("127.0.0.1", ip_address("127.0.0.1"), 80)


def test_only_the_ports_of_the_settings_are_open():
    """A public host may be fetched from on its web ports."""
    guard = Guard(ports=(443, 8443))
    address = ip_address("8.8.8.8")
    assert guard.admits("example.com", address, 8443)
    assert not guard.admits("example.com", address, 80)
    assert not guard.admits("example.com", address, 25)


def test_a_name_may_be_private():
    """Its private addresses are open on every port, but link-local ones never."""
    guard = Guard(["files.corp.example", "*.lan"])
    assert guard.admits("files.corp.example", ip_address("10.1.2.3"), 9000)
    assert guard.admits("nas.lan", ip_address("192.168.1.4"), 9000)
    assert guard.admits("nas.lan", ip_address("fd12::1"), 9000)
    assert not guard.admits("other.corp.example", ip_address("10.1.2.3"), 80)
    assert not guard.admits("evil-files.corp.example", ip_address("10.1.2.3"), 80)
    assert not guard.admits("lan", ip_address("192.168.1.4"), 80)
    assert not guard.admits("nas.lan", ip_address("169.254.169.254"), 80)


def test_a_network_may_be_private():
    """Its addresses are open by any name, on every port."""
    guard = Guard(["10.20.0.0/16", "127.0.0.1", "fd12::/16"])
    assert guard.admits("anything.example", ip_address("10.20.3.4"), 9000)
    assert guard.admits("127.0.0.1", ip_address("127.0.0.1"), 8080)
    assert guard.admits("anything.example", ip_address("fd12::3"), 80)
    assert not guard.admits("anything.example", ip_address("10.21.3.4"), 80)
    assert not guard.admits("anything.example", ip_address("127.0.0.2"), 80)


@pytest.mark.parametrize("entry", ["http://nas.lan", "nas.lan:80", "10.0.0", "*", "", "nas lan", "*.*.lan"])
def test_an_entry_that_is_no_host_is_told(entry: str):
    """The error quotes it."""
    with pytest.raises(RixinError) as caught:
        Guard([entry])
    assert caught.value.kind is Kind.CONFIGURATION
    assert caught.value.message == f"media.private_hosts: {entry!r} is no host name, address or network"
