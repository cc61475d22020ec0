"""Previews against the bills of closed periods: one function, so one result."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from gridtally.billing.domain.agreements import Agreement
from gridtally.billing.domain.forecasts import forecast
from gridtally.billing.domain.periods import (
    ClosedPeriod,
    Predecessor,
    bill_periods,
    with_reference_data,
)
from gridtally.billing.domain.previews import (
    Carried,
    PreviewBasis,
    last_day,
    preview,
)
from gridtally.billing.domain.recorded_usage import RecordedUsage
from gridtally.billing.domain.reference_data import Meter, ReferenceData
from gridtally.billing.domain.tariffs import InForce
from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import ONE_DAY, Period, months_between
from gridtally.rating.price_days import PriceDay, versioned_series
from gridtally.rating.usage import MISSING

TENANT, BERLIN = "acme", "Europe/Berlin"
AGREEMENT_ID, CUSTOMER_ID, METER_ID, TARIFF_ID, VERSION_ID = (UUID(int=n) for n in range(1, 6))
AGREEMENT = Agreement(
    AGREEMENT_ID, CUSTOMER_ID, METER_ID, TARIFF_ID, date(2025, 1, 1), None, "wait", 72, 1
)
MARCH, OCTOBER = (Period(date(2025, m, 1), date(2025, m + 1, 1)) for m in (3, 10))
VAT = {"kind": "tax", "id": "vat", "rate": "0.19", "component_ids": ["energy"]}
COMPONENTS = {
    "flat": [
        {"kind": "fixed", "id": "base", "rate": "12.50", "per": "month"},
        {"kind": "energy", "id": "energy", "rate": "0.2999"},
        VAT,
    ],
    "time of use": [
        {
            "kind": "time_of_use",
            "id": "energy",
            "bands": [{"name": "day", "rate": "0.31"}, {"name": "night", "rate": "0.17"}],
            "windows": [{"band": "night", "from_time": "22:00", "to_time": "06:00"}],
            "default_band": "day",
        },
        VAT,
    ],
    "tiers of a year": [
        {
            "kind": "tiered",
            "id": "energy",
            "tiers": [{"limit": "500", "rate": "0.10"}, {"rate": "0.30"}],
            "limits": {"per": "period", "reset_months": 12},
        },
        VAT,
    ],
    "netted": [
        {
            "kind": "net_metering",
            "id": "net",
            "rate": "0.30",
            "surplus": {"kind": "carry_forward"},
        }
    ],
    "demand": [
        {"kind": "demand", "id": "peak", "rate": "9.5", "minutes": 60},
        VAT | {"component_ids": ["peak"]},
    ],
    "minimum": [
        {"kind": "energy", "id": "energy", "rate": "0.01"},
        {"kind": "minimum_bill", "id": "least", "amount": "15"},
    ],
    "spot": [{"kind": "spot", "id": "energy", "series": "DE-LU", "markup": "0.02"}],
}


def spot_prices(days):
    """A price for each hour of these days."""
    return versioned_series(
        [
            PriceDay(
                day, BERLIN, 60, "EUR", 1,
                [Decimal(hour % 7) / 100
                 for hour in range(Period(day, day + ONE_DAY).slots(BERLIN, 60))],
            )
            for day in days
        ]
    )  # fmt: skip


def known_by(components, prices=()):
    document = {"currency": "EUR", "zone": BERLIN, "components": components}
    return ReferenceData(
        agreements={(TENANT, AGREEMENT_ID): AGREEMENT},
        meters={(TENANT, METER_ID): Meter(Decimal(15), frozenset({"import", "export"}))},
        currencies={(TENANT, CUSTOMER_ID): "EUR"},
        versions={(TENANT, TARIFF_ID): [InForce(VERSION_ID, 1, date(2024, 1, 1), None)]},
        documents={(TENANT, VERSION_ID): json.dumps(document)},
        prices={(TENANT, "DE-LU"): spot_prices(prices)} if prices else {},
    )


def random_usage(seed, period, until_on=None, most=2_000):
    """Hours of both flows up to a day."""
    rng = np.random.default_rng(seed)
    days = {
        flow: {
            day: rng.integers(0, most, Period(day, day + ONE_DAY).slots(BERLIN, 60)).astype(
                np.int32
            )
            for day in period.dates()
            if until_on is None or day < until_on
        }
        for flow in ("import", "export")
    }
    return RecordedUsage(BERLIN, dict.fromkeys(days, 60), days)


def basis(known, usage, period, carried=None):
    return PreviewBasis(
        TENANT, AGREEMENT, period, usage, forecast(usage, period), known, known,
        carried or Carried(AGREEMENT.start_on, {}),
    )  # fmt: skip


def closed(usage, period):
    """The period as ingest closes it."""
    series = {flow: usage.series(flow, period) for flow in usage.minutes}
    count = sum(map(len, series.values()))
    return ClosedPeriod(
        TENANT, AGREEMENT_ID, METER_ID, BERLIN, period, 1, "complete", usage.minutes, series, {},
        count, count, "0" * 64, b"", (), "c", b"",
    )  # fmt: skip


def billed(known, usage, periods):
    """The bills of periods that are closed in turn."""
    bills, state, before_on = [], {}, None
    for period in periods:
        loaded = with_reference_data([closed(usage, period)], known)
        before = Predecessor(before_on, True, state) if before_on else None
        (result,) = bill_periods(loaded, {loaded[0].closed.key: before} if before else {}, {})
        bills.append(result)
        state, before_on = result.state_after, period.end_on
    return bills


@pytest.mark.parametrize("components", COMPONENTS.values(), ids=COMPONENTS)
@examples(25)
@given(seed=st.integers(0, 2**32), month=st.sampled_from([1, 2, 3, 4, 10]))
def test_the_preview_of_a_complete_period_is_its_invoice(components, seed, month):
    """Also where months before it have no invoice, and in months of clock changes."""
    until_on = date(2025, month + 1, 1)
    periods = months_between(AGREEMENT.start_on, until_on)
    days = Period(AGREEMENT.start_on, until_on)
    known = known_by(components, days.dates() if components[0]["kind"] == "spot" else ())
    usage = random_usage(seed, days)
    *_, last = billed(known, usage, periods)
    made = preview(basis(known, usage, periods[-1]))
    for bill in (made.so_far.bill, made.expected.bill):
        assert bill == last.bill
        assert [line.quality for line in bill.lines] == [line.quality for line in last.bill.lines]
    assert made.low == made.high == last.bill.total
    assert made.used_until == periods[-1].bounds_utc(BERLIN)[1]
    assert made.expected_prices == []


def test_it_carries_on_from_the_last_invoice():
    """January used 744 × 0.5 = 372 kWh of the 500 at 0.10; February and March follow unbilled."""
    known = known_by(COMPONENTS["tiers of a year"])
    days = Period(AGREEMENT.start_on, MARCH.end_on)
    usage = random_usage(7, days)
    bills = billed(known, usage, months_between(days.start_on, days.end_on))
    january = Carried(date(2025, 2, 1), bills[0].state_after)
    made = preview(basis(known, usage, MARCH, january))
    assert made.so_far.bill == bills[2].bill
    assert made.unissued == [Period(date(2025, 2, 1), date(2025, 3, 1))]
    february = Carried(date(2025, 3, 1), bills[1].state_after)
    made = preview(basis(known, usage, MARCH, february))
    assert (made.so_far.bill, made.unissued) == (bills[2].bill, [])


def test_what_was_never_billed_for_too_long_is_refused():
    agreement = replace(AGREEMENT, start_on=date(2023, 1, 1))
    known = known_by(COMPONENTS["tiers of a year"])
    known = replace(known, agreements={(TENANT, AGREEMENT_ID): agreement})
    asked = basis(known, random_usage(1, MARCH), MARCH, Carried(agreement.start_on, {}))
    with pytest.raises(Rejected) as refused:
        preview(replace(asked, agreement=agreement))
    assert refused.value.code == "previous_period_open"


def test_so_far_is_the_bill_if_nothing_more_were_used():
    """15 of 31 days at 1 kWh an hour: 360 kWh × 0.10 + 5.00 for the month = 41.00. The 30th has 23
    hours, so the month 743: expected are 743 × 0.10 + 5.00 = 79.30."""
    known = known_by([
        {"kind": "fixed", "id": "base", "rate": "5", "per": "month"},
        {"kind": "energy", "id": "energy", "rate": "0.10"},
    ])  # fmt: skip
    until_on = date(2025, 3, 16)
    days = {day: np.full(24, 1_000, np.int32) for day in MARCH.dates() if day < until_on}
    usage = RecordedUsage(BERLIN, {"import": 60}, {"import": days})
    made = preview(basis(known, usage, MARCH))
    assert (str(made.so_far.bill.total), str(made.expected.bill.total)) == ("41.00", "79.30")
    assert made.used_until == datetime(2025, 3, 15, 23, tzinfo=UTC)
    # the export that the meter measures is not there at all; it is missing, and expected nowhere
    assert (made.so_far.present_intervals, made.so_far.expected_intervals) == (360, 743 * 2)
    assert made.expected.energy_wh == {"import": 743_000, "export": 0}
    qualities = [line.quality.worst for line in made.expected.bill.lines if line.quality]
    assert qualities == ["estimated"]


@examples(20)
@given(seed=st.integers(0, 2**32), days=st.integers(1, 31))
def test_so_far_grows_to_what_is_expected_and_lies_within_the_spread(seed, days):
    known = known_by(COMPONENTS["time of use"])
    until_on = OCTOBER.start_on + timedelta(days=days)
    usage = random_usage(seed, OCTOBER, until_on)
    made = preview(basis(known, usage, OCTOBER))
    assert made.so_far.bill.total <= made.low <= made.expected.bill.total <= made.high
    assert made.expected.present_intervals == made.expected.expected_intervals
    recorded = sum(int(values.sum()) for values in usage.days["import"].values())
    assert made.so_far.energy_wh["import"] == recorded
    assert (made.so_far.energy_wh == made.expected.energy_wh) == (days == 31)


def test_prices_that_are_not_published_are_expected_only_after_the_last_value():
    days = Period(date(2025, 2, 1), date(2025, 3, 16)).dates()
    usage = random_usage(3, MARCH, date(2025, 3, 15))
    made = preview(basis(known_by(COMPONENTS["spot"], days), usage, MARCH))
    assert made.expected_prices == ["DE-LU"]
    assert made.expected.bill.total > made.so_far.bill.total
    with pytest.raises(Rejected) as refused:
        preview(basis(known_by(COMPONENTS["spot"], days[:-5]), usage, MARCH))
    assert refused.value.code == "prices_missing"


PERIODS = [
    # agreement from, to, day, its period or the code
    ("2025-01-01", None, "2025-03-09", ("2025-03-01", "2025-04-01")),
    ("2025-03-05", None, "2025-03-09", ("2025-03-05", "2025-04-01")),
    ("2025-01-01", "2025-03-20", "2025-03-09", ("2025-03-01", "2025-03-20")),
    ("2025-03-10", None, "2025-03-09", "agreement_not_begun"),
    ("2025-01-01", "2025-03-09", "2025-03-09", "agreement_ended"),
]


@pytest.mark.parametrize(("start", "end", "day", "expected"), PERIODS)
def test_the_period_of_a_day_is_its_month_within_the_agreement(start, end, day, expected):
    agreement = replace(
        AGREEMENT,
        start_on=date.fromisoformat(start),
        end_on=end and date.fromisoformat(end),
    )
    if isinstance(expected, str):
        with pytest.raises(Rejected) as refused:
            agreement.period_of(date.fromisoformat(day))
        assert refused.value.code == expected
    else:
        assert agreement.period_of(date.fromisoformat(day)) == Period(
            *map(date.fromisoformat, expected)
        )


def test_the_last_day_of_an_agreement_that_ended_stands_for_today():
    ended = replace(AGREEMENT, end_on=date(2025, 3, 20))
    assert last_day(ended, date(2025, 3, 20)) == date(2025, 3, 19)
    assert last_day(ended, date(2025, 3, 19)) == date(2025, 3, 19)
    assert last_day(AGREEMENT, date(2025, 5, 1)) == date(2025, 5, 1)


def test_values_that_are_missing_count_as_no_energy_as_in_a_period_closed_by_its_grace():
    known = known_by(COMPONENTS["flat"])
    usage = random_usage(5, MARCH)
    usage.days["import"][date(2025, 3, 7)][3:9] = MISSING
    asked = replace(closed(usage, MARCH), closed_by="grace")
    (result,) = bill_periods(with_reference_data([asked], known), {}, {})
    assert preview(basis(known, usage, MARCH)).so_far.bill == result.bill
