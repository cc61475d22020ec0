"""Copies of billing's agreements: which meters are billed, and until when."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from gridtally.contracts.commerce import AgreementChanged
from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import columns_of, from_row, insert_rows
from gridtally.ledger.registry.domain.agreements import MeterAgreement
from gridtally.ledger.registry.tables import meter_agreement
from gridtally.messaging import ResourceKey

_KEEP_NEWEST = """
ON CONFLICT (tenant_id, id) DO UPDATE
   SET meter_id = excluded.meter_id, start_on = excluded.start_on, end_on = excluded.end_on,
       version = excluded.version, customer_id = excluded.customer_id
 WHERE meter_agreement.version < excluded.version
"""


async def upsert_agreements(
    tx: WriteConnection, changed: Mapping[ResourceKey, AgreementChanged]
) -> None:
    """Store each agreement, unless a newer version of it is stored."""
    rows = [
        {
            "tenant_id": tenant_id,
            "id": agreement_id,
            "meter_id": event.meter_id,
            "start_on": event.start_on,
            "end_on": event.end_on,
            "version": event.version,
            "customer_id": event.customer_id,
        }
        for (tenant_id, agreement_id), event in sorted(changed.items())
    ]
    await insert_rows(tx, meter_agreement, rows, _KEEP_NEWEST)


_DELETE = """
DELETE FROM meter_agreement a USING unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
 WHERE (a.tenant_id, a.id) = (k.tenant_id, k.id)
"""


async def delete_agreements(tx: WriteConnection, keys: Collection[ResourceKey]) -> None:
    """Forget agreements that were deleted."""
    await tx.raw.execute(_DELETE, *columns_of(sorted(keys), 2))


_OF_METERS = """
SELECT id, meter_id, start_on, end_on FROM meter_agreement
 WHERE tenant_id = $1 AND meter_id = ANY($2::uuid[])
"""


async def fetch_agreements_of(
    read: ReadConnection, tenant_id: str, meter_ids: Sequence[UUID]
) -> list[MeterAgreement]:
    """All agreements that bill one of these meters, or did."""
    rows = await read.raw.fetch(_OF_METERS, tenant_id, list(meter_ids))
    return [from_row(MeterAgreement, row) for row in rows]
