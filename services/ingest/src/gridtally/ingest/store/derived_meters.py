"""Derived meters: definitions, what those that are billed are made of, and their days.

`due_summed_day` has no unique key: whoever changes a part adds marks without waiting for anybody,
and a claim takes all marks of a day at once.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import NamedTuple
from uuid import UUID

import orjson

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import columns_of, insert_rows
from gridtally.ingest.domain.adoption import PublishedDay
from gridtally.ingest.domain.derived_meters import (
    MeterDefinitions,
    PartTotal,
    SummedPart,
    part_totals,
)
from gridtally.ingest.domain.meters import Channel, MeterKey
from gridtally.ingest.domain.periods import OpenPeriod
from gridtally.ingest.domain.usage import ChangedDay
from gridtally.ingest.tables import meter_definition, meter_input
from gridtally.metering.derived_meters import Definition, as_json, of_json


class DueDay(NamedTuple):
    """A local day of a derived meter that is to be added up, and what caused that."""

    tenant_id: str
    meter_id: UUID
    day: date
    correlation_id: str


_KEEP_NEWEST = """
ON CONFLICT (tenant_id, meter_id) DO UPDATE
   SET version = excluded.version, definitions = excluded.definitions
 WHERE meter_definition.version < excluded.version
RETURNING tenant_id, meter_id
"""


async def upsert_definitions(
    tx: WriteConnection, defined: Sequence[MeterDefinitions]
) -> list[MeterKey]:
    """Store the newest definitions of each meter (one per meter); those that have changed."""
    rows = [
        {
            "tenant_id": own.tenant_id,
            "meter_id": own.meter_id,
            "version": own.version,
            "definitions": orjson.dumps(as_json(own.definitions)).decode(),
        }
        for own in defined
    ]
    changed = await insert_rows(tx, meter_definition, rows, _KEEP_NEWEST)
    return [(row["tenant_id"], row["meter_id"]) for row in changed]


async def insert_built_in(tx: WriteConnection, defined: Sequence[MeterDefinitions]) -> None:
    """Store what meters are the sum of where nobody has defined them."""
    await tx.raw.executemany(
        "INSERT INTO meter_definition (tenant_id, meter_id, version, definitions) "
        "VALUES ($1, $2, $3, $4::jsonb) ON CONFLICT (tenant_id, meter_id) DO NOTHING",
        [
            (
                own.tenant_id,
                own.meter_id,
                own.version,
                orjson.dumps(as_json(own.definitions)).decode(),
            )
            for own in defined
        ],
    )


_DEFINITIONS = """
SELECT d.tenant_id, d.meter_id, d.definitions
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, meter_id)
 CROSS JOIN LATERAL (
       SELECT * FROM meter_definition d
        WHERE d.tenant_id = k.tenant_id AND d.meter_id = k.meter_id OFFSET 0) AS d
"""


async def fetch_definitions(
    read: ReadConnection, keys: Collection[MeterKey]
) -> dict[MeterKey, tuple[Definition, ...]]:
    """The definitions of those of the meters that have any, the oldest first."""
    return {
        (row["tenant_id"], row["meter_id"]): of_json(row["definitions"])
        for row in await read.raw.fetch(_DEFINITIONS, *columns_of(keys, 2))
    }


# The sums that meters are parts of, and those of them that are sums and have periods themselves.
_BILLED_SUMS = """
SELECT i.tenant_id, i.meter_id
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
 CROSS JOIN LATERAL (
       SELECT * FROM meter_input i
        WHERE i.tenant_id = k.tenant_id AND i.input_id = k.id OFFSET 0) AS i
UNION
SELECT d.tenant_id, d.meter_id
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
 CROSS JOIN LATERAL (
       SELECT * FROM meter_definition d
        WHERE d.tenant_id = k.tenant_id AND d.meter_id = k.id OFFSET 0) AS d
 WHERE EXISTS (SELECT FROM period p
                WHERE p.tenant_id = d.tenant_id AND p.meter_id = d.meter_id)
"""


async def fetch_billed_sums(read: ReadConnection, keys: Collection[MeterKey]) -> list[MeterKey]:
    """The derived meters with periods that are among these, or are made of them."""
    rows = await read.raw.fetch(_BILLED_SUMS, *columns_of(keys, 2))
    return sorted((row["tenant_id"], row["meter_id"]) for row in rows)


async def replace_inputs(tx: WriteConnection, inputs: Mapping[MeterKey, Collection[UUID]]) -> None:
    """What derived meters are made of by now."""
    await tx.raw.execute(
        "DELETE FROM meter_input i USING unnest($1::text[], $2::uuid[]) AS k (tenant_id, id) "
        "WHERE i.tenant_id = k.tenant_id AND i.meter_id = k.id",
        *columns_of(inputs, 2),
    )
    rows = [
        {"tenant_id": tenant_id, "input_id": input_id, "meter_id": meter_id}
        for (tenant_id, meter_id), own in inputs.items()
        for input_id in own
    ]
    await insert_rows(tx, meter_input, rows)


async def update_channels(
    tx: WriteConnection, channels: Mapping[MeterKey, Sequence[Channel]]
) -> None:
    """The channels that derived meters have by what they are made of."""
    await tx.raw.execute(
        "UPDATE meter m SET channels = k.channels "
        "FROM unnest($1::text[], $2::uuid[], $3::jsonb[]) AS k (tenant_id, id, channels) "
        "WHERE m.tenant_id = k.tenant_id AND m.id = k.id",
        *columns_of(channels, 2),
        [orjson.dumps([asdict(channel) for channel in own]).decode() for own in channels.values()],
    )


# A sum in another zone than its part has other days, one more or one less. Only of a day that lies
# in a period is anything needed.
_MARK_SUMS = """
INSERT INTO due_summed_day (tenant_id, meter_id, day, correlation_id)
SELECT DISTINCT ON (i.tenant_id, i.meter_id, d.day)
       i.tenant_id, i.meter_id, d.day::date, k.correlation_id
  FROM unnest($1::text[], $2::uuid[], $3::date[], $4::text[], $5::text[])
       AS k (tenant_id, input_id, day, zone, correlation_id)
 CROSS JOIN LATERAL (
       SELECT * FROM meter_input i
        WHERE i.tenant_id = k.tenant_id AND i.input_id = k.input_id OFFSET 0) AS i
 CROSS JOIN LATERAL (
       SELECT (m.zone <> k.zone)::int AS beside FROM meter m
        WHERE m.tenant_id = i.tenant_id AND m.id = i.meter_id OFFSET 0) AS m
 CROSS JOIN LATERAL (SELECT k.day + n AS day FROM generate_series(-m.beside, m.beside) AS n) AS d
 WHERE EXISTS (SELECT FROM period p
                WHERE p.tenant_id = i.tenant_id AND p.meter_id = i.meter_id
                  AND p.start_on <= d.day AND p.end_on > d.day)
"""


async def mark_sums(tx: WriteConnection, days: Sequence[ChangedDay | PublishedDay]) -> None:
    """These days have changed: the billed sums that they are parts of are to be added up again."""
    await tx.raw.execute(
        _MARK_SUMS,
        [changed.tenant_id for changed in days],
        [changed.meter_id for changed in days],
        [changed.day for changed in days],
        [changed.zone for changed in days],
        [changed.correlation_id for changed in days],
    )


_MARK_PERIODS = """
INSERT INTO due_summed_day (tenant_id, meter_id, day, correlation_id)
SELECT DISTINCT k.tenant_id, k.meter_id, d::date, k.correlation_id
  FROM unnest($1::text[], $2::uuid[], $4::text[]) AS k (tenant_id, meter_id, correlation_id)
 CROSS JOIN LATERAL (
       SELECT * FROM period p
        WHERE p.tenant_id = k.tenant_id AND p.meter_id = k.meter_id OFFSET 0) AS p
 CROSS JOIN LATERAL generate_series(p.start_on, least(p.end_on - 1, $3), interval '1 day') AS d
"""


async def mark_periods_of(
    tx: WriteConnection, causes: Mapping[MeterKey, str], until_on: date
) -> None:
    """All days in the periods of these derived meters, up to and with one, are to be added up; for
    each the correlation id of what caused that."""
    await tx.raw.execute(_MARK_PERIODS, *columns_of(causes, 2), until_on, list(causes.values()))


# The oldest marks, without waiting for those that another process has claimed; then all other marks
# of the same days, since what is stored now covers them.
_CLAIM = """
WITH due AS (
    SELECT DISTINCT ON (tenant_id, meter_id, day) tenant_id, meter_id, day, correlation_id
      FROM (SELECT * FROM due_summed_day ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED) AS c
     ORDER BY tenant_id, meter_id, day, id DESC),
claimed AS (
    DELETE FROM due_summed_day c USING due k
     WHERE c.tenant_id = k.tenant_id AND c.meter_id = k.meter_id AND c.day = k.day)
SELECT * FROM due ORDER BY tenant_id, meter_id, day
"""


async def claim_due_days(tx: WriteConnection, marks_max: int) -> list[DueDay]:
    """Take days of derived meters that are to be added up off the queue."""
    return [DueDay(*row) for row in await tx.raw.fetch(_CLAIM, marks_max)]


_UPSERT_PARTS = """
INSERT INTO summed_day (tenant_id, meter_id, day, parts)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::date[], $4::jsonb[])
ON CONFLICT (tenant_id, meter_id, day) DO UPDATE SET parts = excluded.parts
"""


async def upsert_parts(
    tx: WriteConnection, parts: Mapping[tuple[str, UUID, date], Sequence[SummedPart]]
) -> None:
    """What days of derived meters were added up from."""
    await tx.raw.execute(
        _UPSERT_PARTS,
        *columns_of(parts, 3),
        [orjson.dumps([asdict(part) for part in own]).decode() for own in parts.values()],
    )


_PARTS = """
SELECT k.n, d.day, d.parts
  FROM unnest($1::text[], $2::uuid[], $3::date[], $4::date[]) WITH ORDINALITY
       AS k (tenant_id, meter_id, start_on, end_on, n)
 CROSS JOIN LATERAL (
       SELECT * FROM summed_day d
        WHERE d.tenant_id = k.tenant_id AND d.meter_id = k.meter_id
          AND d.day >= k.start_on AND d.day < k.end_on OFFSET 0) AS d
 ORDER BY k.n, d.day
"""


async def fetch_part_totals(
    read: ReadConnection, periods: Sequence[OpenPeriod]
) -> dict[int, list[PartTotal]]:
    """Of those of the periods that are of derived meters, what they were added up from, by their
    index."""
    derived = [index for index, period in enumerate(periods) if period.meter.is_derived]
    if not derived:
        return {}
    keys = [
        (
            periods[index].tenant_id,
            periods[index].meter.meter_id,
            periods[index].period.start_on,
            periods[index].period.end_on,
        )
        for index in derived
    ]
    days: defaultdict[int, list[tuple[date, list[SummedPart]]]] = defaultdict(list)
    for row in await read.raw.fetch(_PARTS, *columns_of(keys, 4)):
        parts = [SummedPart(**part | {"meter_id": UUID(part["meter_id"])}) for part in row["parts"]]
        days[derived[row["n"] - 1]].append((row["day"], parts))
    return {index: part_totals(own) for index, own in days.items()}
