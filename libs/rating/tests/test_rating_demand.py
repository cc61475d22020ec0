"""Demand: kW out of Wh per interval; the working stands beside each figure."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import numpy as np
import pytest

from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import Period
from gridtally.rating.engine.bill import rate
from gridtally.rating.state import Peak, Peaks, Progress, read_state, state_document
from gridtally.rating.tariff import Part, usage_charges
from gridtally.rating.usage import Usage, slots_in

DEMAND = {"kind": "demand", "id": "demand", "rate": "10"}
APRIL = Period(date(2025, 4, 1), date(2025, 5, 1))
WINDOW = {"band": "peak", "from_time": "17:00", "to_time": "20:00"}
BANDED = {"rate": None, "bands": [{"name": "peak", "rate": "10"}], "windows": [WINDOW]}


def metered(wh_at, period=APRIL, minutes=15, zone="Europe/Berlin"):
    """Nothing but some Wh, by (day of the period from 1, interval of the day from 0)."""
    wh = np.zeros(slots_in(zone, period, minutes), np.int64)
    for (day, slot), energy in wh_at.items():
        wh[(day - 1) * 1440 // minutes + slot] = energy
    return Usage(zone, period, minutes, {"import": wh})


def kw(bill):
    return {line.item.band: format(line.quantity.normalize(), "f") for line in bill.lines}


# 08:00 to 09:00 on the 2nd: 1, 3, 2 and 0 kWh; 17:45 to 18:15 on the 3rd: 2 and 2 kWh
SHAPE = {(2, 32): 1000, (2, 33): 3000, (2, 34): 2000, (3, 71): 2000, (3, 72): 2000}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {None: "12"}),  # 3 kWh in a quarter of an hour
        ({"minutes": 30}, {None: "8"}),  # 08:00: 1 + 3 kWh in half an hour
        ({"minutes": 60}, {None: "6"}),  # 08:00: 1 + 3 + 2 + 0 kWh
        ({"minutes": 30, "window": "sliding"}, {None: "10"}),  # 08:15: 3 + 2
        ({"minutes": 60, "window": "sliding"}, {None: "6"}),
        ({"mean_of_highest_days": 2}, {None: "10"}),  # 12 on the 2nd, 8 on the 3rd
        ({"mean_of_highest_days": 3, "rate": "3"}, {None: "6.66666666666666666667"}),  # + 0
        ({"minimum_kw": "15.5"}, {None: "15.5"}),
        ({"minimum_kw": "11.999"}, {None: "12"}),
        ({"kw_step": "5"}, {None: "15"}),
        ({"kw_step": "4"}, {None: "12"}),
        ({"minimum_kw": "16", "kw_step": "5"}, {None: "20"}),
        (BANDED, {"peak": "8"}),
        (BANDED | {"minutes": 60}, {"peak": "2"}),  # 17:45 and 18:00 lie in two blocks
        (BANDED | {"minutes": 60, "window": "sliding"}, {"peak": "4"}),
        (BANDED | {"bands": [*BANDED["bands"], {"name": "rest", "rate": "1"}],
                   "default_band": "rest"}, {"peak": "8", "rest": "12"}),
        ({"rate": None, "tiers": [{"limit": "5", "rate": "1"}, {"limit": "20", "rate": "2"},
                                  {"rate": "3"}]}, {"tier-1": "5", "tier-2": "7"}),
        ({"per": "day"}, {None: "360"}),  # 12 × 30
        ({"per": "year", "proration": "twelfths"}, {None: "1"}),
        ({"per": "month", "proration": "thirty_days"}, {None: "12"}),
    ],
)  # fmt: skip
def test_billed_kw(version_of, fields, expected):
    (bill,) = rate(version_of(DEMAND | fields), [metered(SHAPE)])
    assert kw(bill) == expected
    assert {line.item.kind for line in bill.lines} == {"demand"}


def test_a_part_of_a_month_is_prorated_and_its_peak_is_its_own(version_of):
    usage = metered(SHAPE, Period(date(2025, 4, 1), date(2025, 4, 16)))
    (bill,) = rate(version_of(DEMAND), [usage])
    assert kw(bill) == {None: "6"}  # 12 × 15/30
    assert bill.lines[0].amount == 60


def test_a_mean_that_has_no_finite_decimal_is_charged_exactly(version_of):
    (bill,) = rate(version_of(DEMAND | {"mean_of_highest_days": 3, "rate": "3"}), [metered(SHAPE)])
    assert bill.lines[0].amount_exact == 20  # (12 + 8 + 0) / 3 × 3


@pytest.mark.parametrize(
    ("zone", "day", "minutes", "block", "slots", "kilowatts"),
    [
        # 23 hours: 01:00, then 03:00 follows; 25 hours: 02:00 twice, and each is a block
        ("Europe/Berlin", "2025-03-30", 30, 60, {2: 1000, 3: 1000, 4: 1000}, "2"),
        ("Europe/Berlin", "2025-10-26", 30, 60, {5: 1000, 6: 1000}, "1"),
        ("Europe/Berlin", "2025-10-26", 30, 60, {4: 1000, 5: 1000}, "2"),
        # blocks of the local clock, 5:45 ahead of UTC
        ("Asia/Kathmandu", "2025-04-02", 15, 60, {4: 1000, 5: 1000, 6: 1000, 7: 1000}, "4"),
        # Lord Howe goes back by half an hour at 02:00: 01:30 comes twice, the second alone
        ("Australia/Lord_Howe", "2025-04-06", 30, 60, {2: 1000, 3: 1000}, "2"),
        ("Australia/Lord_Howe", "2025-04-06", 30, 60, {3: 1000, 4: 1500}, "3"),
        ("Australia/Lord_Howe", "2025-04-06", 30, 60, {5: 1000, 6: 1000}, "2"),
        # and forward from 02:00 to 02:30, which is half a block
        ("Australia/Lord_Howe", "2025-10-05", 30, 60, {4: 1000, 5: 1000}, "2"),
    ],
)
def test_windows_follow_the_intervals_through_clock_changes(
    version_of, zone, day, minutes, block, slots, kilowatts
):
    start_on = date.fromisoformat(day)
    usage = metered(
        {(1, slot): wh for slot, wh in slots.items()},
        Period(start_on, start_on + timedelta(days=1)),
        minutes,
        zone,
    )
    version = version_of(DEMAND | {"minutes": block, "proration": "none"}, zone=zone)
    assert kw(rate(version, [usage])[0]) == {None: kilowatts}


def test_a_block_that_a_band_cuts_is_refused_and_a_sliding_window_is_in_no_band(version_of):
    cut = BANDED | {"windows": [WINDOW | {"from_time": "17:30"}], "minutes": 60}
    with pytest.raises(Rejected, match="a band changes inside a block"):
        rate(version_of(DEMAND | cut), [metered(SHAPE)])
    sliding = version_of(DEMAND | cut | {"window": "sliding"})
    assert kw(rate(sliding, [metered(SHAPE)])[0]) == {"peak": "4"}  # 17:45 and 18:00 to 18:45
    assert kw(rate(sliding, [metered({(2, 69): 9000})])[0]) == {"peak": "0"}  # ends at 17:30


@pytest.mark.parametrize(
    ("minutes", "window", "fault"),
    [
        (60, 15, "power over 15 minutes cannot be had from intervals of 60 minutes"),
        (10, 15, "power over 15 minutes cannot be had from intervals of 10 minutes"),
        (30, 15, "from intervals of 30 minutes"),
    ],
)
def test_what_intervals_cannot_give_is_refused(version_of, minutes, window, fault):
    with pytest.raises(Rejected, match=fault):
        rate(version_of(DEMAND | {"minutes": window}), [metered({}, minutes=minutes)])


def test_the_mean_of_coarser_intervals_will_do_where_it_is_declared(version_of):
    version = version_of(DEMAND | {"from_coarser": "mean"})
    assert kw(rate(version, [metered({(2, 8): 7000}, minutes=60)])[0]) == {None: "7"}
    with pytest.raises(Rejected, match="intervals of 10 minutes"):
        rate(version, [metered({}, minutes=10)])


def test_a_band_that_is_never_on_is_not_charged(version_of):
    calendar = {
        "seasons": [{"name": "winter", "start": "11-01"}, {"name": "summer", "start": "03-01"}]
    }
    fields = BANDED | {"windows": [WINDOW | {"seasons": ["winter"]}]}
    for per in ("line", "invoice"):
        version = version_of(DEMAND | fields, calendar=calendar, rounding={"per": per})
        assert [bill.lines for bill in rate(version, [metered(SHAPE)] * 2)] == [(), ()]


def peaks(*months, parts=1, band=None):
    """Whole months of 2025 and their kW."""
    return Peaks(
        tuple(
            Peak(band, date(2025, month, 1), date(2025, month + 1, 1), Decimal(kw), parts)
            for month, kw in months
        )
    )


@pytest.mark.parametrize(
    ("fields", "before", "expected"),
    [
        ({"ratchet_months": 11}, None, "12"),
        ({"ratchet_months": 11}, peaks((1, "20"), (2, "30"), (3, "5")), "30"),
        ({"ratchet_months": 11, "ratchet_percent": "80"}, peaks((2, "30")), "24"),
        ({"ratchet_months": 11, "ratchet_percent": "12.5"}, peaks((2, "100")), "12.5"),
        ({"ratchet_months": 11, "ratchet_percent": "10"}, peaks((2, "30")), "12"),
        ({"ratchet_months": 1}, peaks((2, "30"), (3, "15")), "15"),
        ({"ratchet_months": 2}, peaks((1, "40"), (2, "30"), (3, "15")), "30"),
        # 100/3 kW × 30 %
        ({"ratchet_months": 2, "ratchet_percent": "30", "minimum_kw": "1"},
         peaks((3, "160"), parts=3), "16"),
        ({"ratchet_months": 2, "kw_step": "7"}, peaks((3, "30")), "35"),
        # April is the fourth of twelve shares: 50 % of 30
        ({"ratchet_months": 11, "ratchet_percent_by_month": ["0", "0", "0", "50", *["0"] * 8]},
         peaks((1, "20"), (2, "30")), "15"),
        ({"ratchet_months": 11, "ratchet_percent_by_month": [*["90"] * 3, "0", *["90"] * 8]},
         peaks((1, "20"), (2, "30")), "12"),
        # of January and March alone: 80 % of 25
        ({"ratchet_months": 11, "ratchet_percent": "80", "ratchet_only_months": [1, 3]},
         peaks((1, "20"), (2, "30"), (3, "25")), "20"),
        ({"ratchet_months": 1, "ratchet_only_months": [1, 2]},
         peaks((2, "30"), (3, "13")), "12"),
        # the peak of another band is not this one's
        ({"ratchet_months": 2}, peaks((3, "30"), band="peak"), "12"),
    ],
)  # fmt: skip
def test_a_ratchet_looks_at_the_complete_months_before(version_of, fields, before, expected):
    states = None if before is None else [{"demand": before}]
    (bill,) = rate(version_of(DEMAND | fields), [metered(SHAPE)], states=states)
    assert kw(bill) == {None: expected}


@pytest.mark.parametrize(
    ("across", "expected"),
    [
        (False, {"summer": "12"}),
        (True, {"summer": "30"}),  # what winter measured is billed at summer's rate
    ],
)
def test_a_ratchet_across_bands_looks_at_the_peaks_of_all(version_of, across, expected):
    version = version_of(
        {
            "kind": "demand",
            "id": "demand",
            "bands": [{"name": "winter", "rate": "1"}, {"name": "summer", "rate": "2"}],
            "windows": [
                {
                    "band": "winter",
                    "from_time": "00:00",
                    "to_time": "24:00",
                    "seasons": ["cold"],
                }
            ],
            "default_band": "summer",
            "ratchet_months": 2,
            "ratchet_across_bands": across,
        },
        calendar={
            "seasons": [{"name": "warm", "start": "04-01"}, {"name": "cold", "start": "10-01"}]
        },
    )
    before = peaks((3, "30"), band="winter")
    (bill,) = rate(version, [metered(SHAPE)], states=[{"demand": before}])
    assert kw(bill) == expected


def test_a_month_of_which_a_part_was_not_billed_does_not_count(version_of):
    part = Peak(None, date(2025, 3, 10), date(2025, 4, 1), Decimal(30))
    (bill,) = rate(
        version_of(DEMAND | {"ratchet_months": 3}),
        [metered(SHAPE)],
        states=[{"demand": Peaks((part,))}],
    )
    assert kw(bill) == {None: "12"}


def test_months_that_were_billed_in_pieces_are_put_together(version_of):
    """From the 11th to the 11th: March is complete with the second bill, and counts in the third.

    A month's 15 kW of measured kW are 15 kW billed where both of its pieces are 1 month together.
    """
    version = version_of(DEMAND | {"ratchet_months": 2, "proration": "none"})
    bills, state = [], {}
    for start_on, end_on, wh_at in [
        (date(2025, 2, 11), date(2025, 3, 11), {(25, 5): 10_000}),  # 7 March: 40 kW
        (date(2025, 3, 11), date(2025, 4, 11), {(3, 5): 5_000}),
        (date(2025, 4, 11), date(2025, 5, 11), {(3, 5): 1_000}),
    ]:
        usage = metered(wh_at, Period(start_on, end_on))
        (bill,) = rate(version, [usage], states=[read_state(state_document(state))])
        bills.append(kw(bill)[None])
        state = bill.state
    # `none` charges each month that begins in the period, and the first day's
    assert bills == ["80", "40", "80"]
    assert state["demand"] == Peaks(
        (
            Peak(None, date(2025, 3, 1), date(2025, 4, 1), Decimal("40.000")),
            Peak(None, date(2025, 4, 1), date(2025, 5, 1), Decimal("4.000")),
            Peak(None, date(2025, 5, 1), date(2025, 5, 11), Decimal("0.000")),
        )
    )


@pytest.mark.parametrize(
    ("on_version_change", "expected"),
    [
        ("keep", ["4", "8"]),  # 12 kW on 10 and 20 of 30 days
        ("reset", ["4", "0"]),  # the peaks lie in the first ten
    ],
)
def test_a_new_version_measures_the_whole_period_or_its_own_days(
    version_of, on_version_change, expected
):
    old = version_of(DEMAND | {"on_version_change": on_version_change, "ratchet_months": 1})
    eleventh = date(2025, 4, 11)
    parts = [
        Part(Period(APRIL.start_on, eleventh), old),
        Part(Period(eleventh, APRIL.end_on), replace(old, id=UUID(int=2))),
    ]
    (bill,) = rate(parts, [metered(SHAPE)])
    assert [format(line.quantity.normalize(), "f") for line in bill.lines] == expected
    (whole,) = rate(old, [metered(SHAPE)])
    assert bill.state == whole.state


def test_a_new_version_forgets_no_month_that_the_rest_of_the_period_looks_at(version_of):
    """From 11 March to 11 April a ratchet of one month looks at February in both parts."""
    version = version_of(DEMAND | {"ratchet_months": 1, "proration": "thirty_days"})
    days = [date(2025, 3, 11), date(2025, 3, 26), date(2025, 4, 11)]
    parts = [
        Part(Period(days[0], days[1]), version),
        Part(Period(days[1], days[2]), replace(version, id=UUID(int=2))),
    ]
    usage = metered({}, Period(days[0], days[2]))
    (bill,) = rate(parts, [usage], states=[{"demand": peaks((2, "30"))}])
    assert [str(line.quantity) for line in bill.lines] == ["15", "16"]  # 30 × 15/30, × 16/30


def test_a_change_of_taxes_shares_the_demand_by_days(version_of):
    tax = {"kind": "tax", "id": "t", "rate": "0.1", "tax_class": "a", "to_on": "2025-04-11"}
    (bill,) = rate(version_of(DEMAND | {"tax_class": "a"}, tax), [metered(SHAPE)])
    assert [str(line.amount) for line in bill.lines] == ["40.00", "4.00", "80.00"]


def test_demand_of_another_flow(version_of):
    usage = replace(metered({}), series={"export": metered(SHAPE).series["import"]})
    (bill,) = rate(version_of(DEMAND | {"flow": "export"}), [usage])
    assert kw(bill) == {None: "12"}


def test_a_day_has_no_demand_of_its_own(version_of):
    assert usage_charges(version_of(DEMAND)) is None


def test_the_state_of_another_kind_is_refused(version_of):
    state = {"demand": Progress(date(2025, 1, 1), ())}
    with pytest.raises(Rejected, match="its state is 'progress', not 'peaks'"):
        rate(version_of(DEMAND | {"ratchet_months": 1}), [metered(SHAPE)], states=[state])


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"rate": None}, "either a rate or tiers"),
        ({"tiers": [{"rate": "1"}]}, "either a rate or tiers"),
        (BANDED | {"rate": "1"}, "by bands has its rates in them"),
        (BANDED | {"bands": [{"name": "peak"}]}, "/bands/0: demand has either"),
        ({"windows": [WINDOW]}, "are for demand by bands"),
        (BANDED | {"windows": []}, "in no window"),
        (BANDED | {"windows": [WINDOW, WINDOW]}, "windows 0 and 1 overlap"),
        ({"minutes": 20}, "20 is none of 5, 10, 15, 30, 60"),
        ({"mean_of_highest_days": 0}, "between 1 and 31"),
        ({"ratchet_months": 37}, "between 0 and 36"),
        ({"ratchet_months": 1, "ratchet_across_bands": True}, "a ratchet of demand by bands"),
        ({"ratchet_percent": "0"}, "80 is 80 %"),
        ({"ratchet_percent": "101"}, "80 is 80 %"),
        ({"ratchet_only_months": [6]}, "needs ratchet_months"),
        ({"ratchet_percent_by_month": ["50"] * 12}, "needs ratchet_months"),
        ({"ratchet_months": 1, "ratchet_percent_by_month": ["50"] * 11}, "is twelve"),
        ({"ratchet_months": 1, "ratchet_percent_by_month": ["101"] * 12}, "at most 100"),
        (
            {
                "ratchet_months": 1,
                "ratchet_percent": "50",
                "ratchet_percent_by_month": ["50"] * 12,
            },
            "either a ratchet_percent or",
        ),
        ({"ratchet_months": 1, "ratchet_only_months": [0]}, "months from 1 to 12"),
        ({"ratchet_months": 1, "ratchet_only_months": [6, 6]}, "different months"),
        ({"minimum_kw": "-1"}, "must be 0 or more"),
        ({"kw_step": "0"}, "steps of zero"),
        ({"per": "year", "proration": "none"}, "needs a proration"),
    ],
)
def test_demand_that_contradicts_itself_is_refused(version_of, fields, fault):
    with pytest.raises(Rejected, match=fault):
        version_of(DEMAND | fields)
