"""Request bodies: bounded in size, decompressed as they arrive, never beyond the bound.

Owns `Content-Encoding` of requests: gzip, zstd or none. A bomb is cut off at the bound, whatever
it would have become, so no request holds more memory than the bound allows, nor for longer. A body
is held and parsed before anybody asks who sent it, so strangers have a bound of their own, a small
one.
"""

import asyncio
import zlib
from dataclasses import dataclass
from typing import Protocol

from backports import zstd
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.auth import is_known
from serving.keys import unauthorized
from serving.problems import Refusal

STRANGER_BYTES_MAX = 64 * 1024
"""The most that a body may hold whose sender shows neither a key nor the operator's token."""
BODY_LIMIT_S = 120.0
"""How long a body may take to come in."""
_GZIP_WINDOW_BITS = 31
_ZSTD_WINDOW_LOG_MAX = 23
"""Frames may ask for a window of at most 8 MiB, which RFC 8878 tells every decoder to support."""


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /, max_length: int) -> bytes: ...


class BodyLimit:
    """Hands the application plain bodies of at most `body_bytes_max`."""

    def __init__(self, app: ASGIApp, *, body_bytes_max: int) -> None:
        self._app = app
        self._body_bytes_max = body_bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refusal 413 beyond the bound (401 beyond a stranger's), 415 for an unknown encoding, 400
        for broken data, 408 for what does not come."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        bound = await self._bound(scope, headers)
        declared = headers.get("content-length", "0")
        if not declared.isdigit() or int(declared) > bound.bytes_max:
            raise bound.exceeded()
        encoding = headers.get("content-encoding", "identity").strip().lower()
        body = _Body(receive, _decompressor(encoding), encoding, bound)
        if encoding != "identity":
            scope["headers"] = list(scope["headers"])  # the scope's own: the edge reads its route
            plain = MutableHeaders(scope=scope)
            del plain["content-encoding"]
            del plain["content-length"]
        await self._app(scope, body.receive, send)

    async def _bound(self, scope: Scope, headers: Headers) -> "_Bound":
        bound = _Bound(self._body_bytes_max)
        brings_one = "content-length" in headers or "transfer-encoding" in headers
        if not brings_one or bound.bytes_max <= STRANGER_BYTES_MAX:
            return bound
        known = await is_known(scope["app"].state, headers.get("authorization"))
        return bound if known else _Bound(STRANGER_BYTES_MAX, stranger=True)


@dataclass(frozen=True, slots=True)
class _Bound:
    """How much a body may hold."""

    bytes_max: int
    stranger: bool = False

    def exceeded(self) -> Refusal:
        """The answer to a body that holds more."""
        said = f"a body may have at most {self.bytes_max} bytes, decompressed"
        if self.stranger:
            return unauthorized(f"without a valid API key {said}")
        return Refusal(413, "body_too_large", said)


class _Body:
    """One request's body on its way in."""

    def __init__(
        self, receive: Receive, decompressor: _Decompressor | None, encoding: str, bound: _Bound
    ) -> None:
        self._receive = receive
        self._decompressor = decompressor
        self._encoding = encoding
        self._bound = bound
        self._raw_bytes = 0
        self._plain_bytes = 0
        self._deadline_s = asyncio.get_running_loop().time() + BODY_LIMIT_S
        self._whole = False

    async def receive(self) -> Message:
        message = await self._receive() if self._whole else await self._receive_in_time()
        if message["type"] != "http.request":
            return message
        raw = message.get("body", b"")
        self._whole = not message.get("more_body", False)
        plain = self._plain(raw, last=self._whole)
        self._raw_bytes += len(raw)
        self._plain_bytes += len(plain)
        if max(self._raw_bytes, self._plain_bytes) > self._bound.bytes_max:
            raise self._bound.exceeded()
        return {**message, "body": plain}

    async def _receive_in_time(self) -> Message:
        try:
            async with asyncio.timeout_at(self._deadline_s):
                return await self._receive()
        except TimeoutError:
            said = f"the body did not come in within {BODY_LIMIT_S:g} s"
            raise Refusal(408, "body_too_slow", said, {"Connection": "close"}) from None

    def _plain(self, raw: bytes, *, last: bool) -> bytes:
        decompressor = self._decompressor
        if decompressor is None:
            return raw
        try:
            plain = b""
            if raw and not decompressor.eof:
                # one byte more than is allowed shows that there is more
                plain = decompressor.decompress(raw, self._bound.bytes_max - self._plain_bytes + 1)
                raw = decompressor.unused_data
        except (zlib.error, zstd.ZstdError):
            raise self._broken("it cannot be decompressed") from None
        if raw and decompressor.eof:
            raise self._broken("something follows the compressed data")
        exhausted = self._plain_bytes + len(plain) <= self._bound.bytes_max
        if last and exhausted and not decompressor.eof:
            raise self._broken("it ends too early")
        return plain

    def _broken(self, why: str) -> Refusal:
        return Refusal(400, "broken_body", f"the body is not valid {self._encoding}: {why}")


def _decompressor(encoding: str) -> _Decompressor | None:
    match encoding:
        case "identity":
            return None
        case "gzip":
            return zlib.decompressobj(_GZIP_WINDOW_BITS)
        case "zstd":
            options: dict[int, int] = {
                zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG_MAX
            }
            return zstd.ZstdDecompressor(options=options)
        case _:
            raise Refusal(
                415,
                "unsupported_encoding",
                "bodies may be sent plain or with Content-Encoding gzip or zstd",
                {"Accept-Encoding": "gzip, zstd"},
            )
