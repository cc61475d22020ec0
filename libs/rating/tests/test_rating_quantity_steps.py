"""Rounding of quantities before they are priced, as suppliers do who bill rounded half hours.

BottlecapDave/HomeAssistant-OctopusEnergy#768: each half hour is rounded to 0.01 kWh, then priced.
"""

import decimal
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import Period
from gridtally.rating.engine.bill import rate
from gridtally.rating.prices import series_of
from gridtally.rating.quantity_steps import QuantityRounding
from gridtally.rating.quote import quote
from gridtally.rating.usage import Usage

LONDON = "Europe/London"
DAY = Period(date(2025, 3, 3), date(2025, 3, 4))
CENT = {"step_kwh": "0.01"}
ENERGY = {"kind": "energy", "id": "energy", "rate": "0.25"}
DECIMAL_MODES = {
    "half_even": decimal.ROUND_HALF_EVEN,
    "half_up": decimal.ROUND_HALF_UP,
    "down": decimal.ROUND_DOWN,
    "up": decimal.ROUND_UP,
}
TIME_OF_USE = {
    "kind": "time_of_use", "id": "energy", "default_band": "day",
    "bands": [{"name": "day", "rate": "0.25"}, {"name": "night", "rate": "0.25"}],
    "windows": [{"band": "night", "from_time": "00:30", "to_time": "04:30"}],
}  # fmt: skip


def half_hours(values, period=DAY, minutes=30, **more):
    """A meter in London whose import repeats the values."""
    slots = period.slots(LONDON, minutes)
    series = np.resize(np.array(values), slots).astype(np.int64)
    return Usage(LONDON, period, minutes, {"import": series}, **more)


@pytest.mark.parametrize(
    ("rounding", "usage", "kwh", "exact"),
    [
        # 24 × (0.123 + 0.126) as they are
        (None, half_hours([123, 126]), "5.976", "1.494"),
        # 24 × (0.12 + 0.13)
        (CENT, half_hours([123, 126]), "6", "1.5"),
        # 0.005 and 0.015 are as near to 0.00 and 0.02, the even ones: 24 × 0.02
        (CENT, half_hours([5, 15]), "0.48", "0.12"),
        # away from zero: 24 × (0.01 + 0.02)
        (CENT | {"mode": "half_up"}, half_hours([5, 15]), "0.72", "0.18"),
        (CENT | {"mode": "down"}, half_hours([9, 19]), "0.24", "0.06"),
        (CENT | {"mode": "up"}, half_hours([1, 10]), "0.48", "0.12"),
        # twentieths: 24 × (0.10 + 0.15)
        ({"step_kwh": "0.05"}, half_hours([123, 126]), "6", "1.5"),
        # whole kWh: 24 × (0 + 2), the even ones of 0.5 and 1.5
        ({"step_kwh": "1"}, half_hours([500, 1500]), "48", "12"),
        # a meter of 0.00001 kWh: 24 × (0.12 + 0.13)
        (CENT, half_hours([12499, 12501], kwh_decimals=5), "6", "1.5"),
        # a meter of 0.1 kWh has nothing to round
        (CENT, half_hours([1, 2], kwh_decimals=1), "7.2", "1.8"),
        (CENT | {"minutes": 30}, half_hours([123, 126]), "6", "1.5"),
    ],
)
def test_each_interval_is_rounded_before_it_is_priced(version_of, rounding, usage, kwh, exact):
    version = version_of(ENERGY | {"quantity_rounding": rounding}, zone=LONDON)
    (line,) = rate(version, [usage])[0].lines
    assert (line.quantity, line.amount_exact) == (Decimal(kwh), Decimal(exact))


def test_the_bands_of_a_day_are_rounded_interval_by_interval(version_of):
    """8 half hours of the night and 40 of the day, alternately 0.12 and 0.13 kWh: 1 and 5 kWh."""
    version = version_of(TIME_OF_USE | {"quantity_rounding": CENT}, zone=LONDON)
    lines = rate(version, [half_hours([123, 126])])[0].lines
    assert {line.item.band: line.quantity for line in lines} == {"day": 5, "night": 1}


def test_spot_prices_and_the_markup_price_what_is_rounded(version_of):
    """24 × (0.12 × 0.10 + 0.13 × 0.30) = 1.224, not 24 × (0.123 × 0.10 + 0.126 × 0.30) = 1.2024."""
    spot = {
        "kind": "spot", "id": "agile", "series": "agile", "markup": "0.02",
        "quantity_rounding": CENT | {"minutes": 30},
    }  # fmt: skip
    start_at = datetime(2025, 3, 3, tzinfo=UTC)
    texts = ["0.10", "0.30"] * 24
    by_start = {
        start_at + slot * timedelta(minutes=30): Decimal(text) for slot, text in enumerate(texts)
    }
    prices = {"agile": series_of("EUR", 30, by_start)}
    version = version_of(spot, zone=LONDON)
    price, markup = rate(version, [half_hours([123, 126])], prices=prices)[0].lines
    assert (price.quantity, price.amount_exact) == (6, Decimal("1.224"))
    assert (markup.quantity, markup.amount_exact) == (6, Decimal("0.12"))


def test_a_levy_beside_it_counts_what_was_measured(version_of):
    """Only the component that declares the rule rounds: 6 kWh, and 5.976 kWh for the levy."""
    levy = {"kind": "adjustment", "id": "levy", "rate": "0.01"}
    version = version_of(ENERGY | {"quantity_rounding": CENT}, levy, zone=LONDON)
    lines = rate(version, [half_hours([123, 126])])[0].lines
    assert [line.quantity for line in lines] == [6, Decimal("5.976")]


def test_the_line_of_a_quote_says_how_it_is_rounded(version_of):
    levy = {"kind": "adjustment", "id": "levy", "rate": "0.01"}
    version = version_of(ENERGY | {"quantity_rounding": CENT}, levy, zone=LONDON)
    (period,) = quote(version, [half_hours([123])])["periods"]
    assert [line["quantity_rounding"] for line in period["lines"]] == [
        {"step_kwh": "0.01", "mode": "half_even", "minutes": None},
        None,
    ]


def test_the_order_of_a_batch_does_not_matter(version_of):
    """Meters of different units in one batch are each rounded in their own."""
    version = version_of(ENERGY | {"quantity_rounding": CENT}, zone=LONDON)
    usages = [half_hours([123]), half_hours([12501], kwh_decimals=5), half_hours([1])]
    quantities = [bill.lines[0].quantity for bill in rate(version, usages)]
    assert quantities == [Decimal("5.76"), Decimal("6.24"), 0]


@pytest.mark.parametrize("minutes", [15, 60])
def test_usage_in_other_intervals_than_are_rounded_is_refused(version_of, minutes):
    version = version_of(ENERGY | {"quantity_rounding": CENT | {"minutes": 30}}, zone=LONDON)
    with pytest.raises(Rejected, match=f"every 30 minutes .* are of {minutes}: give usage of 30"):
        rate(version, [half_hours([123], minutes=minutes)])


@pytest.mark.parametrize(
    ("rounding", "detail"),
    [
        ({"step_kwh": "0"}, "1, 2 or 5 times a power of ten"),
        ({"step_kwh": "-0.01"}, "1, 2 or 5 times a power of ten"),
        ({"step_kwh": "0.03"}, "1, 2 or 5 times a power of ten"),
        ({"step_kwh": "0.25"}, "1, 2 or 5 times a power of ten"),
        ({"step_kwh": "1000"}, "below 1000"),
        ({"step_kwh": "0.000000001"}, "at most 8 decimals"),
        ({}, "is required"),
        (CENT | {"mode": "nearest"}, "none of half_even, half_up, down, up"),
        (CENT | {"minutes": 45}, "none of 5, 10, 15, 30, 60"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_with_its_path(version_of, rounding, detail):
    with pytest.raises(Rejected, match=detail) as refused:
        version_of(ENERGY | {"quantity_rounding": rounding})
    assert refused.value.faults[0].path.startswith("/components/0/quantity_rounding")


STEPS = st.builds(
    lambda digit, exponent: Decimal(digit).scaleb(exponent),
    st.sampled_from([1, 2, 5]),
    st.integers(-8, 2),
)
MODES = st.sampled_from(list(DECIMAL_MODES))


@examples(60)
@given(
    st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=48),
    st.integers(0, 9),
    STEPS,
    MODES,
)
def test_rounding_is_that_of_decimals(values, kwh_decimals, step, mode):
    """The naive reading: kWh over the step, to a whole number, times the step."""
    rule = QuantityRounding(step, mode)
    rounded = rule.round(np.array([values], np.int64), [kwh_decimals])[0].tolist()
    for value, result in zip(values, rounded, strict=True):
        kwh = Decimal(value).scaleb(-kwh_decimals)
        naive = (kwh / step).to_integral_value(DECIMAL_MODES[mode]) * step
        assert Decimal(result).scaleb(-kwh_decimals) == naive


@examples(60)
@given(
    st.lists(st.integers(0, 5_000), min_size=96, max_size=96),
    STEPS,
    MODES,
)
def test_bands_and_days_still_add_up(version_of, values, step, mode):
    """Intervals are rounded one by one, so that no division of the bill changes what is charged."""
    rounding = {"quantity_rounding": {"step_kwh": format(step, "f"), "mode": mode}}
    days = Period(DAY.start_on, date(2025, 3, 5))
    whole = half_hours(values, days)
    halves = [
        half_hours(values[:48]),
        half_hours(values[48:], Period(DAY.end_on, days.end_on)),
    ]
    flat = version_of(ENERGY | rounding, zone=LONDON)
    banded = version_of(TIME_OF_USE | rounding, zone=LONDON)

    def charged(version, usages):
        return sum(
            line.amount_exact for usage in usages for line in rate(version, [usage])[0].lines
        )

    assert charged(flat, [whole]) == charged(flat, halves) == charged(banded, [whole])
    assert charged(banded, halves) == charged(flat, [whole])


@examples(60)
@given(st.lists(st.integers(0, 5_000), min_size=48, max_size=48), MODES)
def test_a_step_of_the_meters_own_unit_changes_nothing(version_of, values, mode):
    as_they_are = rate(version_of(ENERGY, zone=LONDON), [half_hours(values)])[0]
    rounding = {"step_kwh": "0.001", "mode": mode}
    rounded = rate(
        version_of(ENERGY | {"quantity_rounding": rounding}, zone=LONDON), [half_hours(values)]
    )[0]
    assert rounded.total == as_they_are.total
    assert rounded.lines[0].quantity == as_they_are.lines[0].quantity
