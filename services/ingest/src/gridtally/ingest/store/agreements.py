"""Copies of agreements, as `agreement.changed` published them, and how far each is planned."""

from collections.abc import Collection, Sequence
from datetime import date

from pydantic import TypeAdapter

from gridtally.database import WriteConnection
from gridtally.database.rows import as_row, columns_of, from_row, insert_rows
from gridtally.ingest.domain.agreements import Agreement, AgreementKey
from gridtally.ingest.domain.local_days import OLDEST_ON
from gridtally.ingest.domain.periods import UnplannedAgreement
from gridtally.ingest.tables import agreement as table
from gridtally.kernel.billing_calendars import Calendars

_CALENDARS = TypeAdapter(Calendars)
_KEEP_NEWEST = """
ON CONFLICT (tenant_id, id) DO UPDATE
   SET meter_id = excluded.meter_id, start_on = excluded.start_on, end_on = excluded.end_on,
       closing = excluded.closing, grace_hours = excluded.grace_hours,
       version = excluded.version, planned_until = excluded.planned_until,
       calendars = excluded.calendars
 WHERE agreement.version < excluded.version
RETURNING tenant_id, id
"""


async def upsert_agreements(
    tx: WriteConnection, agreements: Sequence[Agreement]
) -> list[AgreementKey]:
    """Store the newest version of each agreement (one per agreement), with nothing planned yet.

    Returns the keys of those that are new or have changed.
    """
    rows = [
        as_row(
            agreement,
            table,
            planned_until=OLDEST_ON,
            calendars=_CALENDARS.dump_json(agreement.calendars).decode(),
        )
        for agreement in agreements
    ]
    changed = await insert_rows(tx, table, rows, _KEEP_NEWEST)
    return [(row["tenant_id"], row["id"]) for row in changed]


async def delete_agreements(tx: WriteConnection, keys: Collection[AgreementKey]) -> None:
    """Delete agreements."""
    await tx.raw.execute(
        "DELETE FROM agreement a USING unnest($1::text[], $2::uuid[]) AS k (tenant_id, id) "
        "WHERE a.tenant_id = k.tenant_id AND a.id = k.id",
        *columns_of(keys, 2),
    )


# Without its meter an agreement cannot be planned, since only the meter has the zone; it stays due.
_LOCK_UNPLANNED = """
SELECT a.tenant_id, a.id, a.meter_id, a.start_on, a.end_on, m.zone, a.calendars
  FROM agreement a JOIN meter m ON m.tenant_id = a.tenant_id AND m.id = a.meter_id
 WHERE a.planned_until < $1 AND (a.end_on IS NULL OR a.planned_until < a.end_on)
 ORDER BY a.planned_until LIMIT $2 FOR UPDATE OF a SKIP LOCKED
"""


async def lock_unplanned(
    tx: WriteConnection, horizon_on: date, agreements_max: int
) -> list[UnplannedAgreement]:
    """Agreements of known meters that are not planned up to the horizon, each locked."""
    return [
        from_row(
            UnplannedAgreement,
            row,
            agreement_id=row["id"],
            calendars=_CALENDARS.validate_python(row["calendars"]),
        )
        for row in await tx.raw.fetch(_LOCK_UNPLANNED, horizon_on, agreements_max)
    ]


_MARK_PLANNED = """
UPDATE agreement a SET planned_until = $3
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
 WHERE a.tenant_id = k.tenant_id AND a.id = k.id
"""


async def mark_planned(
    tx: WriteConnection, agreements: Sequence[UnplannedAgreement], horizon_on: date
) -> None:
    """Their periods are planned up to the horizon."""
    keys = [(agreement.tenant_id, agreement.agreement_id) for agreement in agreements]
    await tx.raw.execute(_MARK_PLANNED, *columns_of(keys, 2), horizon_on)
