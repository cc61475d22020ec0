"""How slowly a caller may take what is sent to it.

Owns the timer that cuts off whoever reads too little while something waits for it.
"""

import asyncio

READ_LIMIT_S = 60.0
"""A caller that reads less than `READ_BYTES_MIN` of an answer in so long is cut off."""
READ_BYTES_MIN = 64 * 1024


class ReadLimit:
    """Of one connection, whose protocol says when writing is paused."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._limit: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Something waits for the caller from now on."""
        unsent_bytes = self._transport.get_write_buffer_size()
        self._limit = self._loop.call_later(READ_LIMIT_S, self._check, unsent_bytes)

    def end(self) -> None:
        """Nothing waits any more, or nobody is there."""
        if self._limit is not None:
            self._limit.cancel()

    def _check(self, unsent_bytes: int) -> None:
        """Cut off a caller that has read too little since then: nothing was written meanwhile,
        since writing is paused."""
        if unsent_bytes - self._transport.get_write_buffer_size() < READ_BYTES_MIN:
            self._transport.abort()
        else:
            self.begin()
