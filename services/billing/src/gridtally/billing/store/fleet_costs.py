"""What a customer's fleet costs: its meters, what prices them, and what they used."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from gridtally.billing.domain.agreements import Agreement
from gridtally.billing.domain.fleet_costs.costs import FIRST_ON, ChannelDays
from gridtally.billing.domain.fleet_costs.devices import (
    Catalogue,
    FleetMeter,
    Region,
    RegionalVersion,
)
from gridtally.billing.domain.reference_data import ReferenceData
from gridtally.billing.domain.tariffs import InForce
from gridtally.billing.store.agreements import agreement_of
from gridtally.billing.store.derived_meters import fetch_network
from gridtally.billing.store.reference_data import with_prices
from gridtally.database import ReadConnection
from gridtally.database.rows import Row, from_row
from gridtally.kernel.periods import Period
from gridtally.metering.derived_meters import Network
from gridtally.rating.usage import ACTIVE_FLOWS, Flow

# The meters at the customer's sites, and those that ever had an agreement of the customer.
_METERS = """
WITH own AS (
    SELECT m.id, true AS is_own_site FROM site s
      JOIN meter m ON m.tenant_id = s.tenant_id AND m.property_id = s.id
     WHERE s.tenant_id = $1 AND s.customer_id = $2
    UNION ALL
    SELECT a.meter_id, false FROM agreement a WHERE a.tenant_id = $1 AND a.customer_id = $2)
SELECT k.id, coalesce(m.name, k.id::text) AS name, coalesce(m.meter_type, 'main') AS meter_type,
       m.property_id, m.region_id, k.is_own_site,
       EXISTS (SELECT FROM daily_usage u WHERE u.tenant_id = $1 AND u.meter_id = k.id
                  AND u.flow = 'import') AS is_measured
  FROM (SELECT id, bool_or(is_own_site) AS is_own_site FROM own GROUP BY id) k
  LEFT JOIN meter m ON m.tenant_id = $1 AND m.id = k.id
 ORDER BY k.id
"""
_AGREEMENTS = "SELECT * FROM agreement WHERE tenant_id = $1 AND meter_id = ANY($2)"
# From the meters' regions up, parent by parent.
_REGIONS = """
WITH RECURSIVE above AS (
    SELECT r.* FROM region r WHERE r.tenant_id = $1 AND r.id = ANY($2)
    UNION
    SELECT r.* FROM above a JOIN region r ON r.tenant_id = $1 AND r.id = a.parent_id)
SELECT id, name, kind, parent_id FROM above
"""
_VERSIONS = """
SELECT id AS version_id, tariff_id, code, region_id, number, effective_from, effective_to,
       document::text AS document
  FROM tariff_version
 WHERE tenant_id = $1 AND (tariff_id = ANY($2) OR region_id = ANY($3))
   AND status = 'published' AND effective_from < $5
   AND (effective_to IS NULL OR effective_to > $4)
"""


@dataclass(frozen=True, slots=True)
class Fleet:
    """The meters that may be devices, what prices their days, and the documents and prices that
    this names."""

    meters: Sequence[FleetMeter]
    catalogue: Catalogue
    known: ReferenceData


async def fetch_fleet(
    read: ReadConnection, tenant_id: str, customer_id: UUID, days: Period
) -> Fleet:
    """The customer's fleet, with all that prices it on these days."""
    meters = [
        from_row(FleetMeter, row) for row in await read.raw.fetch(_METERS, tenant_id, customer_id)
    ]
    own_ids = {meter.id for meter in meters}
    network = await fetch_network(
        read, tenant_id, [meter.id for meter in meters if meter.is_derived]
    )
    agreements: defaultdict[UUID, list[Agreement]] = defaultdict(list)
    for row in await read.raw.fetch(_AGREEMENTS, tenant_id, list(own_ids | network.flows.keys())):
        agreements[row["meter_id"]].append(agreement_of(row))
    near = {meter.region_id for meter in meters if meter.region_id is not None}
    regions = {
        row["id"]: from_row(Region, row)
        for row in await read.raw.fetch(_REGIONS, tenant_id, list(near))
    }
    tariffs = {own.tariff_id for meter_id in own_ids for own in agreements.get(meter_id, ())}
    rows = await read.raw.fetch(
        _VERSIONS, tenant_id, list(tariffs), list(near | regions.keys()), days.start_on, days.end_on
    )
    known = ReferenceData(
        agreements={},
        meters={},
        currencies={},
        versions={},
        documents={(tenant_id, row["version_id"]): row["document"] for row in rows},
    )
    return Fleet(
        meters,
        _catalogue(customer_id, agreements, tariffs, regions, network, rows),
        await with_prices(read, known, days.start_on, days.end_on),
    )


def _catalogue(
    customer_id: UUID,
    agreements: dict[UUID, list[Agreement]],
    tariffs: Collection[UUID],
    regions: dict[UUID, Region],
    network: Network,
    rows: Sequence[Row],
) -> Catalogue:
    agreed: defaultdict[UUID, list[InForce]] = defaultdict(list)
    regional: defaultdict[UUID, list[RegionalVersion]] = defaultdict(list)
    for row in rows:
        version = from_row(InForce, row)
        if row["tariff_id"] in tariffs:
            agreed[row["tariff_id"]].append(version)
        if row["region_id"] is not None:
            offer = RegionalVersion(row["tariff_id"], row["code"] or "", version)
            regional[row["region_id"]].append(offer)
    return Catalogue(customer_id, agreements, agreed, regional, regions, network)


# One row for each meter, flow and length of days instead of one for each day: a year of a thousand
# meters are some 2 000 rows then, and no Python runs per day. Both aggregates are in one order.
_USAGE = """
SELECT meter_id, flow, zone, minutes, octet_length(energy) AS day_bytes,
       string_agg(int4send(day - $5::date), ''::bytea ORDER BY day) AS days,
       string_agg(energy, ''::bytea ORDER BY day) AS energy
  FROM daily_usage
 WHERE tenant_id = $1 AND meter_id = ANY($2) AND day >= $3 AND day < $4
   AND flow = ANY($6)
 GROUP BY meter_id, flow, zone, minutes, octet_length(energy)
"""


async def fetch_usage(
    read: ReadConnection,
    tenant_id: str,
    meter_ids: Collection[UUID],
    days: Period,
    flows: Collection[Flow] = ACTIVE_FLOWS,
) -> list[ChannelDays]:
    """All that was recorded of these meters' flows on these days."""
    rows = await read.raw.fetch(
        _USAGE, tenant_id, list(meter_ids), days.start_on, days.end_on, FIRST_ON, list(flows)
    )
    return [
        ChannelDays(
            row["meter_id"],
            row["flow"],
            row["zone"],
            row["minutes"],
            np.frombuffer(row["days"], ">i4").astype(np.int64),
            np.frombuffer(row["energy"], "<i4").reshape(-1, row["day_bytes"] // 4),
        )
        for row in rows
    ]
