"""Tiers within time of use: four hours of 10 kWh, the working beside each figure."""

from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import Period
from gridtally.rating.engine.bill import rate
from gridtally.rating.state import BandKwh, Progress, read_state, state_document
from gridtally.rating.usage import Usage

DAY = Period(date(2025, 4, 2), date(2025, 4, 3))
TIERS = [{"limit": "15", "rate": "1"}, {"rate": "2"}]
OTHER = [{"limit": "25", "rate": "3"}, {"rate": "4"}]
CHARGE = {
    "kind": "tiered_time_of_use",
    "id": "energy",
    "split": "chronological",
    "bands": [{"name": "peak", "tiers": TIERS}, {"name": "rest", "tiers": TIERS}],
    "windows": [
        {"band": "peak", "from_time": "01:00", "to_time": "02:00"},
        {"band": "peak", "from_time": "03:00", "to_time": "04:00"},
    ],
    "default_band": "rest",
    "limits": {"per": "day"},
}


@pytest.fixture
def usage():
    """10 kWh in each of four hours: rest, peak, rest, peak."""
    wh = np.zeros(24, np.int64)
    wh[:4] = 10_000
    return Usage("Europe/Berlin", DAY, 60, {"import": wh})


def billed(version, usage, **options):
    (bill,) = rate(version, [usage], **options)
    return {line.item.band: format(line.quantity.normalize(), "f") for line in bill.lines}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        # each band's 20 kWh: 15 and 5
        ({"split": "per_band"},
         {"peak:tier-1": "15", "peak:tier-2": "5", "rest:tier-1": "15", "rest:tier-2": "5"}),
        # the total's 15 and 25, half to each
        ({"split": "pro_rata"},
         {"peak:tier-1": "7.5", "peak:tier-2": "12.5", "rest:tier-1": "7.5",
          "rest:tier-2": "12.5"}),
        # 10 rest, then 5 of the peak's hour reach 15; the rest is above
        ({"split": "chronological"},
         {"peak:tier-1": "5", "peak:tier-2": "15", "rest:tier-1": "10", "rest:tier-2": "10"}),
        # tiers of their own: the peak's ends at 25 of the total
        ({"split": "per_band", "bands": [{"name": "peak", "tiers": OTHER},
                                         {"name": "rest", "tiers": TIERS}]},
         {"peak:tier-1": "20", "rest:tier-1": "15", "rest:tier-2": "5"}),
        # half of the total's 25 and 15, half of its 15 and 25
        ({"split": "pro_rata", "bands": [{"name": "peak", "tiers": OTHER},
                                         {"name": "rest", "tiers": TIERS}]},
         {"peak:tier-1": "12.5", "peak:tier-2": "7.5", "rest:tier-1": "7.5",
          "rest:tier-2": "12.5"}),
        # the peak's second hour begins at 30, above 25; its first ends at 20
        ({"split": "chronological", "bands": [{"name": "peak", "tiers": OTHER},
                                              {"name": "rest", "tiers": TIERS}]},
         {"peak:tier-1": "10", "peak:tier-2": "10", "rest:tier-1": "10", "rest:tier-2": "10"}),
        # by volume: the band's 20 kWh, or the total's 40, are above 15; 20 is not above 25
        ({"split": "per_band", "mode": "volume",
          "bands": [{"name": "peak", "tiers": OTHER}, {"name": "rest", "tiers": TIERS}]},
         {"peak:tier-1": "20", "rest:tier-2": "20"}),
        ({"split": "pro_rata", "mode": "volume",
          "bands": [{"name": "peak", "tiers": OTHER}, {"name": "rest", "tiers": TIERS}]},
         {"peak:tier-2": "20", "rest:tier-2": "20"}),
    ],
)  # fmt: skip
def test_what_fills_the_tiers_of_a_band_is_declared(version_of, usage, fields, expected):
    assert billed(version_of(CHARGE | fields), usage) == expected


@pytest.mark.parametrize(
    ("split", "used", "expected"),
    [
        # 12 of 15 kWh are used: 3 of the first hour's rest, then all above
        ("chronological", [BandKwh(None, Decimal(12))],
         {"peak:tier-2": "20", "rest:tier-1": "3", "rest:tier-2": "17"}),
        ("pro_rata", [BandKwh(None, Decimal(12))],
         {"peak:tier-1": "1.5", "peak:tier-2": "18.5", "rest:tier-1": "1.5",
          "rest:tier-2": "18.5"}),
        ("per_band", [BandKwh("peak", Decimal(12)), BandKwh("rest", Decimal(20))],
         {"peak:tier-1": "3", "peak:tier-2": "17", "rest:tier-2": "20"}),
        ("chronological", [BandKwh(None, Decimal(15))],
         {"peak:tier-2": "20", "rest:tier-2": "20"}),
    ],
)  # fmt: skip
def test_progress_of_earlier_bills_stands_before(version_of, usage, split, used, expected):
    version = version_of(CHARGE | {"split": split, "limits": {"per": "period", "reset_months": 12}})
    before = Progress(date(2025, 1, 1), tuple(used))
    assert billed(version, usage, states=[{"energy": before}]) == expected


def test_an_interval_is_divided_at_a_limit_that_is_no_whole_wh(version_of, usage):
    """100 kWh a month are 3.333… kWh on a day of April, in the first hour; 10/3 × 3 = 10."""
    tiers = [{"limit": "100", "rate": "3"}, {"rate": "0"}]
    bands = [{"name": "peak", "tiers": tiers}, {"name": "rest", "tiers": tiers}]
    version = version_of(CHARGE | {"bands": bands, "limits": {}})
    (bill,) = rate(version, [usage])
    amounts = {line.item.band: line.amount_exact for line in bill.lines}
    assert amounts == {"peak:tier-2": 0, "rest:tier-1": 10, "rest:tier-2": 0}


def test_tiers_of_a_band_that_is_never_in_force_are_not_on_the_bill(version_of, usage):
    winter = [window | {"seasons": ["winter"]} for window in CHARGE["windows"]]
    version = version_of(
        CHARGE | {"windows": winter},
        calendar={
            "seasons": [
                {"name": "winter", "start": "10-01"},
                {"name": "summer", "start": "04-01"},
            ]
        },
    )
    assert billed(version, usage) == {"rest:tier-1": "15", "rest:tier-2": "25"}


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"mode": "volume"}, "no order of time"),
        ({"split": "shared"}, "none of per_band, pro_rata, chronological"),
        ({"bands": [{"name": "peak", "tiers": TIERS}]}, "band 'rest' has no rate"),
        ({"default_band": None}, "'rest' is in no window and not the default"),
        ({"bands": [{"name": "peak", "tiers": []}, {"name": "rest", "tiers": TIERS}]},
         "/bands/0: there are 1 to 50 tiers"),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_refused(version_of, fields, fault):
    with pytest.raises(Rejected, match=fault):
        version_of(CHARGE | fields)


def test_negative_energy_of_an_interval_is_refused_in_order_of_time(version_of, usage):
    usage.series["import"][5] = -1
    with pytest.raises(Rejected, match="below zero"):
        rate(version_of(CHARGE), [usage])


def test_a_band_without_a_day_in_a_bill_is_counted_on_in_the_next(version_of, usage_of):
    """Weekends of a quarter: 48 kWh of the 60 in the first week, no weekend in the second bill."""
    weekend = {"band": "s", "from_time": "00:00", "to_time": "24:00", "day_types": ["weekend"]}
    calendar = {"day_types": [{"name": "weekend", "weekdays": ["sat", "sun"]}]}
    bands = [
        {"name": name, "tiers": [{"limit": "60", "rate": "1"}, {"rate": "2"}]} for name in "ws"
    ]
    fields = {
        "split": "per_band",
        "default_band": "w",
        "windows": [weekend],
        "bands": bands,
        "limits": {"per": "period", "reset_months": 3},
    }
    version = version_of(CHARGE | fields, calendar=calendar)
    state, bills = {}, []
    for start_on, end_on in [
        ("2025-04-04", "2025-04-07"),  # Friday to Sunday
        ("2025-04-07", "2025-04-12"),  # Monday to Friday
        ("2025-04-12", "2025-04-13"),  # Saturday
    ]:
        usage = usage_of(start_on, end_on, import_=1_000)
        states = [read_state(state_document(state))]
        bills.append(billed(version, usage, states=states))
        state = rate(version, [usage], states=states)[0].state
    assert bills == [
        {"w:tier-1": "24", "s:tier-1": "48"},
        {"w:tier-1": "36", "w:tier-2": "84"},
        {"s:tier-1": "12", "s:tier-2": "12"},
    ]
