"""Credits by hand are given again on the invoices of corrections, in the same transaction."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from gridtally.billing.domain.customers import ZERO, Issue
from gridtally.billing.domain.invoices import Invoice, series_of
from gridtally.billing.domain.periods import BilledPeriod, PeriodKey
from gridtally.billing.domain.repeated_credits import repeat_credits
from gridtally.billing.events.invoices import credit_note_issued
from gridtally.billing.store import balances, credit_notes, numbers
from gridtally.database import WriteConnection
from gridtally.messaging import OutgoingMessage


async def issue_repeated_credits(
    tx: WriteConnection,
    corrected: Mapping[PeriodKey, BilledPeriod],
    issued: Mapping[PeriodKey, Invoice],
    now: datetime,
) -> list[OutgoingMessage]:
    """Store the notes that give again, on the invoices of `corrected` periods, what was credited by
    hand on earlier ones; return their messages, which follow those of the invoices.

    The agreements are locked, and numbers of invoices are taken.
    """
    given = await credit_notes.fetch_given_credits(tx, list(corrected))
    notes = [
        note
        for key, billed in corrected.items()
        if key in given
        for note in repeat_credits(
            given[key],
            issued[key],
            {part.version.id: part.version for part in billed.billable.parts},
            now,
        )
    ]
    if not notes:
        return []
    tenants = [note.tenant_id for note in notes]
    note_numbers = await numbers.take_numbers(tx, series_of("CN", now), tenants)
    notes = [replace(note, number=number) for note, number in zip(notes, note_numbers, strict=True)]
    await credit_notes.insert_credit_notes(tx, notes)
    await balances.add_issued(
        tx,
        [
            Issue((note.tenant_id, note.customer_id, note.currency), ZERO, note.total)
            for note in notes
        ],
    )
    return [message for note in notes for message in credit_note_issued(note)]
