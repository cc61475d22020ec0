"""Corrections before they are made: what other readings would change of days, bills and invoices.

An invoiced period is billed again from its own evidence with the readings in it, by the function
that bills revisions, at the prices in force on its days; so the difference is that of the readings
alone. What a bill carries forward is followed through the invoices after it. Nothing is issued.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal
from uuid import UUID

import numpy as np

from gridtally.billing.domain.daily_costs import DailyCost, DailyUsage, price_days
from gridtally.billing.domain.periods import (
    BilledPeriod,
    ClosedPeriod,
    HeldPeriod,
    Predecessor,
    bill_periods,
    with_reference_data,
)
from gridtally.billing.domain.recorded_usage import ReadingBlock, RecordedUsage, Wh
from gridtally.billing.domain.reference_data import ReferenceData
from gridtally.kernel.money import EXACT
from gridtally.kernel.periods import ONE_DAY, Period, slots_in_day
from gridtally.rating.engine.bill import Bill
from gridtally.rating.engine.lines import Line
from gridtally.rating.quality import ACTUAL, NOTHING, Doubtful
from gridtally.rating.state import State
from gridtally.rating.usage import MISSING, Flow

Cause = Literal["correction", "carried_forward"]
"""Whether the period's own readings change, or only what the period before carries forward."""


@dataclass(frozen=True, slots=True)
class ChangedDay:
    """A flow's local day whose energy changes; None where nothing is recorded."""

    meter_id: UUID
    day: date
    flow: Flow
    wh_before: int | None
    wh_after: int | None


@dataclass(frozen=True, slots=True)
class DayCost:
    """What a changed day costs before and after, by its daily cost; None where it has none."""

    meter_id: UUID
    day: date
    before: DailyCost | None
    after: DailyCost | None


@dataclass(frozen=True, slots=True, eq=False)
class IssuedInvoice:
    """A live invoice, or a section of one: its lines and total, what is credited of that by now,
    the period as it was closed for it, and what the bill before carried forward. `document_id` is
    the invoice that was sent."""

    id: UUID
    document_id: UUID
    number: str
    customer_id: UUID
    currency: str
    lines: Sequence[Line]
    total: Decimal
    credited: Decimal
    closed: ClosedPeriod
    state_before: State


@dataclass(frozen=True, slots=True, eq=False)
class ChangedInvoice:
    """An invoice that would be credited, and the bill that would be issued in its place; or why
    that would be held."""

    invoice: IssuedInvoice
    cause: Cause
    bill: Bill | None
    held: HeldPeriod | None

    @property
    def delta(self) -> Decimal | None:
        """By how much the total changes; None where the new bill would be held."""
        return None if self.bill is None else EXACT.subtract(self.bill.total, self.invoice.total)


def changed_days(
    meter_id: UUID, recorded: RecordedUsage, corrected: RecordedUsage
) -> list[ChangedDay]:
    """The days of which any interval is another one, by flow and day."""
    changed = []
    for flow, days in corrected.days.items():
        before = recorded.days.get(flow, {})
        for day, values in sorted(days.items()):
            known = before.get(day)
            if known is None or not np.array_equal(known, values):
                changed.append(ChangedDay(meter_id, day, flow, _wh(known), _wh(values)))
    return changed


def _wh(values: Wh | None) -> int | None:
    if values is None or not (values != MISSING).any():
        return None
    return int(values.sum(where=values != MISSING, dtype=np.int64))


def day_costs(
    tenant_id: str,
    meter_id: UUID,
    days: Sequence[date],
    usages: tuple[RecordedUsage, RecordedUsage],
    known: ReferenceData,
) -> list[DayCost]:
    """What each of these days costs before and after."""
    keys = [(tenant_id, meter_id, day) for day in days]
    agreements = known.agreements_on(keys)
    before, after = (
        {
            cost.day: cost
            for cost in price_days(
                [_day_usage(tenant_id, meter_id, day, usage) for day in days], agreements, known
            )
        }
        for usage in usages
    )
    return [DayCost(meter_id, day, before.get(day), after.get(day)) for day in days]


def _day_usage(tenant_id: str, meter_id: UUID, day: date, usage: RecordedUsage) -> DailyUsage:
    own = {flow: days[day] for flow, days in usage.days.items() if day in days}
    return DailyUsage(
        tenant_id,
        meter_id,
        day,
        usage.zone,
        {flow: usage.minutes[flow] for flow in own},
        version=0,
        series=own or {"import": usage.series("import", Period(day, day + ONE_DAY))},
        correlation_id="",
    )


def changed_invoices(
    invoices: Sequence[IssuedInvoice],
    blocks: Mapping[UUID, Sequence[ReadingBlock]],
    known: ReferenceData,
) -> list[ChangedInvoice]:
    """Which of one agreement's live invoices, in order of time, would be replaced.

    `blocks` are the readings of each meter. An invoice after one that would be held is left out:
    it waits.
    """
    changed: list[ChangedInvoice] = []
    carried: State | None = None
    for invoice in invoices:
        corrected = corrected_period(invoice.closed, blocks.get(invoice.closed.meter_id, ()))
        if corrected is None and carried in (None, invoice.state_before):
            carried = None
            continue
        closed = invoice.closed if corrected is None else corrected
        state = invoice.state_before if carried is None else carried
        result = _billed(closed, state, known)
        cause: Cause = "carried_forward" if corrected is None else "correction"
        if isinstance(result, HeldPeriod):
            return [*changed, ChangedInvoice(invoice, cause, None, result)]
        if corrected is not None or tuple(invoice.lines) != tuple(result.bill.lines):
            changed.append(ChangedInvoice(invoice, cause, result.bill, None))
        carried = result.state_after
    return changed


def _billed(closed: ClosedPeriod, state: State, known: ReferenceData) -> BilledPeriod | HeldPeriod:
    predecessor = Predecessor(closed.period.start_on, is_invoiced=True, state=state)
    (result,) = bill_periods(with_reference_data([closed], known), {closed.key: predecessor}, {})
    return result


def corrected_period(closed: ClosedPeriod, blocks: Sequence[ReadingBlock]) -> ClosedPeriod | None:
    """The period as it would be closed with these readings; None where they change nothing of it.

    Rejected where they do not fit its intervals.
    """
    own = [block for block in blocks if block.flow in closed.series]
    corrected = _days_of(closed).with_readings(own)
    series = {flow: corrected.series(flow, closed.period) for flow in closed.series}
    changed = {
        flow for flow, values in series.items() if not np.array_equal(values, closed.series[flow])
    }
    if not changed:
        return None
    doubtful = dict(closed.doubtful)
    for flow in changed:
        before = closed.series[flow]
        known = closed.doubtful.get(flow)
        letters = np.full(len(before), ACTUAL, np.uint8) if known is None else known.letters
        letters = np.where(series[flow] != before, ACTUAL, letters)
        letters = np.where((series[flow] == MISSING) & (before != MISSING), NOTHING, letters)
        doubtful[flow] = Doubtful(closed.minutes[flow], series[flow], letters.astype(np.uint8))
        if (letters == ACTUAL).all():
            del doubtful[flow]
    before_count, after_count = (
        sum(int(np.count_nonzero(values != MISSING)) for values in own_series.values())
        for own_series in (closed.series, series)
    )
    return replace(
        closed,
        series=series,
        doubtful=doubtful,
        present_intervals=closed.present_intervals + after_count - before_count,
    )


def _days_of(closed: ClosedPeriod) -> RecordedUsage:
    """The series of a closed period, day by day."""
    days: dict[Flow, dict[date, Wh]] = {}
    for flow, values in closed.series.items():
        first, own = 0, {}
        for day in closed.period.dates():
            slots = slots_in_day(closed.zone, day, closed.minutes[flow])
            own[day] = values[first : first + slots]
            first += slots
        days[flow] = own
    return RecordedUsage(closed.zone, closed.minutes, days)


def span_of(blocks: Sequence[ReadingBlock]) -> Period:
    """Days that hold all of these readings, in whatever zone; `blocks` are at least one."""
    ends = [block.start_at + len(block.values) * _minutes(block) for block in blocks]
    start_on = min(block.start_at for block in blocks).date() - ONE_DAY
    return Period(start_on, max(ends).date() + 2 * ONE_DAY)


def _minutes(block: ReadingBlock) -> timedelta:
    return timedelta(minutes=block.minutes)
