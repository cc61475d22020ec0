"""Loops that poll: bounded transactions, each of which does some of what is due, one after another.

Owns how often a loop looks, and how often it counts what is pending. What is due, and the limit of
one poll, are the service's, which skips rows that another process has locked: so any number of
processes may run the same loop.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

from gridtally.database import ALL_TENANTS, Database, WriteConnection, transaction
from gridtally.kernel.periods import Clock
from gridtally.messaging import Progress
from gridtally.messaging.polling import Count, run_polling
from gridtally.service.service import Loop

Poll = Callable[[WriteConnection, datetime], Awaitable[int]]
"""Does what is due, up to a limit; how much that was."""
IDLE_POLL_S = 0.5
LAG_EVERY_S = 5.0


def polling_loop(
    name: str, poll: Poll, database: Database, clock: Clock, *, idle_s: float = IDLE_POLL_S
) -> Loop:
    """The loop that runs `poll` in a transaction over all tenants, again and again."""

    async def poll_once() -> int:
        async with transaction(database, tenant=ALL_TENANTS) as tx:
            return await poll(tx, clock())

    return repeating_loop(name, poll_once, idle_s=idle_s)


def repeating_loop(
    name: str,
    poll: Count,
    *,
    idle_s: float = IDLE_POLL_S,
    count_pending: Count | None = None,
) -> Loop:
    """The loop that runs `poll` again and again, resting `idle_s` whenever it did nothing.

    While it finds work, its lag is what `count_pending` returns, called every `LAG_EVERY_S`.
    """

    async def run(progress: Progress, stop: asyncio.Event) -> None:
        await run_polling(
            name,
            poll,
            progress,
            stop,
            idle_s=idle_s,
            count_pending=count_pending,
            count_every_s=LAG_EVERY_S,
        )

    return Loop(name, run)
