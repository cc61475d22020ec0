"""Reference data: what others published, stored, and what a batch of work needs of it, read.

Owns the lock between those who bill and those who bring reference data.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import UUID

from gridtally.billing import tables
from gridtally.billing.domain.reference_data import Key, Meter, ReferenceData, SeriesKey
from gridtally.billing.domain.tariffs import InForce
from gridtally.billing.store.agreements import agreement_of
from gridtally.contracts.catalogue import PricesPublished
from gridtally.contracts.commerce import TariffPublished
from gridtally.contracts.metering import MeterRegistered
from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import Row, columns_of, from_row, insert_rows
from gridtally.kernel.periods import ONE_DAY
from gridtally.rating.price_days import PriceDay, versioned_series

PriceKey = tuple[str, str, date, int]
"""Tenant, code of the series, local day and version."""

# A period that lacks something must either see it, or be seen waiting by whoever brings it. Without
# the lock both could miss: the biller reads before the tariff is committed, whoever brings it looks
# for held periods before the biller commits, and the period would wait for ever. Billers share the
# lock, so they do not wait for one another; bringers are rare and short. Row locks would not do:
# what is missing has no row yet.
REFERENCE_DATA_LOCK = 7_104_301


async def lock_reference_data_shared(tx: WriteConnection) -> None:
    """Nobody changes reference data until this transaction ends; others may read it too."""
    await tx.raw.execute("SELECT pg_advisory_xact_lock_shared($1)", REFERENCE_DATA_LOCK)


async def lock_reference_data_exclusive(tx: WriteConnection) -> None:
    """Wait until nobody bills, and let nobody begin until this transaction ends."""
    await tx.raw.execute("SELECT pg_advisory_xact_lock($1)", REFERENCE_DATA_LOCK)


async def is_meter_known(read: ReadConnection, tenant_id: str, meter_id: UUID) -> bool:
    """Whether the tenant has this meter, as far as was published."""
    query = "SELECT EXISTS (SELECT FROM meter WHERE tenant_id = $1 AND id = $2)"
    return bool(await read.raw.fetchval(query, tenant_id, meter_id))


async def is_tariff_known(read: ReadConnection, tenant_id: str, tariff_id: UUID) -> bool:
    """Whether the tenant has a published version of this tariff."""
    query = (
        "SELECT EXISTS (SELECT FROM tariff_version WHERE tenant_id = $1 AND tariff_id = $2 "
        "AND status = 'published')"
    )
    return bool(await read.raw.fetchval(query, tenant_id, tariff_id))


_CURRENCIES = """
SELECT tariff_id, document ->> 'currency' AS currency FROM tariff_version
 WHERE tenant_id = $1 AND tariff_id = ANY($2::uuid[]) AND status = 'published'
"""


async def fetch_currencies(
    read: ReadConnection, tenant_id: str, tariffs: Collection[UUID]
) -> dict[UUID, set[str]]:
    """The currencies of the tariffs' published versions, as far as any is known."""
    currencies: dict[UUID, set[str]] = {}
    for row in await read.raw.fetch(_CURRENCIES, tenant_id, list(tariffs)):
        currencies.setdefault(row["tariff_id"], set()).add(row["currency"])
    return currencies


# A join with the customers would tempt the planner to pair all of a tenant first.
_AGREEMENTS = """
SELECT a.*, (SELECT currency FROM customer c
              WHERE c.tenant_id = a.tenant_id AND c.id = a.customer_id) AS currency
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
  JOIN agreement a USING (tenant_id, id)
"""
_METERS = """
SELECT m.* FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
  JOIN meter m USING (tenant_id, id)
"""


async def fetch_reference_data(
    read: ReadConnection,
    agreements: Collection[Key],
    meters: Collection[Key],
    start_on: date,
    end_on: date,
) -> ReferenceData:
    """What is known of these agreements and meters, and of tariffs from start to end."""
    agreement_rows = await read.raw.fetch(_AGREEMENTS, *columns_of(agreements, 2))
    meter_rows = await read.raw.fetch(_METERS, *columns_of(meters, 2))
    known_meters = {
        (row["tenant_id"], row["id"]): Meter(row["connected_kw"], frozenset(row["flows"]))
        for row in meter_rows
    }
    return await _with_versions(read, agreement_rows, start_on, end_on, meters=known_meters)


_AGREEMENTS_OF_METERS = """
SELECT a.*, (SELECT currency FROM customer c
              WHERE c.tenant_id = a.tenant_id AND c.id = a.customer_id) AS currency
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, meter_id)
  JOIN agreement a USING (tenant_id, meter_id)
"""


async def fetch_reference_data_of_meters(
    read: ReadConnection, meters: Collection[Key], start_on: date, end_on: date
) -> ReferenceData:
    """All agreements of these meters, and their tariffs from start to end."""
    rows = await read.raw.fetch(_AGREEMENTS_OF_METERS, *columns_of(meters, 2))
    return await _with_versions(read, rows, start_on, end_on, meters={})


# The document goes out as text, not as parsed JSON: it is the key of a cache of parsed versions.
_VERSIONS = """
SELECT v.tenant_id, v.id AS version_id, v.tariff_id, v.number, v.effective_from, v.effective_to,
       v.document::text AS document
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, tariff_id)
  JOIN tariff_version v USING (tenant_id, tariff_id)
 WHERE v.status = 'published' AND v.effective_from < $4
   AND (v.effective_to IS NULL OR v.effective_to > $3)
"""


async def _with_versions(
    read: ReadConnection,
    agreements: Sequence[Row],
    start_on: date,
    end_on: date,
    meters: Mapping[Key, Meter],
) -> ReferenceData:
    tariffs = {(row["tenant_id"], row["tariff_id"]) for row in agreements}
    rows = await read.raw.fetch(_VERSIONS, *columns_of(tariffs, 2), start_on, end_on)
    versions: defaultdict[Key, list[InForce]] = defaultdict(list)
    for row in rows:
        versions[row["tenant_id"], row["tariff_id"]].append(from_row(InForce, row))
    return ReferenceData(
        agreements={(row["tenant_id"], row["id"]): agreement_of(row) for row in agreements},
        meters=meters,
        currencies={(row["tenant_id"], row["customer_id"]): row["currency"] for row in agreements},
        versions=versions,
        documents={(row["tenant_id"], row["version_id"]): row["document"] for row in rows},
    )


# Every version of a day is stored: the newest counts.
_PRICES = """
SELECT DISTINCT ON (p.tenant_id, p.code, p.day) p.*
  FROM unnest($1::text[], $2::text[]) AS k (tenant_id, code)
  JOIN price_day p USING (tenant_id, code)
 WHERE p.day BETWEEN $3 AND $4
 ORDER BY p.tenant_id, p.code, p.day, p.version DESC
"""


async def with_prices(
    read: ReadConnection, known: ReferenceData, start_on: date, end_on: date
) -> ReferenceData:
    """The reference data with the prices that its tariffs need, from start to end; a day more at
    each end, since the market's days may begin at other instants than the meter's."""
    keys = known.price_series_keys()
    if not keys:
        return known
    rows = await read.raw.fetch(_PRICES, *columns_of(keys, 2), start_on - ONE_DAY, end_on + ONE_DAY)
    days_of: defaultdict[SeriesKey, list[PriceDay]] = defaultdict(list)
    for row in rows:
        days_of[row["tenant_id"], row["code"]].append(price_day_of(row))
    prices = {key: versioned_series(price_days) for key, price_days in days_of.items()}
    return replace(known, prices=prices)


def price_day_of(row: Row) -> PriceDay:
    """A day's prices from their row."""
    prices = (None if price is None else Decimal(price) for price in row["prices"])
    return from_row(PriceDay, row, prices=tuple(prices))


async def insert_prices(
    tx: WriteConnection, published: Mapping[PriceKey, PricesPublished]
) -> list[tuple[str, str, date]]:
    """Store every version of each day's prices; the days that are new or have changed, as tenant,
    code of the series and day."""
    rows = [
        {
            "tenant_id": tenant_id,
            "code": code,
            "day": day,
            "version": version,
            "zone": event.zone,
            "minutes": event.minutes,
            "currency": event.currency,
            "prices": json.dumps([_price_text(price) for price in event.prices]),
        }
        for (tenant_id, code, day, version), event in published.items()
    ]
    added = await insert_rows(
        tx, tables.price_day, rows, "ON CONFLICT DO NOTHING RETURNING tenant_id, code, day"
    )
    return [(row["tenant_id"], row["code"], row["day"]) for row in added]


def _price_text(price: Decimal | None) -> str | None:
    return None if price is None else format(price, "f")


# A version only ever loses days: an event from before its withdrawal, or of an end that was later,
# changes nothing, in whatever order they come. (As text 'withdrawn' is the greater status.)
_LOSE_DAYS = """
ON CONFLICT (tenant_id, id) DO UPDATE
   SET status = greatest(tariff_version.status, excluded.status),
       effective_to = least(tariff_version.effective_to, excluded.effective_to),
       name = excluded.name, code = excluded.code, region_id = excluded.region_id
 WHERE tariff_version.status = 'published'
   AND (excluded.status = 'withdrawn'
        OR tariff_version.effective_to IS DISTINCT FROM
           least(tariff_version.effective_to, excluded.effective_to))
    OR tariff_version.code IS NULL
RETURNING tenant_id, id
"""


async def upsert_versions(
    tx: WriteConnection, published: Mapping[Key, TariffPublished]
) -> list[Key]:
    """Store each version as it is now, and return those that are new or have changed."""
    rows = [
        {
            "tenant_id": tenant_id,
            "id": version_id,
            "tariff_id": event.tariff_id,
            "number": event.number,
            "status": event.status,
            "effective_from": event.effective_from,
            "effective_to": event.effective_to,
            "document": json.dumps(event.document),
            "name": event.name,
            "code": event.code,
            "region_id": event.region_id,
        }
        for (tenant_id, version_id), event in published.items()
    ]
    changed = await insert_rows(tx, tables.tariff_version, rows, _LOSE_DAYS)
    return [(row["tenant_id"], row["id"]) for row in changed]


_KEEP_NEWEST_METER = """
ON CONFLICT (tenant_id, id) DO UPDATE
   SET connected_kw = excluded.connected_kw, flows = excluded.flows, version = excluded.version,
       name = excluded.name, meter_type = excluded.meter_type,
       property_id = excluded.property_id, region_id = excluded.region_id
 WHERE meter.version < excluded.version
    OR meter.version = excluded.version AND meter.meter_type IS NULL
RETURNING tenant_id, id
"""


async def upsert_meters(
    tx: WriteConnection, registered: Mapping[Key, MeterRegistered]
) -> list[Key]:
    """Store the newest version of each meter, and return those that are new or have changed."""
    rows = [
        {
            "tenant_id": tenant_id,
            "id": meter_id,
            "connected_kw": event.connected_kw,
            "flows": json.dumps([channel.flow for channel in event.channels]),
            "version": event.version,
            "name": event.name,
            "meter_type": event.meter_type,
            "property_id": event.property_id,
            "region_id": event.region_id,
        }
        for (tenant_id, meter_id), event in registered.items()
    ]
    changed = await insert_rows(tx, tables.meter, rows, _KEEP_NEWEST_METER)
    return [(row["tenant_id"], row["id"]) for row in changed]
