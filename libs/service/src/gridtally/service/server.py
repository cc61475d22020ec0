"""The HTTP server of a process: uvicorn, ended by our stop event and not by signals.

Owns the listening socket, http or https on it, the bounds on a request's head, in bytes and in
time, and on connections without a key, and which requests become WebSockets. Refuses to log
requests, which `gridtally.http.access_log` does.
"""

import asyncio
import socket
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import cast

import uvicorn
from fastapi import FastAPI
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from gridtally.http.auth import KEY_SHOWN
from gridtally.service.connections import AnonymousConnections, network_of
from gridtally.service.handshakes import HandshakeListener
from gridtally.service.https import ServerCertificate
from gridtally.service.read_limit import ReadLimit
from gridtally.service.sockets import MESSAGE_BYTES_MAX, SocketProtocol, socket_paths

BACKLOG = 2048
KEEP_ALIVE_S = 65
"""Longer than the minute for which load balancers keep connections, so that they close first."""
CONNECTIONS_MAX = 2_000
"""Requests beyond so many at once are answered 503 by uvicorn."""
HEAD_BYTES_MAX = 64 * 1024
"""Of a request's first line and headers, give or take what one read brings."""
HEAD_LIMIT_S = 10.0
"""From the connection, or a later request's first byte, to the end of the headers."""
RENEWAL_TICKS = 300
"""Half a minute, after which the files of the certificate are looked at again."""
REST_LIMIT_S = 10.0
"""For the rest of a body that nobody reads, since its request is answered: it is let in, as whoever
sends it may look for the answer only then, but not for ever."""
BODY_HEADERS = {b"content-length", b"transfer-encoding"}


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 takes a free one. OSError where that cannot be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


# uvicorn by itself buffers headers without a bound, and waits without an end: for a request's head,
# for the rest of a body, and for a caller that reads nothing of its answer. Timers of the loop and
# the hooks of the protocol bound each of these. A proxy in front would do it as well, but one that
# is forgotten or set up wrongly must not open the service to everybody who can reach its port.
class _BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with bounds on heads, in bytes and time, on slow readers, and on how many
    connections wait for callers who have shown no key."""

    anonymous: AnonymousConnections
    """Of the server, which sets it."""
    socket_paths: Collection[str]
    """Where a WebSocket may be opened; anywhere else `Upgrade` is ignored."""
    _reads: ReadLimit
    _address = ""
    _is_known = False
    _becomes_socket = False
    _answering: RequestResponseCycle | None = None
    """The request that is being answered: `cycle` is the newest, which may wait behind it."""
    _head_bytes = 0
    _head_done = False
    _body_done = False
    _head_limit: asyncio.TimerHandle | None = None
    _rest_limit: asyncio.TimerHandle | None = None

    def connection_made(  # type: ignore[override]  # uvicorn narrows the type, as we must then
        self, transport: asyncio.Transport
    ) -> None:
        super().connection_made(transport)
        self._reads = ReadLimit(transport, self.loop)
        # So that we hear of every byte that is not sent. TLS pauses at its limit, TCP above it.
        high = 0 if transport.get_extra_info("sslcontext") is None else 1
        transport.set_write_buffer_limits(high=high, low=0)
        self._address = network_of(self.client[0]) if self.client else ""
        self._await_caller()
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_wait()
        self._end_rest()
        self._reads.end()
        self.anonymous.discard(self._address, self)
        if self._answering is not None:
            self._answering.disconnected = True
            self._answering.message_event.set()
        super().connection_lost(exc)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._reads.begin()

    def resume_writing(self) -> None:
        self._reads.end()
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._head_done or self.transport.is_closing():
            return
        self._head_bytes += len(data)
        if self._head_bytes > HEAD_BYTES_MAX:
            self.send_400_response("The request's head is too long.")

    def on_message_begin(self) -> None:
        self._head_bytes, self._head_done, self._body_done = 0, False, False
        self._becomes_socket = False
        self._await_head()
        super().on_message_begin()
        self.scope["state"][KEY_SHOWN] = self._become_known

    def on_headers_complete(self) -> None:
        self._head_done = True
        self._end_wait()
        self._becomes_socket = self._may_become_socket()
        super().on_headers_complete()

    def handle_websocket_upgrade(self) -> None:
        self._reads.end()
        super().handle_websocket_upgrade()

    def _should_upgrade(self) -> bool:
        return self._becomes_socket

    def _may_become_socket(self) -> bool:
        """Whether the request is a handshake that is taken: a plain GET of such a path, with
        nothing unanswered before it, while there is room."""
        parts = self.url.partition(b"?")
        is_free = getattr(self.cycle, "response_complete", True)
        has_room = max(len(self.connections), len(self.tasks)) < CONNECTIONS_MAX
        return (
            self._get_upgrade() == b"websocket"
            and self.url.isascii()
            and parts[0].decode() in self.socket_paths
            and self.parser.get_method() == b"GET"
            and self.parser.get_http_version() == "1.1"
            and not any(name in BODY_HEADERS for name, _ in self.headers)
            and is_free
            and has_room
        )

    def on_message_complete(self) -> None:
        self._body_done = True
        self._end_rest()
        self.anonymous.discard(self._address, self)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._body_done:
            self._rest_limit = self.loop.call_later(REST_LIMIT_S, self.transport.abort)
        if not self.transport.is_closing() and not self.pipeline:
            self._await_caller()

    def _await_caller(self) -> None:
        if not self._is_known:
            self.anonymous.add(self._address, self, self.transport.abort)

    def _become_known(self) -> None:
        """The caller has shown a key in force."""
        self._is_known = True
        self.anonymous.discard(self._address, self)

    def _end_rest(self) -> None:
        if self._rest_limit is not None:
            self._rest_limit.cancel()

    def _await_head(self) -> None:
        self._end_wait()
        self._head_limit = self.loop.call_later(HEAD_LIMIT_S, self.transport.close)

    def _end_wait(self) -> None:
        if self._head_limit is not None:
            self._head_limit.cancel()


class Server(uvicorn.Server):
    """Serves until `stop` is set, then finishes the requests at hand; https where there is a
    certificate."""

    def __init__(
        self,
        app: FastAPI,
        *,
        stop: asyncio.Event,
        grace_s: float,
        certificate: ServerCertificate | None = None,
    ) -> None:
        paths = socket_paths(app)

        class Protocol(_BoundedProtocol):
            anonymous = AnonymousConnections()
            socket_paths = paths

        class Sockets(SocketProtocol):
            anonymous = Protocol.anonymous

        super().__init__(
            uvicorn.Config(
                app,
                access_log=False,
                backlog=BACKLOG,
                http=Protocol,
                lifespan="off",
                limit_concurrency=CONNECTIONS_MAX,
                log_config=None,
                loop="none",
                server_header=False,
                timeout_graceful_shutdown=int(grace_s),
                timeout_keep_alive=KEEP_ALIVE_S,
                ws=Sockets if paths else "none",
                ws_max_size=MESSAGE_BYTES_MAX,
                ws_per_message_deflate=False,
                ws_ping_interval=None,  # who writes to a socket does so often enough
            )
        )
        self._stop = stop
        self._certificate = certificate
        self._anonymous = Protocol.anonymous

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Take connections, by TLS where there is a certificate: uvicorn's own would leave silent
        ones uncounted, and a minute each."""
        if self._certificate is None:
            await super().startup(sockets)
            return

        def protocol() -> asyncio.Protocol:
            return self.config.http_protocol_class(  # type: ignore[call-arg]  # as uvicorn does
                config=self.config, server_state=self.server_state, app_state={}
            )

        shown = self._certificate
        listening = list(sockets or ())
        for own in listening:
            own.listen(BACKLOG)
        self.servers = [
            cast("asyncio.Server", HandshakeListener(own, shown, protocol, self._anonymous))
            for own in listening
        ]  # of which uvicorn only ends each
        self.started = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals belong to the process."""
        yield

    async def on_tick(self, counter: int) -> bool:
        """Asked ten times a second whether to stop."""
        if self._certificate is not None and counter % RENEWAL_TICKS == RENEWAL_TICKS - 1:
            self._certificate.renew()
        self.should_exit = self._stop.is_set()
        return await super().on_tick(counter)
