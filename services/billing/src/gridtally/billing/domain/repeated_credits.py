"""Repeated credits: what was credited by hand stays the customer's when a correction reissues the
invoice.

A credit is given again in full, on the same lines where that comes to the same total, else spread
over all that is left; never more than the new invoice comes to. Its first note is what counts, so
that a correction in between, to less or to nothing, takes nothing away for good.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from gridtally.billing.domain.credit_notes import (
    Credit,
    Credited,
    CreditedAmount,
    CreditedPart,
    CreditNote,
    credit_part,
)
from gridtally.billing.domain.invoices import Invoice
from gridtally.kernel.errors import Rejected
from gridtally.kernel.ids import derive_id
from gridtally.kernel.money import EXACT, in_currency
from gridtally.kernel.resources import Cause
from gridtally.rating.engine.lines import Item
from gridtally.rating.tariff import TariffVersion

ZERO = Decimal(0)
Billed = tuple[UUID, date]
"""A bill through its corrections: of an agreement, from a first day on. An invoice is of one, a
collective one of as many as it has sections."""


@dataclass(frozen=True, slots=True)
class GivenCredit:
    """A credit by hand that is to be repeated, as it was first given: its note, who gave it and
    why, its total with taxes, and the charges that it credits, with the bill that each is of."""

    note_id: UUID
    reason: str
    credited_by: str
    total: Decimal
    charges: Sequence[tuple[Billed, Item, Decimal]]


def repeated_totals(
    given: Sequence[GivenCredit], total: Decimal
) -> list[tuple[GivenCredit, Decimal]]:
    """How much of each credit is given again on an invoice of this total, in their order; without
    those that nothing is left for."""
    repeated = []
    left = total
    for credit in given:
        if left > ZERO:
            repeated.append((credit, min(credit.total, left)))
            left = EXACT.subtract(left, repeated[-1][1])
    return repeated


def repeat_credits(
    given: Sequence[GivenCredit],
    invoice: Invoice,
    bills: Sequence[Invoice],
    versions: Mapping[UUID, TariffVersion],
    now: datetime,
) -> list[CreditNote]:
    """The notes, without numbers yet, that give credits again on the invoice of a correction; none
    for one that nothing is left for.

    `bills` are the invoice's sections, or itself.
    """
    lines = [
        _purpose((bill.agreement_id, bill.start_on), line.item)
        for bill in bills
        for line in bill.lines
    ]
    notes: list[CreditNote] = []
    credited: dict[int, CreditedPart] = {}
    for credit, total in repeated_totals(given, invoice.total):
        cause = Cause(invoice.tenant_id, credit.credited_by, invoice.correlation_id)
        note = _same_lines(credit, lines, total, invoice, versions, credited, cause, now)
        if note is None:
            spread = Credit(credit.reason, amount=in_currency(total, invoice.currency))
            note = credit_part(invoice, versions, credited, spread, cause, now)
        id_ = derive_id("credit_note", invoice.tenant_id, invoice.id, credit.note_id)
        note = replace(note, id=id_, repeats=credit.note_id)
        for position, line in zip(note.positions or (), note.lines, strict=True):
            before = credited.get(position, CreditedPart(ZERO, ZERO))
            credited[position] = CreditedPart(
                EXACT.add(before.amount, line.amount), EXACT.add(before.quantity, line.quantity)
            )
        notes.append(note)
    return notes


def _same_lines(
    given: GivenCredit,
    purposes: Sequence[object],
    total: Decimal,
    invoice: Invoice,
    versions: Mapping[UUID, TariffVersion],
    credited: Credited,
    cause: Cause,
    now: datetime,
) -> CreditNote | None:
    """The credit of the lines that are for the same as those that were credited; None where one of
    them is not there, or not once, or that comes to another total."""
    lines = []
    for billed, item, amount in given.charges:
        own = _purpose(billed, item)
        if purposes.count(own) != 1 or amount <= ZERO:
            return None
        lines.append(CreditedAmount(purposes.index(own) + 1, amount))
    if not lines:
        return None
    try:
        note = credit_part(
            invoice, versions, credited, Credit(given.reason, lines=lines), cause, now
        )
    except Rejected:  # so much is not left of a line
        return None
    return note if note.total == total else None


def _purpose(billed: Billed, item: Item) -> object:
    """What a line is for, whatever its unit and rate."""
    return billed, item.component_id, item.kind, item.band, item.flow, item.part.start_on
