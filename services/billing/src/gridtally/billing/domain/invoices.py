"""Invoices: what was issued, and how the ids and numbers of it and of credit notes are made.

An invoice never changes. It is void once a credit note has cancelled it.

A field of one has one name everywhere: here, in its table, in its event and in the API. What is
added here is stored, read and published under that name, without being listed again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import accumulate
from typing import Literal
from uuid import UUID

from gridtally.billing.domain.customers import CustomerBalance
from gridtally.billing.domain.drafts import Draft
from gridtally.billing.domain.periods import BilledPeriod
from gridtally.kernel.money import EXACT
from gridtally.rating.engine.lines import DataQuality, Line
from gridtally.rating.quality import quality_of_all

NUMBER_DIGITS = 6
InvoiceState = Literal["issued", "void"]
SectionChange = Literal["revision", "restatement", "added"]
"""How a section differs from the invoice whose place its own takes: its period was corrected, or
the one before it; or it was not there."""


@dataclass(frozen=True, slots=True)
class Section:
    """A section of a collective invoice: the first of its lines, so many, are those of the bill
    `section_id`, the next ones those of the section after it. `change` is None for what stayed."""

    section_id: UUID
    line_count: int
    change: SectionChange | None


@dataclass(frozen=True, slots=True, eq=False)
class Invoice:
    """The amount asked for one period of an agreement; one per agreement and period is live.

    The `lines` add up to `total` = `net` + `tax`. `brought_forward` is the customer's balance
    before it (a credit is negative), of which `arrears` was overdue (named by
    one live invoice of a customer a day); the invoice whose place it
    takes is not in it, and what was paid on that one is. `quality` is what all that was metered
    rests on; None of an invoice from before that was noted. `proof_root`
    is the root of its proof, in hexadecimal; None of one from before there were proofs.
    `approved_by` is the API key that approved its draft; None where it was not drafted.

    A collective one has `sections`, and its customer's id where another has its agreement and
    meter. Each section is an invoice too, with the number and the `collective_id` of that, and its
    own evidence; nobody owes it apart.
    """

    tenant_id: str
    id: UUID
    number: str
    customer_id: UUID
    agreement_id: UUID
    meter_id: UUID
    start_on: date
    end_on: date
    revision: int
    restatement: int
    currency: str
    lines: Sequence[Line]
    net: Decimal
    tax: Decimal
    total: Decimal
    issued_at: datetime
    correlation_id: str
    brought_forward: Decimal
    arrears: Decimal
    quality: DataQuality | None
    proof_root: str | None = None
    approved_by: str | None = None
    approved_at: datetime | None = None
    is_collective: bool = False
    collective_id: UUID | None = None
    sections: Sequence[Section] = ()

    def __post_init__(self) -> None:
        if self.end_on <= self.start_on:
            raise ValueError(
                "the period of an invoice must begin (start_on) before it ends (end_on)"
            )
        if self.is_collective != bool(self.sections):
            raise ValueError("a collective invoice has sections, and another has none")
        if self.sections and sum(own.line_count for own in self.sections) != len(self.lines):
            raise ValueError("the sections of an invoice have its lines, each one once")

    @property
    def amount_due(self) -> Decimal:
        """What is to be paid, or is left of a credit."""
        return EXACT.add(self.total, self.brought_forward)

    @property
    def document_id(self) -> UUID:
        """The invoice that is owed: itself, or the collective one that it is a section of."""
        return self.collective_id or self.id

    @property
    def sections_of_lines(self) -> list[range]:
        """The indexes of its lines by section; all of them where it is not collective."""
        if not self.sections:
            return [range(len(self.lines))]
        ends = list(accumulate(own.line_count for own in self.sections))
        return [
            range(end - own.line_count, end) for own, end in zip(self.sections, ends, strict=True)
        ]


def issue(
    billed: BilledPeriod,
    number: str,
    balance: CustomerBalance,
    now: datetime,
    draft: Draft | None = None,
) -> Invoice:
    """The invoice for a billed period of a customer who owes `balance`; `draft` is the approved
    one, where its tenant approves invoices."""
    closed, agreement, bill = billed.closed, billed.billable.agreement, billed.bill
    balance = balance.written_like(bill.total, bill.currency)
    return Invoice(
        tenant_id=closed.tenant_id,
        id=billed.invoice_id,
        number=number,
        customer_id=agreement.customer_id,
        agreement_id=agreement.id,
        meter_id=closed.meter_id,
        start_on=closed.period.start_on,
        end_on=closed.period.end_on,
        revision=closed.revision,
        restatement=billed.restatement,
        currency=bill.currency,
        lines=bill.lines,
        net=bill.net,
        tax=bill.tax,
        total=bill.total,
        issued_at=now.astimezone(UTC),
        correlation_id=closed.correlation_id,
        brought_forward=balance.balance,
        arrears=balance.arrears,
        quality=quality_of_all(closed.doubtful),
        approved_by=None if draft is None else draft.decided_by,
        approved_at=None if draft is None else draft.decided_at,
    )


def repeats(billed: BilledPeriod, invoice: Invoice | None) -> bool:
    """Whether a restatement would only repeat the invoice that is live, line by line."""
    return (
        invoice is not None
        and billed.restatement > 0
        and tuple(invoice.lines) == tuple(billed.bill.lines)
    )


def series_of(prefix: Literal["INV", "CN"], now: datetime) -> str:
    """The number series of documents issued now: one per year (UTC)."""
    return f"{prefix}-{now.astimezone(UTC).year}"


def highest_serials(numbers: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """By tenant and series the highest serial among these tenants' numbers.

    ValueError for what is no number of ours.
    """
    highest: dict[tuple[str, str], int] = {}
    for tenant_id, number in numbers:
        series, _, serial = number.rpartition("-")
        key = tenant_id, series
        highest[key] = max(highest.get(key, 0), int(serial))
    return highest


def numbered(series: str, serial: int) -> str:
    """`INV-2025-000123`; a serial that is too long for its digits just takes more."""
    return f"{series}-{serial:0{NUMBER_DIGITS}d}"
