"""Prepayment: what a customer has paid in advance, drawn down day by day.

Owns what is left, how long it will last, and when that is worth an alert. Books nothing: a day's
draw is provisional, and is gone once the invoice of its period is there, which takes from the
customer's credit what it comes to. So what is left is always payments less invoices, less what the
days have cost that no invoice has yet, whatever is corrected or comes late.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from itertools import pairwise
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

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
MINUTES = 30
"""Of the intervals without energy that standing charges are rated on: the longest that fill every
zone's days, also where clocks are changed by half an hour."""


@dataclass(frozen=True, slots=True)
class Terms:
    """When a customer on prepayment is to be alerted: when less than `alert_amount` is left, in the
    customer's currency, or what is left lasts no more than `alert_days`."""

    customer_id: UUID
    alert_amount: Decimal | None = None
    alert_days: int | None = None


@dataclass(frozen=True, slots=True)
class RaisedAlert:
    """What is wrong, since when, and the least that was left since."""

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
    for time, with taxes; `drawn` is what of it no invoice has. It is billed where invoices have
    all of it, and over where that is so for each meter's clock."""

    day: date
    usage: Decimal
    standing: Decimal
    drawn: Decimal
    is_billed: bool = False
    is_over: bool = True

    @property
    def total(self) -> Decimal:
        """All that it costs."""
        return EXACT.add(self.usage, self.standing)


@dataclass(frozen=True, slots=True)
class Position:
    """How a customer's prepayment stands.

    credit         payments and whatever else is the customer's, less all invoices
    drawn          what the days cost that no invoice has yet
    drawn_through  the last day that is over and of which the cost is known
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
    tenant_id: str, meter_days: Sequence[MeterDay], known: ReferenceData, now: datetime
) -> list[DrawnDay]:
    """The days in order, each with its share of the standing charges of its meters."""
    by_day: dict[date, DrawnDay] = {}
    last: _Owed | None = None
    for own in sorted(meter_days, key=lambda own: (own.agreement_id.int, own.day)):
        if last is None or last.agreement_id != own.agreement_id or own.day not in last.period:
            last = _owed_for_time(tenant_id, own, known, now)
        standing = last.shares[(own.day - last.period.start_on).days]
        cost = EXACT.add(own.usage, standing)
        before = by_day.get(own.day, DrawnDay(own.day, ZERO, ZERO, ZERO, is_billed=True))
        by_day[own.day] = DrawnDay(
            own.day,
            EXACT.add(before.usage, own.usage),
            EXACT.add(before.standing, standing),
            EXACT.add(before.drawn, cost) if own.is_drawn else before.drawn,
            is_billed=before.is_billed and not own.is_drawn,
            is_over=before.is_over and own.day < last.today,
        )
    return [by_day[day] for day in sorted(by_day)]


def position(credit: Decimal, days: Sequence[DrawnDay], today: date) -> Position:
    """How it stands after these days, which are in order: all that no invoice has, and those of
    the last weeks. What a day costs that is not over is drawn, and is no part of the average."""
    drawn = _sum(day.drawn for day in days)
    lately = [day for day in days if day.is_over][-AVERAGE_DAYS:]
    if not lately:
        return Position(credit, drawn, None, None, None, None)
    through = lately[-1].day
    balance = EXACT.subtract(credit, drawn)
    total = _sum(day.total for day in lately)
    if balance <= 0:
        lasts: int | None = 0
    else:
        left = EXACT.add(balance, _sum(day.drawn for day in days if not day.is_over))
        lasts = _whole_days(left, len(lately), total) if total > 0 else None
    if lasts is not None and lasts > LASTS_DAYS_MAX:
        lasts = None
    empty_on = None if lasts is None else through + timedelta(days=1 + lasts)
    return Position(
        credit=credit,
        drawn=drawn,
        drawn_through=through,
        average=_rounded(EXACT.divide(total, len(lately)), total),
        empty_on=empty_on,
        days_left=None if empty_on is None else max((empty_on - today).days, 0),
    )


def judged(prepayment: Prepayment, now_is: Position, now: datetime) -> RaisedAlert | None:
    """The alert that is raised once this is so; the one that there is already stays as it is.

    One that is low stays until a day's average more is left than the least was since it was raised:
    an average that moves from day to day, or a correction of cents, would raise and end it again
    and again.
    """
    alert, balance = prepayment.alert, now_is.balance
    kind = kind_of(prepayment.terms, now_is)
    if alert is not None and kind in (alert.kind, None):
        margin = max(now_is.average or ZERO, ZERO)
        is_over = alert.kind == "prepayment_empty" or balance > EXACT.add(alert.balance, margin)
        if kind is not None or not is_over:
            return replace(alert, balance=min(alert.balance, balance))
    return None if kind is None else RaisedAlert(kind, now, balance)


def with_alert(before: Prepayment, alert: RaisedAlert | None) -> Prepayment:
    """The prepayment with this alert: the next version, which is published, where that is another,
    and not where less is left by the same one."""
    was = before.alert
    is_same = was is alert or (
        was is not None and alert is not None and (was.kind, was.since) == (alert.kind, alert.since)
    )
    return replace(before, alert=alert, version=before.version + (not is_same))


def kind_of(terms: Terms, now_is: Position) -> Alert | None:
    """What is wrong by these terms, whatever was before."""
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


@dataclass(frozen=True, slots=True)
class _Owed:
    """What an agreement owes for time in a billing period, by its days; `today` is the date that
    its tariff's clock shows."""

    agreement_id: UUID
    period: Period
    shares: Sequence[Decimal]
    today: date


# Days are in order, so that this is worked out once for a period, whether it can be rated or not.
def _owed_for_time(tenant_id: str, own: MeterDay, known: ReferenceData, now: datetime) -> _Owed:
    """The billing period of a day, and what each of its days owes for time; nothing where that
    cannot be rated, which holds the invoice too."""
    period, today = Period(own.day, own.day + timedelta(days=1)), now.astimezone(UTC).date()
    agreement = known.agreements.get((tenant_id, own.agreement_id))
    if agreement is None:
        return _Owed(own.agreement_id, period, (ZERO,), today)
    try:
        period = agreement.expected_period_of(own.day)
        parts = known.parts(tenant_id, agreement.tariff_id, period)
        today = now.astimezone(ZoneInfo(parts[0].version.zone)).date()
        meter = known.meters.get((tenant_id, agreement.meter_id))
        total = _standing(parts, period, None if meter is None else meter.connected_kw)
        shares = _shares(total, period.days)
    except (Rejected, ValueError, ArithmeticError):
        shares = (ZERO,) * period.days
    return _Owed(own.agreement_id, period, shares, today)


# A charge per month, or per bill, falls on its days in equal parts, and whole cents: each day has
# what is due through it less what was due through the day before, so that the days of a period add
# up to just what its invoice will ask.
@lru_cache(maxsize=256)
def _shares(total: Decimal, days: int) -> Sequence[Decimal]:
    due = [
        _rounded(EXACT.divide(EXACT.multiply(total, number), days), total)
        for number in range(days + 1)
    ]
    return tuple(EXACT.subtract(after, before) for before, after in pairwise(due))


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


def _rounded(amount: Decimal, like: Decimal) -> Decimal:
    """The amount with as many decimals as another: what its tariff rounds to."""
    exponent = like.as_tuple().exponent
    assert isinstance(exponent, int)  # noqa: S101 - money is a number
    step = Decimal(1).scaleb(min(exponent, 0))
    return amount.quantize(step, ROUND_HALF_EVEN, context=EXACT)


def _whole_days(left: Decimal, days: int, cost: Decimal) -> int:
    """How many days are paid for, at what so many cost; exactly, not rounded up."""
    return max(int(EXACT.divide_int(EXACT.multiply(left, days), cost)), 0)


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    total = ZERO
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total
