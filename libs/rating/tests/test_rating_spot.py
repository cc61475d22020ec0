"""Spot prices: hand-worked settlements, bounds and refusals."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import numpy as np
import pytest

from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import Period
from gridtally.rating.document import tariff_version
from gridtally.rating.engine.bill import rate
from gridtally.rating.prices import PRICE_MISSING, PriceSeries, series_of
from gridtally.rating.usage import Usage

BERLIN = "Europe/Berlin"
DAY = Period(date(2025, 3, 3), date(2025, 3, 4))
MIDNIGHT = datetime(2025, 3, 2, 23, tzinfo=UTC)
HOUR = ["0.10", "0.20", "-0.05", "0.35"]
"""The prices of each hour's quarters: 0.15 on the mean."""


def tariff(zone=BERLIN, **spot):
    component = {"kind": "spot", "id": "spot", "series": "day-ahead"} | spot
    document = {"currency": "EUR", "zone": zone, "components": [component]}
    return tariff_version(UUID(int=1), document)


def prices(texts, minutes, start_at=MIDNIGHT, currency="EUR"):
    step = timedelta(minutes=minutes)
    prices = {
        start_at + n * step: Decimal(text) for n, text in enumerate(texts) if text is not None
    }
    return {"day-ahead": series_of(currency, minutes, prices)}


def usage(wh, minutes, flow="import", zone=BERLIN, period=DAY, **more):
    slots = period.slots(zone, minutes)
    values = np.resize(np.array(wh), slots).astype(np.int64)
    return Usage(zone, period, minutes, {flow: values}, **more)


def billed(version, metered, given):
    (bill,) = rate(version, [metered], prices=given)
    return [
        (line.item.band, line.quantity, line.item.rate, line.amount_exact) for line in bill.lines
    ]


@pytest.mark.parametrize(
    ("spot", "metered", "given", "amount"),
    [
        # 24 h × (1 × 0.10 + 2 × 0.20 − 3 × 0.05 + 4 × 0.35) kWh × EUR = 24 × 1.75
        ({}, usage([1000, 2000, 3000, 4000], 15), prices(HOUR * 24, 15), "42.00"),
        # hourly prices for quarters: 10 kWh an hour at 0.10 and 0.20 in turn: 12 × (1 + 2)
        ({}, usage([1000, 2000, 3000, 4000], 15), prices(["0.10", "0.20"] * 12, 60), "36.00"),
        # 5-minute readings under 30-minute prices: 24 × (6 × 0.1 × 0.30 + 6 × 0.1 × 0.10)
        ({}, usage([100], 5), prices(["0.30", "0.10"] * 24, 30), "5.76"),
        # five-minute settlement, opennem/opennem-fe#38: 0.1 kWh in every other 5 minutes of the day
        # at 0.10 and 15.00 in turn: 144 × 0.1 × 0.10
        ({}, usage([100, 0], 5), prices(["0.10", "15"] * 144, 5), "1.44"),
        # the hours' means of twelve prices, (11 × 0.10 + 0.20) / 12 = 0.108333…: 24 × 12 kWh × that
        (
            {"settlement": "mean_price", "settle_minutes": 60},
            usage([6000], 30),
            prices((["0.10"] * 11 + ["0.20"]) * 24, 5),
            "31.20",
        ),
        # the quarters' means of three, bounded: (0.10 + 0.10 + 0.20) / 3 = 0.1333… is above 0.13
        (
            {"settlement": "mean_price", "settle_minutes": 15, "cap": "0.13"},
            usage([1000], 15),
            prices(["0.10", "0.10", "0.20"] * 96, 5),
            "12.48",
        ),
        # each of the three bounded: (0.10 + 0.10 + 0.13) / 3 = 0.11 × 96 kWh
        (
            {"settlement": "mean_energy", "settle_minutes": 15, "cap": "0.13"},
            usage([1000], 15),
            prices(["0.10", "0.10", "0.20"] * 96, 5),
            "10.56",
        ),
        # hours of UTC under half hours of Adelaide (+10:30 in March) and quarters of Kathmandu
        # (+05:45): home-assistant/core#98431; 48 × 0.5 kWh × 0.30, 96 × 0.25 kWh × 0.30
        (
            {},
            usage([500], 30, zone="Australia/Adelaide"),
            prices(["0.30"] * 26, 60, datetime(2025, 3, 2, 13, tzinfo=UTC)),
            "7.200",
        ),
        (
            {},
            usage([250], 15, zone="Asia/Kathmandu"),
            prices(["0.30"] * 26, 60, datetime(2025, 3, 2, 18, tzinfo=UTC)),
            "7.200",
        ),
        # settled on hourly means: 24 × 10 kWh × 0.15
        (
            {"settlement": "mean_price", "settle_minutes": 60},
            usage([1000, 2000, 3000, 4000], 15),
            prices(HOUR * 24, 15),
            "36.00",
        ),
        # the same from a meter that only knows hours
        (
            {"settlement": "mean_price", "settle_minutes": 60},
            usage([10_000], 60),
            prices(HOUR * 24, 15),
            "36.00",
        ),
        # half-hourly means: 0.15 for the first 3 kWh, 0.15 for the other 7
        (
            {"settlement": "mean_price", "settle_minutes": 30},
            usage([1000, 2000, 3000, 4000], 15),
            prices(["0.05", "0.15", "-0.05", "0.35"] * 24, 15),
            str(24 * (3 * Decimal("0.10") + 7 * Decimal("0.15"))),
        ),
        # a floor of 0 on the mean changes nothing, on each published price it does:
        # (0.10 + 0.20 + 0 + 0.35) / 4 = 0.1625
        (
            {"settlement": "mean_price", "settle_minutes": 60, "floor": "0"},
            usage([10_000], 60),
            prices(HOUR * 24, 15),
            "36.00",
        ),
        (
            {"settlement": "mean_energy", "settle_minutes": 60, "floor": "0"},
            usage([10_000], 60),
            prices(HOUR * 24, 15),
            "39.0000",
        ),
        # cap 0.30 on the fourth quarter: 24 × (1.75 − 4 × 0.05)
        (
            {"cap": "0.30"},
            usage([1000, 2000, 3000, 4000], 15),
            prices(HOUR * 24, 15),
            "37.20",
        ),
        # 6 % losses on top
        (
            {"multiplier": "1.06"},
            usage([1000, 2000, 3000, 4000], 15),
            prices(HOUR * 24, 15),
            "44.52",
        ),
        # export is paid for, negative prices cost
        (
            {"flow": "export", "direction": "credit"},
            usage([1000, 2000, 3000, 4000], 15, flow="export"),
            prices(HOUR * 24, 15),
            "-42.00",
        ),
        # an hour's price is that of both its halves, whether each settles by itself: 12 × 3 kWh
        # at 0.10 and as many at 0.30
        (
            {"settlement": "mean_price", "settle_minutes": 30},
            usage([1000, 2000], 30),
            prices(["0.10", "0.30"] * 12, 60),
            "14.40",
        ),
        # hours of UTC under the hours of Adelaide: 0.20 is the mean of each, a half of 0.10 and one
        # of 0.30, and with a cap of 0.20 on each price 0.15
        (
            {"settlement": "mean_price", "settle_minutes": 60},
            usage([2000], 60, zone="Australia/Adelaide"),
            prices(["0.10", "0.30"] * 13, 60, datetime(2025, 3, 2, 13, tzinfo=UTC)),
            "9.600",
        ),
        (
            {"settlement": "mean_energy", "settle_minutes": 60, "cap": "0.20"},
            usage([2000], 60, zone="Australia/Adelaide"),
            prices(["0.10", "0.30"] * 13, 60, datetime(2025, 3, 2, 13, tzinfo=UTC)),
            "7.200",
        ),
        # Kolkata's hours begin at UTC's half hours, and their means with them
        (
            {"settlement": "mean_price", "settle_minutes": 60},
            usage([2000], 30, zone="Asia/Kolkata"),
            prices(["0.10", "0.30"] * 24, 30, datetime(2025, 3, 2, 18, 30, tzinfo=UTC)),
            "19.200",
        ),
    ],
)
def test_energy_is_settled_as_declared(spot, metered, given, amount):
    version = tariff(zone=metered.zone, **spot)
    ((band, _, _, exact),) = billed(version, metered, given)
    assert (band, exact) == ("price", Decimal(amount))


def test_the_rate_is_the_mean_that_the_energy_paid_and_the_mark_up_a_line():
    metered = usage([1000, 2000, 3000, 4000], 15)
    assert billed(tariff(markup="0.015"), metered, prices(HOUR * 24, 15)) == [
        ("price", Decimal(240), Decimal("0.175"), Decimal("42.00")),
        ("mark-up", Decimal(240), Decimal("0.015"), Decimal("3.60")),
    ]


def test_no_energy_has_no_mean():
    assert billed(tariff(), usage([0], 60), prices(["0.1"] * 24, 60)) == [("price", 0, 0, 0)]


@pytest.mark.parametrize(
    ("direction", "kinds"),
    [("charge", ["energy", "energy"]), ("credit", ["credit", "energy"])],
)
def test_what_is_paid_for_is_a_credit_and_the_mark_up_a_charge(direction, kinds):
    version = tariff(flow="export", direction=direction, markup="0.01")
    (bill,) = rate(version, [usage([1000], 60, "export")], prices=prices(["0.2"] * 24, 60))
    assert [line.item.kind for line in bill.lines] == kinds
    assert bill.total == Decimal("5.04") if direction == "charge" else Decimal("-4.56")


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2025, 3, 30), 23), (date(2025, 10, 26), 25), (date(2025, 6, 1), 24)]
)
def test_a_day_of_any_length_pays_the_price_of_each_of_its_hours(day, hours):
    period = Period(day, day + timedelta(days=1))
    start_at, _ = period.bounds_utc(BERLIN)
    given = prices([f"0.{n:02}" for n in range(1, hours + 1)], 60, start_at)
    ((_, kwh, _, exact),) = billed(tariff(), usage([1000], 60, period=period), given)
    assert (kwh, exact) == (hours, Decimal(hours * (hours + 1)) / 2 / 100)


def test_huge_energy_at_fine_prices_is_exact():
    given = {
        "day-ahead": PriceSeries("EUR", MIDNIGHT, 60, np.full(24, 12_345_678_912_345, np.int64))
    }
    metered = usage([10**12 + 1], 60)
    ((_, _, _, exact),) = billed(tariff(), metered, given)
    assert exact == 24 * Decimal(10**12 + 1) / 1000 * Decimal("123456.78912345")


@pytest.mark.parametrize(
    ("version", "metered", "given", "code", "detail"),
    [
        (tariff(), usage([1], 60), {}, "prices_missing", "no price series 'day-ahead' is given"),
        (
            tariff(),
            usage([1], 60),
            prices(["1"] * 24, 60, currency="SEK"),
            "prices_currency",
            "in SEK, not EUR",
        ),
        (
            tariff(),
            usage([1], 60),
            prices(["1"] * 20, 60),
            "prices_missing",
            (
                "4 prices, in the hours 2025-03-03 20:00 CET, 2025-03-03 21:00 CET, "
                "2025-03-03 22:00 CET and 1 more"
            ),
        ),
        (
            tariff(),
            usage([1], 15),
            prices(["1", None, None, "1", *["1"] * 92], 15),
            "prices_missing",
            "lacks 2 prices, in the hours 2025-03-03 00:00 CET",
        ),
        (
            tariff(settlement="mean_price", settle_minutes=60),
            usage([0], 60),
            prices(["1", None, *["1"] * 94], 15),
            "prices_missing",
            "lacks 1 prices",
        ),
        (
            tariff(),
            usage([0], 15),
            prices(["1", None, *["1"] * 22], 60),
            "prices_missing",
            "lacks 1 prices, in the hours 2025-03-03 01:00 CET",
        ),
        (
            tariff(),
            usage([1], 60),
            prices(["1"] * 96, 15),
            "prices_resolution",
            "change inside intervals of 60 minutes",
        ),
        (
            tariff(),
            usage([1], 30),
            prices(["1"] * 30, 60, MIDNIGHT - timedelta(minutes=15)),
            "prices_resolution",
            "change inside intervals of 30 minutes",
        ),
        (
            tariff(settlement="mean_energy", settle_minutes=30),
            usage([1], 60),
            prices(["1"] * 96, 15),
            "prices_resolution",
            "intervals of 60 minutes cross the windows of 30 in which energy settles: finer",
        ),
    ],
)
def test_prices_that_do_not_fit_are_refused(version, metered, given, code, detail):
    with pytest.raises(Rejected) as refused:
        rate(version, [metered], prices=given)
    assert refused.value.code == code
    assert detail in refused.value.detail


@pytest.mark.parametrize(
    ("spot", "detail"),
    [
        ({"settle_minutes": 60}, "settle_minutes is for"),
        ({"settlement": "mean_price"}, "settle_minutes is for"),
        ({"settlement": "mean_price", "settle_minutes": 45}, "45 is none of 15, 30, 60"),
        ({"settlement": "mean_price", "settle_minutes": 60.0}, "60.0 is none of 15, 30, 60"),
        ({"multiplier": "0"}, "multiplier 0"),
        ({"multiplier": "101"}, "multiplier 101"),
        ({"floor": "0.2", "cap": "0.1"}, "floor 0.2 is above the cap 0.1"),
        ({"cap": "1000000"}, "floor and cap lie"),
        ({"series": ""}, "series '' must be"),
        ({"markup": "0.123456789"}, "at most 8 decimals"),
    ],
)
def test_a_charge_that_contradicts_itself_is_refused(spot, detail):
    with pytest.raises(Rejected, match=detail):
        tariff(**spot)


@pytest.mark.parametrize(
    ("given", "detail"),
    [
        ({}, "no price"),
        ({MIDNIGHT: Decimal("0.123456789")}, "at most 8 decimals"),
        ({MIDNIGHT: Decimal(10**6)}, "between"),
        (
            {MIDNIGHT: Decimal(1), MIDNIGHT + timedelta(minutes=61): Decimal(1)},
            "not a multiple of 60",
        ),
        ({MIDNIGHT: Decimal(1), MIDNIGHT + timedelta(days=36_500): Decimal(1)}, "at most 500000"),
    ],
)
def test_what_is_no_series_is_refused(given, detail):
    with pytest.raises(ValueError, match=detail):
        series_of("EUR", 60, given)


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        ({"minutes": 20}, "prices of 20 minutes"),
        ({"start_at": datetime(2025, 1, 1)}, "offset from UTC"),  # noqa: DTZ001 - the point
        ({"prices": np.zeros(3)}, "one row of int64"),
        ({"decimals": 9}, "at most 8 decimals"),
        ({"prices": np.full(3, 10**14)}, "between"),
        ({"prices": np.zeros(500_001, np.int64)}, "at most 500000"),
    ],
)
def test_a_series_holds_only_what_can_be_billed(fields, detail):
    good = {"currency": "EUR", "start_at": MIDNIGHT, "minutes": 60, "prices": np.zeros(3, np.int64)}
    PriceSeries(**good)
    with pytest.raises(ValueError, match=detail):
        PriceSeries(**(good | fields))


def test_a_gap_in_a_series_is_missing():
    series = series_of(
        "EUR", 60, {MIDNIGHT: Decimal("0.1"), MIDNIGHT + timedelta(hours=2): Decimal(-3)}
    )
    assert (series.prices.tolist(), series.decimals) == ([1, PRICE_MISSING, -30], 1)
