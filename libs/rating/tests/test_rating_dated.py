"""Charges that begin and end within a bill, worked by hand."""

from decimal import Decimal

import pytest

from gridtally.kernel.errors import Rejected
from gridtally.rating.engine.bill import rate
from gridtally.rating.tariff import usage_charges

APRIL = ("2025-04-01", "2025-05-01")
ENERGY = {"kind": "energy", "id": "energy", "rate": "0.30"}  # 1 kWh an hour: 7.20 a day
DISCOUNT = {"kind": "percent", "id": "welcome", "rate": "-0.10", "to_on": "2025-04-11"}
STANDING = {"kind": "fixed", "id": "standing", "rate": "30", "per": "month"}
TAX = {"kind": "tax", "id": "vat", "rate": "0.20", "component_ids": ["energy", "welcome"]}


def billed(version, usage_of, period=APRIL):
    """Component, first day and amount of each line."""
    bill = rate(version, [usage_of(*period, import_=1000)])[0]
    return [
        (line.item.component_id, line.item.part.start_on.isoformat()[5:], str(line.amount))
        for line in bill.lines
    ]


def test_a_discount_ends_on_its_day_and_is_taken_of_what_was_used_until_then(version_of, usage_of):
    assert billed(version_of(ENERGY, DISCOUNT, TAX), usage_of) == [
        ("energy", "04-01", "72.00"),
        ("welcome", "04-01", "-7.20"),
        ("vat", "04-01", "12.96"),
        ("energy", "04-11", "144.00"),
        ("vat", "04-11", "28.80"),
    ]


@pytest.mark.parametrize(
    ("days", "amounts"),
    [
        ({"to_on": "2025-04-01"}, []),
        ({"from_on": "2025-05-01"}, []),
        ({"from_on": "2025-05-02", "to_on": "2025-05-03"}, []),
        ({"from_on": "2025-04-30"}, ["-0.72"]),
        ({"from_on": "2025-01-01", "to_on": "2025-05-01"}, ["-21.60"]),
        ({"from_on": "2025-04-11", "to_on": "2025-04-21"}, ["-7.20"]),
    ],
)
def test_only_the_days_of_a_bill_count(version_of, usage_of, days, amounts):
    version = version_of(ENERGY, DISCOUNT | {"to_on": None} | days)
    assert [a for id_, _, a in billed(version, usage_of) if id_ == "welcome"] == amounts


@pytest.mark.parametrize(
    ("fields", "amount"),
    [
        ({"per": "day", "rate": "1"}, "20.00"),
        ({"per": "month", "rate": "30"}, "20.00"),
        ({"per": "month", "rate": "30", "proration": "thirty_days"}, "20.00"),
        ({"per": "month", "rate": "30", "proration": "none"}, "30.00"),
        ({"per": "year", "rate": "365"}, "20.00"),
        ({"per": "period", "rate": "30"}, "20.00"),
    ],
)
def test_a_standing_charge_from_the_11th_on_is_owed_for_twenty_days(
    version_of, usage_of, fields, amount
):
    """But for one that is not prorated: that is due in full with its first day."""
    version = version_of(ENERGY, STANDING | {"from_on": "2025-04-11"} | fields)
    assert ("standing", "04-11", amount) in billed(version, usage_of)


def test_limits_of_a_discount_are_those_of_its_days(version_of, usage_of):
    """15.00 a month at most: for ten days of April 5.00, where 10 % come to 7.20."""
    assert billed(version_of(ENERGY, DISCOUNT | {"at_most": "15"}), usage_of) == [
        ("energy", "04-01", "72.00"),
        ("welcome", "04-01", "-7.20"),
        ("welcome", "04-01", "2.20"),
        ("energy", "04-11", "144.00"),
    ]


def test_limits_are_shared_by_the_days_that_a_tax_cuts(version_of, usage_of):
    """From the 11th on and 12.00 a month: 8.00 for twenty days, half of it before the 21st."""
    discount = DISCOUNT | {"from_on": "2025-04-11", "to_on": None, "at_most": "12"}
    later = TAX | {"id": "new", "rate": "0.25", "from_on": "2025-04-21"}
    version = version_of(ENERGY, discount, TAX | {"to_on": "2025-04-21"}, later)
    own = [line for line in billed(version, usage_of) if line[0] == "welcome"]
    assert own == [
        ("welcome", "04-11", "-7.20"),
        ("welcome", "04-11", "3.20"),
        ("welcome", "04-21", "-7.20"),
        ("welcome", "04-21", "3.20"),
    ]


def test_tiers_are_as_without_a_change_and_shared_by_its_days(version_of, usage_of):
    tiers = {
        "kind": "tiered", "id": "energy",
        "tiers": [{"limit": "600", "rate": "0.10"}, {"rate": "0.20"}],
    }  # fmt: skip
    plain = rate(version_of(tiers), [usage_of(*APRIL, import_=1000)])[0]
    bill = rate(version_of(tiers, DISCOUNT), [usage_of(*APRIL, import_=1000)])[0]
    own = [line for line in bill.lines if line.item.component_id == "energy"]
    assert (
        sum(line.amount_exact for line in own) == sum(x.amount_exact for x in plain.lines) == 84
    )  # 600 × 0.10 + 120 × 0.20
    [discount] = [line for line in bill.lines if line.item.component_id == "welcome"]
    assert discount.amount_exact == Decimal("-2.8")  # a third of 84, and a tenth of that


def test_a_bill_on_whose_days_nothing_is_in_force_is_nothing(version_of, usage_of):
    version = version_of(ENERGY | {"from_on": "2026-01-01"})
    bill = rate(version, [usage_of(*APRIL, import_=1000)])[0]
    assert (list(bill.lines), bill.total) == ([], Decimal("0.00"))


def test_costs_per_day_have_the_discount_on_its_days(version_of, usage_of):
    daily = usage_charges(version_of(ENERGY, DISCOUNT))
    assert daily is not None
    assert billed(daily, usage_of, ("2025-04-10", "2025-04-11"))[-1][2] == "-0.72"
    assert len(billed(daily, usage_of, ("2025-04-11", "2025-04-12"))) == 1


@pytest.mark.parametrize("charge", [ENERGY, STANDING, DISCOUNT, TAX | {"component_ids": ["base"]}])
def test_what_ends_before_it_begins_is_refused(version_of, charge):
    base = {"kind": "energy", "id": "base", "rate": "1"}
    backwards = charge | {"from_on": "2025-04-11", "to_on": "2025-04-11"}
    with pytest.raises(Rejected, match="must begin"):
        version_of(base, backwards)


@pytest.mark.parametrize("kind", ["capacity", "demand", "tiered", "minimum_bill"])
def test_kinds_whose_days_do_not_add_up_take_no_dates(version_of, kind):
    with pytest.raises(Rejected, match="from_on"):
        version_of({"kind": kind, "id": "a", "from_on": "2025-04-11"})
