"""Numbers, money and moments as people read them: no digit is lost, none is made up."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtally.console.views import formats, lists

DECIMALS = st.decimals(
    allow_nan=False, allow_infinity=False, places=6, min_value=-(10**12), max_value=10**12
)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("1234.5", "1,234.50"),
        ("0", "0.00"),
        ("-18.98", "−18.98"),
        ("18.652185468", "18.652185468"),
        ("1000000", "1,000,000.00"),
        (None, "–"),
    ],
)
def test_money(value, shown):
    assert formats.money(value) == shown


def test_money_names_its_currency():
    assert formats.money("161", "ZAR") == "161.00 ZAR"
    assert formats.money("161", "XXX") == "161.00"  # in no currency


@pytest.mark.parametrize(
    ("wh", "shown"), [(56_000, "56"), (146_257, "146.257"), (10, "0.01"), (0, "0"), (None, "–")]
)
def test_energy_in_kwh(wh, shown):
    assert formats.energy(formats.kwh_of(wh)) == shown


@given(DECIMALS)
def test_no_digit_is_lost(value):
    def back(text):
        return Decimal(text.replace(",", "").replace("−", "-"))

    assert back(formats.number(value)) == value
    assert back(formats.money(value)) == value
    assert back(formats.energy(value)) == value


@pytest.mark.parametrize(
    ("start", "end", "shown"),
    [
        ("2025-10-01", "2025-11-01", "Oct 2025"),
        ("2024-02-01", "2024-03-01", "Feb 2024"),
        ("2025-10-01", "2025-10-15", "1 Oct 2025 – 14 Oct 2025"),
        ("2025-10-15", "2025-11-01", "15 Oct 2025 – 31 Oct 2025"),
        ("2025-12-01", "2026-01-01", "Dec 2025"),
    ],
)
def test_periods(start, end, shown):
    assert formats.period(start, end) == shown


def test_an_instant_is_local_and_keeps_the_exact_one_behind():
    text = formats.instant("2025-10-26T00:30:00Z", "Europe/Berlin")
    assert "26 Oct 2025, 02:30 CEST" in text
    assert 'datetime="2025-10-26T00:30:00+00:00"' in text
    assert "02:30 CET" in formats.instant("2025-10-26T01:30:00Z", "Europe/Berlin")


@pytest.mark.parametrize(
    ("months", "anchor_month", "start_day", "shown"),
    [
        (1, 1, 1, "monthly"),
        (1, 7, 15, "monthly, on day 15"),
        (1, 1, 31, "monthly, on the last day"),
        (2, 12, 1, "every 2 months from December"),
        (12, 4, 6, "yearly from April, on day 6"),
    ],
)
def test_a_billing_calendar_in_words(months, anchor_month, start_day, shown):
    calendar = {"months": months, "anchor_month": anchor_month, "start_day": start_day}
    assert lists.billed(calendar | {"read_cycle": None}) == shown


def test_a_read_cycle_in_words():
    calendar = {"months": 1, "anchor_month": 1, "start_day": 1, "read_cycle": "route-7"}
    assert lists.billed(calendar) == "by read cycle route-7"
