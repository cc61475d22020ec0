"""Which addresses may be reached on behalf of others: public ones, and those that are allowed.

A name that others choose may lead to the machine itself, to its neighbours, or to where a cloud
hands out credentials, and may change between two looks.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a name, as texts; OSError where it has none."""
HTTPS_PORT = 443
_NAT64 = IPv6Network("64:ff9b::/96")


class AddressRefused(Exception):
    """A name has an address that may not be reached."""


def check_url(url: str, *, is_http_allowed: bool) -> None:
    """ValueError for what messages never go to; its name is looked up at each attempt."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_http_allowed):
        raise ValueError("the url must begin with https://")
    if not parts.hostname or parts.port == 0 or "@" in parts.netloc:
        raise ValueError("the url must name a host, and no user or password")
    if parts.fragment or not url.isascii() or any(letter <= " " for letter in url):
        raise ValueError("the url must be ASCII, without blanks and fragment")


def networks(text: str) -> tuple[Network, ...]:
    """Networks in CIDR form, with commas between them; ValueError for anything else."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


async def resolve_name(host: str, port: int) -> list[str]:
    """The addresses of a name, by the machine's resolver."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def checked_address(
    addresses: Sequence[str], port: int, allowed: Sequence[Network], *, is_secure: bool
) -> str:
    """The first address; AddressRefused unless all of them may be reached on this port.

    Public ones by HTTPS on its own port; those in the networks that are `allowed` in any way.
    """
    if not addresses:
        raise AddressRefused("the name has no address")
    for text in addresses:
        address = _plain(ip_address(text.partition("%")[0]))
        if any(address in network for network in allowed if network.version == address.version):
            continue
        if not address.is_global or address.is_multicast:
            raise AddressRefused("the name leads to an address that is not public")
        if not is_secure or port != HTTPS_PORT:
            raise AddressRefused("public addresses are reached by https, on port 443")
    return addresses[0]


def _plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, in each way that there is; else itself."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address
