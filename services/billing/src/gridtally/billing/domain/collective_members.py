"""Members of collective invoices: billed periods that wait for one another.

Owns the days whose periods share an invoice (those of the customer's billing calendar, by the last
day of each period), which of them are missing, and how long they are waited for.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

from gridtally.billing.domain.agreements import Agreement
from gridtally.billing.domain.customers import Invoicing
from gridtally.billing.domain.periods import BilledPeriod, HeldPeriod, PeriodKey
from gridtally.kernel.billing_calendars import CALENDAR_MONTHS, BillingCalendar
from gridtally.kernel.periods import ONE_DAY, Period
from gridtally.rating.engine.exact import add_up

LOOKED_AT_AGAIN_AFTER = timedelta(hours=1)
"""What waits is looked at so often, since agreements end and customers change meanwhile."""
PENDING = "collective_pending"
"""Why a period is held that is billed and waits for the others of its invoice."""
BELOW_MINIMUM = "below_minimum"
"""Why a period is held whose invoice would come to less than its customer's minimum."""
WAITING = (PENDING, BELOW_MINIMUM)
CollectiveKey = tuple[str, UUID, date]
"""Tenant, customer and first of the days whose periods share an invoice."""


@dataclass(frozen=True, slots=True)
class CollectiveTerms:
    """How a customer is invoiced; the periods that end within one of the days of its billing
    calendar share an invoice."""

    invoicing: Invoicing
    grace_hours: int
    calendar: BillingCalendar | None
    minimum_amount: Decimal | None = None
    minimum_periods_max: int = 1

    def days_of(self, period: Period) -> Period:
        """The days whose periods share the invoice of this one: those of its last day. A read cycle
        is a meter's and no customer's: then those of a month."""
        calendar = self.calendar
        if calendar is None or calendar.read_cycle is not None:
            calendar = CALENDAR_MONTHS
        return calendar.period_of(period.end_on - ONE_DAY)


@dataclass(frozen=True, slots=True)
class Member:
    """A period that is billed and waits for the others of its collective invoice.

    collective_start_on, collective_end_on  the days whose periods share the invoice
    waits_since    when it was first held for it, UTC
    grace_ends_at  when the invoice is issued without those that are missing, UTC
    due_at         when it is next looked at whether all are there, UTC
    released_by    the API key by which the invoice is issued with what is there, None for none
    """

    tenant_id: str
    agreement_id: UUID
    start_on: date
    customer_id: UUID
    end_on: date
    collective_start_on: date
    collective_end_on: date
    waits_since: datetime
    grace_ends_at: datetime
    due_at: datetime
    released_by: str | None = None
    released_at: datetime | None = None

    @property
    def key(self) -> PeriodKey:
        """The period that waits."""
        return self.tenant_id, self.agreement_id, self.start_on

    @property
    def collective_key(self) -> "CollectiveKey":
        """The collective invoice that it waits for."""
        return self.tenant_id, self.customer_id, self.collective_start_on

    def forces(self, now: datetime) -> bool:
        """Whether its invoice is issued with what is there."""
        return self.released_at is not None or self.grace_ends_at <= now


def member_of(billed: BilledPeriod, terms: CollectiveTerms, now: datetime) -> Member:
    """The period as it waits. Its grace time begins when it is there, or at the end of the days
    (in UTC), if that is later: so a year of history waits for its own members."""
    closed = billed.closed
    days = terms.days_of(closed.period)
    ends_at = datetime.combine(days.end_on, time(), UTC)
    return Member(
        tenant_id=closed.tenant_id,
        agreement_id=closed.agreement_id,
        start_on=closed.period.start_on,
        customer_id=billed.billable.agreement.customer_id,
        end_on=closed.period.end_on,
        collective_start_on=days.start_on,
        collective_end_on=days.end_on,
        waits_since=now,
        grace_ends_at=max(ends_at, now) + timedelta(hours=terms.grace_hours),
        due_at=now,
    )


def held_member(billed: BilledPeriod) -> HeldPeriod:
    """The period, held until the others of its invoice are there."""
    return HeldPeriod(
        billed.closed, PENDING, "billed, and waits for the other sections of a collective invoice"
    )


@dataclass(frozen=True, slots=True, eq=False)
class WholeInvoice:
    """A collective invoice that lacks nothing, or does not wait for it: its members with their
    bills, and whether it is the last of its customer."""

    members: Sequence[tuple[Member, BilledPeriod]]
    is_last: bool

    @property
    def total(self) -> Decimal:
        """What it comes to."""
        return add_up(billed.bill.total for _, billed in self.members)

    @property
    def goes_on(self) -> bool:
        """Whether it is issued whatever it comes to: it is the last one, somebody released it, or
        a bill carries on to the next, which needs it."""
        return self.is_last or any(
            member.released_at is not None or billed.billable.carries_state
            for member, billed in self.members
        )


# A customer's own money is not kept for less either: the amount counts, owed or credited.
def above_minimum(
    invoices: Sequence[WholeInvoice], terms: CollectiveTerms
) -> tuple[list[list[BilledPeriod]], list[HeldPeriod]]:
    """What of a customer is issued, by invoice, and what waits for the next, since all that waits
    together comes to less than the minimum. `invoices` in the order of their days."""
    issued: list[list[BilledPeriod]] = []
    carried: list[WholeInvoice] = []
    for invoice in invoices:
        carried.append(invoice)
        total = abs(add_up(own.total for own in carried))
        if (
            terms.minimum_amount is None
            or total >= terms.minimum_amount
            or len(carried) > terms.minimum_periods_max
            or any(own.goes_on for own in carried)
        ):
            issued.append([billed for own in carried for _, billed in own.members])
            carried = []
    detail = f"with what waits less than {terms.minimum_amount}, and goes on the next invoice"
    return issued, [
        HeldPeriod(billed.closed, BELOW_MINIMUM, detail)
        for own in carried
        for _, billed in own.members
    ]


def expected_periods(
    agreements: Iterable[Agreement], days: Period
) -> Iterator[tuple[UUID, Period]]:
    """The periods of a customer's agreements that end within these days, as far as is known."""
    for agreement in agreements:
        if agreement.billed_from_on >= days.end_on:
            continue
        if agreement.end_on is not None and agreement.end_on <= days.start_on:
            continue
        day = max(agreement.billed_from_on, days.start_on)
        while day < days.end_on and day in agreement:
            period = agreement.period_of(day)
            if period.end_on > days.end_on:
                break
            yield agreement.id, period
            day = period.end_on


def missing_periods(
    agreements: Iterable[Agreement], days: Period, present: Collection[tuple[UUID, date]]
) -> list[tuple[UUID, Period]]:
    """The periods that an invoice of these days lacks: neither among its members nor invoiced
    before (`present`, by agreement and first day)."""
    return [
        (agreement_id, period)
        for agreement_id, period in expected_periods(agreements, days)
        if (agreement_id, period.start_on) not in present
    ]
