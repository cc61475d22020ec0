"""Cancelling an agreement from a day on that is billed already, and billing it by another one.

One transaction changes the agreements, credits what was issued and forgets what is held of these
days, so nothing is half done where a process ends. Ingest hears of the agreements, closes what is
left of a period that was cut and the periods of the replacement, and these are billed as any other.
A preview does all of that too, shows what it came to, and takes it back.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from gridtally.billing.domain.agreements import Agreement
from gridtally.billing.domain.credit_notes import CreditNote, cancel_whole
from gridtally.billing.domain.customers import ZERO, Issue
from gridtally.billing.domain.invoices import series_of
from gridtally.billing.domain.previews import Preview
from gridtally.billing.domain.rebillings import (
    Rebilled,
    Rebilling,
    RebillingOrder,
    begins_empty,
    replacement_of,
)
from gridtally.billing.domain.reference_data import read_version
from gridtally.billing.events.invoices import credit_note_issued
from gridtally.billing.handlers.agreements import (
    lock_with_reference_data,
    register_agreements,
    update_agreement,
)
from gridtally.billing.handlers.previews import Loaded, Question, load, previewed
from gridtally.billing.store import (
    balances,
    credit_notes,
    drafts,
    held_periods,
    invoices,
    numbers,
    periods,
    reference_data,
)
from gridtally.billing.store import rebillings as store
from gridtally.billing.store.previews import UTC_ZONE, fetch_zone
from gridtally.database import Database, WriteConnection, transaction
from gridtally.kernel.errors import Conflict, Fault, Rejected
from gridtally.kernel.ids import derive_id
from gridtally.kernel.periods import Period, local_date
from gridtally.kernel.resources import Cause
from gridtally.messaging import enqueue
from gridtally.rating.tariff import carries_state

INVOICES_MAX = 1_000
"""Invoices that one request credits; the tenant's numbers are locked until it ends."""
BILLS_MAX = 60
"""New bills that a preview makes: five years of months."""


async def rebill_agreement(
    tx: WriteConnection, cause: Cause, agreement: Agreement, order: RebillingOrder, now: datetime
) -> Rebilled:
    """Do what is ordered of an agreement that is locked.

    Rejected where it has ended by then, the replacement could not be billed, or more invoices than
    `INVOICES_MAX` would be credited; Conflict where another agreement is in the way.
    """
    tenant_id = cause.tenant_id
    cancelled = agreement.cancelled_from(order.from_on)
    replacement = replacement_of(tenant_id, agreement, order)
    if replacement is not None:
        await _require_known(tx, tenant_id, agreement, replacement)
        await _require_nothing_carried(tx, tenant_id, agreement, replacement)
    await update_agreement(tx, cause, cancelled, now)
    if replacement is not None:
        calendars = {} if order.calendar is None else {replacement.id: order.calendar}
        (replacement,), _ = await register_agreements(
            tx, cause, [replacement], now, calendars=calendars
        )
    end_on = cancelled.end_on or order.from_on
    withdrawn = await periods.fetch_periods_after(tx, tenant_id, agreement.id, end_on)
    await held_periods.delete_held(tx, withdrawn)
    await drafts.delete_drafts(tx, withdrawn)
    await periods.withdraw(tx, withdrawn)
    notes = await _credit(tx, cause, cancelled, order.reason, now)
    rebilling = Rebilling(
        tenant_id=tenant_id,
        id=derive_id("rebilling", tenant_id, agreement.id, agreement.version),
        agreement_id=agreement.id,
        from_on=order.from_on,
        replacement_id=None if replacement is None else replacement.id,
        reason=order.reason,
        rebilled_by=cause.key_id,
        rebilled_at=now,
        correlation_id=cause.correlation_id,
        invoice_ids=tuple(note.invoice_id for note in notes),
        withdrawn=tuple(start_on for _, _, start_on in withdrawn),
    )
    await store.insert_rebilling(tx, rebilling)
    return Rebilled(rebilling, cancelled, replacement, notes)


async def _require_known(
    tx: WriteConnection, tenant_id: str, agreement: Agreement, replacement: Agreement
) -> None:
    """Rejected where the replacement names another meter or tariff that this tenant has not."""
    if replacement.meter_id != agreement.meter_id and not await reference_data.is_meter_known(
        tx, tenant_id, replacement.meter_id
    ):
        fault = Fault("/replacement/meter_id", "must be a meter that is registered")
        raise Rejected("meter_missing", f"meter {replacement.meter_id} is not known", (fault,))
    if replacement.tariff_id != agreement.tariff_id and not await reference_data.is_tariff_known(
        tx, tenant_id, replacement.tariff_id
    ):
        fault = Fault("/replacement/tariff_id", "must be a tariff with a published version")
        raise Rejected("tariff_missing", f"tariff {replacement.tariff_id} is not known", (fault,))


async def _require_nothing_carried(
    tx: WriteConnection, tenant_id: str, agreement: Agreement, replacement: Agreement
) -> None:
    """Rejected where the same customer would lose what the same tariff has carried up to the first
    day of the replacement, such as banked energy, since an agreement begins with nothing."""
    first_on = agreement.billed_from_on
    if not begins_empty(agreement, replacement):
        return
    known = await reference_data.fetch_reference_data(
        tx,
        agreements={(tenant_id, agreement.id)},
        meters=set(),
        start_on=replacement.billed_from_on,
        end_on=replacement.end_on or date.max,
    )
    versions = (read_version(id_, own) for (_, id_), own in known.documents.items())
    if any(map(carries_state, versions)):
        fault = Fault("/from_on", f"must not be after {first_on}")
        detail = (
            f"what the tariff carries from bill to bill would begin anew; rebill from {first_on}"
        )
        raise Rejected("carried_state_lost", detail, (fault,))


async def _credit(
    tx: WriteConnection, cause: Cause, cancelled: Agreement, reason: str, now: datetime
) -> list[CreditNote]:
    """Credit all that is left of the invoices that bill days which the agreement has no longer."""
    tenant_id = cause.tenant_id
    end_on = cancelled.end_on or cancelled.start_on
    keys = await invoices.fetch_live_after(tx, tenant_id, cancelled.id, end_on, INVOICES_MAX + 1)
    if len(keys) > INVOICES_MAX:
        raise Rejected("too_many_invoices", f"at most {INVOICES_MAX} invoices are credited at once")
    live = await invoices.fetch_invoices(tx, keys)
    for invoice in live.values():
        if invoice.collective_id is not None:
            raise Conflict(
                "section_of_invoice",
                f"{invoice.number} is a section of a collective invoice, {invoice.collective_id}",
            )
    credited = await credit_notes.fetch_credited_parts(tx, keys)
    note_numbers = await numbers.take_numbers(tx, series_of("CN", now), [tenant_id for _ in keys])
    notes = [
        cancel_whole(live[key], number, reason, cause.correlation_id, credited.get(key, {}), now)
        for key, number in zip(keys, note_numbers, strict=True)
    ]
    await credit_notes.insert_credit_notes(tx, notes)
    if notes:
        await balances.add_issued(
            tx,
            [
                Issue((tenant_id, note.customer_id, note.currency), ZERO, note.total)
                for note in notes
            ],
        )
    await enqueue(tx, [message for note in notes for message in credit_note_issued(note)])
    return notes


@dataclass(frozen=True, slots=True)
class NewBill:
    """A bill that is to come, or the reason why its period will be held."""

    agreement: Agreement
    period: Period
    preview: Preview | None
    reason: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class RebillingPreview:
    """What a rebilling would do, with the first bills that would follow; `is_all` where there are
    no more of them."""

    rebilled: Rebilled
    bills: Sequence[NewBill]
    is_all: bool


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What was done and is taken back, and what the new bills would be made of."""

    rebilled: Rebilled
    bases: Sequence[tuple[Agreement, Period, Question, Loaded | Rejected]]
    is_all: bool

    def bills(self) -> list[NewBill]:
        """The bills, or why there is none."""
        return [_bill(*basis) for basis in self.bases]


class _TakenBackError(Exception):
    """Ends a transaction of which nothing is to stay."""


async def preview_rebilling(
    db: Database, cause: Cause, agreement_id: UUID, order: RebillingOrder, now: datetime
) -> RebillingPreview:
    """Do what is ordered in a transaction of its own that is taken back, and make the new bills as
    previews of bills are made, in a thread.

    NotFound, Rejected and Conflict as of `rebill_agreement`. The agreement and the tenant's numbers
    are locked meanwhile.
    """
    attempts: list[_Attempt] = []
    with suppress(_TakenBackError):
        async with transaction(db, tenant=cause.tenant_id) as tx:
            agreement = await lock_with_reference_data(tx, cause.tenant_id, agreement_id)
            attempts.append(await _attempt(tx, cause, agreement, order, now))
            raise _TakenBackError
    (attempt,) = attempts
    bills = await asyncio.to_thread(attempt.bills)
    return RebillingPreview(attempt.rebilled, bills, attempt.is_all)


async def _attempt(
    tx: WriteConnection, cause: Cause, agreement: Agreement, order: RebillingOrder, now: datetime
) -> _Attempt:
    rebilled = await rebill_agreement(tx, cause, agreement, order, now)
    meter_id = (rebilled.replacement or agreement).meter_id
    zone = await fetch_zone(tx, cause.tenant_id, meter_id) or UTC_ZONE
    to_bill = rebilled.periods_to_bill(local_date(zone, now))
    bases = []
    for own, period in to_bill[:BILLS_MAX]:
        question = Question(cause.tenant_id, own.id, period=period)
        basis: Loaded | Rejected
        try:
            basis = await load(tx, question, now)
        except Rejected as refused:
            basis = refused
        bases.append((own, period, question, basis))
    return _Attempt(rebilled, bases, len(to_bill) <= BILLS_MAX)


def _bill(
    agreement: Agreement, period: Period, question: Question, basis: Loaded | Rejected
) -> NewBill:
    try:
        if isinstance(basis, Rejected):
            raise basis
        return NewBill(agreement, period, previewed(question, basis).preview)
    except Rejected as refused:
        return NewBill(agreement, period, None, refused.code, refused.detail)
