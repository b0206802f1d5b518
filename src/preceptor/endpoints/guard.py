"""Where this server may connect to on somebody's behalf: never to itself, its network or a cloud's metadata.

The address of an endpoint is configuration, so whoever may write it could otherwise make the server ask its own
neighbours (server-side request forgery; OWASP SSRF Prevention Cheat Sheet). The name is resolved here, every address
is checked, and the connection is made to an address that was checked, so a name that changes its answer between
check and use gains nothing. Redirects are never followed.
"""

import asyncio
import ipaddress
import socket
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import SplitResult, urlsplit, urlunsplit

from preceptor.endpoints.errors import BadAddress

URL_CHARACTERS_MAX = 500
RESOLVE_SECONDS_MAX = 10.0
PORTS = {"http": 80, "https": 443}

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Reach(StrEnum):
    """How far outgoing requests may reach inwards (PRECEPTOR_OUTGOING_REACH)."""

    PUBLIC = "public"
    """Only addresses of the open internet."""
    LOOPBACK = "loopback"
    """This machine as well."""
    PRIVATE = "private"
    """This machine and private networks as well; never link-local and metadata addresses."""


def _networks(*written: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(each) for each in written)


_LOOPBACK = _networks("127.0.0.0/8", "::1/128")
_PRIVATE = _networks("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
# Metadata services of clouds, some of which lie inside private ranges: no setting opens them.
_NEVER = _networks(
    *("169.254.0.0/16", "fe80::/10", "100.100.100.200/32", "192.0.0.192/32", "fd00:ec2::254/128", "168.63.129.16/32"),
    *("fd20:ce::254/128", "0.0.0.0/8", "::/128", "224.0.0.0/4", "ff00::/8", "240.0.0.0/4", "fec0::/10"),
)
_OPEN: dict[Reach, tuple[Network, ...]] = {
    Reach.PUBLIC: (),
    Reach.LOOPBACK: _LOOPBACK,
    Reach.PRIVATE: (*_LOOPBACK, *_PRIVATE),
}
# IPv6 addresses that stand for an IPv4 address: (network, bits to the right of the embedded address).
_CARRIERS: tuple[tuple[ipaddress.IPv6Network, int], ...] = (
    (ipaddress.IPv6Network("::ffff:0:0/96"), 0),
    (ipaddress.IPv6Network("::ffff:0:0:0/96"), 0),
    (ipaddress.IPv6Network("::/96"), 0),
    (ipaddress.IPv6Network("64:ff9b::/96"), 0),
    (ipaddress.IPv6Network("64:ff9b:1::/48"), 0),
    (ipaddress.IPv6Network("2002::/16"), 80),
)
_TEREDO = ipaddress.IPv6Network("2001::/32")


@dataclass(frozen=True)
class Place:
    """An address that was checked: connect to `url` (by number), and present `host` as `Host` and in TLS."""

    url: str
    host: str
    """As it belongs into the `Host` header."""
    name: str
    """As the certificate names it."""


def parse_url(written: str) -> SplitResult:
    """A base URL as it is kept, without a slash at its end; BadAddress says what is wrong with it."""
    text = written.strip()
    if len(text) > URL_CHARACTERS_MAX or not text.isascii() or not text.isprintable() or " " in text:
        raise _bad(f"An address is plain text of at most {URL_CHARACTERS_MAX} characters, without spaces.")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise _bad("This is not an address. Write it like https://api.example.com/v1.") from None
    if parts.scheme not in PORTS or not parts.hostname or port == 0:
        raise _bad("An address begins with https:// or http://. Write it like https://api.example.com/v1.")
    if parts.username is not None or parts.password is not None:
        raise _bad("Leave user names and passwords out of the address; the key has its own field.")
    if parts.query or parts.fragment:
        raise _bad("Leave out what follows ? or #: an endpoint's address ends with its path, such as /v1.")
    return parts._replace(path=parts.path.rstrip("/"))


def allowed(address: Address, reach: Reach) -> bool:
    """Whether a connection to this very address is permitted."""
    bare = _without_scope(address)
    inner = _embedded(bare)
    if inner is not None:
        return allowed(inner, reach)
    if any(bare in network for network in _NEVER if network.version == bare.version):
        return False
    if any(bare in network for network in _OPEN[reach] if network.version == bare.version):
        return True
    inside = any(bare in network for network in (*_LOOPBACK, *_PRIVATE) if network.version == bare.version)
    return bare.is_global and not inside and not bare.is_multicast


def _without_scope(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id:
        return ipaddress.IPv6Address(int(address))
    return address


def _embedded(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for (mapped, translated, 6to4, NAT64, Teredo); None for others."""
    if isinstance(address, ipaddress.IPv4Address) or int(address) in (0, 1):
        return None
    if address in _TEREDO:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF ^ 0xFFFFFFFF)
    for network, shift in _CARRIERS:
        if address in network:
            return ipaddress.IPv4Address(int(address) >> shift & 0xFFFFFFFF)
    return None


async def checked(url: str, reach: Reach) -> Place:
    """Resolve and check. One address that is not permitted refuses the name, whatever its others are."""
    parts = parse_url(url)
    assert parts.hostname is not None
    port = parts.port or PORTS[parts.scheme]
    addresses = await _resolve(parts.hostname, port)
    if not all(allowed(address, reach) for address in addresses):
        raise _refused(parts.hostname, reach)
    literal = str(addresses[0]) if addresses[0].version == 4 else f"[{addresses[0]}]"
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    shown = host if port == PORTS[parts.scheme] else f"{host}:{port}"
    return Place(urlunsplit(parts._replace(netloc=f"{literal}:{port}")), shown, parts.hostname)


async def _resolve(name: str, port: int) -> list[Address]:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(RESOLVE_SECONDS_MAX):
            found = await loop.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError):
        raise _bad(f"The name {name} leads nowhere. Check its spelling.") from None
    addresses = [ipaddress.ip_address(str(sockaddr[0])) for *_, sockaddr in found]
    if not addresses:
        raise _bad(f"The name {name} leads nowhere. Check its spelling.")
    return addresses


def _refused(name: str, reach: Reach) -> BadAddress:
    opener = {
        Reach.PUBLIC: "The operator can allow this machine or private networks with PRECEPTOR_OUTGOING_REACH.",
        Reach.LOOPBACK: "The operator can allow private networks with PRECEPTOR_OUTGOING_REACH=private.",
        Reach.PRIVATE: "Link-local and metadata addresses are never allowed.",
    }
    return _bad(f"{name} lies inside the server's own network, which endpoints may not reach. {opener[reach]}")


def _bad(message: str) -> BadAddress:
    return BadAddress(message, [{"path": "base_url", "message": message}])
