"""One attempt to deliver a message: a POST to an address that somebody else chose.

Owns what an attempt may cost: time, bytes of answer, connections. Never raises for what the other
side does: that is an outcome.
"""

import asyncio
import ssl
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpcore

from gridtally.webhooks.addresses import (
    AddressRefused,
    Network,
    Resolve,
    checked_address,
    resolve_name,
)

TIMEOUT_S = 15.0
CONNECT_TIMEOUT_S = 5.0
ANSWER_BYTES_MAX = 64 * 1024
SHOWN_CHARS_MAX = 1024
CONNECTIONS_MAX = 64
"""To one address at once."""
ADDRESSES_MAX = 256
"""To which connections are kept; the one that was posted to least lately goes first."""
KEPT_ALIVE_S = 20.0
SUCCESS = range(200, 300)
REDIRECT = range(300, 400)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an attempt came to: the `status` of the answer, or None and an `error` in words.

    `answer` is its beginning; `retry_after_s` what it asked for.
    """

    status: int | None
    error: str | None
    took_ms: int
    answer: str = ""
    retry_after_s: int | None = None

    @property
    def is_delivered(self) -> bool:
        """Whether the receiver has taken the message."""
        return self.status is not None and self.status in SUCCESS


class _CheckedBackend(httpcore.AsyncNetworkBackend):
    """Connects to addresses that may be reached, each looked up at the moment it connects."""

    def __init__(self, allowed: Sequence[Network], resolve: Resolve, *, is_secure: bool) -> None:
        self._allowed = allowed
        self._resolve = resolve
        self._is_secure = is_secure
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = await self._resolve(host, port)
        address = checked_address(addresses, port, self._allowed, is_secure=self._is_secure)
        return await self._network.connect_tcp(
            address, port, timeout, local_address, socket_options
        )

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass(slots=True, eq=False)
class _Line:
    """The connections to one address, how many posts are on them, and when the last one began."""

    pool: httpcore.AsyncConnectionPool
    posts: int = 0
    used_s: float = 0.0


class Sender:
    """Delivers messages, many at once; whoever opens it closes it.

    `allowed` are networks that may be reached although they are not public.
    """

    def __init__(
        self,
        allowed: Sequence[Network] = (),
        resolve: Resolve = resolve_name,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._timeout_s = timeout_s
        self._context = ssl.create_default_context()
        self._backends = {
            scheme: _CheckedBackend(allowed, resolve, is_secure=scheme == "https")
            for scheme in ("https", "http")
        }
        self._lines: dict[str, _Line] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for line in self._lines.values():
            await line.pool.aclose()

    @property
    def addresses(self) -> list[str]:
        """To which connections are kept, the one that was posted to last at the end."""
        return list(self._lines)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Post the body, once; what came of it."""
        started = time.monotonic()
        status: int | None = None
        error: str | None = None
        answer, retry_after_s = "", None
        try:
            async with asyncio.timeout(self._timeout_s):
                status, answer, retry_after_s = await self._answer(url, headers, body)
        except TimeoutError:
            error = f"no answer within {self._timeout_s:g} s"
        except AddressRefused as refused:
            error = str(refused)
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as failed:
            error = f"the connection failed: {type(failed).__name__}"
        except (OSError, ssl.SSLError, httpcore.UnsupportedProtocol, ValueError) as failed:
            error = f"the address cannot be reached: {type(failed).__name__}"
        if status is not None and status in REDIRECT:
            error = "redirects are not followed: give the address that they lead to"
        took_ms = int((time.monotonic() - started) * 1000)
        return Outcome(status, error, took_ms, answer, retry_after_s)

    async def _answer(
        self, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, str, int | None]:
        line = self._line(url)
        line.posts += 1
        try:
            await self._close_unused()
            return await self._exchange(line.pool, url, headers, body)
        finally:
            line.posts -= 1

    # A pool for each address: httpcore looks at all connections of a pool, for each of them, at
    # every request.
    def _line(self, url: str) -> _Line:
        """The connections to an address, which are now those used last."""
        line = self._lines.pop(url, None)
        if line is None:
            backend = self._backends.get(url.partition(":")[0].lower())
            if backend is None:
                raise ValueError("neither https nor http")
            line = _Line(
                httpcore.AsyncConnectionPool(
                    ssl_context=self._context,
                    max_connections=CONNECTIONS_MAX,
                    keepalive_expiry=KEPT_ALIVE_S,
                    network_backend=backend,
                )
            )
        line.used_s = time.monotonic()
        self._lines[url] = line
        return line

    async def _close_unused(self) -> None:
        """Close what was not posted to for a while, and what is too much."""
        expired_s = time.monotonic() - KEPT_ALIVE_S
        for url, line in list(self._lines.items()):
            if line.used_s > expired_s and len(self._lines) <= ADDRESSES_MAX:
                return
            if not line.posts and self._lines.get(url) is line:
                del self._lines[url]
                await line.pool.aclose()

    async def _exchange(
        self,
        pool: httpcore.AsyncConnectionPool,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
    ) -> tuple[int, str, int | None]:
        timeouts = {"connect": CONNECT_TIMEOUT_S, "read": self._timeout_s, "write": self._timeout_s}
        sent = [("content-length", str(len(body))), *headers.items()]
        async with pool.stream(
            "POST",
            url,
            headers=[("host", _host(url)), *sent],
            content=body,
            extensions={"timeout": timeouts},
        ) as response:
            read = bytearray()
            async for chunk in response.aiter_stream():
                read += chunk
                if len(read) >= ANSWER_BYTES_MAX:
                    break
            shown = bytes(read[: 4 * SHOWN_CHARS_MAX]).decode(errors="replace")
            answer = shown.replace("\0", "\ufffd")[:SHOWN_CHARS_MAX]
            return response.status, answer, _retry_after_s(response.headers)


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0].partition("?")[0]


def _retry_after_s(headers: Sequence[tuple[bytes, bytes]]) -> int | None:
    """The seconds that an answer asks to wait; a date is not looked at."""
    for name, text in headers:
        if name.lower() == b"retry-after" and text.isdigit() and len(text) < 8:
            return int(text)
    return None
