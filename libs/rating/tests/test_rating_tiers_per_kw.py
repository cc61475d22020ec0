"""Tiers with limits in kWh and in kWh per kW at once; the working stands beside each figure."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest

from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import Period
from gridtally.rating.engine.bill import rate
from gridtally.rating.tariff import Part

TIERS = [
    {"limit": "300", "limit_per_kw": "200", "rate": "0.15"},
    {"limit_per_kw": "200", "rate": "0.10"},
    {"limit_per_kw": "400", "rate": "0.05"},
    {"rate": "0.01"},
]
LIMITS = {"kw": "peak", "peak_minutes": 60}
CHARGE = {"kind": "tiered", "id": "e", "tiers": TIERS, "limits": LIMITS}
WHOLE = {"from_time": "00:00", "to_time": "12:00"}


def lines(bill):
    return {line.item.band: format(line.quantity.normalize(), "f") for line in bill.lines}


@pytest.mark.parametrize(
    ("wh", "kw", "fields", "expected"),
    [
        # 2 kW, 1 440 kWh of April: 300, up to 400, up to 800, the rest
        (2_000, None, {}, {"tier-1": "300", "tier-2": "100", "tier-3": "400", "tier-4": "640"}),
        # 1 kW, 720 kWh: 200 hours end before 300 kWh
        (1_000, None, {}, {"tier-1": "200", "tier-3": "200", "tier-4": "320"}),
        # 10 kW connected: 300, up to 2 000, of 1 440 kWh
        (2_000, "10", {"limits": {"kw": "connected"}}, {"tier-1": "300", "tier-2": "1140"}),
        # limits per day: 30 × 300 kWh are above 30 × 200 × 2 kW
        (2_000, None, {"limits": LIMITS | {"per": "day"}}, {"tier-1": "1440"}),
        # all in the tier that the total reaches: above 400 hours of 2 kW
        (2_000, None, {"mode": "volume"}, {"tier-4": "1440"}),
    ],
)
def test_a_tier_ends_at_the_lower_of_its_limits(version_of, usage_of, wh, kw, fields, expected):
    usage = usage_of("2025-04-01", "2025-05-01", import_=wh, kw=kw)
    (bill,) = rate(version_of(CHARGE | fields), [usage])
    assert lines(bill) == expected


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        # each band has 720 kWh of 2 kW: the day's tiers as above, and one rate at night
        ("per_band", {"day:tier-1": "300", "day:tier-2": "100", "day:tier-3": "320",
                      "night": "720"}),
        # half of the total's tiers
        ("pro_rata", {"day:tier-1": "150", "day:tier-2": "50", "day:tier-3": "200",
                      "day:tier-4": "320", "night": "720"}),
        # 48 kWh a day, half of it at night, which comes last: 300 kWh are 6 days (144 of night)
        # and 12 kWh; 400 are 8 days and 16; 800 are 16 days and 32, of which 24 are the day's
        ("chronological", {"day:tier-1": "156", "day:tier-2": "52", "day:tier-3": "200",
                           "day:tier-4": "312", "night": "720"}),
    ],
)  # fmt: skip
def test_bands_with_and_without_limits_per_kw(version_of, usage_of, split, expected):
    charge = CHARGE | {
        "kind": "tiered_time_of_use",
        "split": split,
        "bands": [{"name": "day", "tiers": TIERS}, {"name": "night", "tiers": [{"rate": "0.07"}]}],
        "windows": [WHOLE | {"band": "day"}],
        "default_band": "night",
    }
    del charge["tiers"]
    (bill,) = rate(version_of(charge), [usage_of("2025-04-01", "2025-05-01", import_=2_000)])
    assert lines(bill) == expected


def test_a_new_version_goes_on_in_the_same_tiers(version_of, usage_of):
    version = version_of(CHARGE)
    usage = usage_of("2025-04-01", "2025-05-01", import_=2_000)
    day = usage.period.start_on.replace(day=8)  # 7 × 48 kWh are 336
    parts = [
        Part(Period(usage.period.start_on, day), version),
        Part(Period(day, usage.period.end_on), replace(version, id=UUID(int=2))),
    ]
    (bill,) = rate(parts, [usage])
    rows = [(line.item.band, line.quantity) for line in bill.lines]
    assert rows == [
        ("tier-1", 300), ("tier-2", 36), ("tier-2", 64), ("tier-3", 400), ("tier-4", 640),
    ]  # fmt: skip


def test_half_a_month_has_half_of_either_limit(version_of, usage_of):
    """720 kWh of 2 kW: 150, 100 × 2, 200 × 2, and what is above."""
    usage = usage_of("2025-04-01", "2025-04-16", import_=2_000)
    (bill,) = rate(version_of(CHARGE), [usage])
    assert lines(bill) == {"tier-1": "150", "tier-2": "50", "tier-3": "200", "tier-4": "320"}
    assert bill.net == Decimal("22.50") + 5 + 10 + Decimal("3.20")


@pytest.mark.parametrize(
    ("component", "fault"),
    [
        (CHARGE | {"limits": {}}, "a limit_per_kw needs kw in the limits"),
        (CHARGE | {"tiers": TIERS[:3]}, "the last tier has no limit"),
        (CHARGE | {"tiers": [TIERS[0], TIERS[3], TIERS[3]]}, "only the last tier may do without"),
        (CHARGE | {"tiers": [TIERS[1], TIERS[0], TIERS[3]]}, "the upper has the higher limit"),
        (CHARGE | {"tiers": [TIERS[1] | {"limit_per_kw": "0"}, TIERS[3]]}, "above nothing"),
        (
            {"kind": "demand", "id": "d", "tiers": [TIERS[1], TIERS[3]]},
            "limit_per_kw is for tiers of energy",
        ),
    ],
)
def test_limits_that_contradict_one_another_are_refused(version_of, component, fault):
    with pytest.raises(Rejected, match=fault):
        version_of(component)
