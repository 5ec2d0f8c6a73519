from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipcast.clips.addresses import is_public


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "93.184.215.14", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1", "192.167.1.1", "223.255.255.255", "11.0.0.1"],
)
def test_public_ipv4(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address", ["2606:4700:4700::1111", "2a00:1450:4001:82b::200e", "::ffff:1.1.1.1", "64:ff9b::101:101", "2001:4860:4860::8888"]
)
def test_public_ipv6(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.127.255.254",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
    ],
)
def test_special_ipv4_also_inside_ipv6(address: str) -> None:
    number = int(IPv4Address(address))

    assert not is_public(address)
    assert not is_public(str(IPv6Address((0xFFFF << 32) | number)))  # IPv4-mapped
    assert not is_public(str(IPv6Address((0x64FF9B << 96) | number)))  # NAT64
    assert not is_public(str(IPv6Address((0x2002 << 112) | (number << 80))))  # 6to4
    assert not is_public(str(IPv6Address((0x20010000 << 96) | (~number & 0xFFFFFFFF))))  # Teredo
    assert not is_public(str(IPv6Address(number)))  # IPv4-compatible


SPECIAL_IPV6 = """
    ::  ::1  fc00::1  fd12:3456::1  fe80::1  fe80::1%eth0  2606:4700::1%eth0  fec0::1  ff02::1  ff0e::1  100::1
    2001:db8::1  2001::1  2001:10::1  2002:101:101::1  3fff::1  64:ff9b:1::1  5f00::1
"""


@pytest.mark.parametrize("address", SPECIAL_IPV6.split())
def test_special_ipv6(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("text", ["", "localhost", "1.1.1", "01.1.1.1", "1.1.1.1 ", "0x7f000001", "[::1]", "1.1.1.1/32"])
def test_what_is_no_address_is_not_public(text: str) -> None:
    assert not is_public(text)


@given(st.ip_addresses())
def test_nothing_is_public_that_python_calls_special(address: IPv4Address | IPv6Address) -> None:
    if is_public(str(address)) and ip_address(address) not in NAT64_OR_MAPPED:
        assert address.is_global
        assert not any((address.is_multicast, address.is_private, address.is_reserved, address.is_loopback, address.is_link_local))


class _Embedding:
    """The two ranges whose addresses are judged by the IPv4 address inside."""

    def __contains__(self, address: object) -> bool:
        return isinstance(address, IPv6Address) and int(address) >> 32 in {0xFFFF, 0x64FF9B << 64}


NAT64_OR_MAPPED = _Embedding()
