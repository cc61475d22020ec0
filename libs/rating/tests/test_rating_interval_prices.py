"""Prices of intervals: what a bill comes to is the sum of them; and which tariffs have none."""

from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from gridtally.kernel.periods import Period
from gridtally.rating.engine.bill import rate
from gridtally.rating.interval_prices import (
    bill_net,
    bill_tax,
    has_interval_prices,
    interval_prices,
)
from gridtally.rating.usage import Usage

BERLIN = "Europe/Berlin"
LONG_NIGHT = Period(date(2025, 10, 25), date(2025, 10, 28))
"""Three days, one of which has 25 hours."""
NIGHT_AND_DAY = {
    "kind": "time_of_use",
    "id": "energy",
    "bands": [{"name": "day", "rate": "0.30"}, {"name": "night", "rate": "-0.011"}],
    "windows": [{"band": "night", "from_time": "22:00", "to_time": "06:00"}],
    "default_band": "day",
}
LEVY = {"kind": "adjustment", "id": "levy", "rate": "0.0123"}
DISCOUNT = {"kind": "percent", "id": "discount", "rate": "-0.05", "component_ids": ["energy"]}
OLD_TAX, NEW_TAX = (
    {"kind": "tax", "id": name, "rate": rate, "component_ids": ["energy", "discount"]} | days
    for name, rate, days in (
        ("old", "0.07", {"to_on": "2025-10-27"}),
        ("new", "0.19", {"from_on": "2025-10-27"}),
    )
)
FEED_IN = {"kind": "energy", "id": "feed-in", "rate": "-0.08", "flow": "export"}


@examples(20)
@given(
    st.lists(st.integers(0, 10**6), min_size=73, max_size=73),
    st.lists(st.integers(0, 10**6), min_size=73, max_size=73),
)
def test_a_bill_is_the_sum_of_its_intervals(version_of, imported, exported):
    version = version_of(NIGHT_AND_DAY, LEVY, DISCOUNT, FEED_IN, OLD_TAX, NEW_TAX)
    assert has_interval_prices(version)
    series = {"import": np.array(imported), "export": np.array(exported)}
    (bill,) = rate(version, [Usage(BERLIN, LONG_NIGHT, 60, series)])
    prices = interval_prices(version, BERLIN, LONG_NIGHT, 60, {})
    net = tax = Decimal(0)
    for flow, own in prices.items():
        for wh, price in zip(series[flow].tolist(), own.price_of.tolist(), strict=True):
            net += wh * own.net[price] / 1000
            tax += wh * own.tax[price] / 1000
    assert (net, tax) == (bill_net(bill), bill_tax(bill))


@pytest.mark.parametrize(
    "component",
    [
        {"kind": "tiered", "id": "energy", "tiers": [{"limit": "5", "rate": "1"}, {"rate": "2"}]},
        {"kind": "demand", "id": "kw", "rate": "1", "minutes": 60},
        {
            "kind": "net_billing",
            "id": "energy",
            "import_rate": "1",
            "export_rate": "1",
            "surplus": {"kind": "payout"},
        },
        LEVY | {"quantity_rounding": {"step_kwh": "0.01"}},
    ],
)
def test_where_an_hour_depends_on_others_it_has_no_price(version_of, component):
    assert not has_interval_prices(version_of(component))
