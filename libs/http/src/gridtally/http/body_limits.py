"""Request bodies: bounded in size, decompressed as they arrive, never beyond the bound.

Owns `Content-Encoding` of requests: gzip, zstd or none. A bomb is cut off at the bound, whatever
it would have become, so no request holds more memory than the bound allows, nor for longer; what
is to be made of it, and of all bodies at hand, is bounded by `body_work`. A body is held and parsed
before a handler knows who sent it, so of callers without a key those routes that need one read
nothing, and the others little, and only for a short time.

A route that reads its body piece by piece (`BodyStream`) has no bound on the whole, where the body
is of a kind that ends nowhere in particular: a piece is held at once, and what it unpacks to is
bounded by what was sent.
"""

import asyncio
import sys
import zlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Annotated, Protocol

from fastapi import Depends, Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gridtally.http.auth import caller_of, refusal_without_key, tell_key_shown
from gridtally.http.body_work import Marks, Share, WorkBudget
from gridtally.http.dependants import calls_of
from gridtally.http.keys import unauthorized
from gridtally.http.problems import HttpRefusal

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ANONYMOUS_BYTES_MAX = 64 * 1024
"""Of a body whose sender shows neither a valid key nor the operator's token."""
ANONYMOUS_LIMIT_S = 5.0
"""How long such a body may take to come in."""
BODY_LIMIT_S = 120.0
"""How long the body of any other caller may take."""
PIECE_BYTES = 1024 * 1024
"""So much is decompressed at once; then others have their turn."""
FILE = "application/octet-stream"
NOT_COUNTED = ("text/csv", FILE)
"""Kinds of bodies that are read line by line, or as files: none is taken apart as JSON."""
NDJSON = "application/x-ndjson"
STREAMED = (NDJSON,)
"""Kinds of bodies that may go on for ever, where their route takes a `BodyStream`."""
STREAM_PIECE_BYTES = 64 * 1024
"""So much of such a body is decompressed at once."""
STREAM_BYTES = 4 * PIECE_BYTES
"""What such a body counts for in the budget, however long it is."""
STREAM_RATIO_MAX = 200
"""A streamed body may unpack to so many times what was sent, and the bound on bodies more."""
_GZIP_WINDOW_BITS = 31
_ZSTD_WINDOW_LOG_MAX = 23
"""Frames may ask for a window of at most 8 MiB, which RFC 8878 tells every decoder to support."""


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /, max_length: int) -> bytes: ...


async def body_stream(request: Request) -> AsyncIterator[bytes]:
    """The pieces of a request's body, as they come in."""
    return request.stream()


BodyStream = Annotated[AsyncIterator[bytes], Depends(body_stream)]
"""A request's body for whoever reads it piece by piece and keeps none."""


class BodyLimit:
    """Hands the application plain bodies of at most `body_bytes_max`, and as many of them at once
    as fit into the budget of `work_bytes_max`."""

    def __init__(self, app: ASGIApp, *, body_bytes_max: int, work_bytes_max: int) -> None:
        self._app = app
        self._body_bytes_max = body_bytes_max
        self._budget = WorkBudget(work_bytes_max)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its body bounded.

        HttpRefusal 413 above the bound (401 for anonymous callers), 415 for an unknown encoding,
        400 for broken data, 408 for what does not come, 503 beyond the budget.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        bound = await self._bound(scope, headers)
        declared = headers.get("content-length", "0")
        encoding = headers.get("content-encoding", "identity").strip().lower()
        kind = media_type(headers.get("content-type"))
        may_stream = kind in STREAMED and not bound.is_anonymous
        if not declared.isdigit() or (int(declared) > bound.bytes_max and not may_stream):
            raise bound.exceeded()
        marks = None if kind in NOT_COUNTED else Marks()
        share = self._budget.share(bound.caller)
        body = _Body(scope, receive, _decompressor(encoding), encoding, bound, share, marks)
        body.may_stream = may_stream
        if encoding != "identity":
            scope["headers"] = list(
                scope["headers"]
            )  # the scope's own: the access log reads its route
            plain = MutableHeaders(scope=scope)
            del plain["content-encoding"]
            del plain["content-length"]
        try:
            await self._app(scope, body.receive, send)
        finally:
            share.give_back()

    async def _bound(self, scope: Scope, headers: Headers) -> "_Bound":
        bound = _Bound(self._body_bytes_max, BODY_LIMIT_S)
        if "content-length" not in headers and "transfer-encoding" not in headers:
            return bound
        caller = await caller_of(scope["app"].state, headers.get("authorization"))
        if caller is not None:
            tell_key_shown(scope)
            return _Bound(self._body_bytes_max, BODY_LIMIT_S, caller)
        bytes_max = min(self._body_bytes_max, ANONYMOUS_BYTES_MAX)
        return _Bound(bytes_max, ANONYMOUS_LIMIT_S, is_anonymous=True)


@dataclass(frozen=True, slots=True)
class _Bound:
    """How much a body may hold, how long it may take, and whose it is."""

    bytes_max: int
    limit_s: float
    caller: str = ""
    is_anonymous: bool = False
    """Whether there is a body, of a caller without a key: requests without one are not asked."""

    def exceeded(self) -> HttpRefusal:
        """The answer to a body that holds more."""
        detail = f"a body may have at most {self.bytes_max} bytes, decompressed"
        if self.is_anonymous and self.bytes_max == ANONYMOUS_BYTES_MAX:
            return unauthorized(f"without a valid API key {detail}")
        return HttpRefusal(413, "body_too_large", detail)


# Each message of the server is decompressed as it arrives, up to one byte more than is left of the
# bound: that byte shows that there is more, and a bomb has not been unpacked. The plain way, to
# collect the body and decompress it whole, may hold a thousand times the bound before it refuses.
# `Content-Length` alone cannot refuse: it counts compressed bytes, and chunked bodies have none.
# What it holds is counted piece by piece too, so that a body of a million objects is refused after
# the first hundred thousand.
class _Body:
    """One request's body on its way in, plain and bounded; `receive` takes the server's place."""

    may_stream = False
    """Whether it has no bound on the whole, if its route reads it piece by piece."""

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        decompressor: _Decompressor | None,
        encoding: str,
        bound: _Bound,
        share: Share,
        marks: Marks | None,
    ) -> None:
        self._scope = scope
        self._receive = receive
        self._decompressor = decompressor
        self._encoding = encoding
        self._bound = bound
        self._share = share
        self._marks = marks
        self._raw_bytes = 0
        self._plain_bytes = 0
        self._deadline_s = asyncio.get_running_loop().time() + bound.limit_s
        self._is_complete = False
        self._has_ended = False
        self._left: Iterator[bytes] = iter(())

    async def receive(self) -> Message:
        if self._bound.is_anonymous and not self._is_complete:
            self._refuse_without_key()
        if self.may_stream and body_stream in calls_of(self._scope.get("route")):
            return await self._receive_piece()
        message = await self._receive() if self._is_complete else await self._receive_in_time()
        if message["type"] != "http.request":
            return message
        raw = message.get("body", b"")
        self._is_complete = not message.get("more_body", False)
        self._raw_bytes += len(raw)
        if self._raw_bytes > self._bound.bytes_max:
            raise self._bound.exceeded()
        pieces = [piece async for piece in self._pieces(raw)]
        return {**message, "body": pieces[0] if len(pieces) == 1 else b"".join(pieces)}

    async def _receive_piece(self) -> Message:
        """The next piece of a body that is read as it comes; others are not unpacked until then."""
        while not self._has_ended:
            if (piece := next(self._left, None)) is not None:
                self._check_stream(piece)
                await asyncio.sleep(0)
                return {"type": "http.request", "body": piece, "more_body": True}
            if self._is_complete:
                self._has_ended = True
                return {"type": "http.request", "body": b"", "more_body": False}
            self._deadline_s = asyncio.get_running_loop().time() + self._bound.limit_s
            message = await self._receive_in_time()
            if message["type"] != "http.request":
                return message
            raw = message.get("body", b"")
            self._is_complete = not message.get("more_body", False)
            self._raw_bytes += len(raw)
            decompressor = self._decompressor
            self._left = iter([raw]) if decompressor is None else self._unpack(decompressor, raw)
        return await self._receive()

    def _check_stream(self, piece: bytes) -> None:
        """HttpRefusal where the body unpacks to far more than was sent, or memory is short."""
        self._share.grow_to(STREAM_BYTES)
        self._plain_bytes += len(piece)
        if self._plain_bytes > self._bound.bytes_max + STREAM_RATIO_MAX * self._raw_bytes:
            detail = f"the body unpacks to more than {STREAM_RATIO_MAX} times what was sent"
            raise HttpRefusal(413, "body_too_large", detail)

    def _refuse_without_key(self) -> None:
        """HttpRefusal where the route, which is known by now, needs a key or the token."""
        refusal = refusal_without_key(self._scope.get("route"), self._scope["app"].state)
        if refusal is not None:
            raise refusal

    async def _receive_in_time(self) -> Message:
        try:
            async with asyncio.timeout_at(self._deadline_s):
                return await self._receive()
        except TimeoutError:
            detail = f"the body did not come in within {self._bound.limit_s:g} s"
            raise HttpRefusal(408, "body_too_slow", detail, {"Connection": "close"}) from None

    async def _pieces(self, raw: bytes) -> AsyncIterator[bytes]:
        """What the bytes of a message become, counted; HttpRefusal beyond a bound."""
        decompressor = self._decompressor
        limit = self._bound.bytes_max + 1  # one byte more, which shows that there is more
        pieces = [raw] if decompressor is None else self._unpack(decompressor, raw, limit)
        for piece in pieces:
            self._plain_bytes += len(piece)
            if self._plain_bytes > self._bound.bytes_max:
                raise self._bound.exceeded()
            needed_bytes = self._plain_bytes
            if self._marks is not None:
                self._marks.count(piece)
                needed_bytes += self._marks.memory_bytes
            self._share.grow_to(needed_bytes)
            yield piece
            if len(piece) == PIECE_BYTES:
                await asyncio.sleep(0)

    def _unpack(
        self, decompressor: _Decompressor, raw: bytes, plain_bytes_max: int | None = None
    ) -> Iterator[bytes]:
        """The pieces of what a message's bytes become, each unpacked when it is asked for."""
        has_more = True
        try:
            while has_more and not decompressor.eof:
                bytes_max = STREAM_PIECE_BYTES
                if plain_bytes_max is not None:
                    bytes_max = min(PIECE_BYTES, plain_bytes_max - self._plain_bytes)
                piece = decompressor.decompress(raw, bytes_max)
                raw = getattr(decompressor, "unconsumed_tail", b"")  # zstd keeps it to itself
                has_more = bool(raw) or len(piece) == bytes_max
                yield piece
        except (zlib.error, zstd.ZstdError):
            raise self._broken("it cannot be decompressed") from None
        if raw or decompressor.unused_data:
            raise self._broken("something follows the compressed data")
        if self._is_complete and not decompressor.eof:
            raise self._broken("it ends too early")

    def _broken(self, reason: str) -> HttpRefusal:
        return HttpRefusal(400, "broken_body", f"the body is not valid {self._encoding}: {reason}")


def media_type(content_type: str | None) -> str:
    """The type that a `Content-Type` header names, in small letters and without parameters."""
    return (content_type or "").partition(";")[0].strip().lower()


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
            raise HttpRefusal(
                415,
                "unsupported_encoding",
                "bodies may be sent plain or with Content-Encoding gzip or zstd",
                {"Accept-Encoding": "gzip, zstd"},
            )
