"""WebSockets of a process: uvicorn's protocol, with bounds on what callers may send and leave.

Owns how long a message of a caller may be and in how many pieces it may come, that nobody lets
answers pile up here, and that a connection without a key waits among the anonymous ones. What is
wrong closes the connection and is no failure of ours. Refuses to compress: what unpacks has no
bound, and a window for each of a thousand connections takes memory.
"""

import asyncio
from collections.abc import Collection, Iterator

from fastapi import FastAPI
from fastapi.routing import APIWebSocketRoute, iter_route_contexts
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame
from websockets.http11 import Request

from gridtally.http.auth import KEY_SHOWN
from gridtally.service.connections import AnonymousConnections, network_of
from gridtally.service.read_limit import ReadLimit

MESSAGE_BYTES_MAX = 8 * 1024
"""Of a caller: a key and the id of an event."""
PIECES_MAX = 64
"""Of one message: empty ones count for nothing in its length."""
UNSENT_BYTES_MAX = 256 * 1024
"""An event waits until the one before it is sent, so only answers to pings can make more."""
SWITCHING = 101


def socket_paths(app: FastAPI) -> Collection[str]:
    """The paths of an application at which a WebSocket may be opened; none has parameters."""
    return frozenset(_paths(app))


def _paths(app: FastAPI) -> Iterator[str]:
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, APIWebSocketRoute) and context.path is not None:
            yield context.path


class SocketProtocol(WebSocketsSansIOProtocol):
    """One connection, from its handshake on."""

    anonymous: AnonymousConnections
    """Of the server, which sets it."""
    _reads: ReadLimit
    _address = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._reads = ReadLimit(self.transport, self.loop)
        self._address = network_of(self.client[0]) if self.client else ""
        self.anonymous.add(self._address, self, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._reads.end()
        self._become_known()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._reads.begin()

    def resume_writing(self) -> None:
        self._reads.end()
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self.handshake_initiated:  # the head came in whole, so no more of it will
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()
        elif self.transport.get_write_buffer_size() > UNSENT_BYTES_MAX:
            self.transport.abort()

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.response.status_code == SWITCHING:
            self.scope["state"][KEY_SHOWN] = self._become_known

    async def send(self, message: ASGISendEvent) -> None:
        await super().send(message)
        is_refusal = message["type"] == "websocket.http.response.body"
        if is_refusal and not message.get("more_body", False):
            self.handshake_complete = True  # else uvicorn takes the refusal for none

    def handle_cont(self, event: Frame) -> None:
        if len(self.frames) == PIECES_MAX:
            self._refuse(CloseCode.MESSAGE_TOO_BIG)
        else:
            super().handle_cont(event)

    def send_receive_event_to_app(self) -> None:
        if self.curr_msg_data_type == "text" and not _is_text(b"".join(self.frames)):
            self._refuse(CloseCode.INVALID_DATA)
        else:
            super().send_receive_event_to_app()

    def _refuse(self, code: CloseCode) -> None:
        """Close for what the caller sent, unless it is closing anyway."""
        self.frames = []
        if not self.close_sent and not self.transport.is_closing():
            self.conn.send_close(code)
            self.handle_parser_exception()

    def _become_known(self) -> None:
        """The caller has shown a key in force, or is gone."""
        self.anonymous.discard(self._address, self)


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
