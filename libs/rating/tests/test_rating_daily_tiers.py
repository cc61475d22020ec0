"""Tiers that start again each day; the working stands beside each figure."""

from datetime import date
from uuid import UUID

import numpy as np
import pytest

from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import Period
from gridtally.rating.engine.bill import rate
from gridtally.rating.tariff import Part
from gridtally.rating.usage import Usage, slots_in

TIERS = [{"limit": "15", "rate": "0.20"}, {"rate": "0.30"}]
DAILY = {"per": "day", "reset_daily": True}
TIERED = {"kind": "tiered", "id": "energy", "tiers": TIERS, "limits": DAILY}
BANDED = {
    "kind": "tiered_time_of_use",
    "id": "energy",
    "split": "chronological",
    "bands": [{"name": "night", "tiers": TIERS}, {"name": "day", "tiers": TIERS}],
    "windows": [{"band": "night", "from_time": "00:00", "to_time": "06:00"}],
    "default_band": "day",
    "limits": DAILY,
}


def usage_of(kwh_of_hours, start_on=date(2025, 6, 1), end_on=date(2025, 6, 3)):
    """Hours of some local days by (day, hour), counted from 0; nothing in the others."""
    period = Period(start_on, end_on)
    wh = np.zeros(slots_in("Europe/Berlin", period, 60), np.int64)
    for hour, kwh in kwh_of_hours.items():
        wh[hour] = kwh * 1000
    return Usage("Europe/Berlin", period, 60, {"import": wh})


def billed(version, usage):
    (bill,) = rate(version, [usage])
    return {line.item.band: format(line.quantity.normalize(), "f") for line in bill.lines}


def test_what_one_day_leaves_unused_is_not_the_next_days(version_of):
    """5 kWh, then 25: 5 × .20 + (15 × .20 + 10 × .30) = 7.00; 30 kWh in two days' 30 are 6.00.

    The complaint: kmbrimble/electricity-plan-compare#13.
    """
    usage = usage_of({5: 5, 24 + 8: 12, 24 + 20: 13})
    (bill,) = rate(version_of(TIERED), [usage])
    assert str(bill.total) == "7.00"
    assert billed(version_of(TIERED), usage) == {"tier-1": "20", "tier-2": "10"}
    pooled = version_of(TIERED | {"limits": {"per": "day"}})
    (bill,) = rate(pooled, [usage])
    assert str(bill.total) == "6.00"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        # 1 June: 10 at night and 10 in the day; 2 June: 20 in the day
        # the day's running total: 10 night and 5 day below 15, then 15 of the day
        ({}, {"night:tier-1": "10", "day:tier-1": "20", "day:tier-2": "10"}),
        # each band's own: 10; 10, and 15 with 5 above
        ({"split": "per_band"}, {"night:tier-1": "10", "day:tier-1": "25", "day:tier-2": "5"}),
        # each day's total of 20 lies in the second tier, whatever the band
        ({"split": "pro_rata", "mode": "volume"}, None),
        # each band's own total of a day chooses: 10, 10, 20
        (
            {"split": "per_band", "mode": "volume"},
            {"night:tier-1": "10", "day:tier-1": "10", "day:tier-2": "20"},
        ),
    ],
)
def test_bands_fill_each_days_tiers_as_declared(version_of, fields, expected):
    usage = usage_of({2: 10, 9: 10, 24 + 9: 12, 24 + 10: 8})
    if expected is None:
        with pytest.raises(Rejected, match="per_band or chronological"):
            version_of(BANDED | fields)
    else:
        assert billed(version_of(BANDED | fields), usage) == expected


def test_days_of_23_and_25_hours_have_the_same_limit(version_of):
    """Each hour 1 kWh, 15 a day: 23 − 15 = 8 above in March, 25 − 15 = 10 in October."""
    for change_on, above in [(date(2025, 3, 30), 8), (date(2025, 10, 26), 10)]:
        days = change_on, date.fromordinal(change_on.toordinal() + 2)
        hours = range(slots_in("Europe/Berlin", Period(*days), 60))
        usage = usage_of(dict.fromkeys(hours, 1), *days)
        assert billed(version_of(TIERED), usage) == {"tier-1": "30", "tier-2": str(above + 9)}


def test_a_tax_that_begins_between_two_days_is_on_its_own_days(version_of):
    """1 June 3.00 (15 × .20) without tax; 2 June 15 × .20 + 10 × .30 = 6.00 and 10 % of it."""
    tax = {"kind": "tax", "id": "vat", "rate": "0.1", "from_on": "2025-06-02",
           "component_ids": ["energy"]}  # fmt: skip
    (bill,) = rate(version_of(TIERED, tax), [usage_of({5: 15, 24 + 5: 25})])
    assert [(line.item.part.start_on.day, line.item.band, str(line.amount)) for line in bill.lines
            if line.amount] == [
        (1, "tier-1", "3.00"), (2, "tier-1", "3.00"), (2, "tier-2", "3.00"), (2, None, "0.60"),
    ]  # fmt: skip


def test_a_new_version_begins_with_a_day_of_its_own(version_of):
    dearer = [{"limit": "10", "rate": "1"}, {"rate": "2"}]
    old, new = version_of(TIERED), version_of(TIERED | {"tiers": dearer}, version_id=UUID(int=2))
    first, second, end = date(2025, 6, 1), date(2025, 6, 2), date(2025, 6, 3)
    parts = [Part(Period(first, second), old), Part(Period(second, end), new)]
    (bill,) = rate(parts, [usage_of({5: 20, 24 + 5: 20})])
    # 15 × .20 + 5 × .30 = 4.50; 10 × 1 + 10 × 2 = 30
    assert str(bill.total) == "34.50"
    assert bill.state == {}


@pytest.mark.parametrize(
    "limits",
    [
        {"per": "month"},
        {"kw": "connected"},
        {"on_version_change": "reset"},
        {"per": "period", "reset_months": 3},
    ],
)
def test_limits_that_contradict_a_day_are_refused(version_of, limits):
    with pytest.raises(Rejected, match="reset_daily"):
        version_of(TIERED | {"limits": DAILY | limits})
