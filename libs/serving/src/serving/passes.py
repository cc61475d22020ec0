"""Loops of passes: each is one bounded transaction that takes up what is due, then the next.

Owns how a pass is tried again and when the loop rests. What is due, and the limit of a pass, are
the service's; rows that another process has locked are passed over by it, so any number of
processes may run the same loop.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime

from database import ALL_TENANTS, Database, WriteConnection, transaction
from messaging import Progress
from messaging.retries import Stopped, pause, persist
from serving.service import Loop

Clock = Callable[[], datetime]
Pass = Callable[[WriteConnection, datetime], Awaitable[int]]
"""Does what is due, up to a limit, and tells how much that was."""
IDLE_POLL_S = 0.5
LAG_EVERY_S = 5.0


def loop_of(
    name: str, take_up: Pass, database: Database, clock: Clock, *, idle_s: float = IDLE_POLL_S
) -> Loop:
    """The loop of a pass over all tenants."""

    async def once() -> int:
        async with transaction(database, tenant=ALL_TENANTS) as tx:
            return await take_up(tx, clock())

    return repeated(name, once, idle_s=idle_s)


def repeated(
    name: str,
    once: Callable[[], Awaitable[int]],
    *,
    idle_s: float = IDLE_POLL_S,
    count_left: Callable[[], Awaitable[int]] | None = None,
) -> Loop:
    """The loop that runs `once` again and again, resting `idle_s` when it found nothing to do.

    While it finds something, its lag is what `count_left` tells, asked every `LAG_EVERY_S`.
    """

    async def run(progress: Progress, stop: asyncio.Event) -> None:
        def count_retry() -> None:
            progress.retries += 1
            progress.observe_lag(1, now_s=time.monotonic())

        counted_s = -LAG_EVERY_S
        while not stop.is_set():
            try:
                done = await persist(name, once, stop=stop, on_retry=count_retry)
                if done and count_left and time.monotonic() >= counted_s + LAG_EVERY_S:
                    left = await persist(name, count_left, stop=stop, on_retry=count_retry)
                    counted_s = time.monotonic()
                    progress.observe_lag(left, now_s=counted_s)
            except Stopped:
                return
            if done:
                progress.advance(done, now_s=time.monotonic())
            else:
                progress.observe_lag(0, now_s=time.monotonic())
                await pause(stop, idle_s)

    return Loop(name, run)
