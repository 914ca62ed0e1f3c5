"""Only the public internet is asked, by every address that a name has."""

from ipaddress import ip_address, ip_network

import pytest

from vouch.curation.catalogue.addresses import is_public, public_addresses, url_problem
from vouch.errors import DataError

# IANA's special-purpose registries, and the forms that hide one of their addresses in another
CLOSED = """0.0.0.0 0.1.2.3 10.1.2.3 100.64.0.1 127.0.0.1 127.255.255.254 169.254.169.254 172.16.0.1 172.31.255.255
192.0.0.8 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.1.1.1 240.0.0.1
255.255.255.255 :: ::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::127.0.0.1 64:ff9b::7f00:1
64:ff9b::a00:1 100::1 2001::1 2001:db8::1 2002:7f00:1:: 2002:a00:1:: 3fff::1 5f00::1 fc00::1 fd12::1 fe80::1 fec0::1
ff02::1 ff0e::1"""
OPEN = "1.1.1.1 8.8.8.8 93.184.215.14 172.32.0.1 2606:4700:4700::1111 ::ffff:8.8.8.8 64:ff9b::808:808"


@pytest.mark.parametrize("text", CLOSED.split())
def test_a_special_address_is_not_public(text):
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", OPEN.split())
def test_an_address_of_the_internet_is_public(text):
    assert is_public(ip_address(text))


def says(*addresses):
    """A resolver that gives these addresses and counts how often it was asked."""
    asked = []

    def resolve(host, port, **_):
        asked.append(host)
        return [(None, None, None, "", (address, port)) for address in addresses]

    resolve.asked = asked
    return resolve


def test_a_name_with_one_address_that_is_not_public_is_refused_whole():
    resolve = says("1.1.1.1", "127.0.0.1")
    with pytest.raises(DataError, match=r"got 127\.0\.0\.1; name another host"):
        public_addresses("rebind.example", 80, resolve=resolve)
    assert resolve.asked == ["rebind.example"]


def test_a_public_name_gives_its_addresses_in_order_and_is_asked_once():
    resolve = says("2606:4700:4700::1111", "1.1.1.1", "1.1.1.1")
    found = public_addresses("one.example", 80, resolve=resolve)
    assert list(map(str, found)) == ["2606:4700:4700::1111", "1.1.1.1"]
    assert resolve.asked == ["one.example"]


def test_a_name_without_an_address_is_refused():
    def fails(host, port, **_):
        raise OSError(-2, "Name or service not known")

    with pytest.raises(DataError, match="Name or service not known"):
        public_addresses("absent.example", 80, resolve=fails)
    with pytest.raises(DataError, match="got none"):
        public_addresses("empty.example", 80, resolve=says())
    with pytest.raises(DataError, match="a host that has an address"):
        public_addresses("a" * 64 + ".example", 80)


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "127.1", "localhost", "::1", "0"])
def test_every_spelling_of_this_machine_is_refused(host):
    with pytest.raises(DataError, match="addresses of the public internet alone"):
        public_addresses(host, 80)


def test_a_permitted_network_is_allowed_besides_and_no_other():
    permitted = (ip_network("127.0.0.0/8"),)
    assert public_addresses("n", 80, permitted=permitted, resolve=says("127.0.0.1", "1.1.1.1"))
    with pytest.raises(DataError, match=r"10\.0\.0\.1"):
        public_addresses("n", 80, permitted=permitted, resolve=says("127.0.0.1", "10.0.0.1"))


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://example.org/a", "example.org/a.jpg", "//example.org/a", "http://", "http:///a",
        "http://user:secret@example.org/", "http://example.org:port/", "http://example.org:0/", "http://[::1/",
        "javascript:alert(1)", "http://example.org/a b", "http://example.org/\n", "http://example.org\\@127.0.0.1/",
        "http://example.org/" + "a" * 2_048, "",
    ],
)  # fmt: skip
def test_what_is_no_web_address_is_named(url):
    problem = url_problem(url, "row 1")
    assert problem is not None
    assert problem.where == "row 1"


@pytest.mark.parametrize(
    "url", ["http://example.org", "HTTPS://Example.org:8443/a%20b?x=1#y", "http://[2606:4700::1]/"]
)
def test_a_web_address_is_none_to_complain_of(url):
    assert url_problem(url, "row 1") is None
