"""Storing what was published before a restore, a resource at a time: a catalogue is small.

Each function returns whether what was published is stored, or something newer is; where it is not,
something else of the topic must come first.
"""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from gridtally.contracts.catalogue import CalendarPublished, PricesPublished, RegionChanged
from gridtally.contracts.commerce import TariffPublished
from gridtally.database import WriteConnection
from gridtally.kernel.ids import derive_id
from gridtally.tariff.domain.prices import scaled

BY_UNKNOWN = "unknown"
"""Which key published something, no event says."""

# A code may have gone from one region to another, whose change comes later.
_REGION = """
INSERT INTO region AS r (tenant_id, id, code, name, zone, kind, parent_id, version,
                         published_version, created_at, updated_at)
SELECT $1, $2, $3, $4, $5, $6, $7::uuid, $8, $8, $9, $9
 WHERE ($7::uuid IS NULL OR EXISTS (SELECT FROM region p WHERE p.tenant_id = $1 AND p.id = $7))
   AND NOT EXISTS (SELECT FROM region o WHERE o.tenant_id = $1 AND o.code = $3 AND o.id <> $2)
ON CONFLICT (tenant_id, id) DO UPDATE
   SET code = excluded.code, name = excluded.name, zone = excluded.zone, kind = excluded.kind,
       parent_id = excluded.parent_id, version = excluded.version,
       published_version = excluded.published_version, updated_at = excluded.updated_at
 WHERE r.version <= excluded.version
"""
_HAS_REGION = "SELECT true FROM region WHERE tenant_id = $1 AND id = $2 AND version >= $3"


async def adopt_region(
    tx: WriteConnection, tenant_id: str, event: RegionChanged, at: datetime
) -> bool:
    """A region in a version of it."""
    await tx.raw.execute(
        _REGION,
        tenant_id,
        event.region_id,
        event.code,
        event.name,
        event.zone,
        event.kind,
        event.parent_id,
        event.version,
        at,
    )
    return bool(await tx.raw.fetchval(_HAS_REGION, tenant_id, event.region_id, event.version))


# One that was made again under its id after that is another one.
_END_REGION = """
DELETE FROM region r WHERE tenant_id = $1 AND id = $2 AND created_at <= $3
   AND NOT EXISTS (SELECT FROM region b WHERE b.tenant_id = $1 AND b.parent_id = $2)
   AND NOT EXISTS (SELECT FROM tariff t WHERE t.tenant_id = $1 AND t.region_id = $2)
"""
_IS_ENDED = """
SELECT NOT EXISTS (SELECT FROM region WHERE tenant_id = $1 AND id = $2 AND created_at <= $3)
"""


async def end_region(tx: WriteConnection, tenant_id: str, region_id: UUID, at: datetime) -> bool:
    """A region that was deleted."""
    await tx.raw.execute(_END_REGION, tenant_id, region_id, at)
    return bool(await tx.raw.fetchval(_IS_ENDED, tenant_id, region_id, at))


_CALENDAR = """
INSERT INTO calendar AS c (tenant_id, id, code, name, last_number, created_at, updated_at)
SELECT $1, $2, $3, $4, $5, $6, $6
 WHERE NOT EXISTS (SELECT FROM calendar o WHERE o.tenant_id = $1 AND o.code = $3 AND o.id <> $2)
ON CONFLICT (tenant_id, id) DO UPDATE
   SET code = CASE WHEN c.updated_at <= $6 THEN excluded.code ELSE c.code END,
       name = CASE WHEN c.updated_at <= $6 THEN excluded.name ELSE c.name END,
       last_number = greatest(c.last_number, excluded.last_number),
       updated_at = greatest(c.updated_at, excluded.updated_at)
"""
_CALENDAR_VERSION = """
INSERT INTO calendar_version AS v (tenant_id, id, calendar_id, number, status, document,
                                   published_at, published_by, created_at, updated_at)
SELECT $1, $2, $3, $4, 'published', $5::jsonb, $6, $7, $6, $6
 WHERE EXISTS (SELECT FROM calendar c WHERE c.tenant_id = $1 AND c.id = $3)
ON CONFLICT (tenant_id, calendar_id, number) DO UPDATE
   SET status = 'published', document = excluded.document, published_at = excluded.published_at,
       published_by = excluded.published_by, updated_at = excluded.updated_at,
       version = v.version + 1
 WHERE v.status = 'draft'
"""
_HAS_CALENDAR_VERSION = """
SELECT true FROM calendar_version WHERE tenant_id = $1 AND calendar_id = $2 AND number = $3
"""


async def adopt_calendar(
    tx: WriteConnection, tenant_id: str, event: CalendarPublished, at: datetime
) -> bool:
    """A version of a calendar, and the calendar."""
    await tx.raw.execute(
        _CALENDAR, tenant_id, event.calendar_id, event.code, event.name, event.number, at
    )
    version_id = event.version_id or _version_id(tenant_id, event.calendar_id, event.number)
    await _insert_calendar_version(
        tx, tenant_id, version_id, event.calendar_id, event.number, event.document, at
    )
    key = event.calendar_id, event.number
    return bool(await tx.raw.fetchval(_HAS_CALENDAR_VERSION, tenant_id, *key))


async def _insert_calendar_version(
    tx: WriteConnection,
    tenant_id: str,
    id_: UUID,
    calendar_id: UUID,
    number: int,
    document: dict[str, Any],
    at: datetime,
) -> None:
    await tx.raw.execute(
        _CALENDAR_VERSION,
        tenant_id,
        id_,
        calendar_id,
        number,
        json.dumps(document, allow_nan=False),
        at,
        BY_UNKNOWN,
    )


def _version_id(tenant_id: str, calendar_id: UUID, number: int) -> UUID:
    """Of a version whose own id no event says."""
    return derive_id("calendar_version", tenant_id, calendar_id, number)


# The region may be gone by now: a tariff that moves is published with its next version.
_TARIFF = """
INSERT INTO tariff AS t (tenant_id, id, code, name, currency, zone, region_id, last_number,
                         created_at, updated_at)
SELECT $1, $2, $3, $4, $5, $6, (SELECT id FROM region r WHERE r.tenant_id = $1 AND r.id = $7),
       $8, $9, $9
ON CONFLICT (tenant_id, id) DO UPDATE
   SET name = CASE WHEN t.updated_at <= $9 THEN excluded.name ELSE t.name END,
       region_id = CASE WHEN t.updated_at <= $9 THEN excluded.region_id ELSE t.region_id END,
       last_number = greatest(t.last_number, excluded.last_number),
       updated_at = greatest(t.updated_at, excluded.updated_at)
"""
_TARIFF_VERSION = """
INSERT INTO tariff_version AS v (tenant_id, id, tariff_id, number, status, effective_from,
       effective_to, document, calendar_id, calendar_number, published_at, published_by,
       created_at, updated_at)
VALUES ($1, $2, $3, $4, 'published', $5, $6, $7::jsonb, $8, $9, $10, $11, $10, $10)
ON CONFLICT (tenant_id, id) DO UPDATE
   SET status = 'published', effective_from = excluded.effective_from,
       effective_to = excluded.effective_to, document = excluded.document,
       calendar_id = excluded.calendar_id, calendar_number = excluded.calendar_number,
       published_at = excluded.published_at, published_by = excluded.published_by,
       updated_at = excluded.updated_at, version = v.version + 1
 WHERE v.status = 'draft'
"""
_WITHDRAW = """
UPDATE tariff_version
   SET status = 'withdrawn', withdrawn_at = $3, withdrawn_by = $4, withdrawn_from = $5,
       withdrawal_reason = $6, updated_at = $3, version = version + 1
 WHERE tenant_id = $1 AND id = $2 AND status = 'published'
"""


async def adopt_tariff(
    tx: WriteConnection, tenant_id: str, event: TariffPublished, at: datetime
) -> bool:
    """A version of a tariff, published or withdrawn, and the tariff."""
    document = event.document
    calendar_id, number = event.calendar_id, event.calendar_number
    if calendar_id is not None and number is not None:
        # its calendar may have newer versions, and of those only the newest stays on the topic
        version_id = _version_id(tenant_id, calendar_id, number)
        calendar = document["calendar"]
        await _insert_calendar_version(tx, tenant_id, version_id, calendar_id, number, calendar, at)
        if not await tx.raw.fetchval(_HAS_CALENDAR_VERSION, tenant_id, calendar_id, number):
            return False
    await tx.raw.execute(
        _TARIFF,
        tenant_id,
        event.tariff_id,
        event.code,
        event.name,
        document["currency"],
        document["zone"],
        event.region_id,
        event.number,
        at,
    )
    ends_by_withdrawal = event.withdrawn_from is not None and event.status == "published"
    await tx.raw.execute(
        _TARIFF_VERSION,
        tenant_id,
        event.version_id,
        event.tariff_id,
        event.number,
        event.effective_from,
        None if ends_by_withdrawal else event.effective_to,
        json.dumps(document, allow_nan=False),
        calendar_id,
        number,
        at,
        BY_UNKNOWN,
    )
    if event.withdrawn_from is not None:
        reason = event.withdrawal_reason or BY_UNKNOWN
        withdrawal = at, BY_UNKNOWN, event.withdrawn_from, reason
        await tx.raw.execute(_WITHDRAW, tenant_id, event.version_id, *withdrawal)
    return True


_SERIES = """
INSERT INTO price_series (tenant_id, id, code, name, currency, zone, minutes, created_at,
                          updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
ON CONFLICT (tenant_id, id) DO NOTHING
"""
_PRICE_DAY = """
INSERT INTO price_day (tenant_id, series_id, day, version, prices, recorded_at, recorded_by)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING
"""


async def adopt_prices(
    tx: WriteConnection, tenant_id: str, event: PricesPublished, at: datetime
) -> bool:
    """A version of a day of a price series, and the series."""
    await tx.raw.execute(
        _SERIES,
        tenant_id,
        event.series_id,
        event.code,
        event.name or event.code,
        event.currency,
        event.zone,
        event.minutes,
        at,
    )
    prices = [None if price is None else scaled(format(price, "f")) for price in event.prices]
    await tx.raw.execute(
        _PRICE_DAY,
        tenant_id,
        event.series_id,
        event.day,
        event.version,
        prices,
        event.published_at,
        BY_UNKNOWN,
    )
    return True
