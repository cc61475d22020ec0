"""Rebillings: an agreement was wrong from a day on, is cancelled from then on, and its days are
billed by another one, if any.

What was issued of these days is credited whole; what will be billed instead follows from the
agreements alone, and is closed by ingest as the periods of any agreement are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from gridtally.billing.domain.agreements import Agreement
from gridtally.billing.domain.credit_notes import CreditNote
from gridtally.billing.domain.customers import ZERO
from gridtally.kernel.billing_calendars import BillingCalendar
from gridtally.kernel.errors import Rejected
from gridtally.kernel.ids import derive_id
from gridtally.kernel.money import EXACT
from gridtally.kernel.periods import Period


@dataclass(frozen=True, slots=True)
class RebillingOrder:
    """That an agreement is cancelled from a local day on, why, and by what it is replaced.

    `changes` are the fields by which the replacement differs, None where there is none; `calendar`
    is its billing calendar where that differs.
    """

    from_on: date
    reason: str
    changes: Mapping[str, Any] | None
    calendar: BillingCalendar | None = None


@dataclass(frozen=True, slots=True)
class Rebilling:
    """What was done, by which API key; `invoice_ids` were credited, and the periods that begin on
    the days `withdrawn` are billed no more as they were closed."""

    tenant_id: str
    id: UUID
    agreement_id: UUID
    from_on: date
    replacement_id: UUID | None
    reason: str
    rebilled_by: str
    rebilled_at: datetime
    correlation_id: str
    invoice_ids: Sequence[UUID]
    withdrawn: Sequence[date]


@dataclass(frozen=True, slots=True)
class Rebilled:
    """A rebilling with the agreements and credit notes that it made."""

    rebilling: Rebilling
    agreement: Agreement
    replacement: Agreement | None
    notes: Sequence[CreditNote]

    def periods_to_bill(self, today: date) -> list[tuple[Agreement, Period]]:
        """The periods that are to be billed anew and have ended: what is left of one that is cut,
        and those of the replacement."""
        cut = [day for day in self.rebilling.withdrawn if day in self.agreement]
        periods = [(self.agreement, self.agreement.period_of(day)) for day in cut]
        new = self.replacement
        if new is not None and new.start_on < today:
            calendars = new.calendars.periods(new.billed_from_on, new.end_on, today)
            periods += [(new, period) for period in calendars]
        return [(agreement, period) for agreement, period in periods if period.end_on <= today]


def replacement_of(tenant_id: str, agreement: Agreement, order: RebillingOrder) -> Agreement | None:
    """The agreement in the place of another one, in its first version, but for a calendar of its
    own; its id follows from the version that it replaces.

    Without changes it is the same again: its days are billed by what is published by now, such as
    a version of its tariff that came after the invoices. Rejected where it could not be one.
    """
    if order.changes is None:
        return None
    start_on = max(order.from_on, agreement.start_on)
    same = replace(
        agreement,
        id=derive_id("rebilling.replacement", tenant_id, agreement.id, agreement.version),
        version=1,
        start_on=start_on,
        earlier_calendars=(),
    )
    fields = dict(order.changes)
    if order.calendar is None:
        begins_on = fields.get("start_on", start_on)
        fields["earlier_calendars"] = tuple(
            earlier for earlier in agreement.earlier_calendars if earlier.until_on > begins_on
        )
    try:
        changed = replace(same, **fields)
    except ValueError as wrong:
        raise Rejected("invalid_agreement", str(wrong)) from None
    if changed.is_cancelled:
        raise Rejected("invalid_agreement", "an agreement must begin before it ends")
    return changed


def begins_empty(agreement: Agreement, replacement: Agreement) -> bool:
    """Whether a replacement bills the same customer by the same tariff, but only from a day after
    the first bill on: what the tariff carries from bill to bill would be lost."""
    return (
        replacement.customer_id == agreement.customer_id
        and replacement.tariff_id == agreement.tariff_id
        and replacement.billed_from_on > agreement.billed_from_on
    )


@dataclass(frozen=True, slots=True)
class AccountChange:
    """By how much a customer is credited and billed anew in one currency."""

    customer_id: UUID
    currency: str
    credited: Decimal
    billed: Decimal

    @property
    def difference(self) -> Decimal:
        """By how much the customer owes more."""
        return EXACT.subtract(self.billed, self.credited)


def account_changes(
    credited: Sequence[tuple[UUID, str, Decimal]], billed: Sequence[tuple[UUID, str, Decimal]]
) -> list[AccountChange]:
    """What amounts credited and billed, each of a customer in a currency, come to."""
    sums: dict[tuple[UUID, str], tuple[Decimal, Decimal]] = {}
    for customer_id, currency, amount in credited:
        before = sums.get((customer_id, currency), (ZERO, ZERO))
        sums[customer_id, currency] = EXACT.add(before[0], amount), before[1]
    for customer_id, currency, amount in billed:
        before = sums.get((customer_id, currency), (ZERO, ZERO))
        sums[customer_id, currency] = before[0], EXACT.add(before[1], amount)
    return [AccountChange(*key, *amounts) for key, amounts in sums.items()]
