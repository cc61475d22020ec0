"""Prepayment: what a customer has paid in advance, drawn down day by day.

Owns what is left, how long it will last, and when that is worth an alert. Books nothing: a day's
draw is provisional, and is gone once the invoice of its period is there, which takes from the
customer's credit what it comes to. So what is left is always payments less invoices, less what the
days have cost that no invoice has yet, whatever is corrected or comes late.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import Literal
from uuid import UUID

import numpy as np

from gridtally.billing.domain.reference_data import ReferenceData
from gridtally.kernel.errors import Rejected
from gridtally.kernel.money import EXACT
from gridtally.kernel.periods import Period
from gridtally.rating.components.fixed import FixedCharge
from gridtally.rating.engine.bill import rate
from gridtally.rating.tariff import Part, TariffVersion, standing_charges
from gridtally.rating.usage import ACTIVE_FLOWS, Flow, Series, Usage, slots_in

Alert = Literal["prepayment_low", "prepayment_empty"]
ZERO = Decimal(0)
ALERT_DAYS_DEFAULT = 7
"""Where terms say nothing: long enough for a transfer that is made at once, and for a reminder."""
AVERAGE_DAYS = 14
"""The last days that are drawn, of which the average is: two weeks have each weekday twice."""
LASTS_DAYS_MAX = 3_660
"""What lasts longer is not said to run out: nobody knows ten years ahead what a day costs."""
MINUTES = 60
"""Of the intervals without energy that standing charges are rated on."""


@dataclass(frozen=True, slots=True)
class Terms:
    """When a customer on prepayment is to be alerted: when less than `alert_amount` is left, in the
    customer's currency, or what is left lasts no more than `alert_days`."""

    customer_id: UUID
    alert_amount: Decimal | None = None
    alert_days: int | None = None


@dataclass(frozen=True, slots=True)
class RaisedAlert:
    """What is wrong, since when, and what was left then."""

    kind: Alert
    since: datetime
    balance: Decimal


@dataclass(frozen=True, slots=True)
class Prepayment:
    """A customer's terms, and the alert that is raised; `is_active` until they end."""

    terms: Terms
    is_active: bool
    alert: RaisedAlert | None
    version: int


@dataclass(frozen=True, slots=True)
class MeterDay:
    """What a local day of a meter costs for its use, by its agreement; `is_drawn` while no invoice
    has it."""

    agreement_id: UUID
    meter_id: UUID
    day: date
    usage: Decimal
    is_drawn: bool


@dataclass(frozen=True, slots=True)
class DrawnDay:
    """What a local day costs of all of a customer's meters: its use, and its share of what is owed
    for time, with taxes; `drawn` is what of it no invoice has."""

    day: date
    usage: Decimal
    standing: Decimal
    drawn: Decimal

    @property
    def total(self) -> Decimal:
        """All that it costs."""
        return EXACT.add(self.usage, self.standing)


@dataclass(frozen=True, slots=True)
class Position:
    """How a customer's prepayment stands.

    credit         payments and whatever else is the customer's, less all invoices
    drawn          what the days cost that no invoice has yet
    drawn_through  the last day of which the cost is known
    average        what a day has cost of late; None where no day is known
    empty_on       the first day that is no longer paid for, at that average
    days_left      the days from today on that are paid for
    """

    credit: Decimal
    drawn: Decimal
    drawn_through: date | None
    average: Decimal | None
    empty_on: date | None
    days_left: int | None

    @property
    def balance(self) -> Decimal:
        """What is left."""
        return EXACT.subtract(self.credit, self.drawn)


def drawn_days(
    tenant_id: str, meter_days: Sequence[MeterDay], known: ReferenceData
) -> list[DrawnDay]:
    """The days in order, each with its share of the standing charges of its meters."""
    by_day: dict[date, DrawnDay] = {}
    periods: dict[UUID, tuple[Period, Decimal]] = {}
    for own in meter_days:
        standing = _standing_of(tenant_id, own, known, periods)
        cost = EXACT.add(own.usage, standing)
        before = by_day.get(own.day, DrawnDay(own.day, ZERO, ZERO, ZERO))
        by_day[own.day] = DrawnDay(
            own.day,
            EXACT.add(before.usage, own.usage),
            EXACT.add(before.standing, standing),
            EXACT.add(before.drawn, cost) if own.is_drawn else before.drawn,
        )
    return [by_day[day] for day in sorted(by_day)]


def position(credit: Decimal, days: Sequence[DrawnDay], today: date) -> Position:
    """How it stands after these days, which are in order: all that no invoice has, and those of
    the last weeks."""
    drawn = _sum(day.drawn for day in days)
    lately = days[-AVERAGE_DAYS:]
    if not lately:
        return Position(credit, drawn, None, None, None, None)
    through = lately[-1].day
    balance = EXACT.subtract(credit, drawn)
    total = _sum(day.total for day in lately)
    if balance <= 0:
        lasts: int | None = 0
    else:  # exactly: a whole number of days, and no quotient that is rounded up to one
        lasts = int(balance * len(lately) // total) if total > 0 else None
    if lasts is not None and lasts > LASTS_DAYS_MAX:
        lasts = None
    empty_on = None if lasts is None else through + timedelta(days=1 + lasts)
    return Position(
        credit=credit,
        drawn=drawn,
        drawn_through=through,
        average=(total / len(lately)).quantize(_cent(total), ROUND_HALF_EVEN),
        empty_on=empty_on,
        days_left=None if empty_on is None else max((empty_on - today).days, 0),
    )


def judged(prepayment: Prepayment, now_is: Position, now: datetime) -> RaisedAlert | None:
    """The alert that is raised once this is so; the one that there is already stays as it is.

    One that is low for its days alone stays until more is left than when it was raised: an average
    that moves from day to day would raise and end it again and again.
    """
    alert, balance = prepayment.alert, now_is.balance
    kind = _kind(prepayment.terms, now_is)
    if alert is not None:
        is_topped_up = balance > alert.balance
        if kind == alert.kind or (kind is None and not is_topped_up):
            return alert
    return None if kind is None else RaisedAlert(kind, now, balance)


def _kind(terms: Terms, now_is: Position) -> Alert | None:
    if now_is.balance <= 0:
        return "prepayment_empty"
    if terms.alert_amount is not None and now_is.balance < terms.alert_amount:
        return "prepayment_low"
    lasts = now_is.days_left
    if terms.alert_days is not None and lasts is not None and lasts <= terms.alert_days:
        return "prepayment_low"
    return None


def with_terms(before: Prepayment | None, terms: Terms) -> Prepayment:
    """The prepayment by these terms from now on; what was there already stays just as it is. Who
    comes back begins without an alert."""
    if before is None:
        return Prepayment(terms, is_active=True, alert=None, version=1)
    if before.is_active and before.terms == terms:
        return before
    alert = before.alert if before.is_active else None
    return Prepayment(terms, is_active=True, alert=alert, version=before.version + 1)


def ended(before: Prepayment) -> Prepayment:
    """The prepayment once it has ended."""
    return replace(before, is_active=False, alert=None, version=before.version + 1)


# A charge per month, or per bill, falls on its days in equal parts, and whole cents: each day has
# what is due through it less what was due through the day before, so that the days of a period add
# up to just what its invoice will ask. Days of one period mostly come one after another, and to
# find a period and hash its tariff costs ten times as much as the rest: so `periods` has the last
# one of each agreement.
def _standing_of(
    tenant_id: str,
    own: MeterDay,
    known: ReferenceData,
    periods: dict[UUID, tuple[Period, Decimal]],
) -> Decimal:
    """The day's share of what is owed for time in its billing period; nothing where that cannot be
    rated, which holds the invoice too."""
    last = periods.get(own.agreement_id)
    if last is None or own.day not in last[0]:
        last = _owed_for_time(tenant_id, own, known)
        if last is None:
            return ZERO
        periods[own.agreement_id] = last
    period, total = last
    number = (own.day - period.start_on).days
    return EXACT.subtract(
        _share(total, number + 1, period.days), _share(total, number, period.days)
    )


def _owed_for_time(
    tenant_id: str, own: MeterDay, known: ReferenceData
) -> tuple[Period, Decimal] | None:
    """The billing period of a day, and what is owed for time in it."""
    agreement = known.agreements.get((tenant_id, own.agreement_id))
    if agreement is None:
        return None
    try:
        period = agreement.expected_period_of(own.day)
        parts = known.parts(tenant_id, agreement.tariff_id, period)
        meter = known.meters.get((tenant_id, agreement.meter_id))
        return period, _standing(parts, period, None if meter is None else meter.connected_kw)
    except Rejected:
        return None


def _share(total: Decimal, days: int, of_days: int) -> Decimal:
    return (total * days / of_days).quantize(_cent(total), ROUND_HALF_EVEN)


@lru_cache(maxsize=4096)
def _standing(parts: tuple[Part, ...], period: Period, connected_kw: Decimal | None) -> Decimal:
    """What is owed for time in a period, with taxes."""
    zone = parts[0].version.zone
    zeros = np.zeros(slots_in(zone, period, MINUTES), np.int32)
    nothing: dict[Flow, Series] = dict.fromkeys(ACTIVE_FLOWS, zeros)
    standing = [Part(part.period, _standing_version(part.version)) for part in parts]
    [bill] = rate(standing, [Usage(zone, period, MINUTES, nothing, connected_kw)])
    return bill.total


def _standing_version(version: TariffVersion) -> TariffVersion:
    """The version's charges for time; one that costs nothing where it has none."""
    nothing = FixedCharge(id="none", rate=ZERO, per="day")
    return standing_charges(version) or replace(version, components=(nothing,))


def _cent(amount: Decimal) -> Decimal:
    """The step of an amount's last decimal: what its tariff rounds to."""
    exponent = amount.as_tuple().exponent
    assert isinstance(exponent, int)  # noqa: S101 - money is a number
    return Decimal(1).scaleb(min(exponent, 0))


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    total = ZERO
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total
