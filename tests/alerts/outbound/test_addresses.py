"""Which addresses requests may go to."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.outbound.addresses import REFUSED, AddressRefused, is_refused, vet

PRIVATE = [
    "127.0.0.1",
    "127.8.9.10",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "168.63.129.16",
    "100.64.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2001:db8::1",
]
PUBLIC = ["93.184.215.14", "1.1.1.1", "172.32.0.1", "2606:4700:4700::1111", "::ffff:1.1.1.1"]


@pytest.mark.parametrize("address", PRIVATE)
def test_no_private_or_special_address_is_gone_to(address: str) -> None:
    with pytest.raises(AddressRefused, match="no request may go"):
        vet("hooks.example.com", [address], allowed=())


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are(address: str) -> None:
    assert vet("hooks.example.com", [address], allowed=()) == [address.removeprefix("::ffff:")]


@pytest.mark.parametrize("private", PRIVATE)
def test_one_private_address_among_public_ones_is_enough_to_refuse(private: str) -> None:
    with pytest.raises(AddressRefused):
        vet("hooks.example.com", ["1.1.1.1", private], allowed=())


def test_what_the_operator_allows_is_gone_to_and_nothing_beside_it() -> None:
    allowed = [ip_network("10.1.0.0/16"), ip_network("fd00::/8")]
    assert vet("h", ["10.1.2.3", "fd00::7", "1.1.1.1"], allowed=allowed) == ["10.1.2.3", "fd00::7", "1.1.1.1"]
    with pytest.raises(AddressRefused):
        vet("h", ["10.2.0.1"], allowed=allowed)


def test_an_allowed_network_is_meant_however_its_address_is_written() -> None:
    assert vet("h", ["::ffff:10.1.2.3"], allowed=[ip_network("10.1.0.0/16")]) == ["10.1.2.3"]


def test_plain_http_goes_only_where_the_operator_allows() -> None:
    with pytest.raises(AddressRefused):
        vet("h", ["1.1.1.1"], allowed=(), only_allowed=True)
    assert vet("h", ["1.1.1.1"], allowed=[ip_network("1.1.1.0/24")], only_allowed=True) == ["1.1.1.1"]


def test_addresses_are_tried_once_each_in_the_order_given() -> None:
    assert vet("h", ["1.0.0.1", "1.1.1.1", "1.0.0.1"], allowed=()) == ["1.0.0.1", "1.1.1.1"]


def test_a_host_that_is_a_private_address_is_recognised_and_a_name_is_not_looked_up() -> None:
    assert is_refused("127.0.0.1", allowed=())
    assert is_refused("::1", allowed=())
    assert not is_refused("127.0.0.1", allowed=[ip_network("127.0.0.0/8")])
    assert not is_refused("localhost", allowed=())
    assert not is_refused("1.1.1.1", allowed=())


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_an_address_passes_if_and_only_if_no_refused_block_has_it(address: IPv4Address | IPv6Address) -> None:
    plain = getattr(address, "ipv4_mapped", None) or address
    try:
        passed = vet("h", [str(address)], allowed=())
    except AddressRefused:
        passed = []
    assert bool(passed) is not any(plain in block for block in REFUSED)
