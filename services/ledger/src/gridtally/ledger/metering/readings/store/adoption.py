"""Storing entries that were published before a restore; those that are known stay."""

from collections.abc import Sequence

from gridtally.contracts.metering import ReadingRecorded
from gridtally.database import WriteConnection
from gridtally.database.rows import insert_rows
from gridtally.ledger.metering.readings.tables import reading_entry

NOTE_UNKNOWN = ""
"""Notes are in no event."""
_KEEP_KNOWN = "ON CONFLICT (tenant_id, id) DO NOTHING"


async def adopt_entries(
    tx: WriteConnection, entries: Sequence[tuple[str, str, ReadingRecorded]]
) -> None:
    """Insert entries, each with its tenant and correlation id."""
    rows = [
        {
            "tenant_id": tenant_id,
            "id": event.entry_id,
            "reading_id": event.reading_id,
            "version": event.version,
            "supersedes_id": event.supersedes_id,
            "meter_id": event.meter_id,
            "property_id": event.property_id,
            "flow": event.flow,
            "kind": event.kind,
            "exchange_id": event.exchange_id,
            "value": event.value,
            "digits": event.digits,
            "decimals": event.decimals,
            "multiplier": event.multiplier,
            "rollover_kwh": event.rollover_kwh,
            "quality": event.quality,
            "note": NOTE_UNKNOWN,
            "read_at": event.read_at,
            "created_at": event.recorded_at,
            "correlation_id": correlation_id,
        }
        for tenant_id, correlation_id, event in entries
    ]
    await insert_rows(tx, reading_entry, rows, _KEEP_KNOWN)
