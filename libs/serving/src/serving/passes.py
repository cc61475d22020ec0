"""Loops of passes: each is one bounded transaction that takes up what is due, then the next.

Owns how often a loop looks and counts what is left. What is due, and the limit of a pass, are the
service's; rows that another process has locked are passed over by it, so any number of
processes may run the same loop.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

from database import ALL_TENANTS, Database, WriteConnection, transaction
from messaging import Progress
from messaging.passes import Count, run_passes
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
    once: Count,
    *,
    idle_s: float = IDLE_POLL_S,
    count_left: Count | None = None,
) -> Loop:
    """The loop that runs `once` again and again, resting `idle_s` when it found nothing to do.

    While it finds something, its lag is what `count_left` tells, asked every `LAG_EVERY_S`.
    """

    async def run(progress: Progress, stop: asyncio.Event) -> None:
        await run_passes(
            name,
            once,
            progress,
            stop,
            idle_s=idle_s,
            count_left=count_left,
            count_every_s=LAG_EVERY_S,
        )

    return Loop(name, run)
