"""Definitions of derived meters as rows: versions are added, never changed.

Those from before a meter's removal are history, and count no more for a meter of the same id.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import among
from gridtally.ledger.metering.analytics.domain.definitions import Definition
from gridtally.ledger.metering.analytics.tables import definition
from gridtally.ledger.metering.readings.store.readings import FOR_EVER
from gridtally.ledger.registry.tables import removed_meter
from gridtally.metering.derived_meters import Term


async def insert_definition(
    tx: WriteConnection, tenant_id: str, meter_id: UUID, from_on: date, terms: Sequence[Term]
) -> tuple[Definition, datetime]:
    """Add the next version for a meter whose property is locked; return it and when that was."""
    next_version = sa.select(sa.func.coalesce(sa.func.max(definition.c.version), 0) + 1).where(
        definition.c.tenant_id == tenant_id, definition.c.meter_id == meter_id
    )
    statement = (
        sa.insert(definition)
        .values(
            tenant_id=tenant_id,
            meter_id=meter_id,
            version=next_version.scalar_subquery(),
            from_on=from_on,
            meter_ids=[term.meter_id for term in terms],
            flows=[term.flow for term in terms],
            signs=[term.sign for term in terms],
        )
        .returning(definition.c.version, definition.c.id, definition.c.created_at)
    )
    [row] = await tx.all(statement)
    return Definition(row["version"], from_on, tuple(terms), row["id"]), row["created_at"]


async def insert_adopted(
    tx: WriteConnection,
    tenant_id: str,
    meter_id: UUID,
    made: Sequence[Definition],
    created_at: datetime,
) -> None:
    """Insert definitions in their versions, but for those that are there."""
    rows = [
        {
            "tenant_id": tenant_id,
            "meter_id": meter_id,
            "version": adopted.version,
            "from_on": adopted.from_on,
            "meter_ids": [term.meter_id for term in adopted.terms],
            "flows": [term.flow for term in adopted.terms],
            "signs": [term.sign for term in adopted.terms],
            "created_at": created_at,
        }
        for adopted in made
    ]
    if rows:
        await tx.execute(insert(definition).values(rows).on_conflict_do_nothing())


async def fetch_definitions(
    read: ReadConnection, tenant_id: str, meter_ids: Sequence[UUID], as_of: datetime | None = None
) -> dict[UUID, list[Definition]]:
    """The versions of each meter's definition, oldest first, now or as known at a moment."""
    moment = as_of or FOR_EVER
    removed = sa.exists().where(
        removed_meter.c.tenant_id == definition.c.tenant_id,
        removed_meter.c.meter_id == definition.c.meter_id,
        removed_meter.c.removed_at >= definition.c.created_at,
        removed_meter.c.removed_at <= moment,
    )
    query = (
        sa.select(definition)
        .where(
            definition.c.tenant_id == tenant_id,
            among(definition.c.meter_id, meter_ids),
            definition.c.created_at <= moment,
            ~removed,
        )
        .order_by(definition.c.meter_id, definition.c.version)
    )
    by_meter: defaultdict[UUID, list[Definition]] = defaultdict(list)
    for row in await read.all(query):
        terms = zip(row["meter_ids"], row["signs"], row["flows"], strict=True)
        by_meter[row["meter_id"]].append(
            Definition(
                row["version"], row["from_on"], tuple(Term(*term) for term in terms), row["id"]
            )
        )
    return dict(by_meter)


# Definitions that overlap the ids, of meters that exist, unless a later version of the same or an
# earlier day has taken their place, or the meter was removed after they were made.
_SUM_OF = """
SELECT d.meter_id
  FROM definition d JOIN meter m ON m.tenant_id = d.tenant_id AND m.id = d.meter_id
 WHERE d.tenant_id = :tenant_id AND d.meter_ids && CAST(:ids AS uuid[])
   AND d.meter_id <> ALL(CAST(:ids AS uuid[]))
   AND NOT EXISTS (SELECT FROM definition n
                    WHERE n.tenant_id = d.tenant_id AND n.meter_id = d.meter_id
                      AND n.version > d.version AND n.from_on <= d.from_on)
   AND NOT EXISTS (SELECT FROM removed_meter r
                    WHERE r.tenant_id = d.tenant_id AND r.meter_id = d.meter_id
                      AND r.removed_at >= d.created_at)
 LIMIT 1
"""


async def find_sum_of(read: ReadConnection, tenant_id: str, ids: Sequence[UUID]) -> UUID | None:
    """A derived meter, none of `ids`, that is a sum of one of them at some time."""
    meter_id: UUID | None = await read.scalar(
        sa.text(_SUM_OF), {"tenant_id": tenant_id, "ids": list(ids)}
    )
    return meter_id


# As above, of the meters at or below the property that is moved, where the sum's own property is
# neither moved along nor above the new parent. What counts today or will: a definition that a later
# version replaces by today, in the zone of the sum's own property, is past.
_SUM_LEFT = """
WITH RECURSIVE moved (id) AS (
    SELECT CAST(:property_id AS uuid)
    UNION
    SELECT p.id FROM property p JOIN moved ON p.tenant_id = :tenant_id AND p.parent_id = moved.id
), above (id) AS (
    SELECT CAST(:parent_id AS uuid)
    UNION
    SELECT p.parent_id FROM property p JOIN above ON p.tenant_id = :tenant_id AND p.id = above.id
)
SELECT d.meter_id
  FROM definition d
  JOIN meter m ON m.tenant_id = d.tenant_id AND m.id = d.meter_id
  JOIN property p ON p.tenant_id = m.tenant_id AND p.id = m.property_id
 WHERE d.tenant_id = :tenant_id AND d.meter_ids && ARRAY(
       SELECT i.id FROM meter i JOIN moved ON i.tenant_id = :tenant_id AND i.property_id = moved.id)
   AND p.id NOT IN (SELECT id FROM moved)
   AND p.id NOT IN (SELECT id FROM above WHERE id IS NOT NULL)
   AND NOT EXISTS (SELECT FROM definition n
                    WHERE n.tenant_id = d.tenant_id AND n.meter_id = d.meter_id
                      AND n.version > d.version
                      AND n.from_on <= greatest(d.from_on, (now() AT TIME ZONE p.zone)::date))
   AND NOT EXISTS (SELECT FROM removed_meter r
                    WHERE r.tenant_id = d.tenant_id AND r.meter_id = d.meter_id
                      AND r.removed_at >= d.created_at)
 LIMIT 1
"""


async def find_sum_left(
    read: ReadConnection, tenant_id: str, property_id: UUID, parent_id: UUID | None
) -> UUID | None:
    """A derived meter that would still be a sum of a meter of this property, or of one below it,
    once the property is below `parent_id` and no longer below that meter's own property."""
    parameters = {"tenant_id": tenant_id, "property_id": property_id, "parent_id": parent_id}
    meter_id: UUID | None = await read.scalar(sa.text(_SUM_LEFT), parameters)
    return meter_id
