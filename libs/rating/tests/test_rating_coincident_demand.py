"""Coincident demand: kW at the system's peaks; the working stands beside each figure."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import Period
from gridtally.rating.engine.bill import rate
from gridtally.rating.state import CoincidentKw, CoincidentPeaks, Peaks, read_state, state_document
from gridtally.rating.tariff import Part, carries_state, usage_charges
from gridtally.rating.usage import Usage, slots_in

ZONE = "America/New_York"
JULY, AUGUST = (Period(date(2024, n, 1), date(2024, n + 1, 1)) for n in (7, 8))
TAG = {
    "kind": "coincident_demand",
    "id": "tag",
    "rate": "6",
    "peak_sets": [
        {"name": "free", "at": [], "from_on": "2024-01-01", "to_on": "2024-09-01"},
        {
            "name": "2024",
            "at": ["2024-07-15T17:00-04:00", "2024-07-16T18:00-04:00", "2024-08-01T21:00Z"],
            "from_on": "2024-09-01",
            "to_on": "2025-09-01",
        },
    ],
}
MONTHLY = TAG | {
    "peak_sets": [
        {"name": "july", "at": ["2024-07-15T17:00-04:00", "2024-07-16T18:00-04:00"],
         "from_on": "2024-07-01", "to_on": "2024-08-01"},
        {"name": "august", "at": ["2024-08-01T21:00Z"],
         "from_on": "2024-08-01", "to_on": "2024-09-01"},
    ]
}  # fmt: skip


def metered(period, kw_at, minutes=60):
    """Nothing but some kW, by local day and hour."""
    wh = np.zeros(slots_in(ZONE, period, minutes), np.int64)
    start_at, _ = period.bounds_utc(ZONE)
    for at, wh_of in kw_at.items():
        wh[(datetime.fromisoformat(at) - start_at) // timedelta(minutes=minutes)] = wh_of
    return Usage(ZONE, period, minutes, {"import": wh})


# 17:00 on the 15th: 30 kW; 18:00 on the 16th: 20 kW; a higher peak at another time; 1 August: 10
IN_JULY = metered(
    JULY,
    {
        "2024-07-15T17:00-04:00": 30_000,
        "2024-07-16T18:00-04:00": 20_000,
        "2024-07-20T12:00-04:00": 99_000,
    },
)
IN_AUGUST = metered(AUGUST, {"2024-08-01T17:00-04:00": 10_000})


def shown(bill):
    return {line.item.band: format(line.quantity.normalize(), "f") for line in bill.lines}


def carried(bill):
    return read_state(state_document(bill.state))


def test_a_months_peaks_are_charged_on_its_bill(version_of):
    """(30 + 20) / 2 kW in July, 10 in August; at other times nothing counts."""
    version = version_of(MONTHLY, zone=ZONE)
    assert shown(rate(version, [IN_JULY])[0]) == {"july": "25"}
    (bill,) = rate(version, [IN_AUGUST])
    assert shown(bill) == {"august": "10"}
    assert bill.total == 60


def test_last_summers_peaks_are_a_tag_for_the_next_year(version_of):
    """(30 + 20 + 10) / 3 = 20 kW from September on, carried from bill to bill."""
    version = version_of(TAG, zone=ZONE)
    assert carries_state(version)
    (july,) = rate(version, [IN_JULY])
    assert july.lines == ()
    (august,) = rate(version, [IN_AUGUST], states=[carried(july)])
    assert august.lines == ()
    assert [str(peak.kw.normalize()) for peak in august.state["tag"].peaks] == [
        "3E+1",
        "2E+1",
        "1E+1",
    ]
    state, months = carried(august), [(2024, 9), (2024, 10), (2025, 1), (2025, 8)]
    for year, number in months:
        usage = metered(Period(date(year, number, 1), date(year, number + 1, 1)), {})
        (bill,) = rate(version, [usage], states=[state])
        assert shown(bill) == {"2024": "20"}
        state = carried(bill)


@pytest.mark.parametrize(
    ("period", "days"),
    [
        (Period(date(2025, 9, 1), date(2025, 10, 1)), "2025-09-01 to 2025-10-01"),
        (Period(date(2025, 8, 20), date(2025, 9, 20)), "2025-09-01 to 2025-09-20"),
        (Period(date(2023, 12, 20), date(2024, 1, 20)), "2023-12-20 to 2024-01-01"),
    ],
)
def test_days_of_which_nothing_says_when_the_peaks_were_make_no_bill(version_of, period, days):
    """Their kW are not known to be 0: the bill waits for the peaks to be named."""
    version = version_of(TAG | {"default_kw": "6"}, zone=ZONE)
    with pytest.raises(Rejected, match=f"charged from {days}: add one to peak_sets") as refused:
        rate(version, [metered(period, {})])
    assert refused.value.code == "peak_set_missing"


def test_days_between_two_sets_make_no_bill_either(version_of):
    sets = [MONTHLY["peak_sets"][0] | {"to_on": "2024-07-11"}, MONTHLY["peak_sets"][1]]
    with pytest.raises(Rejected, match="from 2024-07-11 to 2024-08-01: add one"):
        rate(version_of(MONTHLY | {"peak_sets": sets}, zone=ZONE), [IN_JULY])
    (bill,) = rate(version_of(MONTHLY | {"peak_sets": sets}, zone=ZONE), [IN_AUGUST])
    assert shown(bill) == {"august": "10"}


@pytest.mark.parametrize(
    ("fields", "lines"),
    [
        # 25 kW in July: 10 at 4.00, 10 at 5.00 and 5 at 6.00
        ({}, [("july:tier-1", "10", "40.00"), ("july:tier-2", "10", "50.00"),
              ("july:tier-3", "5", "30.00")]),
        # on each of 31 days
        ({"per": "day"}, [("july:tier-1", "310", "1240.00"), ("july:tier-2", "310", "1550.00"),
                          ("july:tier-3", "155", "930.00")]),
        ({"tiers": [{"limit": "25", "rate": "4"}, {"rate": "6"}]},
         [("july:tier-1", "25", "100.00")]),
        # of at least 40 kW
        ({"minimum_kw": "40", "tiers": [{"limit": "30.5", "rate": "4"}, {"rate": "6"}]},
         [("july:tier-1", "30.5", "122.00"), ("july:tier-2", "9.5", "57.00")]),
    ],
)  # fmt: skip
def test_the_mean_of_the_peaks_fills_tiers(version_of, fields, lines):
    tiers = [{"limit": "10", "rate": "4"}, {"limit": "20", "rate": "5"}, {"rate": "6"}]
    charge = MONTHLY | {"rate": None, "tiers": tiers} | fields
    (bill,) = rate(version_of(charge, zone=ZONE), [IN_JULY])
    assert [
        (line.item.band, format(line.quantity.normalize(), "f"), str(line.amount))
        for line in bill.lines
    ] == lines


def test_a_set_that_begins_inside_a_bill_is_charged_for_its_days(version_of):
    """20 August to 20 September: 19 days of September at 20 kW, of 30."""
    period = Period(date(2024, 8, 20), date(2024, 9, 20))
    peaks = tuple(
        CoincidentKw(datetime.fromisoformat(at).astimezone(UTC), Decimal(kw), 3)
        for at, kw in zip(TAG["peak_sets"][1]["at"], (90, 60, 30), strict=True)
    )
    version = version_of(TAG, zone=ZONE)
    (bill,) = rate(version, [metered(period, {})], states=[{"tag": CoincidentPeaks(peaks)}])
    (line,) = bill.lines
    assert (str(line.item.part.start_on), line.amount_exact) == ("2024-09-01", 76)  # 20 × 19/30 × 6
    tax = {"kind": "tax", "id": "t", "rate": "0.1", "component_ids": ["tag"], "to_on": "2024-09-11"}
    taxed = version_of(TAG, tax, zone=ZONE)
    (bill,) = rate(taxed, [metered(period, {})], states=[{"tag": CoincidentPeaks(peaks)}])
    amounts = {str(line.amount) for line in bill.lines}  # 10 days and their tax, 9 days
    assert amounts == {"40.00", "4.00", "36.00"}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"default_kw": "6"}, "6"),  # nobody measured the three
        ({"default_kw": "6", "minimum_kw": "7.5"}, "7.5"),
        ({"default_kw": "0"}, "0"),
        ({"default_kw": "6", "per": "day"}, "180"),
    ],
)
def test_a_customer_who_was_not_there_counts_for_what_is_declared(version_of, fields, expected):
    usage = metered(Period(date(2024, 9, 1), date(2024, 10, 1)), {})
    assert shown(rate(version_of(TAG | fields, zone=ZONE), [usage])[0]) == {"2024": expected}


def test_a_peak_that_nobody_measured_is_refused_and_never_nothing(version_of):
    usage = metered(Period(date(2024, 9, 1), date(2024, 10, 1)), {})
    with pytest.raises(Rejected, match="peak of 2024-07-15T21:00Z are not known") as refused:
        rate(version_of(TAG, zone=ZONE), [usage])
    assert refused.value.code == "coincident_peak_missing"
    ahead = TAG | {"peak_sets": [MONTHLY["peak_sets"][1] | {"at": ["2024-12-01T00:00Z"]}]}
    with pytest.raises(Rejected, match="peak of 2024-12-01T00:00Z are not known"):
        rate(version_of(ahead, zone=ZONE), [IN_AUGUST])


def test_some_measured_and_some_by_default(version_of):
    """August alone is there: (9 + 9 + 10) / 3."""
    (august,) = rate(version_of(TAG, zone=ZONE), [IN_AUGUST])
    usage = metered(Period(date(2024, 9, 1), date(2024, 10, 1)), {})
    version = version_of(TAG | {"default_kw": "9", "rate": "3"}, zone=ZONE)
    (bill,) = rate(version, [usage], states=[carried(august)])
    assert bill.lines[0].amount_exact == 28


@pytest.mark.parametrize(
    ("at", "kw"),
    [
        ("2024-07-15T21:00Z", "10"),  # 17:00 to 18:00: 1 + 2 + 3 + 4 kWh
        ("2024-07-15T17:59:59-04:00", "10"),  # any time within
        ("2024-07-16T02:30+05:30", "10"),  # the same hour elsewhere
        ("2024-07-15T18:00-04:00", "0"),
    ],
)
def test_the_window_that_an_instant_lies_in_is_measured(version_of, at, kw):
    quarters = {
        f"2024-07-15T17:{15 * quarter:02}-04:00": 1000 * (quarter + 1) for quarter in range(4)
    }
    one = {"peak_sets": [MONTHLY["peak_sets"][0] | {"at": [at]}]}
    usage = metered(JULY, quarters, 15)
    assert shown(rate(version_of(TAG | one, zone=ZONE), [usage])[0]) == {"july": kw}
    finer = TAG | one | {"minutes": 15}
    quarter = shown(rate(version_of(finer, zone=ZONE), [usage])[0])["july"]
    assert quarter == {"2024-07-15T17:59:59-04:00": "16", "2024-07-15T18:00-04:00": "0"}.get(
        at, "4"
    )


def test_the_two_hours_that_the_clock_repeats_differ(version_of):
    november = Period(date(2024, 11, 1), date(2024, 12, 1))
    usage = metered(november, {"2024-11-03T01:00-04:00": 4_000, "2024-11-03T01:00-05:00": 7_000})
    for at, kw in (("2024-11-03T01:00-04:00", "4"), ("2024-11-03T01:00-05:00", "7")):
        peak_set = {"name": "n", "at": [at], "from_on": "2024-11-01", "to_on": "2024-12-01"}
        version = version_of(TAG | {"peak_sets": [peak_set]}, zone=ZONE)
        assert shown(rate(version, [usage])[0]) == {"n": kw}


def test_a_version_that_names_a_peak_no_more_passes_it_on(version_of):
    """July by the old version, August by one without these peaks, September by one with them."""
    tag, other = version_of(TAG, zone=ZONE), version_of(MONTHLY, zone=ZONE)
    (july,) = rate(tag, [IN_JULY])
    (august,) = rate(other, [IN_AUGUST], states=[carried(july)])
    usage = metered(Period(date(2024, 9, 1), date(2024, 10, 1)), {})
    (bill,) = rate(tag, [usage], states=[carried(august)])
    assert shown(bill) == {"2024": "20"}
    far = metered(Period(date(2027, 9, 1), date(2027, 10, 1)), {})
    free = {"name": "later", "at": [], "from_on": "2025-09-01", "to_on": "2028-01-01"}
    much_later = version_of(TAG | {"peak_sets": [*TAG["peak_sets"], free]}, zone=ZONE)
    (later,) = rate(much_later, [far], states=[carried(bill)])
    assert later.state["tag"].peaks == ()  # three years are over


def test_versions_in_one_bill_share_what_is_measured(version_of):
    days = [JULY.start_on, date(2024, 7, 16), JULY.end_on]
    old = version_of(MONTHLY, zone=ZONE)
    new = version_of(MONTHLY | {"rate": "12"}, zone=ZONE, version_id=UUID(int=2))
    parts = [Part(Period(days[0], days[1]), old), Part(Period(days[1], days[2]), new)]
    (bill,) = rate(parts, [IN_JULY])
    assert [line.amount for line in bill.lines] == [
        Decimal("72.58"), Decimal("154.84")  # 25 × 15/31 × 6, 25 × 16/31 × 12
    ]  # fmt: skip
    assert bill.state == rate(old, [IN_JULY])[0].state


def test_a_day_has_no_coincident_demand_of_its_own(version_of):
    assert usage_charges(version_of(TAG, zone=ZONE)) is None


def test_the_state_of_another_kind_is_refused(version_of):
    with pytest.raises(Rejected, match="its state is 'peaks', not 'coincident_peaks'"):
        rate(version_of(TAG, zone=ZONE), [IN_JULY], states=[{"tag": Peaks(())}])


@pytest.mark.parametrize(
    ("state", "fault"),
    [
        ({"at": "2024-07-15T17:00", "kw": "1"}, "needs an offset"),
        ({"at": "then", "kw": "1"}, "Invalid isoformat"),
        ({"at": "9999-12-31T23:59-12:00", "kw": "1"}, "must lie between"),
        ({"at": "2024-07-15T17:00Z", "kw": "-1"}, "must be 0 or more"),
        ({"at": "2024-07-15T17:00Z", "kw": "1", "parts": 0}, "are 1 or more"),
    ],
)
def test_a_state_that_cannot_be_is_refused(state, fault):
    with pytest.raises(Rejected, match=fault):
        read_state({"tag": {"kind": "coincident_peaks", "peaks": [state]}})


SET = TAG["peak_sets"][1]


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"peak_sets": []}, "1 to 50 peak sets"),
        (
            {
                "peak_sets": [
                    SET | {"at": [f"2024-07-15T{n // 60}:{n % 60:02}Z" for n in range(600, 701)]}
                ]
            },
            "at most 100",
        ),
        ({"rate": None}, "demand has either a rate or tiers"),
        ({"tiers": [{"rate": "1"}]}, "demand has either a rate or tiers"),
        ({"rate": None, "tiers": [{"limit": "5", "rate": "1"}]}, "the last tier has no limit"),
        ({"rate": None, "tiers": [{"limit_per_kw": "5", "rate": "1"}, {"rate": "1"}]}, "of energy"),
        (
            {"peak_sets": [SET | {"at": ["2024-07-15T17:00"]}]},
            "/peak_sets/0/at/0: .* needs an offset",
        ),
        ({"peak_sets": [SET | {"at": ["2024-07-15"]}]}, "needs an offset"),
        ({"peak_sets": [SET | {"at": ["0001-01-01T00:00+14:00"]}]}, "must lie between"),
        ({"peak_sets": [SET | {"at": ["9999-12-31T23:59-12:00"]}]}, "must lie between"),
        ({"peak_sets": [SET | {"at": ["2024-07-15T17:00Z", "2024-07-15T13:00-04:00"]}]}, "twice"),
        ({"peak_sets": [SET | {"to_on": "2024-09-01"}]}, "must begin"),
        ({"peak_sets": [SET, SET]}, "the same name"),
        ({"peak_sets": [SET, SET | {"name": "b"}]}, "'b' begins before '2024' ends"),
        ({"proration": "none"}, "sets are charged by days"),
        ({"default_kw": "-1"}, "must be 0 or more"),
        ({"proration": "twelfths"}, "for a rate per year"),
    ],
)
def test_what_contradicts_itself_is_refused(version_of, fields, fault):
    with pytest.raises(Rejected, match=fault):
        version_of(TAG | fields, zone=ZONE)


@examples(60)
@given(
    st.lists(st.integers(0, 743), min_size=1, max_size=7, unique=True),
    st.integers(1, 5),
    st.integers(0, 2**32),
    st.sampled_from(["0", "1.5", "4"]),
    st.integers(2, 30),
)
def test_the_mean_is_that_of_the_hours_and_pieces_add_up(
    version_of, hours, rate_, seed, least, cut
):
    """Naively: the hours' kWh, their mean, times the days. A bill cut in two comes to the same."""
    start_at, _ = JULY.bounds_utc(ZONE)
    at = [(start_at + timedelta(hours=hour)).isoformat() for hour in hours]
    peak_set = {"name": "s", "at": at, "from_on": "2024-07-01", "to_on": "2024-08-01"}
    charge = TAG | {"peak_sets": [peak_set], "rate": str(rate_), "minimum_kw": least}
    version = version_of(charge, zone=ZONE)
    wh = np.random.default_rng(seed).integers(0, 9_000, 744)
    usage = replace(metered(JULY, {}), series={"import": wh})
    (bill,) = rate(version, [usage])
    mean = max(Fraction(sum(int(wh[hour]) for hour in hours), 1000 * len(hours)), Fraction(least))
    assert abs(Fraction(bill.lines[0].amount_exact) - mean * rate_) < Fraction(1, 10**15)
    middle = date(2024, 7, cut)
    parts = [
        Part(Period(JULY.start_on, middle), version),
        Part(Period(middle, JULY.end_on), replace(version, id=UUID(int=2))),
    ]
    (pieces,) = rate(parts, [usage])
    total = sum((line.amount_exact for line in pieces.lines), Decimal(0))
    assert abs(total - bill.lines[0].amount_exact) < Decimal("1e-15")
    assert pieces.state == bill.state
