"""Capacity charges: 15 kW of connected load at 210 per kW."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from gridtally.kernel.errors import Rejected
from gridtally.rating.engine.bill import rate
from gridtally.rating.usage import ConnectedChange

CHARGE = {"kind": "capacity", "id": "capacity", "rate": "210"}


@pytest.mark.parametrize(
    ("fields", "start_on", "end_on", "kw", "line"),
    [
        ({}, "2025-03-01", "2025-04-01", "15", ("15", "kW", "3150", "3150.00")),
        ({}, "2025-04-16", "2025-05-01", "15", ("7.5", "kW", "1575", "1575.00")),  # 15/30
        (
            {"proration": "none"},
            "2025-04-16",
            "2025-05-01",
            "15",
            ("15", "kW", "3150", "3150.00"),
        ),
        (
            {"per": "day", "rate": "0.07"},
            "2025-04-01",
            "2025-05-01",
            "4.125",
            ("123.750", "kW day", "8.66250", "8.66"),  # 4.125 × 30 × 0.07
        ),
        (
            {"per": "year", "rate": "73", "proration": "year_over_twelve"},
            "2025-04-01",
            "2025-04-11",
            "15",
            ("0.41095890410958904110", "kW year", "30", "30.00"),
        ),  # 15 × 10/365 × 73
        ({}, "2025-04-01", "2025-05-01", "0", ("0", "kW", "0", "0.00")),
    ],
)
def test_capacity_charge(line_of, usage_of, fields, start_on, end_on, kw, line):
    assert line_of(CHARGE | fields, usage_of(start_on, end_on, kw=kw)) == line


def test_an_unknown_connected_load_is_refused_not_zero(version_of, usage_of):
    with pytest.raises(Rejected, match="connected kW is not known"):
        rate(version_of(CHARGE), [usage_of("2025-03-01", "2025-04-01")])


@pytest.mark.parametrize("kw", ["-1", "1000000", "0.0001", "NaN"])
def test_a_connected_load_that_cannot_be_is_refused(usage_of, kw):
    with pytest.raises(ValueError, match="connected load"):
        usage_of("2025-03-01", "2025-04-01", kw=kw)


def changed(usage, *changes):
    return replace(
        usage,
        connected_changes=tuple(
            ConnectedChange(date.fromisoformat(day), Decimal(kw)) for day, kw in changes
        ),
    )


@pytest.mark.parametrize(
    ("fields", "period", "changes", "quantity"),
    [
        # 10 days of 15 kW and 20 of 30 kW in a month of 30
        ({}, ("2025-04-01", "2025-05-01"), [("2025-04-11", "30")], "25"),
        ({"per": "day"}, ("2025-04-01", "2025-05-01"), [("2025-04-11", "30")], "750"),
        # 15 × 10/30 + 30 × 10/30 + 0 × 10/30
        ({}, ("2025-04-01", "2025-05-01"), [("2025-04-11", "30"), ("2025-04-21", "0")], "15"),
        # the whole month at what is connected on its first billed day
        ({"proration": "none"}, ("2025-04-01", "2025-05-01"), [("2025-04-11", "30")], "15"),
        # April whole at 15, May at 31: 15 + 31
        ({}, ("2025-04-01", "2025-06-01"), [("2025-05-01", "31")], "46"),
        # 15 × 16/30 + 15 × 14/30 + 15 × 1/31 + 46 × 30/31
        ({}, ("2025-04-01", "2025-06-01"), [("2025-04-17", "15"), ("2025-05-02", "46")], "60"),
    ],
)
def test_a_load_that_changes_counts_on_each_day_as_it_is(
    line_of, usage_of, fields, period, changes, quantity
):
    usage = changed(usage_of(*period, kw="15"), *changes)
    assert line_of(CHARGE | fields, usage)[0] == quantity


def test_a_change_of_taxes_cuts_a_load_that_changes(version_of, usage_of):
    """Ten days of 15 kW at 10 %, then five of 15 kW and fifteen of 31 kW without tax."""
    tax = {"kind": "tax", "id": "t", "rate": "0.1", "tax_class": "a", "to_on": "2025-04-11"}
    usage = changed(usage_of("2025-04-01", "2025-05-01", kw="15"), ("2025-04-16", "31"))
    other = usage_of("2025-04-01", "2025-05-01", kw="3")
    bills = rate(version_of(CHARGE | {"tax_class": "a"}, tax), [usage, other])
    assert [str(line.quantity) for line in bills[0].lines] == ["5", "1050", "18"]
    assert [str(line.quantity) for line in bills[1].lines] == ["1", "210", "2"]


@pytest.mark.parametrize(
    ("kw", "days"),
    [
        ("15", ["2025-04-01"]),
        ("15", ["2025-05-01"]),
        ("15", ["2025-04-12", "2025-04-11"]),
        ("15", ["2025-04-12", "2025-04-12"]),
        (None, ["2025-04-11"]),
    ],
)
def test_changes_out_of_order_or_out_of_the_period_are_refused(usage_of, kw, days):
    with pytest.raises(ValueError, match="connected load"):
        changed(usage_of("2025-04-01", "2025-05-01", kw=kw), *((day, "30") for day in days))
