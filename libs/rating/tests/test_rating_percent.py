"""Percent: what a share is taken of."""

from decimal import Decimal

import pytest

from gridtally.kernel.errors import Rejected
from gridtally.rating.engine.bill import rate

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


def test_a_percentage_is_of_what_is_charged_before_it_and_taxed_after(version_of, usage_of):
    tax = {"kind": "tax", "id": "vat", "rate": "0.5", "component_ids": ["share"]}
    bill = rate(version_of(tax, ENERGY, PERCENT, STANDING), [usage_of(*MARCH, import_=1000)])[0]
    assert [(line.item.component_id, str(line.amount)) for line in bill.lines] == [
        ("energy", "74.30"),
        ("share", "3.72"),
        ("standing", "10.00"),
        ("vat", "1.86"),
    ]


@pytest.mark.parametrize(
    ("fields", "period", "amounts"),
    [
        # a share of 91.73 is 4.59, a discount of it -4.59
        ({"at_most": "4"}, MARCH, ["4.59", "-0.59"]),
        ({"at_most": "5"}, MARCH, ["4.59"]),
        ({"at_least": "5"}, MARCH, ["4.59", "0.41"]),
        ({"at_least": "4", "at_most": "4"}, MARCH, ["4.59", "-0.59"]),
        ({"rate": "-0.05", "at_most": "4"}, MARCH, ["-4.59", "0.59"]),
        ({"rate": "-0.05", "at_least": "5"}, MARCH, ["-4.59", "-0.41"]),
        ({"at_most": "0.1", "per": "day"}, MARCH, ["4.59", "-1.49"]),  # 31 × 0.10
        # half of April: 5.00, 36.00 and 3.60 are 44.60, whose share 2.23 has half the limit
        ({"at_most": "4"}, ("2025-04-01", "2025-04-16"), ["2.23", "-0.23"]),
        ({"at_most": "4", "proration": "none"}, ("2025-04-01", "2025-04-16"), ["2.23"]),
        ({"at_least": "1", "component_ids": ["gift"]}, MARCH, ["0.00", "1.00"]),
        # never negative: of what is paid out, 2.00, neither a surcharge nor a discount
        ({"component_ids": ["rebate"], "at_least": "0"}, MARCH, ["-0.10", "0.10"]),
        ({"component_ids": ["rebate"], "at_least": "0", "rate": "-0.05"}, MARCH, ["0.10", "-0.10"]),
    ],
)
def test_a_share_comes_to_so_much_at_least_and_at_most(
    version_of, usage_of, fields, period, amounts
):
    gift = {"kind": "fixed", "id": "gift", "rate": "0", "per": "month"}
    share = PERCENT | {"component_ids": ["standing", "energy", "levy"]} | fields
    rebate = {"kind": "fixed", "id": "rebate", "rate": "-2", "per": "month"}
    version = version_of(gift, rebate, STANDING, ENERGY, LEVY, share)
    bill = rate(version, [usage_of(*period, import_=1000)])[0]
    own = [line for line in bill.lines if line.item.component_id == "share"]
    assert [str(line.amount) for line in own] == amounts
    assert [line.item.band for line in own] == [None, "limit"][: len(amounts)]


def test_a_change_of_taxes_shares_the_limit_and_does_not_double_it(version_of, usage_of):
    """At most 3.00 in all of April, of which 10 days come before the change and 20 after."""
    tax = {"kind": "tax", "id": "old", "rate": "0", "component_ids": ["share"]}
    version = version_of(
        ENERGY | {"rate": "0.1"},
        PERCENT | {"rate": "0.1", "at_most": "3"},
        tax | {"to_on": "2025-04-11"},
        tax | {"id": "new", "from_on": "2025-04-11"},
    )
    bill = rate(version, [usage_of("2025-04-01", "2025-05-01", import_=1000)])[0]
    shares = [str(line.amount) for line in bill.lines if line.item.component_id == "share"]
    # 10 % of 24.00 and 48.00 are 2.40 and 4.80: 4.20 too much, of which a third and two thirds
    assert shares == ["2.40", "-1.40", "4.80", "-2.80"]


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        ({"at_least": "2", "at_most": "1"}, "at_least 2 is more than at_most 1"),
        ({"at_least": "-1"}, "limits are of the amount without its sign"),
        ({"at_most": "1", "rate": "0"}, "a rate of zero has no limits"),
    ],
)
def test_limits_that_contradict_are_refused(version_of, fields, detail):
    with pytest.raises(Rejected, match=detail):
        version_of(ENERGY, PERCENT | fields)


def test_a_share_of_what_comes_later_is_refused(version_of):
    with pytest.raises(Rejected, match="'levy' is nothing that is charged before 'share'"):
        version_of(ENERGY, PERCENT | {"component_ids": ["levy"]}, LEVY)
