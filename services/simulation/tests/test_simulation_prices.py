"""Published prices in comparisons: use that follows them, and what has no price to follow."""

from datetime import UTC, date, timedelta
from decimal import Decimal
from uuid import UUID

import numpy as np
import pytest

from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import ONE_DAY, midnight_utc, month_of, slots_in_day
from gridtally.rating.price_days import PriceDay
from gridtally.rating.prices import PRICE_MISSING
from gridtally.simulation.domain.comparisons import ChunkComparison, UsedTariff, check_tariffs
from gridtally.simulation.domain.house_bills import MeterSeries, usage_of
from gridtally.simulation.domain.houses import House
from gridtally.simulation.domain.prices import (
    check_known,
    codes_of,
    days_around,
    series_by_code,
    used_series,
)
from gridtally.simulation.domain.shifts import ElasticBand, Elasticity, LocalTimes

ZONE = "Europe/Berlin"
MARCH = month_of(date(2025, 3, 1))
HALF = Elasticity((ElasticBand("all day", LocalTimes(0, 0), Decimal("-0.5")),))


def tariff(*components):
    return UsedTariff({"currency": "EUR", "zone": ZONE, "components": list(components)})


FLAT = tariff({"kind": "energy", "id": "energy", "rate": "0.20"})
SPOT = tariff({"kind": "spot", "id": "energy", "series": "day-ahead"})
HOURLY = tariff(
    {"kind": "spot", "id": "energy", "series": "day-ahead", "settlement": "mean_price",
     "settle_minutes": 60}
)  # fmt: skip


def price_days(*changed):
    """20 cents at all hours but those that are changed: (day, hour, price)."""
    days = []
    for day in days_around(MARCH).dates():
        prices = [Decimal("0.20")] * slots_in_day(ZONE, day, 60)
        for on, hour, price in changed:
            if on == day:
                prices[hour] = price
        days.append(PriceDay(day, ZONE, 60, "EUR", 1, tuple(prices)))
    return {"day-ahead": days}


def test_use_follows_spot_prices():
    """At 18:00 of the 30th, a day of 23 hours, a kWh costs 40 cents and not 20: of 1000 Wh 500 are
    left. At 05:00 it costs 10: 1250 Wh are used. Elsewhere 1000 Wh stay."""
    spring = date(2025, 3, 30)
    days = price_days((spring, 17, Decimal("0.40")), (spring, 4, Decimal("0.10")))
    house = House(0, UUID(int=1), "Home", ZONE, Decimal(5), (), None)
    begins = (midnight_utc(ZONE, spring) - midnight_utc(ZONE, MARCH.start_on)) // timedelta(hours=1)
    imported = np.zeros(MARCH.slots(ZONE, 60), np.int64)
    imported[[0, begins + 17, begins + 4]] = 1_000
    usage = usage_of(house, MARCH, [[MeterSeries("import", 60, imported)]])
    comparison = ChunkComparison(
        [FLAT, SPOT], [house], MARCH, 1, missing="refused", shift=HALF, prices=series_by_code(days)
    )
    comparison.add_month([usage])
    flat, spot = comparison.result().houses
    assert (flat.amount, spot.amount) == (Decimal("0.60"), Decimal("0.70"))
    assert spot.shifted_imported_wh == 1_000 + 500 + 1_250
    # 0.20 + 0.5 × 0.40 + 1.25 × 0.10 = 0.525, half to even
    assert spot.shifted_amount == Decimal("0.52")


def test_prices_of_whole_hours_are_none_of_an_interval():
    check_tariffs([FLAT, SPOT], [ZONE], HALF)
    with pytest.raises(Rejected, match="spot charge") as refused:
        check_tariffs([FLAT, HOURLY], [ZONE], HALF)
    assert refused.value.code == "shift_unpriced"


def test_series_are_those_that_tariffs_name():
    assert codes_of([FLAT]) == []
    assert codes_of([SPOT, FLAT, HOURLY]) == ["day-ahead"]
    days = price_days()
    [used] = used_series(days)
    assert (used["days"], used["first_on"], used["last_on"]) == (33, "2025-02-28", "2025-04-01")
    [again] = used_series(price_days((MARCH.start_on, 3, Decimal("0.200"))))
    assert again == used  # the same price, however it is written
    [other] = used_series(price_days((MARCH.start_on, 3, Decimal("0.201"))))
    assert other["sha256"] != used["sha256"]
    series = series_by_code(price_days((MARCH.start_on, 3, None)))["day-ahead"]
    start_at = midnight_utc(ZONE, MARCH.start_on - ONE_DAY).astimezone(UTC)
    assert series.start_at == start_at
    assert np.flatnonzero(series.prices == PRICE_MISSING).tolist() == [24 + 3]
    check_known(days)
    with pytest.raises(Rejected, match="day-ahead") as refused:
        check_known({"day-ahead": []})
    assert refused.value.code == "prices_missing"
