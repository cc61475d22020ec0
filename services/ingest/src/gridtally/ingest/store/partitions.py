"""Where days of readings lie: hypertable chunks, or native monthly partitions without TimescaleDB.

Owns the making of native partitions ahead of the rows that need them, and how plans reach days.
"""

from collections.abc import Iterable
from datetime import date

import sqlalchemy as sa

from gridtally.database import ReadConnection, WriteConnection
from gridtally.kernel.periods import Period, month_of

TABLES = ("reading_block", "channel_day")
EXTENSION = "timescaledb"
MAKER_LOCK = 7104402
"""The advisory lock of whoever makes partitions: `IF NOT EXISTS` fails where two are at it at once,
and is right once the other has committed."""

_BY_KEY = """
SET LOCAL plan_cache_mode = force_custom_plan;
SET LOCAL enable_seqscan = off;
SET LOCAL timescaledb.enable_chunk_append = off
"""


async def plan_by_key(read: ReadConnection) -> None:
    """For this transaction: queries with a list of keys look each one up by its index.

    Plans know which days are requested and so leave other chunks out; TimescaleDB's own node, which
    would decide that for every key again, made a lookup take four times as long.
    """
    await read.raw.execute(_BY_KEY)


def has_timescale(bind: sa.Connection) -> bool:
    """Whether this database has the extension."""
    installed = sa.text("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = :name)")
    return bool(bind.execute(installed, {"name": EXTENSION}).scalar_one())


class Partitions:
    """The months that this process has seen a partition of; nothing to do on TimescaleDB."""

    def __init__(self) -> None:
        self._native: bool | None = None
        self._known: set[Period] = set()

    async def ensure(self, tx: WriteConnection, days: Iterable[date]) -> None:
        """Make the missing partitions in this transaction, before anything else is locked in it.

        A month counts as known only once it was found there, since this one may be rolled back.
        """
        if self._native is None:
            self._native = await tx.raw.fetchval(
                "SELECT relkind = 'p' FROM pg_class WHERE oid = 'channel_day'::regclass"
            )
        if not self._native:
            return
        for month in sorted({month_of(day) for day in set(days)} - self._known):
            names = [f"{table}_{month.start_on:%Y_%m}" for table in TABLES]
            if await tx.raw.fetchval("SELECT to_regclass($1) IS NOT NULL", names[-1]):
                self._known.add(month)
                continue
            await tx.raw.execute("SELECT pg_advisory_xact_lock($1)", MAKER_LOCK)
            for table, name in zip(TABLES, names, strict=True):
                await tx.raw.execute(
                    f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF {table} "
                    f"FOR VALUES FROM ('{month.start_on}') TO ('{month.end_on}')"
                )
