"""Outgoing requests never reach the server's own network, however its addresses are written."""

import asyncio
import ipaddress
import socket
from typing import Any

import pytest

from preceptor.endpoints import guard
from preceptor.endpoints.errors import BadAddress
from preceptor.endpoints.guard import Reach, allowed, checked, parse_url


def words(text: str) -> list[str]:
    return text.split()


INSIDE = words("""
    127.0.0.1 127.8.9.10 10.0.0.1 172.16.5.4 172.31.255.255 192.168.1.1 100.64.0.1 100.127.255.255 0.0.0.0 0.1.2.3
    169.254.169.254 169.254.1.1 100.100.100.200 192.0.0.192 168.63.129.16 224.0.0.1 240.0.0.1 255.255.255.255 192.0.2.1
    198.18.0.1 198.51.100.7 203.0.113.9 :: ::1 fe80::1 fe80::1%lo fc00::1 fd12:3456::1 fd00:ec2::254 ff02::1 fec0::1
    2001:db8::1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 ::ffff:10.0.0.1 ::127.0.0.1 ::10.1.2.3 ::ffff:0:127.0.0.1
    64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b:1::7f00:1 2002:7f00:1:: 2002:a9fe:a9fe::1 2002:c0a8:101::
    2001:0:4136:e378:8000:63bf:80ff:fffe
""")
OUTSIDE = ["93.184.216.34", "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "172.32.0.1"]
NEVER = words("""
    169.254.169.254 fd00:ec2::254 100.100.100.200 192.0.0.192 168.63.129.16 0.0.0.0 fe80::1 :: ::ffff:169.254.169.254
    2002:a9fe:a9fe::1 224.0.0.1 fd20:ce::254
""")


@pytest.mark.parametrize("written", INSIDE)
def test_addresses_inside_are_refused(written: str) -> None:
    assert not allowed(ipaddress.ip_address(written), Reach.PUBLIC)


@pytest.mark.parametrize("written", OUTSIDE)
def test_addresses_of_the_open_internet_are_allowed(written: str) -> None:
    assert all(allowed(ipaddress.ip_address(written), reach) for reach in Reach)


@pytest.mark.parametrize("written", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "127.3.3.3"])
def test_loopback_is_allowed_where_the_setting_says_so(written: str) -> None:
    address = ipaddress.ip_address(written)
    assert [allowed(address, reach) for reach in Reach] == [False, True, True]


@pytest.mark.parametrize("written", ["10.0.0.1", "192.168.0.9", "172.20.0.1", "100.64.7.7", "fd12::1", "2002:a00:1::"])
def test_private_networks_are_allowed_by_their_own_setting_only(written: str) -> None:
    address = ipaddress.ip_address(written)
    assert [allowed(address, reach) for reach in Reach] == [False, False, True]


@pytest.mark.parametrize("written", NEVER)
def test_metadata_and_link_local_addresses_are_opened_by_no_setting(written: str) -> None:
    assert not any(allowed(ipaddress.ip_address(written), reach) for reach in Reach)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "[::1]", "[::ffff:7f00:1]"],
)
def test_every_way_to_write_this_machine_is_refused(host: str) -> None:
    with pytest.raises(BadAddress, match=r"inside the server's own network|leads nowhere"):
        asyncio.run(checked(f"http://{host}:9/v1", Reach.PUBLIC))


def resolving_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """The system's resolver answers these; the list of names that it was asked for."""
    asked: list[str] = []

    def answer(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return asked


def test_a_name_with_one_address_inside_is_refused_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving_to(monkeypatch, "93.184.216.34", "10.0.0.5")
    with pytest.raises(BadAddress, match="own network"):
        asyncio.run(checked("https://models.example/v1", Reach.PUBLIC))


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = resolving_to(monkeypatch, "93.184.216.34")
    place = asyncio.run(checked("https://models.example/v1/chat", Reach.PUBLIC))
    assert place.url == "https://93.184.216.34:443/v1/chat"
    assert (place.host, place.name) == ("models.example", "models.example")
    assert asked == ["models.example"]


def test_a_port_of_its_own_stays_in_the_host_header(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving_to(monkeypatch, "2606:4700:4700::1111")
    place = asyncio.run(checked("https://models.example:8443/v1", Reach.PUBLIC))
    assert (place.url, place.host) == ("https://[2606:4700:4700::1111]:8443/v1", "models.example:8443")


def test_a_name_that_leads_nowhere_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*_: Any, **__: Any) -> list[Any]:
        raise socket.gaierror("unknown")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    with pytest.raises(BadAddress, match="leads nowhere"):
        asyncio.run(checked("https://nosuch.example/v1", Reach.PRIVATE))


@pytest.mark.parametrize(
    "written",
    [
        "", "ftp://models.example", "file:///etc/passwd", "models.example/v1", "https://", "https://u:p@models.example",
        "https://user@models.example", "https://models.example/v1?key=1", "https://models.example/#x",
        "https://models.example:99999/v1", "https://models.example:0/v1", "https://mod els.example",
        "https://mödels.example", "https://models.example\r\nHost: x", "gopher://127.0.0.1", "https://[::1",
        "https://" + "a" * guard.URL_CHARACTERS_MAX,
    ],
)  # fmt: skip
def test_what_is_no_plain_http_address_is_refused(written: str) -> None:
    with pytest.raises(BadAddress):
        parse_url(written)


def test_an_address_is_kept_without_a_slash_at_its_end() -> None:
    assert parse_url(" https://models.example/v1/ ").geturl() == "https://models.example/v1"
