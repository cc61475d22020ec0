"""Connections that come by TLS: taken, counted, and handed on once both sides have shaken hands.

Owns the time that a handshake has, and that those under way count among the connections of callers
whom nobody knows: asyncio by itself shows a connection to its protocol only afterwards, so a silent
one would count nowhere.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from functools import partial
from typing import Any

import structlog

from gridtally.service.connections import AnonymousConnections, network_of
from gridtally.service.https import ServerCertificate

LIMIT_S = 10.0
"""From the connection to the end of its handshake."""
NO_DESCRIPTOR_WAIT_S = 1.0
"""Before the next one is taken, where the process may open no more; asyncio waits as long."""

log = structlog.get_logger(__name__)


class HandshakeListener:
    """Takes what comes on a listening socket. Ended as asyncio's own servers are."""

    def __init__(
        self,
        listening: socket.socket,
        certificate: ServerCertificate,
        protocol: Callable[[], asyncio.Protocol],
        anonymous: AnonymousConnections,
    ) -> None:
        listening.setblocking(False)  # noqa: FBT003 - its name
        self._certificate = certificate
        self._protocol = protocol
        self._anonymous = anonymous
        self._handshakes = set[asyncio.Task[None]]()
        self._accepting = asyncio.create_task(self._accept(listening))

    def close(self) -> None:
        """Take no more, and end the handshakes under way."""
        for task in (self._accepting, *self._handshakes):
            task.cancel()

    async def wait_closed(self) -> None:
        """Until none of them is left."""
        await asyncio.gather(self._accepting, *self._handshakes, return_exceptions=True)

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, address = await loop.sock_accept(listening)
            except ConnectionError:
                continue  # it went away before it was taken
            except OSError as failure:
                log.warning("no connection taken", reason=str(failure))
                await asyncio.sleep(NO_DESCRIPTOR_WAIT_S)
                continue
            task = asyncio.create_task(self._shake_hands(connection, address))
            self._handshakes.add(task)
            task.add_done_callback(self._handshakes.discard)
            self._anonymous.add(_network(address), task, partial(_end, task))

    async def _shake_hands(self, connection: socket.socket, address: Any) -> None:
        task = asyncio.current_task()
        try:
            # from here on the connection is the loop's, which closes it
            await asyncio.get_running_loop().connect_accepted_socket(
                self._protocol,
                connection,
                ssl=self._certificate.context,
                ssl_handshake_timeout=LIMIT_S,
            )
        except (OSError, ssl.SSLError):
            log.debug("no handshake")  # whoever knocks is no error of ours
        finally:
            self._anonymous.discard(_network(address), task)


def _end(handshake: asyncio.Task[None]) -> None:
    handshake.cancel()


def _network(address: Any) -> str:
    """Of what `accept` says of a caller; a local socket's have no address."""
    return network_of(address[0]) if isinstance(address, tuple) else ""
