"""Demand with weights by time and as a mean of months; the working stands beside each figure."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import Period, months_between
from gridtally.rating.engine.bill import rate
from gridtally.rating.state import Bank, Peak, Peaks, read_state, state_document
from gridtally.rating.tariff import Part
from gridtally.rating.usage import Usage, slots_in

DEMAND = {"kind": "demand", "id": "demand", "rate": "10", "minutes": 60}
ZONE = "Europe/Brussels"
WEIGHTS = {
    "weights": [{"name": "day", "weight": "1"}, {"name": "night", "weight": "0.5"}],
    "windows": [{"band": "night", "from_time": "22:00", "to_time": "06:00"}],
    "default_band": "day",
}


def metered(wh_at, period, minutes=60):
    """Nothing but some Wh, by (local day, interval of the day from 0)."""
    wh = np.zeros(slots_in(ZONE, period, minutes), np.int64)
    days = [slots_in(ZONE, Period(period.start_on, day), minutes) for day in period.dates()[1:]]
    first = dict(zip(period.dates(), [0, *days], strict=True))
    for (day, slot), energy in wh_at.items():
        wh[first[day] + slot] = energy
    return Usage(ZONE, period, minutes, {"import": wh})


def whole(number, year=2025):
    start_on = date(year, number, 1)
    return Period(start_on, (start_on + timedelta(days=31)).replace(day=1))


def kw(bill):
    return {line.item.band: format(line.quantity.normalize(), "f") for line in bill.lines}


# 10 kW at 23:00 on the 4th, 8 kW at 12:00 on the 5th, 6 kW at 07:00 on the 6th of April
APRIL = whole(4)
SHAPE = {
    (date(2025, 4, 4), 23): 10_000,
    (date(2025, 4, 5), 12): 8_000,
    (date(2025, 4, 6), 7): 6_000,
}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (WEIGHTS, "8"),  # 10 at night count 5
        (WEIGHTS | {"mean_of_highest_days": 3}, "6.33333333333333333333"),  # (8 + 6 + 10 / 2) / 3
        (WEIGHTS | {"mean_of_highest_days": 3, "kw_step": "0.5"}, "6.5"),
        (WEIGHTS | {"mean_of_highest_days": 2, "minimum_kw": "7.5"}, "7.5"),  # (8 + 6) / 2
        # 10 kW × 0.85; the day does not count at all
        ({"weights": [{"name": "n", "weight": "0.85"}],
          "windows": [{"band": "n", "from_time": "22:00", "to_time": "06:00"}]}, "8.5"),
        # what counts more than once: 6 × 1.5 from 07:00 to 08:00
        ({"weights": [{"name": "a", "weight": "1.5"}, {"name": "b", "weight": "0.1"}],
          "windows": [{"band": "a", "from_time": "07:00", "to_time": "08:00"}],
          "default_band": "b"}, "9"),
        # tiers are of the weighted kW
        (WEIGHTS | {"rate": None, "tiers": [{"limit": "7.9", "rate": "0"}, {"rate": "1"}]}, None),
    ],
)  # fmt: skip
def test_power_counts_by_its_weight(version_of, fields, expected):
    version = version_of(DEMAND | fields, zone=ZONE)
    (bill,) = rate(version, [metered(SHAPE, APRIL)])
    assert kw(bill) == ({None: expected} if expected else {"tier-1": "7.9", "tier-2": "0.1"})


def test_weights_of_quarter_hours_are_of_whole_windows(version_of):
    """21:00 to 23:00 at 4 kW: an hour by day counts 4, at night 2, and one across 22:00 nothing."""
    eve = date(2025, 4, 4)
    usage = metered({(eve, slot): 1_000 for slot in range(84, 92)}, APRIL, 15)  # 21:00 to 23:00
    version = version_of(DEMAND | WEIGHTS | {"window": "sliding"}, zone=ZONE)
    assert kw(rate(version, [usage])[0]) == {None: "4"}


def test_the_weight_is_that_of_the_tariffs_clock_on_the_day_that_it_changes(version_of):
    """26 October 2025 has 25 hours: 06:00 is the eighth hour, and counts in full."""
    october = whole(10)
    day = date(2025, 10, 26)
    version = version_of(DEMAND | WEIGHTS, zone=ZONE)
    (sixth,) = rate(version, [metered({(day, 6): 4_000}, october)])  # 05:00, at night
    (seventh,) = rate(version, [metered({(day, 7): 4_000}, october)])  # 06:00
    assert (kw(sixth), kw(seventh)) == ({None: "2"}, {None: "4"})


WINTER = {
    "weights": [{"name": "day", "weight": "1"}, {"name": "night", "weight": "0.5"}],
    "windows": [
        {"band": "day", "from_time": "06:00", "to_time": "22:00", "seasons": ["winter"]},
        {"band": "night", "from_time": "22:00", "to_time": "06:00", "seasons": ["winter"]},
    ],
}
SEASONS = {"seasons": [{"name": "winter", "start": "11-01"}, {"name": "summer", "start": "04-01"}]}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("by_days", ["2.58064516129032258065"]),  # 5 kW (10 at night) × 16 of March's 31 days
        ("each_in_full", ["5.08064516129032258065"]),  # × (16/31 + 15/30)
        ("most_days", ["9.14516129032258064516"]),  # winter's windows on all days: 9 × the same
    ],
)
def test_weights_of_one_season_are_charged_for_its_days(version_of, rule, expected):
    """16 March to 16 April: a Swedish charge on power from November to March alone."""
    period = Period(date(2025, 3, 16), date(2025, 4, 16))
    wh_at = {(date(2025, 3, 20), 23): 10_000, (date(2025, 4, 5), 12): 9_000}
    charge = DEMAND | WINTER | {"on_season_change": rule}
    version = version_of(charge, zone=ZONE, calendar=SEASONS)
    (bill,) = rate(version, [metered(wh_at, period)])
    assert [str(line.quantity) for line in bill.lines] == expected
    summer = Period(date(2025, 4, 16), date(2025, 5, 16))
    assert rate(version, [metered({}, summer)])[0].lines == ()


def test_a_ratchet_looks_back_on_weighted_peaks(version_of):
    version = version_of(DEMAND | WEIGHTS | {"ratchet_months": 1}, zone=ZONE)
    (bill,) = rate(version, [metered({(date(2025, 4, 4), 23): 10_000}, APRIL)])
    assert bill.state["demand"].peaks[0].kw / bill.state["demand"].peaks[0].parts == 5


MEAN = DEMAND | {"mean_of_months": 12, "rate": "40", "per": "year", "proration": "twelfths"}
FLANDERS = [4, 4, 4, 4, 2, 2, 2, 2, 6, 4, 4, 4]


def bills_of_months(version, kilowatts, year=2025):
    """A year of bills, each with a peak at noon on the month's tenth day and the state before."""
    bills, state = [], {}
    for number, peak_kw in enumerate(kilowatts, 1):
        usage = metered({(date(year, number, 10), 12): peak_kw * 1000}, whole(number, year))
        (bill,) = rate(version, [usage], states=[read_state(state_document(state))])
        bills.append(bill)
        state = bill.state
    return bills


def test_the_flemish_mean_of_twelve_months_each_of_at_least_two_and_a_half_kw(version_of):
    """frodeheg/no.sparegris#181, dsmrreader/dsmr-reader#1084 (case C03).

    Peaks 4 4 4 4 2 2 2 2 6 4 4 4, each at least 2.5: (28 + 10 + 6) / 12 = 3.6667 kW × 40 / 12 =
    12.22 in December. January's mean is of itself: 4 kW; May's of five: (16 + 2.5) / 5 = 3.7.
    """
    bills = bills_of_months(version_of(MEAN | {"minimum_kw": "2.5"}, zone=ZONE), FLANDERS)
    assert bills[11].total == Decimal("12.22")
    assert bills[0].total == Decimal("13.33")
    assert bills[4].total == Decimal("12.33")  # 3.7 × 40 / 12
    assert len(bills[11].state["demand"].peaks) == 11  # next January looks at these


def test_the_thirteenth_month_drops_the_first(version_of):
    """December to December: 100 in the first month is gone in the thirteenth."""
    version = version_of(MEAN | {"mean_of_months": 3, "rate": "12"}, zone=ZONE)
    totals = [bill.total for bill in bills_of_months(version, [90, 3, 3, 3, 6])]
    # 90; (90 + 3) / 2; 96 / 3; 9 / 3; 12 / 3, a twelfth of 12 each
    assert totals == [90, Decimal("46.50"), 32, 3, 4]


def test_a_year_on_one_bill_is_billed_month_by_month(version_of):
    """The bill of a year is the sum of the bills of its months, also for tiers and steps."""
    for fields in (
        {"minimum_kw": "2.5"},
        {"kw_step": "1"},
        {"rate": None, "tiers": [{"limit": "3.5", "rate": "1"}, {"rate": "9"}]},
        {"mean_of_highest_days": 2, "proration": "actual_days"},
    ):
        version = version_of(MEAN | fields, zone=ZONE)
        months = bills_of_months(version, FLANDERS)
        year = Period(date(2025, 1, 1), date(2026, 1, 1))
        wh_at = {(date(2025, n, 10), 12): peak * 1000 for n, peak in enumerate(FLANDERS, 1)}
        (bill,) = rate(version, [metered(wh_at, year)])
        amounts = {}
        for line in [line for monthly in months for line in monthly.lines]:
            band = line.item.band
            amounts[band] = amounts.get(band, 0) + line.amount_exact
        shown = {line.item.band: line.amount_exact for line in bill.lines}
        assert {band: round(value, 15) for band, value in shown.items()} == {
            band: round(value, 15) for band, value in amounts.items()
        }
        assert bill.state == months[-1].state


def test_a_month_in_two_bills_has_one_peak(version_of):
    """From the 16th to the 16th: 2 kW on 20 May, 5 kW on 3 June, 3 kW on 20 June.

    May's days: 2 × 16/31. June's first half: (2 + 5) / 2 × 15/30 = 1.75. Its second half on the
    next bill has June's 5 kW: (2 + 5) / 2 × 15/30, and July: (2 + 5 + 0) / 3 × 15/31.
    """
    version = version_of(MEAN | {"per": "month", "proration": "actual_days"}, zone=ZONE)
    bills, state = [], {}
    for start_on, end_on, wh_at in [
        (date(2025, 5, 16), date(2025, 6, 16), {(date(2025, 5, 20), 9): 2_000,
                                                (date(2025, 6, 3), 9): 5_000}),
        (date(2025, 6, 16), date(2025, 7, 16), {(date(2025, 6, 20), 9): 3_000}),
    ]:  # fmt: skip
        (bill,) = rate(version, [metered(wh_at, Period(start_on, end_on))], states=[state])
        bills.append(bill)
        state = read_state(state_document(bill.state))
    first, second = (bill.lines[0].quantity for bill in bills)
    assert abs(first - (2 * Decimal(16) / 31 + Decimal("1.75"))) < Decimal("1e-15")
    assert abs(second - (Decimal("1.75") + Decimal(7) / 3 * 15 / 31)) < Decimal("1e-15")
    assert [str(peak.start_on) for peak in state["demand"].peaks] == [
        "2025-05-16", "2025-06-01", "2025-07-01"
    ]  # fmt: skip


def test_a_new_version_bills_the_same_month(version_of):
    """Ten and twenty days of April at 12 and 24 per kW: the 8 kW of the 5th count in both."""
    old = version_of(MEAN | {"per": "month", "proration": "actual_days", "rate": "12"}, zone=ZONE)
    new = version_of(
        MEAN | {"per": "month", "proration": "actual_days", "rate": "24"},
        zone=ZONE,
        version_id=UUID(int=2),
    )
    eleventh = date(2025, 4, 11)
    parts = [
        Part(Period(APRIL.start_on, eleventh), old),
        Part(Period(eleventh, APRIL.end_on), new),
    ]
    before = Peaks((Peak(None, date(2025, 3, 1), date(2025, 4, 1), Decimal(2)),))
    (bill,) = rate(parts, [metered(SHAPE, APRIL)], states=[{"demand": before}])
    # (2 + 10) / 2 = 6 kW: × 10/30 × 12, × 20/30 × 24
    assert [line.amount for line in bill.lines] == [Decimal(24), Decimal(96)]
    (single,) = rate(old, [metered(SHAPE, APRIL)], states=[{"demand": before}])
    assert bill.state == single.state


def test_each_band_has_its_own_mean_of_the_months_in_which_it_is_in_force(version_of):
    version = version_of(
        {
            "kind": "demand", "id": "demand", "minutes": 60, "mean_of_months": 3,
            "bands": [{"name": "winter", "rate": "1"}, {"name": "any", "rate": "2"}],
            "windows": [
                {"band": "winter", "from_time": "17:00", "to_time": "20:00", "seasons": ["cold"]}
            ],
            "default_band": "any",
        },
        calendar={
            "seasons": [{"name": "warm", "start": "04-01"}, {"name": "cold", "start": "11-01"}]
        },
        zone=ZONE,
    )  # fmt: skip
    before = Peaks(
        (
            Peak("any", date(2025, 3, 1), date(2025, 4, 1), Decimal(2)),
            Peak("winter", date(2025, 3, 1), date(2025, 4, 1), Decimal(9)),
        )
    )
    (bill,) = rate(version, [metered(SHAPE, APRIL)], states=[{"demand": before}])
    assert kw(bill) == {"any": "6"}  # (2 + 10) / 2
    assert {(peak.band, str(peak.start_on)) for peak in bill.state["demand"].peaks} == {
        ("any", "2025-03-01"), ("winter", "2025-03-01"), ("any", "2025-04-01"),
    }  # fmt: skip


def test_a_change_of_taxes_shares_the_mean_by_days(version_of):
    tax = {"kind": "tax", "id": "t", "rate": "0.1", "tax_class": "a", "to_on": "2025-04-11"}
    charge = MEAN | {"tax_class": "a", "per": "month", "proration": "actual_days", "rate": "3"}
    (bill,) = rate(version_of(charge, tax, zone=ZONE), [metered(SHAPE, APRIL)])
    assert [str(line.amount) for line in bill.lines] == ["10.00", "1.00", "20.00"]


def test_the_state_of_another_kind_is_refused(version_of):
    with pytest.raises(Rejected, match="its state is 'bank', not 'peaks'"):
        rate(version_of(MEAN, zone=ZONE), [metered({}, APRIL)], states=[{"demand": Bank(())}])


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"weights": WEIGHTS["weights"]}, "in no window and not the default"),
        (WEIGHTS | {"bands": [{"name": "day", "rate": "1"}], "rate": None}, "weights are for"),
        (WEIGHTS | {"rate": None}, "either a rate or tiers"),
        (WEIGHTS | {"weights": [{"name": "day", "weight": "0"}]}, "/weights/0: a weight of 0 must"),
        (WEIGHTS | {"weights": [{"name": "day", "weight": "-0.5"}]}, "above 0"),
        (WEIGHTS | {"weights": [{"name": "day", "weight": "10"}]}, "below 10"),
        (WEIGHTS | {"weights": [{"name": "day", "weight": "0.00001"}]}, "at most 4 decimals"),
        (WEIGHTS | {"windows": WEIGHTS["windows"] * 2}, "windows 0 and 1 overlap"),
        ({"mean_of_months": 37}, "between 0 and 36"),
        ({"mean_of_months": -1}, "between 0 and 36"),
        ({"mean_of_months": 12, "ratchet_months": 11}, "either a mean_of_months or a ratchet"),
        ({"mean_of_months": 12, "on_version_change": "reset"}, "on_version_change is 'keep'"),
    ],
)
def test_measures_that_contradict_themselves_are_refused(version_of, fields, fault):
    with pytest.raises(Rejected, match=fault):
        version_of(DEMAND | fields)


@examples(40)
@given(
    st.lists(st.integers(0, 9_000), min_size=4, max_size=4),
    st.integers(1, 5),
    st.sampled_from(["0", "2.5", "7"]),
    st.sampled_from([date(2025, 2, 3), date(2025, 2, 1), date(2025, 3, 17)]),
)
def test_where_bills_are_cut_at_months_changes_nothing(version_of, wh, months, least, start_on):
    """A bill from `start_on` to the end of May, or one for each month: equal amounts and state."""
    charge = MEAN | {"mean_of_months": months, "minimum_kw": least, "proration": "actual_days"}
    version = version_of(charge, zone=ZONE)
    period = Period(start_on, date(2025, 6, 1))
    peaks_on = [date(2025, number, 28) for number in (2, 3, 4, 5)]
    wh_at = {(day, 12): energy for day, energy in zip(peaks_on, wh, strict=True) if day in period}
    (single,) = rate(version, [metered(wh_at, period)])
    amount, state = Decimal(0), {}
    for days in months_between(period.start_on, period.end_on):
        own = {at: energy for at, energy in wh_at.items() if at[0] in days}
        (bill,) = rate(version, [metered(own, days)], states=[state])
        amount += bill.lines[0].amount_exact
        state = bill.state
    assert abs(amount - single.lines[0].amount_exact) < Decimal("1e-15")
    assert state == single.state
    other = replace(metered({}, period), series={"import": metered(wh_at, period).series["import"]})
    assert rate(version, [other, other]) == [single, single]
