"""Invoices and credit notes: what was issued, and how their ids and numbers are made.

Neither ever changes. An invoice is void once its credit note is issued.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from billing.domain.periods import Billed
from kernel.ids import derive_id
from kernel.money import EXACT
from kernel.periods import Period
from rating.lines import Line

NUMBER_DIGITS = 6
State = Literal["issued", "void"]


@dataclass(frozen=True, slots=True)
class Account:
    """What a customer owes in one currency (a credit is negative), and what of it is overdue."""

    balance: Decimal = Decimal(0)
    arrears: Decimal = Decimal(0)

    def in_decimals_of(self, total: Decimal) -> "Account":
        """The same, written with no fewer decimals than `total`: nothing is 0.00."""
        nothing = EXACT.subtract(total, total)
        return Account(EXACT.add(self.balance, nothing), EXACT.add(self.arrears, nothing))


@dataclass(frozen=True, slots=True, eq=False)
class Invoice:
    """One live one per agreement and period; `lines` add up to `total` = `net` + `tax`.

    `account` is what the customer's account held before it.
    """

    tenant_id: str
    id: UUID
    number: str
    customer_id: UUID
    agreement_id: UUID
    meter_id: UUID
    period: Period
    revision: int
    restatement: int
    currency: str
    lines: Sequence[Line]
    net: Decimal
    tax: Decimal
    total: Decimal
    issued_at: datetime
    correlation_id: str
    account: Account

    @property
    def amount_due(self) -> Decimal:
        """What is to be paid, or is left of a credit."""
        return EXACT.add(self.total, self.account.balance)


@dataclass(frozen=True, slots=True, eq=False)
class CreditNote:
    """Takes back the whole of an invoice, whose amounts it repeats with their own signs."""

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


def issue(billed: Billed, number: str, account: Account, now: datetime) -> Invoice:
    """The invoice for a billed period."""
    closed, agreement, bill = billed.closed, billed.billable.agreement, billed.bill
    return Invoice(
        tenant_id=closed.tenant_id,
        id=billed.invoice_id,
        number=number,
        customer_id=agreement.customer_id,
        agreement_id=agreement.id,
        meter_id=closed.meter_id,
        period=closed.period,
        revision=closed.revision,
        restatement=billed.restatement,
        currency=bill.currency,
        lines=bill.lines,
        net=bill.net,
        tax=bill.tax,
        total=bill.total,
        issued_at=now,
        correlation_id=closed.correlation_id,
        account=account.in_decimals_of(bill.total),
    )


def credit(invoice: Invoice, number: str, billed: Billed, now: datetime) -> CreditNote:
    """The credit note that makes way for the next revision of the invoice's period."""
    return CreditNote(
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
        reason=(
            "restated: the period before was corrected"
            if billed.restatement
            else f"replaced by revision {billed.closed.revision} of its period"
        ),
        issued_at=now,
        correlation_id=billed.closed.correlation_id,
    )


def series_of(prefix: Literal["INV", "CN"], now: datetime) -> str:
    """The number series of documents issued now: one per year (UTC)."""
    return f"{prefix}-{now.astimezone(UTC).year}"


def numbered(series: str, serial: int) -> str:
    """`INV-2025-000123`; a serial that is too long for its digits just takes more."""
    return f"{series}-{serial:0{NUMBER_DIGITS}d}"
