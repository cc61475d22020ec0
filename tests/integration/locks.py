"""Whether somebody in this database waits for what another holds."""

import asyncio
from collections.abc import Awaitable, Callable

WAITING = """
SELECT count(*) FROM pg_locks WHERE NOT granted AND pid IN (
    SELECT pid FROM pg_locks WHERE database = (
        SELECT oid FROM pg_database WHERE datname = current_database()))
"""
"""Of locks alone: `pg_stat_activity` stays as it was when a transaction first looked, so that one
which looks again and again never sees who connected since."""
LIMIT_S = 120


async def somebody_waits(ask: Callable[[str], Awaitable[int]]) -> None:
    """Until `ask`, which answers a question in SQL, says so."""
    async with asyncio.timeout(LIMIT_S):
        while not await ask(WAITING):  # noqa: ASYNC110 - a database notifies nobody
            await asyncio.sleep(0.01)
