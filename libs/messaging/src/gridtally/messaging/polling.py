"""Polling: bounded pieces of work, done one after another until asked to stop.

Owns how a piece is tried again, when the work rests, and what its progress shows. What a piece is,
and its limit, are the caller's.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from gridtally.kernel.errors import Transient
from gridtally.messaging.progress import Progress
from gridtally.messaging.retries import Stopped, pause, retry_transient

Count = Callable[[], Awaitable[int]]
"""Does or counts something; how much that was."""


async def run_polling(
    what: str,
    poll: Count,
    progress: Progress,
    stop: asyncio.Event,
    *,
    idle_s: float,
    count_pending: Count | None = None,
    count_every_s: float = 0.0,
) -> None:
    """Run `poll` until `stop` is set, resting `idle_s` whenever it did nothing.

    A poll that has begun is finished first, and one that is Transient is tried again. While polls
    find work, the lag in `progress` is what `count_pending` returns, called every `count_every_s`.
    """

    def count_retry(failure: Transient) -> None:
        progress.retry(failure, now_s=time.monotonic())

    counted_s = -count_every_s
    while not stop.is_set():
        try:
            done = await retry_transient(what, poll, stop=stop, on_retry=count_retry)
            if done and count_pending and time.monotonic() >= counted_s + count_every_s:
                pending = await retry_transient(
                    what, count_pending, stop=stop, on_retry=count_retry
                )
                counted_s = time.monotonic()
                progress.observe_lag(pending, now_s=counted_s)
        except Stopped:
            return
        if done:
            progress.advance(done, now_s=time.monotonic())
        else:
            progress.observe_lag(0, now_s=time.monotonic())
            await pause(stop, idle_s)
