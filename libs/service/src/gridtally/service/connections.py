"""Connections that nobody has shown a key on: few of each address, and never all that there are.

Owns which of those that wait for their caller is closed for a new one. Refuses to close one whose
request has come in whole, which then waits for us, and one on which a key in force was shown.
"""

from collections.abc import Callable
from ipaddress import IPv6Network

OF_ADDRESS_MAX = 500
"""Connections without a key that wait for callers of one address."""
ALL_MAX = 1_000
"""Connections without a key that wait for any caller: half of all that a process takes."""
NETWORK_BITS = 64
"""Of an IPv6 address: the rest is as one likes."""


def network_of(host: str) -> str:
    """What counts as one address: an IPv4 address, or the network of an IPv6 one."""
    is_whole = ":" in host and "%" not in host
    return str(IPv6Network((host, NETWORK_BITS), strict=False)) if is_whole else host


class AnonymousConnections:
    """Those that wait for their callers, by address, the one that has waited longest first."""

    def __init__(self) -> None:
        self._waiting: dict[str, dict[object, Callable[[], None]]] = {}
        self._count = 0

    def add(self, address: str, connection: object, close: Callable[[], None]) -> None:
        """It waits for its caller from now on. Closes the one that has waited longest where there
        are too many: of this address, or of the address that has the most."""
        of_address = self._waiting.setdefault(address, {})
        self._count += connection not in of_address
        of_address[connection] = close
        if len(of_address) > OF_ADDRESS_MAX:
            self._close_oldest(address)
        elif self._count > ALL_MAX:
            self._close_oldest(max(self._waiting, key=lambda known: len(self._waiting[known])))

    def discard(self, address: str, connection: object) -> None:
        """It waits no more: its request is here, or it showed a key, or it is closed."""
        of_address = self._waiting.get(address, {})
        if of_address.pop(connection, None) is not None:
            self._count -= 1
            if not of_address:
                del self._waiting[address]

    def _close_oldest(self, address: str) -> None:
        connection, close = next(iter(self._waiting[address].items()))
        self.discard(address, connection)
        close()
