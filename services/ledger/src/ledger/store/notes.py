"""Notes that an invoice was voided; the books know it by its credit note."""

from collections.abc import Sequence

from database import WriteConnection
from ledger.domain.booking import VoidNote

_INSERT = """
INSERT INTO invoice_note (tenant_id, invoice_id, credit_note_id, reference, reason, voided_at)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::text[],
                     $6::timestamptz[])
ON CONFLICT DO NOTHING
"""


async def insert_notes(tx: WriteConnection, notes: Sequence[VoidNote]) -> None:
    """Keep each note once."""
    await tx.raw.execute(
        _INSERT,
        [note.tenant_id for note in notes],
        [note.invoice_id for note in notes],
        [note.credit_note_id for note in notes],
        [note.reference for note in notes],
        [note.reason for note in notes],
        [note.voided_at for note in notes],
    )
