"""Published versions as what customers may try."""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from gridtally.billing.domain.offers import Offer
from gridtally.billing.domain.tariffs import InForce
from gridtally.database import ReadConnection
from gridtally.database.rows import from_row

# By code or by id: those that are offered, and those that the customer has.
_VERSIONS = """
SELECT tariff_id, code, coalesce(name, code, tariff_id::text) AS name,
       document ->> 'currency' AS currency, id AS version_id, number, effective_from, effective_to
  FROM tariff_version
 WHERE tenant_id = $1 AND status = 'published' AND (
       (code = ANY($2) AND effective_from <= $3 AND (effective_to IS NULL OR effective_to > $3))
       OR id = ANY($4))
 ORDER BY tariff_id, number
"""


# Of the meters at the customer's sites, and of its agreements, the one that was read last.
_ZONE = """
WITH own AS (
    SELECT m.id FROM site s
      JOIN meter m ON (m.tenant_id, m.property_id) = (s.tenant_id, s.id)
     WHERE (s.tenant_id, s.customer_id) = ($1, $2)
    UNION
    SELECT a.meter_id FROM agreement a WHERE (a.tenant_id, a.customer_id) = ($1, $2))
SELECT u.zone FROM own
 CROSS JOIN LATERAL (SELECT d.zone, d.day FROM daily_usage d
                      WHERE d.tenant_id = $1 AND d.meter_id = own.id
                      ORDER BY d.day DESC LIMIT 1) AS u
 ORDER BY u.day DESC, u.zone LIMIT 1
"""


async def fetch_customers_zone(
    read: ReadConnection, tenant_id: str, customer_id: UUID
) -> str | None:
    """The zone of the last day of which a meter of the customer has usage."""
    zone: str | None = await read.raw.fetchval(_ZONE, tenant_id, customer_id)
    return zone


async def fetch_versions(
    read: ReadConnection,
    tenant_id: str,
    codes: Collection[str],
    day: date,
    version_ids: Collection[UUID],
) -> list[Offer]:
    """Versions in force on a day of the tariffs of these codes, and the versions of these ids."""
    rows = await read.raw.fetch(_VERSIONS, tenant_id, list(codes), day, list(version_ids))
    return [
        Offer(
            row["tariff_id"], row["code"] or "", row["name"], row["currency"],
            from_row(InForce, row),
        )
        for row in rows
    ]  # fmt: skip
