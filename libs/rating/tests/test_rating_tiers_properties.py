"""What must hold of tiers and peaks whatever the figures: they scale, and move by weeks."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from gridtally.kernel.periods import Period
from gridtally.rating.document import tariff_version
from gridtally.rating.engine.bill import rate
from gridtally.rating.usage import Usage

WEEK = timedelta(days=7)
FIRST = date(2025, 7, 1)
HOURS = 24 * 7
limits_kwh = st.integers(1, 100)


def document(split, low, high):
    """Ladders up to `low` and `high` kWh a day, and demand by the same figures in kW."""
    tiers = [
        {"limit": str(low), "rate": "1"},
        {"limit": str(low + high), "rate": "2"},
        {"rate": "3"},
    ]
    bands = [{"name": "peak", "tiers": tiers}, {"name": "rest", "tiers": tiers}]
    windows = [{"band": "peak", "from_time": "17:00", "to_time": "20:00", "day_types": ["workday"]}]
    workday = {"name": "workday", "weekdays": ["mon", "tue", "wed", "thu", "fri"]}
    common = {"bands": bands, "windows": windows, "default_band": "rest"}
    energy = {"kind": "tiered_time_of_use", "id": "energy", "split": split} | common
    demand = {"kind": "demand", "id": "demand", "minutes": 60, "per": "day"} | common
    return {
        "currency": "EUR",
        "zone": "UTC",
        "calendar": {"day_types": [workday]},
        "components": [energy | {"limits": {"per": "day"}}, demand],
    }


def quantities(tariff, wh, start_on=FIRST):
    usage = Usage("UTC", Period(start_on, start_on + WEEK), 60, {"import": wh})
    (bill,) = rate(tariff_version(UUID(int=1), tariff), [usage])
    return {(line.item.component_id, line.item.band): line.quantity for line in bill.lines}


@pytest.mark.parametrize("split", ["per_band", "pro_rata", "chronological"])
@examples(60)
@given(low=limits_kwh, high=limits_kwh, times=st.integers(2, 9), seed=st.integers(0, 2**32))
def test_energy_and_limits_that_grow_by_one_factor_leave_the_shares_as_they_are(
    split, low, high, times, seed
):
    wh = np.random.default_rng(seed).integers(0, 20_000, HOURS)
    small = quantities(document(split, low, high), wh)
    large = quantities(document(split, low * times, high * times), wh * times)
    assert large.keys() == small.keys()
    for key, quantity in small.items():
        assert abs(large[key] - quantity * times) <= Decimal(times).scaleb(-20)


@pytest.mark.parametrize("split", ["per_band", "pro_rata", "chronological"])
@examples(60)
@given(low=limits_kwh, high=limits_kwh, weeks=st.integers(1, 60), seed=st.integers(0, 2**32))
def test_weeks_later_in_a_zone_without_clock_changes_all_is_the_same(split, low, high, weeks, seed):
    wh = np.random.default_rng(seed).integers(0, 20_000, HOURS)
    tariff = document(split, low, high)
    assert quantities(tariff, wh, FIRST + weeks * WEEK) == quantities(tariff, wh)
