"""Passes: bounded pieces of work, done one after another until told to stop.

Owns how a pass is tried again, when work rests, and what its progress shows. What a pass does, and
its limit, are the caller's.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from messaging.progress import Progress
from messaging.retries import Stopped, pause, persist

Count = Callable[[], Awaitable[int]]
"""Does or counts something, and tells how much that was."""


async def run_passes(
    what: str,
    once: Count,
    progress: Progress,
    stop: asyncio.Event,
    *,
    idle_s: float,
    count_left: Count | None = None,
    count_every_s: float = 0.0,
) -> None:
    """Run `once` until `stop`, resting `idle_s` when it found nothing to do.

    What is Transient is tried again. While it finds something, its lag is what `count_left` tells,
    asked every `count_every_s`.
    """

    def count_retry() -> None:
        progress.retries += 1
        progress.observe_lag(1, now_s=time.monotonic())

    counted_s = -count_every_s
    while not stop.is_set():
        try:
            done = await persist(what, once, stop=stop, on_retry=count_retry)
            if done and count_left and time.monotonic() >= counted_s + count_every_s:
                left = await persist(what, count_left, stop=stop, on_retry=count_retry)
                counted_s = time.monotonic()
                progress.observe_lag(left, now_s=counted_s)
        except Stopped:
            return
        if done:
            progress.advance(done, now_s=time.monotonic())
        else:
            progress.observe_lag(0, now_s=time.monotonic())
            await pause(stop, idle_s)
