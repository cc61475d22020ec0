"""Settlement windows of prices on the days on which the clock is put by half an hour."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import numpy as np
import pytest

from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import Period
from gridtally.rating.document import tariff_version
from gridtally.rating.engine.bill import rate
from gridtally.rating.prices import series_of
from gridtally.rating.usage import Usage

LORD_HOWE = "Australia/Lord_Howe"
BACK, FORWARD = date(2025, 4, 6), date(2025, 10, 5)
"""At 02:00 the clock goes back to 01:30, or on to 02:30: 49 and 47 half hours of 1 kWh."""
AT_13, AT_13_30 = datetime(2025, 4, 5, 13, tzinfo=UTC), datetime(2025, 10, 4, 13, 30, tzinfo=UTC)
"""Midnight of these days."""
HALF_HOUR = timedelta(minutes=30)
HALVES = ["0.10", "0.30"]


def prices(texts, minutes, start_at):
    step = timedelta(minutes=minutes)
    given = {start_at + n * step: Decimal(text) for n, text in enumerate(texts)}
    return {"day-ahead": series_of("EUR", minutes, given)}


def billed(spot, day, minutes, given):
    """The kWh and the exact amount of a day of 1 kWh in each half hour."""
    component = {"kind": "spot", "id": "spot", "series": "day-ahead"} | spot
    document = {"currency": "EUR", "zone": LORD_HOWE, "components": [component]}
    period = Period(day, day + timedelta(days=1))
    wh = np.full(period.slots(LORD_HOWE, minutes), 1000 * minutes // 30, np.int64)
    usage = Usage(LORD_HOWE, period, minutes, {"import": wh})
    (bill,) = rate(tariff_version(UUID(int=1), document), [usage], prices=given)
    (line,) = bill.lines
    return line.quantity, line.amount_exact


@pytest.mark.parametrize("settlement", ["mean_price", "mean_energy"])
@pytest.mark.parametrize(
    ("day", "spot", "given", "amount"),
    [
        # each hour is 0.20 on the mean but for the half hour from 01:30 that comes again at 1.00
        (BACK, {}, prices([*HALVES * 2, "1", *HALVES * 22], 30, AT_13), "10.60"),
        # the hour of 02:00 has its second half alone: 46 × 0.20 + 1.00
        (FORWARD, {}, prices([*HALVES * 2, "1", *HALVES * 21], 30, AT_13_30), "10.20"),
        # hours of UTC from 13:00: until 15:30 local hours have a half of two, 4 × 0.20; then half
        # an hour of the third, 0.10; then 21 whole ones from the fourth, 22 × 0.30 + 20 × 0.10
        (FORWARD, {}, prices(HALVES * 12, 60, AT_13_30 - HALF_HOUR), "9.50"),
        # windows of half an hour are as ever
        (BACK, {"settle_minutes": 30}, prices([*HALVES * 2, "1", *HALVES * 22], 30, AT_13),
         "10.60"),
    ],
)  # fmt: skip
def test_where_the_clock_is_put_by_half_an_hour(settlement, day, spot, given, amount):
    """A price covers the instants that it covers: half an hour that is left of one of the clock's
    hours is settled by itself, with no price of the hours beside it."""
    spot = {"settlement": settlement, "settle_minutes": 60} | spot
    half_hours = 49 if day == BACK else 47
    assert billed(spot, day, 30, given) == (half_hours, Decimal(amount))


def test_the_half_hour_that_is_left_of_an_hour_is_bounded_by_itself():
    """5 October with a cap of 0.80 on the mean, or on each price: 46 × 0.20 and 0.80."""
    given = prices([*HALVES * 2, "1", *HALVES * 21], 30, AT_13_30)
    for settlement in ("mean_price", "mean_energy"):
        spot = {"settlement": settlement, "settle_minutes": 60, "cap": "0.80"}
        assert billed(spot, FORWARD, 30, given)[1] == Decimal("10.00")


def test_the_price_of_the_hour_before_is_not_asked_for():
    """Prices of 5 October from 15:30 UTC on alone lack those of the four half hours before it."""
    given = prices(["1", *HALVES * 21], 30, AT_13_30 + 4 * HALF_HOUR)
    with pytest.raises(Rejected, match="lacks 4 prices, in the hours 2025-10-05 00:00"):
        billed({"settlement": "mean_price", "settle_minutes": 60}, FORWARD, 30, given)


def test_finer_intervals_are_settled_in_the_same_windows():
    """6 April in quarters of an hour: 96 of 0.5 kWh at 0.20 and two at 1.00."""
    given = prices([*HALVES * 2, "1", *HALVES * 22], 30, AT_13)
    spot = {"settlement": "mean_price", "settle_minutes": 60}
    assert billed(spot, BACK, 15, given) == (49, Decimal("10.60"))
