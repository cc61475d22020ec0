"""Capacity charges: 15 kW of connected load at 210 per kW."""

import pytest

from kernel.errors import Rejected
from rating.bill import rate

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
