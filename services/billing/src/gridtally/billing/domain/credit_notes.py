"""Credit notes: of a whole invoice that makes way for the next, of a part by hand, of the rest.

Owns how much of each line is left, what taxes go with what is credited, and that all credit notes
of an invoice together never come to more than it. A credit note never changes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import ROUND_DOWN, Decimal, localcontext
from typing import Literal, NamedTuple
from uuid import UUID

from gridtally.billing.domain.documents import taxing_lines
from gridtally.billing.domain.invoices import Invoice
from gridtally.billing.domain.periods import BilledPeriod
from gridtally.kernel.errors import Conflict, Fault, Rejected
from gridtally.kernel.ids import derive_id, new_id
from gridtally.kernel.money import EXACT, in_currency, is_payable, minor_decimals, plain
from gridtally.kernel.resources import Cause
from gridtally.rating.engine.lines import Line
from gridtally.rating.tariff import TariffVersion

ZERO = Decimal(0)
CreditNoteExtent = Literal["whole", "part", "rest"]
"""All of an invoice, which is void then; a part, which leaves it live; what parts have left."""


@dataclass(frozen=True, slots=True, eq=False)
class CreditNote:
    """Credits an invoice, all of it or a part, by amounts with the signs of the invoice's.

    `positions` are the places of its `lines` among the invoice's, from 1; `credited_by` is the API
    key by which a part was credited, None where a correction caused the note. A part that is to
    `repeat_on_correction` is given again on the invoice of a correction, by a note that `repeats`
    it.
    """

    tenant_id: str
    id: UUID
    number: str
    invoice_id: UUID
    invoice_number: str
    customer_id: UUID
    agreement_id: UUID
    currency: str
    lines: Sequence[Line]
    net: Decimal
    tax: Decimal
    total: Decimal
    reason: str
    issued_at: datetime
    correlation_id: str
    extent: CreditNoteExtent = "whole"
    positions: Sequence[int] | None = None
    credited_by: str | None = None
    repeat_on_correction: bool = False
    repeats: UUID | None = None


@dataclass(frozen=True, slots=True)
class CreditedAmount:
    """So much of an invoice's line at `position` is credited, before taxes; None for its rest."""

    position: int
    amount: Decimal | None


@dataclass(frozen=True, slots=True)
class Credit:
    """What is to be credited of an invoice by hand: `lines`, whose taxes go with them, or an
    `amount` with taxes that is spread over all that is left."""

    reason: str
    lines: Sequence[CreditedAmount] = ()
    amount: Decimal | None = None
    repeat_on_correction: bool = True


class CreditedPart(NamedTuple):
    """What credit notes of parts have credited of a line: its amount, and of a tax what it is on
    (`quantity`)."""

    amount: Decimal
    quantity: Decimal


Credited = Mapping[int, CreditedPart]
"""What was credited of an invoice's lines, by position."""
_NOTHING = CreditedPart(ZERO, ZERO)
Taxed = Mapping[int, Sequence[int]]
"""By the index of a line, the indexes of the taxes on it."""


def cancel(
    invoice: Invoice, number: str, billed: BilledPeriod, credited: Credited, now: datetime
) -> CreditNote:
    """The credit note of all that is left of an invoice, which makes way for the next invoice of
    the same period."""
    reason = (
        "restated: the period before was corrected"
        if billed.restatement
        else f"replaced by revision {billed.closed.revision} of its period"
    )
    return cancel_whole(invoice, number, reason, billed.closed.correlation_id, credited, now)


def cancel_whole(
    invoice: Invoice,
    number: str,
    reason: str,
    correlation_id: str,
    credited: Credited,
    now: datetime,
) -> CreditNote:
    """The credit note of all that is left of an invoice, for a reason."""
    note = CreditNote(
        tenant_id=invoice.tenant_id,
        id=derive_id("credit_note", invoice.tenant_id, invoice.id),
        number=number,
        invoice_id=invoice.id,
        invoice_number=invoice.number,
        customer_id=invoice.customer_id,
        agreement_id=invoice.agreement_id,
        currency=invoice.currency,
        lines=invoice.lines,
        net=invoice.net,
        tax=invoice.tax,
        total=invoice.total,
        reason=reason,
        issued_at=now.astimezone(UTC),
        correlation_id=correlation_id,
    )
    if not credited:
        return note
    rest = dict(enumerate(amounts_left(invoice.lines, credited), start=1))
    bases = {
        position: EXACT.subtract(line.quantity, credited.get(position, _NOTHING).quantity)
        for position, line in enumerate(invoice.lines, start=1)
    }
    return _with_amounts(replace(note, extent="rest"), invoice, rest, bases)


def credit_part(
    invoice: Invoice,
    versions: Mapping[UUID, TariffVersion],
    credited: Credited,
    credit: Credit,
    cause: Cause,
    now: datetime,
) -> CreditNote:
    """The credit note of a part of a live invoice, without a number yet.

    `versions` are those of its lines, by whose rules taxes are levied and rounded. Rejected, with
    the place of the fault in the request, for what the invoice does not have, or has no longer.
    """
    taxed = taxing_lines(invoice.lines, versions.values(), invoice.sections_of_lines)
    left = amounts_left(invoice.lines, credited)
    left_total = _sum(left)
    if left_total <= 0:
        raise Conflict("nothing_to_credit", f"nothing is left of {invoice.number} to be credited")
    if credit.amount is None:
        amounts = _of_lines(invoice, versions, taxed, left, credit.lines)
        fault, total = Fault("/lines", _at_most(left_total, invoice)), _sum(amounts.values())
    else:
        amounts = _spread(invoice, left, credit.amount)
        fault, total = Fault("/amount", _at_most(left_total, invoice)), credit.amount
    if total <= 0:  # the taxes that go with these lines are negative and as much
        nothing = Fault(fault.path, "must come to more than nothing with their taxes")
        raise Rejected("line_not_creditable", "these lines credit nothing", (nothing,))
    if total > left_total:
        raise Rejected("credit_exceeds_invoice", "so much is not left of the invoice", (fault,))
    note = CreditNote(
        tenant_id=invoice.tenant_id,
        id=new_id(),
        number="",
        invoice_id=invoice.id,
        invoice_number=invoice.number,
        customer_id=invoice.customer_id,
        agreement_id=invoice.agreement_id,
        currency=invoice.currency,
        lines=(),
        net=ZERO,
        tax=ZERO,
        total=ZERO,
        reason=credit.reason,
        issued_at=now.astimezone(UTC),
        correlation_id=cause.correlation_id,
        extent="part",
        credited_by=cause.key_id,
        repeat_on_correction=credit.repeat_on_correction,
    )
    return _with_amounts(note, invoice, amounts, _bases(amounts, taxed))


def _bases(amounts: Mapping[int, Decimal], taxed: Taxed) -> dict[int, Decimal]:
    """By the position of each tax what is credited of the lines that it is on."""
    return {
        tax + 1: _sum(
            amounts.get(index + 1, ZERO) for index, taxes in taxed.items() if tax in taxes
        )
        for tax in {tax for taxes in taxed.values() for tax in taxes}
    }


def amounts_left(lines: Sequence[Line], credited: Credited) -> list[Decimal]:
    """What is left of each line of an invoice."""
    return [
        EXACT.subtract(line.amount, credited.get(position, _NOTHING).amount)
        for position, line in enumerate(lines, start=1)
    ]


def _at_most(left: Decimal, invoice: Invoice) -> str:
    return f"must come to at most {_written(left, invoice)} with taxes"


def _written(amount: Decimal, invoice: Invoice) -> str:
    return f"{plain(in_currency(amount, invoice.currency))} {invoice.currency}"


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    with localcontext(EXACT):
        return sum(amounts, ZERO)


def _of_lines(
    invoice: Invoice,
    versions: Mapping[UUID, TariffVersion],
    taxed: Taxed,
    left: Sequence[Decimal],
    lines: Sequence[CreditedAmount],
) -> dict[int, Decimal]:
    """The amounts to be credited by position: those of the lines, and of the taxes on them."""
    amounts: dict[int, Decimal] = {}
    for index, own in enumerate(lines):
        amounts[own.position] = _line_amount(invoice, left, own, f"/lines/{index}", amounts)
    # All that is credited of a tax is what it is of all that is credited of its lines, rounded
    # once: so that parts add up, and the last one takes just what is left.
    for tax_index in sorted({tax for taxes in taxed.values() for tax in taxes}):
        levied = [index for index, taxes in taxed.items() if tax_index in taxes]
        if not any(amounts.get(index + 1) for index in levied):
            continue
        basis = _sum(
            invoice.lines[index].amount - left[index] + amounts.get(index + 1, ZERO)
            for index in levied
        )
        tax_left = left[tax_index]
        if all(left[index] == amounts.get(index + 1, ZERO) for index in levied):
            amounts[tax_index + 1] = tax_left
            continue
        line = invoice.lines[tax_index]
        rounding = versions[line.item.tariff_version_id].rounding
        due = rounding.round(EXACT.multiply(basis, line.item.rate))
        due = EXACT.subtract(due, EXACT.subtract(line.amount, tax_left))
        amounts[tax_index + 1] = min(max(due, min(tax_left, ZERO)), max(tax_left, ZERO))
    return amounts


def _line_amount(
    invoice: Invoice,
    left: Sequence[Decimal],
    own: CreditedAmount,
    pointer: str,
    named: Mapping[int, Decimal],
) -> Decimal:
    """What is credited of one line; Rejected where the line does not allow it."""
    if not 1 <= own.position <= len(invoice.lines):
        fault = Fault(f"{pointer}/position", f"must lie between 1 and {len(invoice.lines)}")
        raise Rejected("line_unknown", "the invoice has no such line", (fault,))
    if own.position in named:
        fault = Fault(f"{pointer}/position", "must name each line once")
        raise Rejected("line_repeated", "a line is named twice", (fault,))
    line, rest = invoice.lines[own.position - 1], left[own.position - 1]
    if line.item.kind == "tax":
        fault = Fault(f"{pointer}/position", "must be a charge: its taxes go with it by themselves")
        raise Rejected("line_not_creditable", "a tax is credited with what it is on", (fault,))
    if rest <= 0:
        fault = Fault(f"{pointer}/position", "must be a charge of which something is left")
        raise Rejected("line_not_creditable", "nothing of the line can be credited", (fault,))
    if own.amount is None or own.amount == rest:
        return rest
    if own.amount > rest:
        fault = Fault(f"{pointer}/amount", f"must be at most {_written(rest, invoice)}")
        raise Rejected("credit_exceeds_invoice", "so much is not left of the line", (fault,))
    _require_payable(own.amount, invoice, f"{pointer}/amount")
    return own.amount


def _require_payable(amount: Decimal, invoice: Invoice, pointer: str) -> None:
    if not is_payable(amount, invoice.currency):
        decimals = minor_decimals(invoice.currency)
        fault = Fault(pointer, f"must have at most {decimals} decimals in {invoice.currency}")
        raise Rejected("finer_than_currency", "the currency has no unit so small", (fault,))


# Every line, taxes too, is credited by the same share, so that each tax class has its own. Shares
# are cut to whole units, and what is missing then goes, a unit each, to those that lost most.
def _spread(invoice: Invoice, left: Sequence[Decimal], amount: Decimal) -> dict[int, Decimal]:
    """An amount with taxes, spread over what is left of the lines, by position."""
    total = _sum(left)
    if amount >= total:
        return dict(enumerate(left, start=1))
    _require_payable(amount, invoice, "/amount")
    unit = Decimal(1).scaleb(-minor_decimals(invoice.currency))
    if not all(is_payable(rest, invoice.currency) for rest in left):
        unit = Decimal(1).scaleb(min(int(rest.as_tuple().exponent) for rest in left))
    with localcontext(EXACT):
        exact = [rest * amount / total for rest in left]
        shares = [share.quantize(unit, rounding=ROUND_DOWN) for share in exact]
        missing = amount - sum(shares, ZERO)
        sign = 1 if missing > 0 else -1
        by_loss = sorted(range(len(left)), key=lambda i: (-sign * (exact[i] - shares[i]), i))
        while missing:
            for index in by_loss:
                more = shares[index] + sign * unit
                if missing and min(left[index], ZERO) <= more <= max(left[index], ZERO):
                    shares[index] = more
                    missing -= sign * unit
    return dict(enumerate(shares, start=1))


def _with_amounts(
    note: CreditNote,
    invoice: Invoice,
    amounts: Mapping[int, Decimal],
    bases: Mapping[int, Decimal],
) -> CreditNote:
    """The note with these amounts of the invoice's lines, by position; what is nothing is left out,
    but for a tax that is nothing on the invoice too. `bases` are what taxes are on."""
    lines: dict[int, Line] = {}
    for position in sorted(amounts):
        line, amount = invoice.lines[position - 1], amounts[position]
        if amount or (line.item.kind == "tax" and not line.amount):
            lines[position] = _part_of(line, amount, invoice.currency, bases.get(position, ZERO))
    nothing = EXACT.subtract(invoice.total, invoice.total)
    taxes = [line.amount for line in lines.values() if line.item.kind == "tax"]
    charges = [line.amount for line in lines.values() if line.item.kind != "tax"]
    return replace(
        note,
        lines=list(lines.values()),
        positions=list(lines),
        net=_sum([nothing, *charges]),
        tax=_sum([nothing, *taxes]),
        total=_sum([nothing, *charges, *taxes]),
    )


def _part_of(line: Line, amount: Decimal, currency: str, basis: Decimal) -> Line:
    """A line with another amount: a tax on `basis`; of a charge so much money, since its own
    quantity is not divided."""
    if amount == line.amount:
        return line
    if line.item.kind == "tax":
        exact = EXACT.multiply(basis, line.item.rate)
        return replace(line, quantity=basis, amount_exact=exact, amount=amount, quality=None)
    item = replace(line.item, unit=currency, rate=Decimal(1), quantity_rounding=None)
    return Line(item, quantity=amount, amount_exact=amount, amount=amount)
