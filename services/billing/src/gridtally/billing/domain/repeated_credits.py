"""Repeated credits: what was credited by hand stays the customer's when a correction reissues the
invoice.

A credit is given again in full, on the same lines where that comes to the same total, else spread
over all that is left; never more than the new invoice comes to. Its first note is what counts, so
that a correction in between, to less or to nothing, takes nothing away for good.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from gridtally.billing.domain.credit_notes import (
    Credit,
    Credited,
    CreditedAmount,
    CreditedPart,
    CreditNote,
    amounts_left,
    credit_part,
)
from gridtally.billing.domain.invoices import Invoice
from gridtally.kernel.errors import Rejected
from gridtally.kernel.ids import derive_id
from gridtally.kernel.money import EXACT, in_currency
from gridtally.kernel.resources import Cause
from gridtally.rating.engine.exact import add_up
from gridtally.rating.engine.lines import Item
from gridtally.rating.tariff import TariffVersion

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class GivenCredit:
    """A credit by hand that is to be repeated, as it was first given: its note, who gave it and
    why, its total with taxes, and the charges that it credits."""

    note_id: UUID
    reason: str
    credited_by: str
    total: Decimal
    charges: Sequence[tuple[Item, Decimal]]


def repeat_credits(
    given: Sequence[GivenCredit],
    invoice: Invoice,
    versions: Mapping[UUID, TariffVersion],
    now: datetime,
) -> list[CreditNote]:
    """The notes, without numbers yet, that give credits again on the invoice of a correction; none
    for one that nothing is left for."""
    notes: list[CreditNote] = []
    credited: dict[int, CreditedPart] = {}
    for credit in given:
        left = add_up(amounts_left(invoice.lines, credited))
        if left <= ZERO:
            break
        note = _repeated(credit, min(credit.total, left), invoice, versions, credited, now)
        for position, line in zip(note.positions or (), note.lines, strict=True):
            before = credited.get(position, CreditedPart(ZERO, ZERO))
            credited[position] = CreditedPart(
                EXACT.add(before.amount, line.amount), EXACT.add(before.quantity, line.quantity)
            )
        notes.append(note)
    return notes


def _repeated(
    given: GivenCredit,
    total: Decimal,
    invoice: Invoice,
    versions: Mapping[UUID, TariffVersion],
    credited: Credited,
    now: datetime,
) -> CreditNote:
    cause = Cause(invoice.tenant_id, given.credited_by, invoice.correlation_id)
    spread = Credit(given.reason, amount=in_currency(total, invoice.currency))
    note = None
    if lines := _same_lines(given, invoice):
        try:
            note = credit_part(
                invoice, versions, credited, Credit(given.reason, lines=lines), cause, now
            )
        except Rejected:  # so much is not left of a line
            note = None
    if note is None or note.total != total:
        note = credit_part(invoice, versions, credited, spread, cause, now)
    id_ = derive_id("credit_note", invoice.tenant_id, invoice.id, given.note_id)
    return replace(note, id=id_, repeats=given.note_id)


def _same_lines(given: GivenCredit, invoice: Invoice) -> list[CreditedAmount]:
    """The lines of the invoice that are for the same as those that were credited; none where one
    of them is not there, or not once."""
    positions: dict[object, list[int]] = {}
    for position, line in enumerate(invoice.lines, start=1):
        positions.setdefault(_purpose(line.item), []).append(position)
    lines = []
    for item, amount in given.charges:
        own = positions.get(_purpose(item), [])
        if len(own) != 1 or amount <= ZERO:
            return []
        lines.append(CreditedAmount(own[0], amount))
    return lines


def _purpose(item: Item) -> object:
    """What a line is for, whatever its unit and rate."""
    return item.component_id, item.kind, item.band, item.flow, item.part.start_on
