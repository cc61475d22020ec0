"""Credits by hand are given again on the invoices of corrections, in the same transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from gridtally.billing.domain.credit_notes import CreditNote
from gridtally.billing.domain.customers import ZERO, Issue
from gridtally.billing.domain.invoices import Invoice, series_of
from gridtally.billing.domain.periods import BilledPeriod, PeriodKey
from gridtally.billing.domain.repeated_credits import Billed, repeat_credits
from gridtally.billing.events.invoices import credit_note_issued
from gridtally.billing.store import balances, credit_notes, given_credits, numbers
from gridtally.billing.store.evidence import fetch_versions
from gridtally.database import ReadConnection, WriteConnection
from gridtally.messaging import OutgoingMessage

Reissued = Sequence[tuple[Invoice, Invoice, Sequence[Invoice]]]
"""Collective invoices that take another's place: that one, and the new one with its sections."""


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
    given = await given_credits.fetch_given_credits(tx, list(corrected))
    notes = [
        note
        for key, billed in corrected.items()
        if key in given
        for note in repeat_credits(
            given[key],
            issued[key],
            [issued[key]],
            {part.version.id: part.version for part in billed.billable.parts},
            now,
        )
    ]
    return await _issue(tx, notes, now)


async def issue_repeated_on_collective(
    tx: WriteConnection, reissued: Reissued, now: datetime
) -> list[OutgoingMessage]:
    """The same on collective invoices."""
    return await _issue(tx, await _repeated_on_collective(tx, reissued, now), now)


# Of an invoice that is divided, each credit is given again on the first one that has anything left.
async def _repeated_on_collective(
    read: ReadConnection, reissued: Reissued, now: datetime
) -> list[CreditNote]:
    bills_of: dict[tuple[str, UUID], set[Billed]] = {}
    for replaced, _, bills in reissued:
        of_invoice = bills_of.setdefault((replaced.tenant_id, replaced.id), set())
        of_invoice |= {(bill.agreement_id, bill.start_on) for bill in bills}
    given = await given_credits.fetch_given_on_collective(read, bills_of)
    notes: list[CreditNote] = []
    for replaced, invoice, bills in reissued:
        key = replaced.tenant_id, replaced.id
        repeated = {note.repeats for note in notes}
        left = [own for own in given.get(key, ()) if own.note_id not in repeated]
        if left:
            ids = {line.item.tariff_version_id for line in invoice.lines}
            versions = await fetch_versions(read, invoice.tenant_id, ids)
            notes += repeat_credits(left, invoice, bills, versions, now)
    return notes


async def _issue(
    tx: WriteConnection, unnumbered: Sequence[CreditNote], now: datetime
) -> list[OutgoingMessage]:
    if not unnumbered:
        return []
    tenants = [note.tenant_id for note in unnumbered]
    taken = await numbers.take_numbers(tx, series_of("CN", now), tenants)
    notes = [replace(note, number=number) for note, number in zip(unnumbered, taken, strict=True)]
    await credit_notes.insert_credit_notes(tx, notes)
    await balances.add_issued(
        tx,
        [
            Issue((note.tenant_id, note.customer_id, note.currency), ZERO, note.total)
            for note in notes
        ],
    )
    return [message for note in notes for message in credit_note_issued(note)]
