"""Closed periods become invoices; what cannot be billed yet is held and tried again.

Every period is billed under the lock of its row, once per revision; a newer revision credits the
invoice of the older one. Numbers are taken last, so their counter is locked for a short time.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from billing import wire
from billing.domain.invoices import CreditNote, Invoice, credit, issue, series_of
from billing.domain.periods import (
    Billed,
    ClosedPeriod,
    Held,
    bill_periods,
    invoice_id,
    rounds,
)
from billing.store import facts, invoices, periods
from contracts.metering import PeriodClosed
from database import WriteConnection
from messaging import Received, enqueue

RETRY_PERIODS_MAX = 250
"""Held periods that are tried again in one transaction."""


async def bill_closed_periods(
    tx: WriteConnection, messages: Sequence[Received[PeriodClosed]], now: datetime
) -> None:
    """Make the invoice of each message's period, unless it has come before."""
    await facts.lock_facts_to_read(tx)
    closed = [wire.closed_period(message) for message in messages]
    for several in rounds(closed):
        await _settle(tx, await periods.lock_newer(tx, several), now)


async def retry_held_periods(tx: WriteConnection, now: datetime) -> int:
    """Try those held periods again that a fact has arrived for; how many there were."""
    await facts.lock_facts_to_read(tx)
    rows = await periods.lock_due(tx, RETRY_PERIODS_MAX)
    await _settle(tx, [_held_before(row) for row in rows], now)
    return len(rows)


def _held_before(row: Any) -> ClosedPeriod:
    event = PeriodClosed.model_validate_json(row["event"])
    return wire.read_closed_period(
        event, row["event"], tenant_id=row["tenant_id"], correlation_id=row["correlation_id"]
    )


async def _settle(tx: WriteConnection, locked: Sequence[ClosedPeriod], now: datetime) -> None:
    """Issue or hold each of the periods, whose rows are locked."""
    if not locked:
        return
    known = await facts.fetch_facts(
        tx,
        agreements={(closed.tenant_id, closed.agreement_id) for closed in locked},
        meters={(closed.tenant_id, closed.meter_id) for closed in locked},
        start_on=min(closed.period.start_on for closed in locked),
        end_on=max(closed.period.end_on for closed in locked),
    )
    results = bill_periods(locked, known)
    await periods.upsert_held(tx, [one for one in results if isinstance(one, Held)], now)
    await _issue(tx, [one for one in results if isinstance(one, Billed)], now)


async def _issue(tx: WriteConnection, billed: Sequence[Billed], now: datetime) -> None:
    if not billed:
        return
    replaced = await _replaced(tx, billed)
    await periods.update_invoiced(tx, [one.closed.key for one in billed])
    await invoices.insert_lines(tx, {one.invoice_key: one.bill.lines for one in billed})
    await invoices.insert_evidence(tx, billed)

    notes = await _credit(tx, replaced, now)
    tenants = [one.closed.tenant_id for one in billed]
    numbers = await invoices.take_numbers(tx, series_of("INV", now), tenants)
    issued = [issue(one, number, now) for one, number in zip(billed, numbers, strict=True)]
    await invoices.insert_invoices(tx, issued)
    events = [event for note in notes for event in wire.credit_note_issued(note)]
    await enqueue(tx, [*events, *map(wire.invoice_issued, issued)])


async def _replaced(tx: WriteConnection, billed: Sequence[Billed]) -> list[tuple[Invoice, Billed]]:
    """The live invoices of older revisions, each with what takes its place."""
    revisions = await periods.fetch_invoiced_revisions(tx, [one.closed.key for one in billed])
    old = {key: (key[0], invoice_id(key, revision)) for key, revision in revisions.items()}
    found = await invoices.fetch_invoices(tx, list(old.values()))
    return [(found[old[one.closed.key]], one) for one in billed if one.closed.key in old]


async def _credit(
    tx: WriteConnection, replaced: Sequence[tuple[Invoice, Billed]], now: datetime
) -> list[CreditNote]:
    tenants = [old.tenant_id for old, _ in replaced]
    numbers = await invoices.take_numbers(tx, series_of("CN", now), tenants)
    notes = [
        credit(old, number, new, now) for (old, new), number in zip(replaced, numbers, strict=True)
    ]
    await invoices.insert_credit_notes(tx, notes)
    return notes
