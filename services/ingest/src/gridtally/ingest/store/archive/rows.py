"""The rows of the database that a shard is made of: finding, reading, counting and deleting them.

Owns what may leave: not the channel-days that an estimate is to be compared with, not the days of
meters in periods that are open, and not the newest days of a channel, by which alerts tell for how
long it has been silent. Of a month in which anything is still to be published, summed or checked
nothing leaves yet.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import columns_of
from gridtally.ingest.domain.archive import FlowTotal, Shard
from gridtally.ingest.store.partitions import plan_by_key
from gridtally.kernel.periods import Period

# What the rows `r` of a tenant ($1) within days ($2, $3) must be for being archived; $4 to $7 are
# the silent channels with the days from which on theirs stay.
_MAY_LEAVE = """
       r.tenant_id = $1 AND r.day >= $2 AND r.day < $3
   AND NOT EXISTS (SELECT FROM estimate e
                    WHERE e.tenant_id = r.tenant_id AND e.meter_id = r.meter_id
                      AND e.flow = r.flow AND e.minutes = r.minutes AND e.day = r.day)
   AND NOT EXISTS (SELECT FROM period p
                    WHERE p.tenant_id = r.tenant_id AND p.meter_id = r.meter_id
                      AND p.state = 'open' AND p.start_on <= r.day AND p.end_on > r.day)
   AND NOT EXISTS (SELECT FROM unnest($4::uuid[], $5::text[], $6::smallint[], $7::date[])
                            AS q (meter_id, flow, minutes, from_on)
                    WHERE q.meter_id = r.meter_id AND q.flow = r.flow
                      AND q.minutes = r.minutes AND q.from_on <= r.day)
"""


class Silent(NamedTuple):
    """Channels without newer days than their tenant keeps, in columns as statements take them, and
    the days from which on theirs stay."""

    meter_ids: list[Any]
    flows: list[Any]
    minutes: list[Any]
    from_on: list[Any]


# The two newest days of each channel, and the newest with an actual value, as alerts look at them;
# each a walk down the primary key.
_SILENT = """
SELECT m.id, h.flow, h.minutes, least(d.day, a.day) AS from_on
  FROM meter m
 CROSS JOIN LATERAL jsonb_to_recordset(m.channels) AS h (flow text, minutes smallint)
 CROSS JOIN LATERAL (
       SELECT min(n.day) AS day FROM (
              SELECT c.day FROM channel_day c
               WHERE c.tenant_id = m.tenant_id AND c.meter_id = m.id AND c.flow = h.flow
                 AND c.minutes = h.minutes AND c.present > 0
               ORDER BY c.day DESC LIMIT 2) AS n) AS d
  LEFT JOIN LATERAL (
       SELECT c.day FROM channel_day c
        WHERE c.tenant_id = m.tenant_id AND c.meter_id = m.id AND c.flow = h.flow
          AND c.minutes = h.minutes AND c.quality LIKE '%A%'
        ORDER BY c.day DESC LIMIT 1) AS a ON true
 WHERE m.tenant_id = $1 AND least(d.day, a.day) < $2
"""


async def fetch_silent(read: ReadConnection, tenant_id: str, until_on: date) -> Silent:
    """The channels that have no two days from `until_on` on, or no actual reading since."""
    rows = await read.raw.fetch(_SILENT, tenant_id, until_on)
    return Silent(*columns_of(rows, 4))


_OLDEST = f"""
SELECT min(day) FROM (
    (SELECT day FROM channel_day r WHERE {_MAY_LEAVE} ORDER BY day LIMIT 1)
     UNION ALL
    (SELECT day FROM reading_block r WHERE {_MAY_LEAVE} ORDER BY day LIMIT 1)) AS d
"""  # noqa: S608 - made of this module's constants


async def fetch_oldest(
    read: ReadConnection, tenant_id: str, days: Period, silent: Silent
) -> date | None:
    """The first of these days of which a row may leave."""
    day: date | None = await read.raw.fetchval(
        _OLDEST, tenant_id, days.start_on, days.end_on, *silent
    )
    return day


_UNDECIDED = """
SELECT EXISTS (SELECT FROM changed_day WHERE tenant_id = $1 AND day >= $2 AND day < $3)
    OR EXISTS (SELECT FROM due_summed_day WHERE tenant_id = $1 AND day >= $2 AND day < $3)
    OR EXISTS (SELECT FROM period_check
                WHERE tenant_id = $1 AND month_on >= $2::date - 366 AND month_on < $3)
    OR EXISTS (SELECT FROM period WHERE tenant_id = $1 AND start_on < $3 AND end_on > $2
                  AND estimate = 'due')
"""


async def is_undecided(read: ReadConnection, tenant_id: str, month: Period) -> bool:
    """Whether something of these days is still to be published, summed, checked or estimated."""
    return bool(await read.raw.fetchval(_UNDECIDED, tenant_id, month.start_on, month.end_on))


_METERS = f"""
SELECT meter_id, sum(days)::int AS days FROM (
    SELECT meter_id, count(*) AS days FROM channel_day r WHERE {_MAY_LEAVE} GROUP BY meter_id
     UNION ALL
    SELECT DISTINCT meter_id, 0 FROM reading_block r WHERE {_MAY_LEAVE}) AS m
 GROUP BY meter_id ORDER BY meter_id
"""  # noqa: S608 - made of this module's constants


async def count_days(
    read: ReadConnection, tenant_id: str, month: Period, silent: Silent
) -> list[tuple[UUID, int]]:
    """How many channel-days of the month each meter has that may leave, by id."""
    rows = await read.raw.fetch(_METERS, tenant_id, month.start_on, month.end_on, *silent)
    return [(row["meter_id"], row["days"]) for row in rows]


_OF_SHARD = f"{_MAY_LEAVE} AND r.meter_id BETWEEN $8 AND $9"
_US = "(extract(epoch FROM {0}) * 1000000)::bigint AS {0}"
_DAYS = f"""
SELECT meter_id::text, flow, minutes, day, zone, version, present, {_US.format("recorded_at")},
       correlation_id, quality, array_send(values) AS sent
  FROM channel_day r WHERE {_OF_SHARD}
"""  # noqa: S608 - made of this module's constants
_BLOCKS = f"""
SELECT meter_id::text, flow, minutes, day, event_id::text, {_US.format("start_at")}, slot, piece,
       quality, {_US.format("read_at")}, {_US.format("recorded_at")}, source, correlation_id,
       array_send(values) AS sent
  FROM reading_block r WHERE {_OF_SHARD}
"""  # noqa: S608 - made of this module's constants


def _bounds(shard: Shard, silent: Silent) -> tuple[Any, ...]:
    month = shard.month
    return (
        shard.tenant_id, month.start_on, month.end_on, *silent, shard.meter_from, shard.meter_to
    )  # fmt: skip


async def fetch_days(read: ReadConnection, shard: Shard, silent: Silent) -> Sequence[Any]:
    """The channel-days of a shard that may leave; in the form that
    `parquet.table_of` takes; `sent` has their values as the server sends arrays."""
    return await read.raw.fetch(_DAYS, *_bounds(shard, silent))


async def fetch_blocks(read: ReadConnection, shard: Shard, silent: Silent) -> Sequence[Any]:
    """Its blocks."""
    return await read.raw.fetch(_BLOCKS, *_bounds(shard, silent))


@dataclass(frozen=True, slots=True)
class Count:
    """What rows come to. A channel-day's version rises with every change and blocks are never
    changed, so rows that come to the same are the same."""

    days: int
    versions: int
    totals: Mapping[str, FlowTotal]
    blocks: int
    events: int


_COUNT_DAYS = f"""
SELECT flow, count(*) AS days, sum(version)::bigint AS versions, sum(present)::bigint AS present,
       coalesce(sum((SELECT sum(v) FROM unnest(values) AS v)), 0)::bigint AS wh
  FROM channel_day r WHERE {_OF_SHARD} GROUP BY flow
"""  # noqa: S608 - made of this module's constants
_COUNT_BLOCKS = f"""
SELECT count(*) AS blocks, count(*) FILTER (WHERE piece = 0) AS events
  FROM reading_block r WHERE {_OF_SHARD}
"""  # noqa: S608 - made of this module's constants


async def count_rows(read: ReadConnection, shard: Shard, silent: Silent) -> Count:
    """What the rows of a shard that may leave come to now, added up by the server."""
    flows = await read.raw.fetch(_COUNT_DAYS, *_bounds(shard, silent))
    [blocks] = await read.raw.fetch(_COUNT_BLOCKS, *_bounds(shard, silent))
    return Count(
        sum(row["days"] for row in flows),
        sum(row["versions"] for row in flows),
        {row["flow"]: FlowTotal(row["present"], row["wh"]) for row in flows},
        blocks["blocks"],
        blocks["events"],
    )


_DELETE_DAYS = f"DELETE FROM channel_day r WHERE {_OF_SHARD}"  # noqa: S608
_DELETE_BLOCKS = f"DELETE FROM reading_block r WHERE {_OF_SHARD}"  # noqa: S608


async def delete_rows(tx: WriteConnection, shard: Shard, silent: Silent) -> tuple[int, int]:
    """Delete them: how many channel-days and blocks. A trigger lets blocks go only in the
    transaction that has recorded their shard."""
    await plan_by_key(tx)
    days = await tx.raw.execute(_DELETE_DAYS, *_bounds(shard, silent))
    blocks = await tx.raw.execute(_DELETE_BLOCKS, *_bounds(shard, silent))
    return _affected(days), _affected(blocks)


def _affected(status: str) -> int:
    return int(status.rpartition(" ")[2])
