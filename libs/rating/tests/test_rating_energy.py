"""Flat energy: March 2025 has 743 hours in Berlin, so 1 kW makes 743 kWh."""

import pytest

from gridtally.kernel.errors import Rejected
from gridtally.rating.engine.bill import rate

CHARGE = {"kind": "energy", "id": "energy", "rate": "0.3127"}


@pytest.mark.parametrize(
    ("fields", "series", "line"),
    [
        ({}, {"import_": 1000}, ("743.000", "kWh", "232.3361000", "232.34")),
        ({}, {"import_": 1}, ("0.743", "kWh", "0.2323361", "0.23")),
        ({}, {"import_": 0}, ("0.000", "kWh", "0.0000000", "0.00")),
        (
            {"flow": "export", "rate": "-0.08"},
            {"import_": 1000, "export": 500},
            ("371.500", "kWh", "-29.72000", "-29.72"),
        ),
    ],
)
def test_energy_charge(line_of, usage_of, fields, series, line):
    assert line_of(CHARGE | fields, usage_of("2025-03-01", "2025-04-01", **series)) == line


def test_a_flow_that_was_not_measured_is_refused_not_zero(version_of, usage_of):
    with pytest.raises(Rejected, match="no export series"):
        rate(version_of(CHARGE | {"flow": "export"}), [usage_of("2025-03-01", "2025-04-01")])
