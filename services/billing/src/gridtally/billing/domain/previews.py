"""Previews: the bill of a period that has not been closed, so far and as it will probably be.

Made by the functions that bill closed periods, from what was recorded of the period's days; what is
missing counts as no energy. Nothing is issued, numbered or stored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np

from gridtally.billing.domain.agreements import Agreement
from gridtally.billing.domain.forecasts import Forecast, expected_prices
from gridtally.billing.domain.periods import (
    BilledPeriod,
    ClosedPeriod,
    HeldPeriod,
    Predecessor,
    bill_periods,
    with_reference_data,
)
from gridtally.billing.domain.recorded_usage import RecordedUsage, Wh
from gridtally.billing.domain.reference_data import ReferenceData
from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import ONE_DAY, Period
from gridtally.rating.engine.bill import Bill
from gridtally.rating.quality import ACTUAL, ESTIMATED, NOTHING, Doubtful
from gridtally.rating.state import State
from gridtally.rating.tariff import Part, carries_state
from gridtally.rating.usage import ACTIVE_FLOWS, MISSING, REACTIVE_FLOWS, Flow

CARRIED_DAYS_MAX = 400
"""So many days before the period are rated at most, where it carries on from bills that have not
been issued: thirteen months."""


@dataclass(frozen=True, slots=True)
class Carried:
    """Until when the agreement's bills are issued, and what the last of them carries forward."""

    end_on: date
    state: State


@dataclass(frozen=True, slots=True, eq=False)
class PreviewBasis:
    """All that a preview rests on: the agreement's usage, what it is billed by, and `known_before`
    by which the days after the last bill up to the period are."""

    tenant_id: str
    agreement: Agreement
    period: Period
    usage: RecordedUsage
    forecast: Forecast
    known: ReferenceData
    known_before: ReferenceData
    carried: Carried


@dataclass(frozen=True, slots=True, eq=False)
class PreviewBill:
    """A bill, and the energy by flow and the intervals that it was made of."""

    bill: Bill
    energy_wh: Mapping[Flow, int]
    expected_intervals: int
    present_intervals: int


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """`so_far` with what was recorded, `expected` with a forecast of what is missing.

    `low` and `high` are the least and the greatest total that the forecast comes to at the level of
    any of the reference weeks. `expected_prices` are the price series of which prices were not
    published yet. `used_until` is the end of the last interval with a value;
    `unissued` the periods before this one that it carries on from without an invoice of theirs.
    """

    period: Period
    parts: Sequence[Part]
    state_before: State
    unissued: Sequence[Period]
    used_until: datetime | None
    expected_prices: Sequence[str]
    so_far: PreviewBill
    expected: PreviewBill
    low: Decimal
    high: Decimal


def last_day(agreement: Agreement, today: date) -> date:
    """Today, or the agreement's last day where that is over."""
    ended = agreement.end_on is not None and agreement.end_on <= today
    return agreement.end_on - ONE_DAY if agreement.end_on is not None and ended else today


def preview(basis: PreviewBasis) -> Preview:
    """The preview; Rejected where the period could not be billed, with the reason to hold it."""
    used_until = basis.usage.until(basis.period)
    basis, expected_series = _with_expected_prices(basis, used_until)
    recorded = _closed(basis, basis.period, basis.known, week=None)
    weeks = basis.forecast.weeks
    scenarios = [_closed(basis, basis.period, basis.known, week=week) for week in weeks]
    state, unissued = _state_before(basis, recorded, forecast=False)
    expected_state, _ = _state_before(basis, recorded, forecast=True)
    (so_far,) = _billed([recorded], basis.known, state)
    expected = _billed(scenarios, basis.known, expected_state)
    totals = [billed.bill.total for billed in expected]
    return Preview(
        period=basis.period,
        parts=so_far.billable.parts,
        state_before=so_far.state_before,
        unissued=unissued,
        used_until=used_until,
        expected_prices=expected_series,
        so_far=_preview_bill(so_far),
        expected=_preview_bill(expected[0]),
        low=min(totals),
        high=max(totals),
    )


def _with_expected_prices(
    basis: PreviewBasis, used_until: datetime | None
) -> tuple[PreviewBasis, list[str]]:
    """The basis in which prices that are not published yet are expected, and of which series.

    Only from the last interval with a value on: an earlier one needs the price that it has.
    """
    zone, (start_at, end_at) = basis.usage.zone, basis.period.bounds_utc(basis.usage.zone)
    from_at = used_until or start_at
    prices = {
        key: replace(own, series=expected_prices(own.series, zone, from_at, end_at))
        for key, own in basis.known.prices.items()
    }
    changed = [
        key[1] for key, own in prices.items() if own.series is not basis.known.prices[key].series
    ]
    known_before = replace(basis.known_before, prices=dict(basis.known_before.prices) | prices)
    known = replace(basis.known, prices=prices)
    return replace(basis, known=known, known_before=known_before), sorted(changed)


def _preview_bill(billed: BilledPeriod) -> PreviewBill:
    closed = billed.closed
    energy = {
        flow: int(values.sum(where=values != MISSING, dtype=np.int64))
        for flow, values in closed.series.items()
    }
    return PreviewBill(billed.bill, energy, closed.expected_intervals, closed.present_intervals)


def _billed(
    closed_periods: Sequence[ClosedPeriod], known: ReferenceData, state: State
) -> list[BilledPeriod]:
    """The bills of periods that begin on the same day with the same state; Rejected where one would
    be held."""
    loaded = with_reference_data(closed_periods, known)
    before = {
        closed.key: Predecessor(closed.period.start_on, is_invoiced=True, state=state)
        for closed in closed_periods
    }
    billed = []
    for result in bill_periods(loaded, before, {}):
        if isinstance(result, HeldPeriod):
            raise Rejected(result.reason, result.detail)
        billed.append(result)
    return billed


def _state_before(
    basis: PreviewBasis, closed: ClosedPeriod, *, forecast: bool
) -> tuple[State, list[Period]]:
    """What the period before leaves, as far as it is recorded or expected, and the periods that
    have no invoice yet: each is rated in turn, since one carries on from the other."""
    (loaded,) = with_reference_data([closed], basis.known)
    if isinstance(loaded, HeldPeriod):
        raise Rejected(loaded.reason, loaded.detail)
    state, start_on = basis.carried.state, basis.carried.end_on
    if not loaded.follows or start_on >= basis.period.start_on:
        return state, []
    if basis.period.start_on - start_on > timedelta(days=CARRIED_DAYS_MAX):
        raise Rejected(
            "previous_period_open",
            f"nothing is billed from {start_on} on, more than {CARRIED_DAYS_MAX} days before",
        )
    unissued = basis.agreement.periods_between(start_on, basis.period.start_on)
    for period in unissued:
        week = 0 if forecast else None
        before = _closed(basis, period, basis.known_before, week=week)
        (billed,) = _billed([before], basis.known_before, state)
        state = billed.state_after
    return state, unissued


def carries_on(known: ReferenceData, tenant_id: str, agreement: Agreement, period: Period) -> bool:
    """Whether the bill of the period starts with what an earlier one left."""
    parts = known.parts(tenant_id, agreement.tariff_id, period)
    return agreement.billed_from_on < period.start_on and any(
        carries_state(part.version) for part in parts
    )


def _closed(
    basis: PreviewBasis, period: Period, known: ReferenceData, *, week: int | None
) -> ClosedPeriod:
    """The period as if it were closed now by its grace time, with what was recorded, or (`week`)
    with what is missing as expected at the level of a reference week.

    All flows that the meter measures are there, so that none holds the bill.
    """
    usage, agreement = basis.usage, basis.agreement
    meter = known.meters.get((basis.tenant_id, agreement.meter_id))
    flows = [
        flow
        for flow in (*ACTIVE_FLOWS, *REACTIVE_FLOWS)
        if flow in usage.minutes or (meter is not None and flow in meter.flows)
    ]
    recorded = {flow: usage.series(flow, period) for flow in flows}
    series = recorded
    if week is not None:
        series = {
            flow: basis.forecast.filled(flow, values, period, week)
            for flow, values in recorded.items()
        }
    minutes = {flow: usage.minutes_of(flow) for flow in flows}
    return ClosedPeriod(
        tenant_id=basis.tenant_id,
        agreement_id=agreement.id,
        meter_id=agreement.meter_id,
        zone=usage.zone,
        period=period,
        revision=1,
        closed_by="grace",
        minutes=minutes,
        series=series,
        doubtful={
            flow: _doubtful(minutes[flow], values, series[flow])
            for flow, values in recorded.items()
            if (values == MISSING).any()
        },
        expected_intervals=sum(len(values) for values in series.values()),
        present_intervals=sum(
            int(np.count_nonzero(values != MISSING)) for values in series.values()
        ),
        digest="",
        usage_packed=b"",
        series_leaves=(),
        correlation_id="",
        event=b"",
    )


def _doubtful(minutes: int, recorded: Wh, values: Wh) -> Doubtful:
    """The quality of values: those that were not recorded are estimated, if they are there."""
    letters = np.where(recorded == MISSING, ESTIMATED, ACTUAL)
    letters = np.where(values == MISSING, NOTHING, letters)
    return Doubtful(minutes, values, letters.astype(np.uint8))
