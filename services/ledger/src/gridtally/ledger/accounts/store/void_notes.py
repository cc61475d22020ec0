"""Notes that an invoice was voided, as rows."""

from collections.abc import Sequence

from gridtally.database import WriteConnection
from gridtally.database.rows import as_row, insert_rows
from gridtally.ledger.accounts import tables
from gridtally.ledger.accounts.domain.void_notes import VoidNote


async def insert_void_notes(tx: WriteConnection, notes: Sequence[VoidNote]) -> None:
    """Store each note once; one that is there already changes nothing."""
    rows = [as_row(note, tables.invoice_note) for note in notes]
    await insert_rows(tx, tables.invoice_note, rows, "ON CONFLICT DO NOTHING")
