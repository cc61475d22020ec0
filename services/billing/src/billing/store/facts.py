"""Copies of facts: what a batch needs to know, and what others published, stored.

Owns the lock between those who bill and those who bring facts.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from billing.domain.facts import Facts, Key, Meter
from billing.domain.prices import PriceDay, SeriesKey, copied_series
from billing.domain.tariffs import InForce
from billing.store.agreements import agreement_of
from billing.store.rows import columns_of, insert_rows
from billing.tables import meter, price_day, tariff_version
from contracts.catalogue import PricesPublished
from contracts.commerce import TariffPublished
from contracts.metering import MeterRegistered
from database import ReadConnection, WriteConnection
from kernel.periods import ONE_DAY

FACTS_LOCK = 7_104_301
"""Shared by all who read facts to bill, exclusive to who changes them: so a period or a day
either sees a new fact, or is seen waiting by whoever brings it."""

PriceKey = tuple[str, str, date, int]
"""Tenant, code of the series, local day and version."""

_AGREEMENTS = """
SELECT a.*, (SELECT currency FROM customer c
              WHERE c.tenant_id = a.tenant_id AND c.id = a.customer_id) AS currency
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
  JOIN agreement a USING (tenant_id, id)
"""
_AGREEMENTS_OF_METERS = """
SELECT a.*, (SELECT currency FROM customer c
              WHERE c.tenant_id = a.tenant_id AND c.id = a.customer_id) AS currency
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, meter_id)
  JOIN agreement a USING (tenant_id, meter_id)
"""
"""A join with the customers would tempt the planner to pair all of a tenant first."""
_METERS = """
SELECT m.* FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
  JOIN meter m USING (tenant_id, id)
"""
_VERSIONS = """
SELECT v.tenant_id, v.id, v.tariff_id, v.number, v.effective_from, v.effective_to,
       v.document::text AS document
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, tariff_id)
  JOIN tariff_version v USING (tenant_id, tariff_id)
 WHERE v.status = 'published' AND v.effective_from < $4
   AND (v.effective_to IS NULL OR v.effective_to > $3)
"""
_PRICES = """
SELECT DISTINCT ON (p.tenant_id, p.code, p.day) p.*
  FROM unnest($1::text[], $2::text[]) AS k (tenant_id, code)
  JOIN price_day p USING (tenant_id, code)
 WHERE p.day BETWEEN $3 AND $4
 ORDER BY p.tenant_id, p.code, p.day, p.version DESC
"""
_LOCK_AGREEMENTS = """
SELECT 1 FROM agreement a JOIN unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
 USING (tenant_id, id) ORDER BY tenant_id, id FOR NO KEY UPDATE OF a
"""
_LOCK_SHARED = "SELECT pg_advisory_xact_lock_shared($1)"
_LOCK = "SELECT pg_advisory_xact_lock($1)"


async def lock_facts_to_read(tx: WriteConnection) -> None:
    """Nobody changes facts until this transaction ends; others may read them too."""
    await tx.raw.execute(_LOCK_SHARED, FACTS_LOCK)


async def lock_facts_to_change(tx: WriteConnection) -> None:
    """Wait until nobody bills, and let nobody begin until this transaction ends."""
    await tx.raw.execute(_LOCK, FACTS_LOCK)


async def lock_agreements(tx: WriteConnection, agreements: Collection[Key]) -> None:
    """Nobody else bills or changes these agreements until this transaction ends.

    The first lock on the way to a period: its row and its predecessor's come after.
    """
    await tx.raw.execute(_LOCK_AGREEMENTS, *columns_of(agreements, 2))


async def fetch_facts(
    tx: WriteConnection,
    agreements: Collection[Key],
    meters: Collection[Key],
    start_on: date,
    end_on: date,
) -> Facts:
    """What is known of these agreements and meters, and of tariffs from start to end."""
    rows = await tx.raw.fetch(_AGREEMENTS, *columns_of(agreements, 2))
    found = await tx.raw.fetch(_METERS, *columns_of(meters, 2))
    return await _with_versions(
        tx,
        rows,
        start_on,
        end_on,
        meters={
            (row["tenant_id"], row["id"]): Meter(row["connected_kw"], frozenset(row["flows"]))
            for row in found
        },
    )


async def fetch_facts_of_meters(
    read: ReadConnection, meters: Collection[Key], start_on: date, end_on: date
) -> Facts:
    """All agreements of these meters, and their tariffs from start to end."""
    rows = await read.raw.fetch(_AGREEMENTS_OF_METERS, *columns_of(meters, 2))
    return await _with_versions(read, rows, start_on, end_on, meters={})


async def _with_versions(
    read: ReadConnection,
    agreements: Sequence[Any],
    start_on: date,
    end_on: date,
    meters: Mapping[Key, Meter],
) -> Facts:
    tariffs = {(row["tenant_id"], row["tariff_id"]) for row in agreements}
    rows = await read.raw.fetch(_VERSIONS, *columns_of(tariffs, 2), start_on, end_on)
    versions: defaultdict[Key, list[InForce]] = defaultdict(list)
    for row in rows:
        versions[row["tenant_id"], row["tariff_id"]].append(
            InForce(row["id"], row["number"], row["effective_from"], row["effective_to"])
        )
    return Facts(
        agreements={(row["tenant_id"], row["id"]): agreement_of(row) for row in agreements},
        meters=meters,
        currencies={(row["tenant_id"], row["customer_id"]): row["currency"] for row in agreements},
        versions=versions,
        documents={(row["tenant_id"], row["id"]): row["document"] for row in rows},
    )


async def with_prices(read: ReadConnection, known: Facts, start_on: date, end_on: date) -> Facts:
    """The facts with the prices that their tariffs need, from start to end."""
    wanted = known.series_named()
    if not wanted:
        return known
    rows = await read.raw.fetch(
        _PRICES, *columns_of(wanted, 2), start_on - ONE_DAY, end_on + ONE_DAY
    )
    days: defaultdict[SeriesKey, list[PriceDay]] = defaultdict(list)
    for row in rows:
        days[row["tenant_id"], row["code"]].append(price_day_of(row))
    return replace(known, prices={key: copied_series(several) for key, several in days.items()})


def price_day_of(row: Any) -> PriceDay:
    """A day's prices from their row."""
    prices = [None if price is None else Decimal(price) for price in row["prices"]]
    return PriceDay(
        row["day"], row["zone"], row["minutes"], row["currency"], row["version"], prices
    )


async def insert_prices(
    tx: WriteConnection, published: Mapping[PriceKey, PricesPublished]
) -> list[tuple[str, str, date]]:
    """Keep every version of each day's prices; the days that are new or have changed."""
    rows = await insert_rows(
        tx,
        price_day,
        [
            (
                tenant_id,
                code,
                day,
                version,
                event.zone,
                event.minutes,
                event.currency,
                json.dumps([None if p is None else format(p, "f") for p in event.prices]),
            )
            for (tenant_id, code, day, version), event in published.items()
        ],
        "ON CONFLICT DO NOTHING RETURNING tenant_id, code, day",
    )
    return [(row["tenant_id"], row["code"], row["day"]) for row in rows]


async def upsert_versions(
    tx: WriteConnection, published: Mapping[Key, TariffPublished]
) -> list[Key]:
    """Keep each version as it is now; those that are new or have changed.

    A version only ever loses days, so an event from before its withdrawal changes nothing.
    """
    changed = await insert_rows(
        tx,
        tariff_version,
        [
            (
                tenant_id,
                version_id,
                event.tariff_id,
                event.number,
                event.status,
                event.effective_from,
                event.effective_to,
                json.dumps(event.document),
            )
            for (tenant_id, version_id), event in published.items()
        ],
        "ON CONFLICT (tenant_id, id) DO UPDATE "
        "SET status = excluded.status, "
        "effective_to = least(tariff_version.effective_to, excluded.effective_to) "
        "WHERE tariff_version.status = 'published' AND (excluded.status = 'withdrawn' OR "
        "tariff_version.effective_to IS DISTINCT FROM "
        "least(tariff_version.effective_to, excluded.effective_to)) "
        "RETURNING tenant_id, id",
    )
    return [(row["tenant_id"], row["id"]) for row in changed]


async def upsert_meters(
    tx: WriteConnection, registered: Mapping[Key, MeterRegistered]
) -> list[Key]:
    """Keep the newest word on each meter; those that are new or have changed."""
    changed = await insert_rows(
        tx,
        meter,
        [
            (
                tenant_id,
                meter_id,
                event.connected_kw,
                json.dumps([channel.flow for channel in event.channels]),
                event.version,
            )
            for (tenant_id, meter_id), event in registered.items()
        ],
        "ON CONFLICT (tenant_id, id) DO UPDATE "
        "SET connected_kw = excluded.connected_kw, flows = excluded.flows, "
        "version = excluded.version WHERE meter.version < excluded.version "
        "RETURNING tenant_id, id",
    )
    return [(row["tenant_id"], row["id"]) for row in changed]
