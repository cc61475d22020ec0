"""Percent: what a share is taken of."""

from decimal import Decimal

import pytest

from kernel.errors import Rejected
from rating.bill import rate

MARCH = ("2025-03-01", "2025-04-01")
STANDING = {"kind": "fixed", "id": "standing", "rate": "10", "per": "month"}
ENERGY = {"kind": "energy", "id": "energy", "rate": "0.10"}  # 743 kWh: 74.30
LEVY = {"kind": "adjustment", "id": "levy", "rate": "0.01"}  # 7.43
PERCENT = {"kind": "percent", "id": "share", "rate": "0.05"}


@pytest.mark.parametrize(
    ("fields", "quantity", "amount"),
    [
        ({}, "91.730", "4.58650"),  # 10 + 74.30 + 7.43
        ({"component_ids": ["energy", "levy"]}, "81.730", "4.08650"),
        ({"kinds": ["fixed"]}, "10.000", "0.500"),
        ({"kinds": ["fixed"], "component_ids": ["levy"]}, "17.430", "0.87150"),
        ({"rate": "-0.1", "component_ids": ["energy"]}, "74.300", "-7.4300"),
    ],
)
def test_a_share_of_what_came_before(version_of, usage_of, fields, quantity, amount):
    version = version_of(STANDING, ENERGY, LEVY, PERCENT | fields)
    line = rate(version, [usage_of(*MARCH, import_=1000)])[0].lines[-1]
    assert line.item.kind == "adjustment"
    assert (line.quantity, line.amount_exact) == (Decimal(quantity), Decimal(amount))


def test_a_share_is_taken_of_what_is_charged_before_it_and_taxed_after(version_of, usage_of):
    tax = {"kind": "tax", "id": "vat", "rate": "0.5", "component_ids": ["share"]}
    bill = rate(version_of(tax, ENERGY, PERCENT, STANDING), [usage_of(*MARCH, import_=1000)])[0]
    assert [(line.item.component_id, str(line.amount)) for line in bill.lines] == [
        ("energy", "74.30"),
        ("share", "3.72"),
        ("standing", "10.00"),
        ("vat", "1.86"),
    ]


def test_a_share_of_what_comes_later_is_refused(version_of):
    with pytest.raises(Rejected, match="'levy' is nothing that is charged before 'share'"):
        version_of(ENERGY, PERCENT | {"component_ids": ["levy"]}, LEVY)
