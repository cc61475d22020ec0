"""Closed periods become invoices; what cannot be billed yet is held and tried again.

Every period is billed under the lock of its agreement and its row, once per revision; a newer
revision credits the invoice of the older one. Where bills carry something forward, a period waits
for the one before it, and is restated when that one is corrected. Numbers are taken last, so their
counter is locked for a short time.

Locks are taken in one order by all who bill: reference data (shared), agreements by id, periods by
key, number series by tenant.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from decimal import Decimal
from uuid import UUID

from gridtally.billing.domain.adoption import (
    Adopted,
    Settled,
    settle_adopted,
    superseded,
)
from gridtally.billing.domain.credit_notes import CreditNote, cancel
from gridtally.billing.domain.customers import (
    ZERO,
    BalanceKey,
    CustomerBalance,
    Issue,
    balances_before,
)
from gridtally.billing.domain.drafts import Draft
from gridtally.billing.domain.invoices import Invoice, issue, repeats, series_of
from gridtally.billing.domain.periods import (
    AGREEMENT_LEFT,
    BillablePeriod,
    BilledPeriod,
    ClosedPeriod,
    HeldPeriod,
    LiveInvoice,
    PeriodKey,
    bill_periods,
    in_agreement_order,
    invoice_id,
    with_reference_data,
)
from gridtally.billing.events.invoices import credit_note_issued, invoice_issued
from gridtally.billing.events.periods import closed_period
from gridtally.billing.events.proofs import with_root
from gridtally.billing.handlers.collective_members import hold_members
from gridtally.billing.handlers.drafts import hold_drafts
from gridtally.billing.handlers.held_periods import dismiss_late_corrections
from gridtally.billing.handlers.repeated_credits import issue_repeated_credits
from gridtally.billing.store import (
    adopted_invoices,
    agreements,
    balances,
    credit_notes,
    drafts,
    evidence,
    held_periods,
    invoices,
    numbers,
    periods,
    reference_data,
)
from gridtally.contracts.metering import PeriodClosed
from gridtally.database import WriteConnection
from gridtally.kernel.money import EXACT
from gridtally.messaging import ReceivedMessage, enqueue

Cancelled = Sequence[tuple[Invoice, BilledPeriod]]
"""Invoices to be cancelled, each with the period whose invoice takes its place."""
RETRY_PERIODS_MAX = 250
"""Held periods that are tried again in one transaction."""


# A batch may hold several periods of an agreement, and the bill of one may depend on the one before
# it. So the batch goes in rounds of one period per agreement: each round is loaded, rated and
# stored as a whole, in some twenty statements whatever its size. Period by period, 250 periods
# would take 5 000.
async def bill_closed_periods(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[PeriodClosed]], now: datetime
) -> None:
    """Make the invoice of each message's period, unless it has come before."""
    await reference_data.lock_reference_data_shared(tx)
    closed_periods = [closed_period(message) for message in messages]
    await agreements.lock_agreements(
        tx, {(closed.tenant_id, closed.agreement_id) for closed in closed_periods}
    )
    for one_per_agreement in in_agreement_order(closed_periods):
        newer = await periods.lock_newer(tx, one_per_agreement)
        await _bill(tx, await dismiss_late_corrections(tx, newer, now), now)


# Due periods are found without a lock, because agreements must be locked before them; the lock on
# their rows then looks once more whether they are due. Whatever is still missing holds them again,
# with `due` false, until something else arrives: so a poll that finds nothing due ends the retry.
async def retry_held_periods(
    tx: WriteConnection, now: datetime, periods_max: int = RETRY_PERIODS_MAX
) -> int:
    """Try those held periods again that something has arrived for; return how many there were."""
    await reference_data.lock_reference_data_shared(tx)
    due = await held_periods.fetch_due(tx, periods_max)
    await agreements.lock_agreements(
        tx, {(tenant_id, agreement) for tenant_id, agreement, _ in due}
    )
    closed_periods = await held_periods.lock_due(tx, due)
    for one_per_agreement in in_agreement_order(closed_periods):
        await _bill(tx, one_per_agreement, now)
    return len(closed_periods)


@dataclass(frozen=True, slots=True, eq=False)
class RatedPeriods:
    """What became of periods whose rows are locked: bills, and what is held; and the live invoices
    whose place the bills take. `adopted` are invoices from before a restore."""

    settled: Settled
    replaced: Mapping[PeriodKey, Invoice]
    adopted: Adopted

    @property
    def held(self) -> list[HeldPeriod]:
        """Those that cannot be billed."""
        return [result for result in self.settled.results if isinstance(result, HeldPeriod)]

    @property
    def billed(self) -> list[BilledPeriod]:
        """Those that can."""
        return [result for result in self.settled.results if isinstance(result, BilledPeriod)]

    @property
    def unissued(self) -> list[BilledPeriod]:
        """Those of them whose invoice is a new one."""
        return [
            billed
            for billed in self.billed
            if billed.key not in self.settled.again
            and not repeats(billed, self.replaced.get(billed.key))
        ]


async def rate_periods(tx: WriteConnection, locked: Sequence[ClosedPeriod]) -> RatedPeriods:
    """The bills of these periods, whose rows are locked; nothing is stored."""
    start_on = min(closed.period.start_on for closed in locked)
    end_on = max(closed.period.end_on for closed in locked)
    known = await reference_data.fetch_reference_data(
        tx,
        agreements={(closed.tenant_id, closed.agreement_id) for closed in locked},
        meters={(closed.tenant_id, closed.meter_id) for closed in locked},
        start_on=start_on,
        end_on=end_on,
    )
    known = await reference_data.with_prices(tx, known, start_on, end_on)
    loaded = with_reference_data(locked, known)
    following = [
        period.closed.key
        for period in loaded
        if isinstance(period, BillablePeriod) and period.follows
    ]
    predecessors = await periods.fetch_predecessors(tx, following)
    live_invoices = await periods.fetch_live_invoices(tx, [closed.key for closed in locked])
    results = bill_periods(loaded, predecessors, live_invoices)
    adopted = await adopted_invoices.fetch_adopted(tx, [closed.key for closed in locked])
    replaced = await _replaced_invoices(tx, results, live_invoices)
    settled = Settled(results, {})
    if adopted:
        keys = [(key[0], known.invoice_id) for key in adopted for known in adopted[key]]
        settled = settle_adopted(
            results, adopted, await invoices.fetch_invoices(tx, keys), replaced
        )
    return RatedPeriods(settled, replaced, adopted)


async def _bill(tx: WriteConnection, locked: Sequence[ClosedPeriod], now: datetime) -> None:
    """Issue or hold each of the periods, whose rows are locked."""
    if not locked:
        return
    rated = await rate_periods(tx, locked)
    held = await _withdraw_left(tx, rated.held)
    await held_periods.upsert_held(tx, held, now)
    drafted, approved = await hold_drafts(tx, rated.unissued, rated.replaced, now)
    undrafted = [billed for billed in rated.unissued if billed.key not in drafted]
    pending = await hold_members(tx, undrafted, rated.replaced, now)
    issuable = [
        billed for billed in rated.billed if billed.key not in drafted and billed.key not in pending
    ]
    await drafts.delete_drafts(
        tx, [*(period.closed.key for period in rated.held), *(billed.key for billed in issuable)]
    )
    if issuable:
        await _issue(tx, issuable, rated, approved, now)


# Ingest closed them by terms that the agreement has no longer, and plans its days anew.
async def _withdraw_left(tx: WriteConnection, results: Sequence[HeldPeriod]) -> list[HeldPeriod]:
    """Bill nothing of what its agreement has left; those that are held for something else."""
    left = [held.closed.key for held in results if held.reason == AGREEMENT_LEFT]
    if not left:
        return list(results)
    await periods.withdraw(tx, left)
    await held_periods.delete_held(tx, left)
    await drafts.delete_drafts(tx, left)
    return [held for held in results if held.reason != AGREEMENT_LEFT]


async def _replaced_invoices(
    tx: WriteConnection,
    results: Sequence[BilledPeriod | HeldPeriod],
    live_invoices: Mapping[PeriodKey, LiveInvoice],
) -> dict[PeriodKey, Invoice]:
    """The live invoices of the billed ones of these periods, whose place the new ones take."""
    ids = _invoice_ids(
        {
            result.key: live_invoices[result.key]
            for result in results
            if isinstance(result, BilledPeriod) and result.key in live_invoices
        }
    )
    stored = await invoices.fetch_invoices(tx, [(key[0], ids[key]) for key in ids])
    return {key: stored[key[0], replaced_id] for key, replaced_id in ids.items()}


async def _issue(
    tx: WriteConnection,
    billed_periods: Sequence[BilledPeriod],
    rated: RatedPeriods,
    approved: Mapping[PeriodKey, Draft],
    now: datetime,
) -> None:
    """Store and publish the invoices, but for those that were issued before a restore or would
    repeat the live one; then look at the periods that follow."""
    replaced, adopted, again = rated.replaced, rated.adopted, rated.settled.again
    await held_periods.delete_held(tx, [billed.key for billed in billed_periods])
    unissued = [billed for billed in billed_periods if billed.key not in again]
    repeated = [billed for billed in unissued if repeats(billed, replaced.get(billed.key))]
    await periods.update_states(tx, repeated)
    fresh = [billed for billed in unissued if billed not in repeated]
    settled = [*fresh, *again.values()]
    await periods.update_invoiced(tx, settled)
    await invoices.insert_lines(tx, {billed.invoice_key: billed.bill.lines for billed in fresh})
    await evidence.insert_evidence(tx, [*settled, *rated.settled.repeated])

    cancelled: Cancelled = [(replaced[new.key], new) for new in fresh if new.key in replaced]
    if adopted:
        cancelled = await _cancelled_after_restore(tx, settled, replaced, adopted)
    notes = await _cancel(tx, cancelled, now)
    credited = [(note, billed) for note, (_, billed) in zip(notes, cancelled, strict=True)]
    tenants = [billed.closed.tenant_id for billed in fresh]
    invoice_numbers = await numbers.take_numbers(tx, series_of("INV", now), tenants)
    balances_owed = await _balances_before(tx, fresh, credited, now)
    issued = [
        with_root(issue(billed, number, balance, now, approved.get(billed.key)), billed)
        for billed, number, balance in zip(fresh, invoice_numbers, balances_owed, strict=True)
    ]
    await invoices.insert_invoices(tx, issued)
    invoice_of = {billed.key: invoice for billed, invoice in zip(fresh, issued, strict=True)}
    corrected = {billed.key: billed for _, billed in cancelled if billed.key in invoice_of}
    given_again = await issue_repeated_credits(tx, corrected, invoice_of, now)
    messages = [message for note in notes for message in credit_note_issued(note)]
    await enqueue(tx, [*messages, *map(invoice_issued, issued), *given_again])
    await carry_forward(tx, billed_periods, now)


# After a restore a period may have several invoices at once, and the credit notes of some of them.
# All but the last are void: what has no note yet, since it was not sent before, gets one.
async def _cancelled_after_restore(
    tx: WriteConnection,
    billed_periods: Sequence[BilledPeriod],
    replaced: Mapping[PeriodKey, Invoice],
    adopted: Adopted,
) -> Cancelled:
    """The invoices that those of these periods replace and that nothing has cancelled yet."""
    by_key = {billed.key: billed for billed in billed_periods}
    old = {(billed.key[0], old_id): billed for billed, old_id in superseded(by_key, adopted)}
    for key, invoice in replaced.items():
        if key in by_key and invoice.id != by_key[key].invoice_id:
            old[key[0], invoice.id] = by_key[key]
    stored = await invoices.fetch_invoices(tx, list(old))
    by_document = {
        (invoice.tenant_id, invoice.document_id): old[key] for key, invoice in stored.items()
    }
    credited = await credit_notes.fetch_cancelled(tx, list(by_document))
    await adopted_invoices.delete_adopted(tx, billed_periods)
    documents = [key for key in by_document if key not in credited]
    return [
        (invoice, by_document[key])
        for key, invoice in (await invoices.fetch_invoices(tx, documents)).items()
    ]


async def _cancel(tx: WriteConnection, cancelled: Cancelled, now: datetime) -> list[CreditNote]:
    """Credit all that is left of these invoices, each on behalf of the period that replaces it."""
    keys = [(invoice.tenant_id, invoice.id) for invoice, _ in cancelled]
    credited = await credit_notes.fetch_credited_parts(tx, keys)
    tenants = [invoice.tenant_id for invoice, _ in cancelled]
    note_numbers = await numbers.take_numbers(tx, series_of("CN", now), tenants)
    notes = [
        cancel(invoice, number, billed, credited.get((invoice.tenant_id, invoice.id), {}), now)
        for (invoice, billed), number in zip(cancelled, note_numbers, strict=True)
    ]
    await credit_notes.insert_credit_notes(tx, notes)
    return notes


async def _balances_before(
    tx: WriteConnection,
    fresh: Sequence[BilledPeriod],
    notes: Sequence[tuple[CreditNote, BilledPeriod]],
    now: datetime,
) -> list[CustomerBalance]:
    """What each customer owes before the fresh invoices, in the order of the periods, whose
    numbers are taken. Of others only what they cancel now counts (`notes`, each with the period
    that replaces its invoice); what is overdue is named by one live invoice of
    a customer a day (UTC)."""
    credited: dict[PeriodKey, Decimal] = {}
    for note, billed in notes:
        credited[billed.key] = EXACT.add(credited.get(billed.key, ZERO), note.total)
    issues = [
        Issue(_balance_key(billed), billed.bill.total, credited.get(billed.key, ZERO))
        for billed in fresh
    ]
    # What is credited counts for whom the note names: a duplicate, whose agreement went over since.
    counted = [replace(issue, credited=ZERO) for issue in issues]
    counted += [
        Issue((note.tenant_id, note.customer_id, note.currency), ZERO, note.total)
        for note, _ in notes
    ]
    return await balances_owed(tx, issues, counted, now)


async def balances_owed(
    tx: WriteConnection, issues: Sequence[Issue], counted: Sequence[Issue], now: datetime
) -> list[CustomerBalance]:
    """What each customer owes before each of these invoices, in their order, whose numbers are
    taken; `counted` are what each customer was issued and credited with them."""
    issued = await balances.add_issued(tx, counted)
    published = await balances.fetch_balances(tx, {issue.key[:2] for issue in issues})
    overdue = {key for key, balance in published.items() if balance.arrears > 0}
    today_at = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    shown = await balances.fetch_arrears_shown(
        tx, overdue & {issue.key for issue in issues}, today_at
    )
    return balances_before(issues, published, issued, shown)


def _balance_key(billed: BilledPeriod) -> BalanceKey:
    return billed.closed.tenant_id, billed.billable.agreement.customer_id, billed.bill.currency


# What a period carries forward is what the next one was, or will be, billed from. So whenever a
# period is billed, the next one is looked at: if it is held, it is due now; if it has an invoice
# that does not rest on the new state, it is held with `due`, so that the loop bills it again in a
# transaction of its own. That one looks at the period after it, and so on, until a bill carries
# forward what it did before. One that was restated before a restore is looked at in any case: the
# correction that caused that may be undone by now. A chain of corrections never grows into one
# long transaction.
async def carry_forward(
    tx: WriteConnection, billed_periods: Sequence[BilledPeriod], now: datetime
) -> None:
    """Make the periods that follow due: held ones, and invoiced ones whose state now differs."""
    causes = {billed.next_key: billed for billed in billed_periods}
    await held_periods.mark_due(tx, list(causes))
    ids = _invoice_ids(await periods.fetch_live_invoices(tx, list(causes)))
    successors = await evidence.fetch_successors(tx, ids)
    adopted = await adopted_invoices.fetch_adopted(tx, list(ids))
    outdated = {
        key: ids[key]
        for key, successor in successors.items()
        if key in adopted or not successor.rests_on(causes[key].state_after)
    }
    correlation_ids = {key: causes[key].closed.correlation_id for key in outdated}
    corrected = [
        HeldPeriod(
            closed,
            "previous_period_corrected",
            f"billed from what the period up to {closed.period.start_on} carried forward before "
            "its correction",
        )
        for closed in await evidence.fetch_closed_periods(tx, outdated, correlation_ids)
    ]
    await held_periods.upsert_held(tx, corrected, now, due=True)


def _invoice_ids(live_invoices: Mapping[PeriodKey, LiveInvoice]) -> dict[PeriodKey, UUID]:
    """The ids of the live invoices of these periods."""
    return {
        key: invoice_id(key, live.revision, live.restatement) for key, live in live_invoices.items()
    }
