"""A season that begins within a bill of netted or sold energy in tiers, by each declared rule.

The working stands beside each figure: January with summer from the 11th on, so that by days winter
has 10/31 of its limit of 310 kWh a month (100), summer 21/31 of 620 (420).
"""

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import Period
from gridtally.rating.engine.bill import rate
from gridtally.rating.tariff import Part

BANDS = {
    "bands": [
        {"name": "w", "tiers": [{"limit": "310", "rate": "0.10"}, {"rate": "0.30"}]},
        {"name": "s", "tiers": [{"limit": "620", "rate": "0.20"}, {"rate": "0.40"}]},
    ],
    "windows": [{"band": "s", "from_time": "00:00", "to_time": "24:00", "seasons": ["summer"]}],
    "default_band": "w",
}
SEASONS = {"seasons": [{"name": "winter", "start": "10-01"}, {"name": "summer", "start": "01-11"}]}
BANK = {"kind": "carry_forward"}
METERING = {"kind": "net_metering", "id": "energy", "surplus": BANK, **BANDS}
SOLD = {"kind": "export_credit", "id": "sold", "surplus": {"kind": "payout"}, **BANDS}
SUMMER = 20 * 24
"""An hour of the 21st of January."""


def january(usage_of, *kwh):
    """January with (hour, import, export) in kWh."""
    usage = usage_of("2025-01-01", "2025-02-01", import_=0, export=0)
    for hour, imported, exported in kwh:
        usage.series["import"][hour] += imported * 1000
        usage.series["export"][hour] += exported * 1000
    return usage


def lines_of(bill):
    return {
        line.item.band: format(line.quantity.normalize(), "f")
        for line in bill.lines
        if line.quantity
    }


def by_rule(charge, rule, **limits):
    return charge | {"limits": {"on_season_change": rule} | limits}


ALL_BUT_ORDER = [
    # 10.00 + 90.00 + 84.00 + 312.00
    ("per_band", "by_days",
     {"w:tier-1": "100", "w:tier-2": "300", "s:tier-1": "420", "s:tier-2": "780"}, "496.00"),
    ("pro_rata", "by_days",
     {"w:tier-1": "100", "w:tier-2": "300", "s:tier-1": "420", "s:tier-2": "780"}, "496.00"),
    # summer has 21 of 31 days: 1600 kWh, of which 620 lie below its limit: 124.00 + 392.00
    ("per_band", "most_days", {"s:tier-1": "620", "s:tier-2": "980"}, "516.00"),
    ("pro_rata", "most_days", {"s:tier-1": "620", "s:tier-2": "980"}, "516.00"),
    # 310 of 400, 620 of 1200: 31.00 + 27.00 + 124.00 + 232.00
    ("per_band", "each_in_full",
     {"w:tier-1": "310", "w:tier-2": "90", "s:tier-1": "620", "s:tier-2": "580"}, "414.00"),
    # a quarter of the total's 310 and 1290, three quarters of its 620 and 980:
    # 7.75 + 96.75 + 93.00 + 294.00
    ("pro_rata", "each_in_full",
     {"w:tier-1": "77.5", "w:tier-2": "322.5", "s:tier-1": "465", "s:tier-2": "735"}, "491.50"),
]  # fmt: skip


@pytest.mark.parametrize(("split", "rule", "billed", "total"), ALL_BUT_ORDER)
def test_net_import_of_two_seasons(version_of, usage_of, split, rule, billed, total):
    """400 kWh of import in winter, 1300 less 100 in summer."""
    usage = january(usage_of, (24, 400, 0), (SUMMER, 1300, 100))
    version = version_of(by_rule(METERING | {"split": split}, rule), calendar=SEASONS)
    (bill,) = rate(version, [usage])
    assert lines_of(bill) == billed
    assert str(bill.total) == total


@pytest.mark.parametrize(
    ("split", "rule", "billed", "total"),
    [
        *ALL_BUT_ORDER,
        ("chronological", "by_days",
         {"w:tier-1": "100", "w:tier-2": "300", "s:tier-1": "420", "s:tier-2": "780"}, "496.00"),
        ("chronological", "most_days", {"s:tier-1": "620", "s:tier-2": "980"}, "516.00"),
        # the total has reached 400 when summer begins: 220 are left below 620;
        # 31.00 + 27.00 + 44.00 + 392.00
        ("chronological", "each_in_full",
         {"w:tier-1": "310", "w:tier-2": "90", "s:tier-1": "220", "s:tier-2": "980"}, "494.00"),
    ],
)  # fmt: skip
def test_what_is_sold_in_two_seasons(version_of, usage_of, split, rule, billed, total):
    """400 kWh in winter, 1200 in summer."""
    usage = january(usage_of, (24, 0, 400), (SUMMER, 0, 1200))
    version = version_of(by_rule(SOLD | {"split": split}, rule), calendar=SEASONS)
    (bill,) = rate(version, [usage])
    assert lines_of(bill) == billed
    assert str(bill.total) == f"-{total}"


@pytest.mark.parametrize(
    ("rule", "billed"),
    [
        # 0.31 × 10/31 × 400 kW = 40, 0.31 × 21/31 × 1300 kW = 273
        ("by_days", {"w:tier-1": "40", "w:tier-2": "360", "s:tier-1": "273", "s:tier-2": "927"}),
        # 0.31 × 1300 kW = 403 for both
        ("each_in_full", {"w:tier-1": "400", "s:tier-1": "403", "s:tier-2": "797"}),
        ("most_days", {"s:tier-1": "403", "s:tier-2": "1197"}),
    ],
)
def test_limits_per_kw_follow_the_peak_of_their_days(version_of, usage_of, rule, billed):
    """Peaks of import of 400 kW in winter and 1300 in summer."""
    tiers = [{"limit": "0.31", "rate": "0.10"}, {"rate": "0.30"}]
    charge = METERING | {
        "split": "per_band",
        "bands": [{"name": name, "tiers": tiers} for name in ("w", "s")],
    }
    usage = january(usage_of, (24, 400, 0), (SUMMER, 1300, 100))
    version = version_of(by_rule(charge, rule, kw="peak", peak_minutes=60), calendar=SEASONS)
    (bill,) = rate(version, [usage])
    assert lines_of(bill) == billed


@pytest.mark.parametrize(
    ("split", "rule", "billed", "banked"),
    [
        # winter's units stay in the bank, of which summer may take none
        ("per_band", "by_days", {"s:tier-1": "420", "s:tier-2": "80"}, {"w": 100}),
        ("pro_rata", "by_days", {"s:tier-1": "420", "s:tier-2": "80"}, {"w": 100}),
        ("per_band", "each_in_full", {"s:tier-1": "500"}, {"w": 100}),
        ("pro_rata", "each_in_full", {"s:tier-1": "500"}, {"w": 100}),
        # all is summer's: 500 less 100
        ("per_band", "most_days", {"s:tier-1": "400"}, {}),
        ("pro_rata", "most_days", {"s:tier-1": "400"}, {}),
    ],
)
def test_units_left_over_belong_to_the_band_that_they_were_netted_in(
    version_of, usage_of, split, rule, billed, banked
):
    """100 kWh are exported in winter, 500 imported in summer."""
    usage = january(usage_of, (24, 0, 100), (SUMMER, 500, 0))
    version = version_of(by_rule(METERING | {"split": split}, rule), calendar=SEASONS)
    (bill,) = rate(version, [usage])
    assert lines_of(bill) == billed
    lots = [lot for bank in bill.state.values() for lot in bank.lots]
    assert {lot.band: lot.kwh for lot in lots} == banked


@pytest.mark.parametrize(
    ("rule", "credited"), [("by_days", {"w": "100"}), ("most_days", {"s": "100"})]
)
def test_what_is_left_over_is_paid_in_the_band_that_is_charged(
    version_of, usage_of, rule, credited
):
    charge = METERING | {"split": "pro_rata", "surplus": {"kind": "payout"}, "surplus_rate": "0.05"}
    version = version_of(by_rule(charge, rule), calendar=SEASONS)
    (bill,) = rate(version, [january(usage_of, (24, 0, 100))])
    assert lines_of(bill) == credited
    assert str(bill.total) == "-5.00"


def test_each_version_has_the_season_of_most_of_its_own_days(version_of, usage_of):
    """From the 6th on another version: five days of winter, 5/31 × 310 = 50 kWh; then 26 of which
    21 are summer's, 26/31 × 620 = 520."""
    usage = january(usage_of, (24, 400, 0), (SUMMER, 1300, 100))
    version = version_of(by_rule(METERING | {"split": "per_band"}, "most_days"), calendar=SEASONS)
    cut = date(2025, 1, 6)
    parts = [
        Part(Period(usage.period.start_on, cut), version),
        Part(Period(cut, usage.period.end_on), replace(version, id=UUID(int=2))),
    ]
    (bill,) = rate(parts, [usage])
    assert lines_of(bill) == {
        "w:tier-1": "50", "w:tier-2": "350", "s:tier-1": "520", "s:tier-2": "680",
    }  # fmt: skip


@pytest.mark.parametrize("charge", [METERING, SOLD])
@pytest.mark.parametrize("rule", ["most_days", "each_in_full"])
def test_a_rule_without_seasons_or_tiers_is_refused(version_of, charge, rule):
    windows = [{"band": "s", "from_time": "08:00", "to_time": "20:00"}]
    for fields, fault in (
        ({"split": "per_band", "windows": windows}, "says nothing without windows"),
        ({"bands": [{"name": name, "rate": "1"} for name in "ws"]}, "limits are for tiers"),
    ):
        with pytest.raises(Rejected, match=fault):
            version_of(by_rule(charge | fields, rule), calendar=SEASONS)
