"""Which addresses a request may go to. Pure: the operator's exceptions come in with the call."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from AntiSSRF import IPAddressRanges

Network = IPv4Network | IPv6Network
Networks = Sequence[Network]

REFUSED: Final = tuple(ip_network(block) for block in IPAddressRanges.recommended_latest)
"""Private, loopback, link-local, shared, reserved, translated and documentation ranges, and clouds' metadata.

Source: IANA's special-purpose registries, as the library keeps them.
"""


class AddressRefused(Exception):
    """The request would go to an address that it may not go to."""


def vet(host: str, addresses: Iterable[str], *, allowed: Networks, only_allowed: bool = False) -> list[str]:
    """Return a host's addresses, each once, if a request may go to every one of them.

    ``allowed`` are the operator's exceptions; with ``only_allowed`` nothing else will do.
    Raises: `AddressRefused` for the host if even one may not, since whoever answers for its name chose it.
    """
    found = [_plain(address) for address in dict.fromkeys(addresses)]
    for address in found:
        excepted = any(address in network for network in allowed)
        if not excepted and (only_allowed or _is_refused(address)):
            raise AddressRefused(f"{host} leads to {address}, where no request may go.")
    return [str(address) for address in found]


def is_refused(literal: str, *, allowed: Networks) -> bool:
    """Tell whether a host is written as an address that no request may go to; a name is not."""
    try:
        address = _plain(literal)
    except ValueError:
        return False
    return _is_refused(address) and not any(address in network for network in allowed)


def _plain(address: str) -> IPv4Address | IPv6Address:
    read = ip_address(address)
    inner = read.ipv4_mapped if isinstance(read, IPv6Address) else None
    return inner or read


def _is_refused(address: IPv4Address | IPv6Address) -> bool:
    return any(address in network for network in REFUSED)
