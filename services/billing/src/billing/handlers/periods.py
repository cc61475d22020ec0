"""Closed periods become invoices; what cannot be billed yet is held and tried again.

Every period is billed under the lock of its agreement and its row, once per revision; a newer
revision credits the invoice of the older one. Where bills hand something on, a period waits for the
one before it, and is restated when that one is corrected. Numbers are taken last, so their counter
is locked for a short time.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from billing import wire
from billing.domain.invoices import Account, CreditNote, Invoice, credit, issue, series_of
from billing.domain.periods import (
    Billable,
    Billed,
    ClosedPeriod,
    Held,
    Invoiced,
    PeriodKey,
    bill_periods,
    invoice_id,
    rounds,
    with_facts,
)
from billing.store import facts, invoices, periods
from billing.store.accounts import fetch_accounts
from contracts.metering import PeriodClosed
from database import WriteConnection
from messaging import Received, enqueue
from rating.state import read_state

RETRY_PERIODS_MAX = 250
"""Held periods that are tried again in one transaction."""


async def bill_closed_periods(
    tx: WriteConnection, messages: Sequence[Received[PeriodClosed]], now: datetime
) -> None:
    """Make the invoice of each message's period, unless it has come before."""
    await facts.lock_facts_to_read(tx)
    closed = [wire.closed_period(message) for message in messages]
    await facts.lock_agreements(tx, {(one.tenant_id, one.agreement_id) for one in closed})
    for several in rounds(closed):
        await _settle(tx, await periods.lock_newer(tx, several), now)


async def retry_held_periods(tx: WriteConnection, now: datetime) -> int:
    """Try those held periods again that a fact has arrived for; how many there were."""
    await facts.lock_facts_to_read(tx)
    due = await periods.fetch_due(tx, RETRY_PERIODS_MAX)
    await facts.lock_agreements(tx, {(tenant_id, agreement) for tenant_id, agreement, _ in due})
    rows = await periods.lock_due(tx, due)
    for several in rounds([wire.held_before(row) for row in rows]):
        await _settle(tx, several, now)
    return len(rows)


async def _settle(tx: WriteConnection, locked: Sequence[ClosedPeriod], now: datetime) -> None:
    """Issue or hold each of the periods, whose rows are locked."""
    if not locked:
        return
    start_on = min(closed.period.start_on for closed in locked)
    end_on = max(closed.period.end_on for closed in locked)
    known = await facts.fetch_facts(
        tx,
        agreements={(closed.tenant_id, closed.agreement_id) for closed in locked},
        meters={(closed.tenant_id, closed.meter_id) for closed in locked},
        start_on=start_on,
        end_on=end_on,
    )
    known = await facts.with_prices(tx, known, start_on, end_on)
    found = with_facts(locked, known)
    following = [one for one in found if isinstance(one, Billable) and one.follows]
    before = await periods.fetch_predecessors(tx, [one.closed.key for one in following])
    invoiced = await periods.fetch_invoiced(tx, [closed.key for closed in locked])
    results = bill_periods(found, before, invoiced)
    await periods.upsert_held(tx, [one for one in results if isinstance(one, Held)], now)
    billed = [one for one in results if isinstance(one, Billed)]
    if billed:
        await _issue(tx, billed, await _replaced(tx, billed, invoiced), now)


async def _issue(
    tx: WriteConnection,
    results: Sequence[Billed],
    replaced: Mapping[PeriodKey, Invoice],
    now: datetime,
) -> None:
    await periods.release(tx, [one.closed.key for one in results])
    same = [one for one in results if _says_the_same(one, replaced.get(one.closed.key))]
    await periods.update_states(tx, same)
    billed = [one for one in results if one not in same]
    await periods.update_invoiced(tx, billed)
    await invoices.insert_lines(tx, {one.invoice_key: one.bill.lines for one in billed})
    await invoices.insert_evidence(tx, billed)

    old = [(replaced[one.closed.key], one) for one in billed if one.closed.key in replaced]
    notes = await _credit(tx, old, now)
    tenants = [one.closed.tenant_id for one in billed]
    numbers = await invoices.take_numbers(tx, series_of("INV", now), tenants)
    accounts = await _accounts(tx, billed, replaced)
    issued = [
        issue(one, number, account, now)
        for one, number, account in zip(billed, numbers, accounts, strict=True)
    ]
    await invoices.insert_invoices(tx, issued)
    events = [event for note in notes for event in wire.credit_note_issued(note)]
    await enqueue(tx, [*events, *map(wire.invoice_issued, issued)])
    await _hand_on(tx, results, now)


async def _accounts(
    tx: WriteConnection, billed: Sequence[Billed], replaced: Mapping[PeriodKey, Invoice]
) -> list[Account]:
    """What each customer's account holds; for an invoice that takes the place of another, what it
    held before that one, which it may hold by now."""
    wanted = [(one.closed.tenant_id, one.billable.agreement.customer_id) for one in billed]
    known = await fetch_accounts(tx, wanted)
    return [
        replaced[one.closed.key].account
        if one.closed.key in replaced
        else known.get((*customer, one.bill.currency), Account())
        for one, customer in zip(billed, wanted, strict=True)
    ]


def _says_the_same(one: Billed, old: Invoice | None) -> bool:
    """Whether a restatement would only repeat the invoice that is there."""
    return old is not None and one.restatement > 0 and tuple(old.lines) == one.bill.lines


async def _replaced(
    tx: WriteConnection, billed: Sequence[Billed], invoiced: Mapping[PeriodKey, Invoiced]
) -> dict[PeriodKey, Invoice]:
    old = {
        key: (key[0], invoice_id(key, invoiced[key].revision, invoiced[key].restatement))
        for key in (one.closed.key for one in billed)
        if key in invoiced
    }
    found = await invoices.fetch_invoices(tx, list(old.values()))
    return {key: found[wanted] for key, wanted in old.items()}


async def _hand_on(tx: WriteConnection, billed: Sequence[Billed], now: datetime) -> None:
    """Take up the periods that follow: held ones now, invoiced ones where their state differs.

    An invoice rests on another state also when its period was rated from a later one that came to
    the same lines: what the period hands on is then not what its evidence says.
    """
    causes = {one.next_key: one for one in billed}
    await periods.mark_due(tx, list(causes))
    live = await periods.fetch_invoiced(tx, list(causes))
    evidence = await invoices.fetch_evidence(
        tx, {key: invoice_id(key, one.revision, one.restatement) for key, one in live.items()}
    )
    outdated = [
        Held(
            wire.closed_again(row, causes[key].closed.correlation_id),
            "previous_period_corrected",
            f"billed from what the period up to {key[2]} had handed on before its correction",
        )
        for key, row in evidence.items()
        if read_state(row["state_before"]) != causes[key].state_after
        or row["state_after"] != row["state"]
    ]
    await periods.upsert_held(tx, outdated, now, due=True)


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
