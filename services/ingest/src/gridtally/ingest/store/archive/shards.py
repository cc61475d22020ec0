"""Which shards are archived, what was recalled of them since, and tenants' limits.

Owns the lock that keeps whoever archives a tenant's days apart from whoever writes some: the first
takes it alone, the others together, and only for days that are old enough to be in an archive.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import columns_of, insert_rows
from gridtally.ingest.domain.archive import (
    ArchivedShard,
    ArchiveSettings,
    FileFacts,
    FlowTotal,
    Shard,
)
from gridtally.ingest.domain.readings import DayKey
from gridtally.ingest.tables import archive_settings as settings_table
from gridtally.kernel.periods import Period

_KEY = "hashtextextended('archive:' || t, 0)"
_SHARE = f"SELECT pg_advisory_xact_lock_shared({_KEY}) FROM unnest($1::text[]) AS t"  # noqa: S608
_LOCK = f"SELECT pg_advisory_xact_lock({_KEY}) FROM unnest($1::text[]) AS t"  # noqa: S608
_BEGIN = "SELECT pg_try_advisory_xact_lock(hashtextextended('archiving:' || $1, 0))"


async def share_tenants(tx: WriteConnection, tenant_ids: Iterable[str]) -> None:
    """Have nobody archive days of these tenants until the transaction ends; waits for those who
    are at it, some seconds. What is read after it is what they have left."""
    await tx.raw.execute(_SHARE, sorted(set(tenant_ids)))


async def lock_tenant(tx: WriteConnection, tenant_id: str) -> None:
    """Have nobody write old days of the tenant until the transaction ends."""
    await tx.raw.execute(_LOCK, [tenant_id])


async def begin_archiving(tx: WriteConnection, tenant_id: str) -> bool:
    """Be the only one who archives days of this tenant, until the transaction ends; False where
    another process is."""
    return bool(await tx.raw.fetchval(_BEGIN, tenant_id))


_SHARDS = """
SELECT DISTINCT s.* FROM archived_shard s
  JOIN unnest($1::text[], $2::uuid[], $3::date[], $4::date[])
       AS k (tenant_id, meter_id, start_on, end_on)
    ON s.tenant_id = k.tenant_id AND k.meter_id BETWEEN s.meter_from AND s.meter_to
   AND s.month_on < k.end_on AND s.month_on > k.start_on - 31
   AND s.month_on + interval '1 month' > k.start_on
 ORDER BY s.tenant_id, s.month_on, s.shard
"""


async def fetch_shards(
    read: ReadConnection, wanted: Collection[tuple[str, UUID, date, date]]
) -> list[ArchivedShard]:
    """The shards that may have days of these tenants' meters, from one up to another, by month."""
    rows = await read.raw.fetch(_SHARDS, *columns_of(wanted, 4))
    return [_shard(row) for row in rows]


_OF_MONTH = "SELECT * FROM archived_shard WHERE tenant_id = $1 AND month_on = $2 ORDER BY shard"


async def fetch_month(read: ReadConnection, tenant_id: str, month_on: date) -> list[ArchivedShard]:
    """All shards of a tenant's month."""
    return [_shard(row) for row in await read.raw.fetch(_OF_MONTH, tenant_id, month_on)]


_REPLACED = "SELECT * FROM archived_shard WHERE generation > 1 AND archived_at < $1"


async def fetch_replaced(read: ReadConnection, before: datetime) -> list[ArchivedShard]:
    """The shards whose files took the place of earlier ones before this instant."""
    return [_shard(row) for row in await read.raw.fetch(_REPLACED, before)]


_LIST = """
SELECT * FROM archived_shard
 WHERE tenant_id = $1 AND ($2::date IS NULL OR (month_on, shard) > ($2, $3))
 ORDER BY month_on, shard LIMIT $4
"""


async def list_shards(
    read: ReadConnection, tenant_id: str, *, after: tuple[date, int] | None, rows_max: int
) -> list[ArchivedShard]:
    """A tenant's shards, oldest month first."""
    rows = await read.raw.fetch(_LIST, tenant_id, *(after or (None, None)), rows_max)
    return [_shard(row) for row in rows]


def _shard(row: Any) -> ArchivedShard:
    return ArchivedShard(
        Shard(row["tenant_id"], row["month_on"], row["shard"], row["meter_from"], row["meter_to"]),
        row["generation"],
        FileFacts(row["days"], row["day_bytes"], row["day_sha256"]),
        FileFacts(row["blocks"], row["block_bytes"], row["block_sha256"]),
        row["events"],
        {flow: FlowTotal(**total) for flow, total in row["energy"].items()},
        row["archived_at"],
    )


_UPSERT = """
INSERT INTO archived_shard (tenant_id, month_on, shard, meter_from, meter_to, generation, days,
                            day_bytes, day_sha256, blocks, block_bytes, block_sha256, events,
                            energy, archived_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14::jsonb, $15)
ON CONFLICT (tenant_id, month_on, shard) DO UPDATE
   SET generation = excluded.generation, days = excluded.days, day_bytes = excluded.day_bytes,
       day_sha256 = excluded.day_sha256, blocks = excluded.blocks,
       block_bytes = excluded.block_bytes, block_sha256 = excluded.block_sha256,
       events = excluded.events, energy = excluded.energy, archived_at = excluded.archived_at
"""


async def upsert_shard(tx: WriteConnection, archived: ArchivedShard) -> None:
    """Record a shard's files; nothing of it is recalled any more."""
    shard, days, blocks = archived.shard, archived.days, archived.blocks
    energy = {flow: asdict(total) for flow, total in archived.energy.items()}
    await tx.raw.execute(
        _UPSERT, *shard, archived.generation, days.rows, days.bytes, days.sha256, blocks.rows,
        blocks.bytes, blocks.sha256, archived.events, orjson.dumps(energy).decode(),
        archived.archived_at,
    )  # fmt: skip
    await tx.raw.execute(_FORGET_RECALLED, *_bounds(shard))


_IN_SHARD = """
tenant_id = $1 AND meter_id BETWEEN $2 AND $3 AND day >= $4 AND day < $5
"""
_FORGET_RECALLED = f"DELETE FROM recalled_day WHERE {_IN_SHARD}"  # noqa: S608
_RECALLED_OF = f"SELECT meter_id, flow, minutes, day FROM recalled_day WHERE {_IN_SHARD}"  # noqa: S608


def _bounds(shard: Shard) -> tuple[Any, ...]:
    return (
        shard.tenant_id,
        shard.meter_from,
        shard.meter_to,
        shard.month.start_on,
        shard.month.end_on,
    )


async def fetch_recalled_of(read: ReadConnection, shard: Shard) -> set[tuple[UUID, str, int, date]]:
    """The channel-days of a shard that were recalled."""
    return {tuple(row) for row in await read.raw.fetch(_RECALLED_OF, *_bounds(shard))}


_RECALLED = """
SELECT tenant_id, flow, meter_id, minutes, day FROM recalled_day
 WHERE tenant_id = ANY($1::text[]) AND meter_id = ANY($2::uuid[]) AND day >= $3 AND day < $4
"""


async def fetch_recalled(
    read: ReadConnection, tenant_ids: Collection[str], meter_ids: Collection[UUID], window: Period
) -> set[DayKey]:
    """The channel-days of these meters that are in the database again."""
    rows = await read.raw.fetch(
        _RECALLED, list(tenant_ids), list(meter_ids), window.start_on, window.end_on
    )
    return {
        DayKey(row["tenant_id"], row["meter_id"], row["flow"], row["minutes"], row["day"])
        for row in rows
    }


# In the order of the keys, so that two who recall the same never wait in a circle; whoever is
# second gets none of them, and finds the rows that the first has committed.
_CLAIM = """
INSERT INTO recalled_day (tenant_id, meter_id, flow, minutes, day, events, present, energy_wh,
                          recalled_at)
SELECT k.*, $9 FROM unnest($1::text[], $2::uuid[], $3::text[], $4::smallint[], $5::date[],
                           $6::int[], $7::int[], $8::bigint[])
       AS k (tenant_id, meter_id, flow, minutes, day, events, present, energy_wh)
 ORDER BY k.tenant_id, k.meter_id, k.flow, k.minutes, k.day
ON CONFLICT DO NOTHING
RETURNING tenant_id, meter_id, flow, minutes, day
"""


async def claim_recalled(
    tx: WriteConnection, totals: dict[DayKey, tuple[int, int, int]], now: datetime
) -> set[DayKey]:
    """Recall channel-days, each with its events, values and energy in Wh; those that are to be
    written by this transaction, since nobody has recalled them before."""
    rows = await tx.raw.fetch(_CLAIM, *columns_of(totals, 5), *columns_of(totals.values(), 3), now)
    return {DayKey(*row) for row in rows}


_TENANTS = "SELECT tenant_id, months, version FROM archive_settings WHERE months IS NOT NULL"
_SETTINGS = "SELECT months, version FROM archive_settings WHERE tenant_id = $1"
_LOCK_SETTINGS = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"
_REPLACE = """
ON CONFLICT (tenant_id) DO UPDATE SET months = excluded.months, version = excluded.version
"""


async def fetch_limits(read: ReadConnection) -> dict[str, ArchiveSettings]:
    """The limits of all tenants that have one."""
    return {
        row["tenant_id"]: ArchiveSettings(row["months"], row["version"])
        for row in await read.raw.fetch(_TENANTS)
    }


async def fetch_settings(read: ReadConnection, tenant_id: str) -> ArchiveSettings:
    """A tenant's limit; none where it has said nothing."""
    row = await read.raw.fetchrow(_SETTINGS, tenant_id)
    return ArchiveSettings() if row is None else ArchiveSettings(row["months"], row["version"])


async def lock_settings(tx: WriteConnection, tenant_id: str) -> ArchiveSettings:
    """The same, so that nobody else changes it until the transaction ends."""
    await tx.raw.execute(_LOCK_SETTINGS, f"archive_settings:{tenant_id}")
    return await fetch_settings(tx, tenant_id)


async def upsert_settings(tx: WriteConnection, tenant_id: str, settings: ArchiveSettings) -> None:
    """Archive so from now on."""
    await insert_rows(tx, settings_table, [{"tenant_id": tenant_id} | asdict(settings)], _REPLACE)


_ARCHIVED = """
WITH totals AS (
    SELECT e.key AS flow, (e.value->>'present')::bigint AS present,
           (e.value->>'energy_wh')::bigint AS wh
      FROM archived_shard, jsonb_each(energy) AS e WHERE tenant_id = $1
     UNION ALL
    SELECT flow, -present, -energy_wh FROM recalled_day WHERE tenant_id = $1)
SELECT flow, sum(present)::bigint AS present, sum(wh)::bigint AS wh FROM totals GROUP BY flow
"""
_ARCHIVED_EVENTS = """
SELECT (SELECT coalesce(sum(events), 0) FROM archived_shard WHERE tenant_id = $1)::bigint
     - (SELECT coalesce(sum(events), 0) FROM recalled_day WHERE tenant_id = $1)::bigint
"""


async def fetch_archived_totals(
    read: ReadConnection, tenant_id: str
) -> tuple[int, dict[str, FlowTotal]]:
    """How many events lie in the archive alone, and what its channel-days have, by flow."""
    events = await read.raw.fetchval(_ARCHIVED_EVENTS, tenant_id)
    rows: Sequence[Any] = await read.raw.fetch(_ARCHIVED, tenant_id)
    return events, {row["flow"]: FlowTotal(row["present"], row["wh"]) for row in rows}
