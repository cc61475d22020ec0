"""What a fleet costs is exact: whatever a window is cut into, its parts add up to it, and days'
parts of a limit to the limit, without a last digit that nobody charged."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtally.billing.domain.fleet_costs.costs import FIRST_ON, ChannelDays, FleetCost, FleetSum
from gridtally.billing.domain.fleet_costs.counted import count_fleet
from gridtally.billing.domain.fleet_costs.devices import (
    Catalogue,
    FleetMeter,
    Region,
    RegionalVersion,
)
from gridtally.billing.domain.fleet_costs.price_grids import Window
from gridtally.billing.domain.reference_data import read_version
from gridtally.billing.domain.tariffs import InForce
from gridtally.metering.derived_meters import Network
from gridtally.rating.engine.exact import shown

CITY, SITE, METER, REGION, TARIFF, VERSION = (UUID(int=number) for number in range(1, 7))
MARCH = datetime(2025, 3, 1, tzinfo=UTC), datetime(2025, 4, 1, tzinfo=UTC)
TIERS = {"kind": "tiered", "id": "energy", "tiers": [{"limit": "500", "rate": "0.10"},
                                                     {"rate": "0.30"}]}  # fmt: skip
TAX = {"kind": "tax", "id": "vat", "rate": "0.19", "component_ids": ["energy"]}
TARIFFS = {
    "tiers": [TIERS, TAX],
    "tiers in a third": [
        TIERS | {"tiers": [{"limit": "100", "rate": "0.07"}, {"limit": "250", "rate": "0.11"},
                           {"rate": "0.13"}]},
        TAX,
    ],
    "flat": [{"kind": "energy", "id": "energy", "rate": "0.3337"}, TAX],
}  # fmt: skip


def cost_of(components, hourly_wh, from_at, to_at):
    """What a meter in UTC costs that used these Wh in the hours of March."""
    document = json.dumps({"currency": "EUR", "zone": "UTC", "components": components})
    version = read_version(VERSION, document)
    meter = FleetMeter(METER, "Meter", "main", SITE, REGION, is_own_site=True, is_measured=True)
    offer = RegionalVersion(TARIFF, "home", InForce(VERSION, 1, date(2025, 1, 1), None))
    catalogue = Catalogue(
        CITY, {}, {}, {REGION: [offer]}, {REGION: Region(REGION, "City", "municipality", None)},
        Network({}, {}),
    )  # fmt: skip
    window = Window(from_at, to_at)
    fleet = FleetSum(FleetCost("EUR", window), catalogue, lambda _: version, lambda *_: {})
    days = np.arange(31) + (MARCH[0].date() - FIRST_ON).days
    chosen = [FIRST_ON + timedelta(days=int(day)) in window.days for day in days]
    energy = np.array(hourly_wh, np.int32).reshape(31, 24)
    block = ChannelDays(METER, "import", "UTC", 60, days[chosen], energy[chosen])
    fleet.add(count_fleet([meter], catalogue, window.days).devices, [block])
    return fleet.finish()


@pytest.mark.parametrize("components", TARIFFS.values(), ids=TARIFFS)
@given(seed=st.integers(0, 2**32 - 1), cuts=st.sets(st.integers(1, 743), max_size=4))
def test_a_window_costs_what_its_parts_and_days_and_devices_do(components, seed, cuts):
    hourly_wh = np.random.default_rng(seed).integers(0, 2_000, 744)
    whole = cost_of(components, hourly_wh, *MARCH)
    edges = [MARCH[0] + timedelta(hours=hour) for hour in (0, *sorted(cuts), 744)]
    parts = [cost_of(components, hourly_wh, from_at, to_at) for from_at, to_at in pairwise(edges)]
    total = whole.totals["EUR"]
    for what in ("net_exact", "tax_exact", "wh"):
        expected = getattr(total, what)
        assert sum(getattr(part.totals["EUR"], what) for part in parts) == expected
        assert sum(getattr(day, what) for day in whole.daily.values()) == expected
    assert abs(Fraction(total.total) - total.net_exact - total.tax_exact) < Fraction(1, 10**20)


def test_days_parts_of_a_limit_come_to_the_months():
    """25 kWh on each of 31 days: of each 500 ÷ 31 at 0.10, which is no decimal, the rest at 0.30:
    50.00 + 275 × 0.30 = 132.50, and 19 % of it 25.175."""
    hourly_wh = np.zeros(744, int)
    hourly_wh[::24] = 25_000
    total = cost_of(TARIFFS["tiers"], hourly_wh, *MARCH).totals["EUR"]
    assert (total.net, total.tax, total.total) == (
        Decimal("132.5"), Decimal("25.175"), Decimal("157.675"),
    )  # fmt: skip
    first = cost_of(TARIFFS["tiers"], hourly_wh, MARCH[0], MARCH[0] + timedelta(days=1))
    assert str(first.totals["EUR"].net) == "4.27419354838709677419"


@pytest.mark.parametrize(
    ("amount", "text"),
    [(Fraction(1, 3), "0.33333333333333333333"), (Fraction(1, 2**40), str(Decimal("0.5") ** 40)),
     (Fraction(-25, 2), "-12.5"), (Fraction(0), "0")],
)  # fmt: skip
def test_a_fraction_is_shown_exactly_or_to_20_decimals(amount, text):
    assert Decimal(text) == shown(amount)
