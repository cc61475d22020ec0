"""What billing does in the background: take up what a new fact has made due.

Each pass is one bounded transaction. Rows that another process has locked are passed over, so any
number of processes may run these.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime

from billing.handlers import days, periods
from database import ALL_TENANTS, Database, WriteConnection, transaction
from messaging import Progress
from messaging.retries import Stopped, pause, persist
from serving.service import Loop

IDLE_POLL_S = 0.5
Clock = Callable[[], datetime]
Pass = Callable[[WriteConnection, datetime], Awaitable[int]]
"""Does what is due, up to a limit, and tells how much that was."""


def loops(database: Database, clock: Clock) -> list[Loop]:
    """One for held periods, one for days to be priced again."""
    return [
        _loop("billing.held_periods", periods.retry_held_periods, database, clock),
        _loop("billing.due_days", days.price_due_days, database, clock),
    ]


def _loop(name: str, take_up: Pass, database: Database, clock: Clock) -> Loop:
    async def once() -> int:
        async with transaction(database, tenant=ALL_TENANTS) as tx:
            return await take_up(tx, clock())

    async def run(progress: Progress, stop: asyncio.Event) -> None:
        def count_retry() -> None:
            progress.retries += 1
            progress.observe_lag(1, now_s=time.monotonic())

        while not stop.is_set():
            try:
                done = await persist(name, once, stop=stop, on_retry=count_retry)
            except Stopped:
                return
            if done:
                progress.advance(done, now_s=time.monotonic())
            else:
                progress.observe_lag(0, now_s=time.monotonic())
                await pause(stop, IDLE_POLL_S)

    return Loop(name, run)
