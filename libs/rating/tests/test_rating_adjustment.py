"""Adjustments per kWh: a levy, and a rebate on what is generated."""

import pytest

from gridtally.rating.engine.bill import rate

LEVY = {"kind": "adjustment", "id": "levy", "rate": "0.02051"}
REBATE = {"kind": "adjustment", "id": "rebate", "rate": "-0.10", "flow": "generation"}


@pytest.mark.parametrize(
    ("adjustment", "series", "line"),
    [
        (LEVY, {"import_": 1000}, ("743.000", "kWh", "15.23893000", "15.24")),
        (REBATE, {"generation": 200}, ("148.600", "kWh", "-14.86000", "-14.86")),
    ],
)
def test_adjustment(line_of, usage_of, adjustment, series, line):
    assert line_of(adjustment, usage_of("2025-03-01", "2025-04-01", **series)) == line


def test_it_is_a_total_of_its_own(version_of, usage_of):
    energy = {"kind": "energy", "id": "energy", "rate": "1"}
    bill = rate(version_of(energy, LEVY), [usage_of("2025-03-01", "2025-03-02", import_=1000)])[0]
    totals = {kind: str(amount) for kind, amount in bill.totals().items() if amount}
    assert totals == {"energy": "24.00", "adjustment": "0.49"}
