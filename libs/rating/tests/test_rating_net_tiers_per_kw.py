"""Hours' use of what is netted, and of what is sold: tiers per kW of the peak or connected load.

The working stands beside each figure.
"""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from gridtally.kernel.errors import Rejected
from gridtally.rating.engine.bill import rate
from gridtally.rating.state import Bank, Lot
from gridtally.rating.tariff import usage_charges
from gridtally.rating.usage import ConnectedChange

TIERS = [{"limit": "10", "rate": "0.10"}, {"rate": "0.30"}]
PEAK = {"kw": "peak", "peak_minutes": 60}
CONNECTED = {"kw": "connected"}
NET = {
    "kind": "net_metering",
    "id": "net",
    "tiers": TIERS,
    "limits": PEAK,
    "surplus": {"kind": "carry_forward"},
}
BY_BAND = {
    "bands": [{"name": "day", "tiers": TIERS}, {"name": "night", "tiers": TIERS}],
    "windows": [{"band": "day", "from_time": "06:00", "to_time": "22:00"}],
    "default_band": "night",
}
SOLD = {"kind": "export_credit", "id": "sold", "surplus": {"kind": "payout"}, "tiers": TIERS}
DAY, NIGHT = 8, 1


def january(usage_of, *kwh, minutes=60, kw=None):
    """January with (hour, import, export) in kWh."""
    usage = usage_of("2025-01-01", "2025-02-01", minutes=minutes, kw=kw, import_=0, export=0)
    for hour, imported, exported in kwh:
        usage.series["import"][hour] = imported * 1000
        usage.series["export"][hour] = exported * 1000
    return usage


def lines_of(bill):
    return [
        (line.item.band, format(line.quantity.normalize(), "f"), str(line.amount))
        for line in bill.lines
    ]


@pytest.mark.parametrize(
    ("fields", "kwh", "lines"),
    [
        # 12 kW are the highest import, whatever is exported: 120 of 150 - 20 kWh in the first tier
        (
            {},
            [(1, 12, 0), (2, 3, 0), *((hour, 9, 0) for hour in range(24, 39)), (40, 0, 20)],
            [("tier-1", "120", "12.00"), ("tier-2", "10", "3.00")],
        ),
        # January's 31 days are 31/30 of a month: 30 kW × 10 × 31/30 are 310 kWh
        (
            {"limits": PEAK | {"proration": "thirty_days"}},
            [(1, 30, 0), *((hour, 28, 0) for hour in range(2, 13))],  # 338 kWh
            [("tier-1", "310", "31.00"), ("tier-2", "28", "8.40")],
        ),
        ({"limits": PEAK | {"per": "day"}}, [(1, 1, 0)], [("tier-1", "1", "0.10")]),
        # 8 kW are connected: 80 of 90 kWh
        ({"limits": CONNECTED}, [(1, 90, 0)], [("tier-1", "80", "8.00"), ("tier-2", "10", "3.00")]),
        # the first 50 kWh, then up to 10 for each of the 9 kW, whatever is above
        (
            {
                "tiers": [
                    {"limit": "50", "limit_per_kw": "10", "rate": "0.10"},
                    {"limit_per_kw": "10", "rate": "0.20"},
                    {"rate": "0.30"},
                ]
            },
            [(hour, 9, 0) for hour in range(11)],
            [("tier-1", "50", "5.00"), ("tier-2", "40", "8.00"), ("tier-3", "9", "2.70")],
        ),
        # without import there is no peak, and without energy no tier
        ({}, [(1, 0, 5)], []),
        # of 100 + 100 kWh and a peak of 10 kW the first 100 are 50 and 50, or each band's own
        (
            BY_BAND | {"tiers": [], "split": "pro_rata"},
            [*((DAY + hour, 10, 0) for hour in range(10)), *((NIGHT + 24 * day, 10, 0)
              for day in range(10))],
            [("day:tier-1", "50", "5.00"), ("day:tier-2", "50", "15.00"),
             ("night:tier-1", "50", "5.00"), ("night:tier-2", "50", "15.00")],
        ),
        (
            BY_BAND | {"tiers": [], "split": "per_band"},
            [*((DAY + hour, 10, 0) for hour in range(10)), (NIGHT, 10, 0)],
            [("day:tier-1", "100", "10.00"), ("night:tier-1", "10", "1.00")],
        ),
    ],
)  # fmt: skip
def test_what_is_left_of_import_fills_tiers_per_kw(version_of, usage_of, fields, kwh, lines):
    (bill,) = rate(version_of(NET | fields), [january(usage_of, *kwh, kw=8)])
    assert lines_of(bill) == lines


def test_units_of_the_bank_empty_the_highest_tier_first(version_of, usage_of):
    """60 kWh at 5 kW are 50 and 10; 15 of the bank take the 10, and 5 of the 50."""
    state = {"net": Bank((Lot(None, Decimal(15), date(2025, 1, 1), None),))}
    usage = january(usage_of, *((hour, 5, 0) for hour in range(12)))
    (bill,) = rate(version_of(NET), [usage], states=[state])
    assert lines_of(bill) == [
        ("tier-1", "50", "5.00"),
        ("tier-2", "10", "3.00"),
        ("tier-1", "-5", "-0.50"),
        ("tier-2", "-10", "-3.00"),
    ]


@pytest.mark.parametrize("split", ["per_band", "pro_rata"])
def test_each_day_has_the_load_that_was_connected_on_it(version_of, usage_of, split):
    """8 kW on ten days and 11.1 on 21: (80 + 233.1) × 10/31 = 101 kWh, once for each band, or for
    both together: 150 and 51 are left, of 201 the first 101 are 75 25/67 by day."""
    changes = (ConnectedChange(date(2025, 1, 11), Decimal("11.1")),)
    usage = january(usage_of, (DAY, 160, 10), (NIGHT, 51, 0), kw=8)
    usage = replace(usage, connected_changes=changes)
    charge = NET | BY_BAND | {"tiers": [], "split": split, "limits": CONNECTED}
    (bill,) = rate(version_of(charge), [usage])
    (first, *_, last) = bill.lines
    if split == "per_band":
        assert (first.quantity, last.quantity, len(bill.lines)) == (101, 51, 3)
    else:
        assert (f"{first.quantity:.6f}", f"{last.quantity:.6f}") == ("75.373134", "25.373134")
        assert sum(line.quantity for line in bill.lines) == 201


def test_limits_per_kw_go_by_the_days_and_the_peak_of_each_season(version_of, usage_of):
    """January with summer from the 11th: 5 kW × 310 × 10/31 = 500 kWh and 4 × 310 × 21/31 = 840."""
    seasons = [{"name": "winter", "start": "10-01"}, {"name": "summer", "start": "01-11"}]
    tiers = [{"limit": "310", "rate": "0.10"}, {"rate": "0.30"}]
    charge = NET | {
        "tiers": [],
        "bands": [{"name": "winter", "tiers": tiers}, {"name": "summer", "tiers": tiers}],
        "windows": [
            {"band": "summer", "from_time": "00:00", "to_time": "24:00", "seasons": ["summer"]}
        ],
        "default_band": "winter",
    }
    used = [*((hour, 5, 0) for hour in range(140)), *((300 + hour, 4, 0) for hour in range(250))]
    for split in ("per_band", "pro_rata"):
        version = version_of(charge | {"split": split}, calendar={"seasons": seasons})
        (bill,) = rate(version, [january(usage_of, *used)])
        assert [kwh for _, kwh, _ in lines_of(bill)] == ["500", "200", "840", "160"]


def test_what_is_sold_fills_tiers_per_kw_of_its_own_peak(version_of, usage_of):
    """130 kWh at up to 12 kW: 120 at 0.10, 10 at 0.30; of 8 kW connected 80 and 50."""
    used = [(hour, 0, 12) for hour in range(24, 34)] + [(50, 30, 10)]
    for limits, lines in (
        (PEAK, [("tier-1", "120", "-12.00"), ("tier-2", "10", "-3.00")]),
        (CONNECTED, [("tier-1", "80", "-8.00"), ("tier-2", "50", "-15.00")]),
    ):
        version = version_of(SOLD | {"limits": limits})
        (bill,) = rate(version, [january(usage_of, *used, kw=8)])
        assert lines_of(bill) == lines


def test_intervals_that_cannot_give_the_peak_are_refused_unless_their_mean_counts(
    version_of, usage_of
):
    usage = january(usage_of, (1, 90, 0))
    finer = PEAK | {"peak_minutes": 15}
    with pytest.raises(Rejected, match="cannot be had from intervals of 60 minutes"):
        rate(version_of(NET | {"limits": finer}), [usage])
    (bill,) = rate(version_of(NET | {"limits": finer | {"from_coarser": "mean"}}), [usage])
    assert lines_of(bill) == [("tier-1", "90", "9.00")]


def test_a_load_that_nobody_knows_is_refused(version_of, usage_of):
    with pytest.raises(Rejected, match="net: the meter's connected kW is not known"):
        rate(version_of(NET | {"limits": CONNECTED}), [january(usage_of, (1, 9, 0))])


def test_a_single_day_has_no_part_of_a_periods_peak(version_of):
    assert usage_charges(version_of(NET, SOLD | {"limits": PEAK})) is None
    assert usage_charges(version_of(NET | {"limits": CONNECTED})) is not None
