"""Which machines a web address may lead to: those of the public internet, by every address that a name has."""

import socket
from collections.abc import Callable, Collection, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any
from urllib.parse import urljoin, urlsplit

from vouch.errors import DataError, Problem

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolver = Callable[..., Sequence[tuple[Any, ...]]]  # as socket.getaddrinfo
SCHEMES = ("http", "https")
LONGEST = 2_048  # characters of a web address
TRANSLATED = ip_network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address
SPECIAL: tuple[Network, ...] = tuple(  # what IANA keeps for something else and Python 3.11 calls global
    map(ip_network, ("192.0.0.0/24", "192.88.99.0/24", "fec0::/10", "3fff::/20", "5f00::/16"))
)


def is_public(address: Address) -> bool:
    """Say whether an address is of the public internet; of one that holds another, both must be.

    Examples
    --------
    >>> [is_public(ip_address(text)) for text in ("1.1.1.1", "10.0.0.1", "::ffff:127.0.0.1", "224.0.0.1", "fe80::1")]
    [True, False, False, False, False]
    """
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address in TRANSLATED:
            return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
        if address.sixtofour is not None and not is_public(address.sixtofour):
            return False
    if any(address in network for network in SPECIAL):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def public_addresses(
    host: str, port: int, *, permitted: Collection[Network] = (), resolve: Resolver = socket.getaddrinfo
) -> list[Address]:
    """Return the addresses of a host, all of which are public.

    Parameters
    ----------
    host : a name or an address
    permitted : networks that are allowed besides; for a server that a test starts, no command has it
    resolve : asked once; what connects afterwards connects to what this returns

    Raises
    ------
    DataError
        When the host has no address, or one that is not public: then none of the others is used either.
    """
    try:
        found = resolve(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # UnicodeError: a label of more than 63 characters
        got = getattr(error, "strerror", None) or str(error)
        raise DataError(
            [Problem(host, "a host that has an address", got, "correct it, or look after the net")]
        ) from error
    addresses = [ip_address(str(entry[4][0])) for entry in found]
    closed = sorted({str(one) for one in addresses if not (is_public(one) or _within(one, permitted))})
    if closed or not addresses:
        expected, got = "addresses of the public internet alone", ", ".join(closed) or "none"
        raise DataError([Problem(host, expected, got, "name another host; download by hand what is your own")])
    return list(dict.fromkeys(addresses))


def url_problem(url: str, where: str) -> Problem | None:
    """Return what keeps a text from being a web address that may be asked, or None; no name is resolved.

    Examples
    --------
    >>> url_problem("https://example.org/a.jpg", "row 1") is None
    True
    >>> print(url_problem("file:///etc/passwd", "row 1"))
    row 1: expected a web address: http or https, a host, no password, got file:///etc/passwd; correct it
    """
    expected = "a web address: http or https, a host, no password"
    if len(url) > LONGEST:
        return Problem(where, f"at most {LONGEST:,} characters of a web address", f"{len(url):,}", "shorten it")
    try:
        parts = urlsplit(url)
        fits = parts.scheme.lower() in SCHEMES and bool(parts.hostname) and "@" not in parts.netloc
        fits = fits and (parts.port is None or parts.port > 0)
    except ValueError:  # a port that is no number, an IPv6 address without its end
        fits = False
    fits = fits and url.isprintable() and not any(character in url for character in ' \\"<>')
    return None if fits else Problem(where, expected, url, "correct it")


def joined(base: str, reference: str) -> str:
    """Return where a reference on a page leads; what cannot be joined stays, for `url_problem` to refuse.

    >>> joined("https://example.org/a/b", "../c"), joined("https://example.org/a/b", "http://[c")
    ('https://example.org/c', 'http://[c')
    """
    try:
        return urljoin(base, reference)
    except ValueError:  # an IPv6 address without its end
        return reference


def _within(address: Address, networks: Collection[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)
