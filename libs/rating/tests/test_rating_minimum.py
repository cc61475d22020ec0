"""Minimum bill: what it counts, how it is prorated, and how a change of taxes shares it."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import Period
from gridtally.rating.engine.bill import rate
from gridtally.rating.quote import rate_in_sequence
from gridtally.rating.state import RunningTotal, read_state, state_document
from gridtally.rating.tariff import Part

MARCH = ("2025-03-01", "2025-04-01")
STANDING = {"kind": "fixed", "id": "standing", "rate": "10", "per": "month", "tax_class": "a"}
ENERGY = {"kind": "energy", "id": "energy", "rate": "0.10", "tax_class": "a"}  # 743 kWh: 74.30
VAT = {"kind": "tax", "id": "vat", "rate": "0.20", "tax_class": "a"}
MINIMUM = {"kind": "minimum_bill", "id": "least", "amount": "100"}


@pytest.mark.parametrize(
    ("fields", "period", "top_up"),
    [
        ({}, MARCH, "15.70"),  # 100 - 84.30
        ({"component_ids": ["energy"]}, MARCH, "25.70"),
        ({"kinds": ["fixed"]}, MARCH, "90.00"),
        ({"amount": "84.30"}, MARCH, None),
        ({"amount": "80"}, MARCH, None),
        ({"amount": "3", "per": "day"}, MARCH, "8.70"),  # 31 × 3 - 84.30
        # 15 days: 100 × 15/31 = 48.387…, less 10 × 15/31 = 4.838… and 36.00
        ({}, ("2025-03-01", "2025-03-16"), "7.55"),
        ({"proration": "none"}, ("2025-03-01", "2025-03-16"), "59.16"),
        # after 20 % tax: 100 - 84.30 × 1.2 is below nothing; 110 - 101.16
        ({"amount": "110", "after_tax": True}, MARCH, "8.84"),
        ({"amount": "110", "after_tax": True, "kinds": ["tax"]}, MARCH, "93.14"),
    ],
)
def test_what_is_missing_is_topped_up(version_of, usage_of, fields, period, top_up):
    version = version_of(STANDING, ENERGY, MINIMUM | fields, VAT)
    bill = rate(version, [usage_of(*period, import_=1000)])[0]
    lines = [str(line.amount) for line in bill.lines if line.item.kind == "minimum_top_up"]
    assert lines == ([] if top_up is None else [top_up])


def test_a_change_of_taxes_shares_the_top_up_by_days(version_of, usage_of):
    """A net amount of 100.00 over 30 days, 10 of them at 13 % and 20 at 20 %."""
    early = {"kind": "tax", "id": "early", "rate": "0.13", "tax_class": "a", "to_on": "2025-04-11"}
    late = {"kind": "tax", "id": "late", "rate": "0.20", "tax_class": "a", "from_on": "2025-04-11"}
    version = version_of(MINIMUM | {"tax_class": "a"}, early, late)
    bill = rate(version, [usage_of("2025-04-01", "2025-05-01", import_=0)])[0]
    assert [
        (line.item.component_id, line.item.part.days, str(line.amount)) for line in bill.lines
    ] == [
        ("least", 10, "33.33"),
        ("early", 10, "4.33"),
        ("least", 20, "66.67"),
        ("late", 20, "13.33"),
    ]
    assert bill.total == Decimal("117.66")


def test_the_parts_of_two_versions_have_a_minimum_each(version_of, usage_of):
    old, new = (version_of(MINIMUM | {"amount": amount}) for amount in ("31", "62"))
    tenth = date(2025, 3, 11)
    parts = [
        Part(Period(date(2025, 3, 1), tenth), old),
        Part(Period(tenth, date(2025, 4, 1)), replace(new, id=UUID(int=2))),
    ]
    bill = rate(parts, [usage_of(*MARCH, import_=0)])[0]
    assert [str(line.amount) for line in bill.lines] == ["10.00", "42.00"]  # 1 and 2 a day


YEARLY = MINIMUM | {"per": "year", "amount": "365", "true_up_month": 4}
WINTER = [("2025-01-01", "2025-02-01"), ("2025-02-01", "2025-03-01"), MARCH]


@pytest.mark.parametrize(
    ("wh", "fields", "top_ups"),
    [
        # three months of 10.00, 90 days at 1.00: 90 - 30
        (0, {}, [None, None, "60.00"]),
        # 74.40, 67.20 and 74.30 of energy are more than enough
        (1000, {}, [None, None, None]),
        (1000, {"kinds": ["fixed"]}, [None, None, "60.00"]),
        # at the first of February and, after 59 days more, not again
        (0, {"true_up_month": 2}, ["21.00", None, None]),
        (0, {"proration": "thirty_days", "amount": "360"}, [None, None, "60.00"]),
        # a twelfth of 1200 for each whole month
        (0, {"proration": "twelfths", "amount": "1200"}, [None, None, "270.00"]),
        # with 20 % tax on 10.00 three times: 90 - 36
        (0, {"after_tax": True}, [None, None, "54.00"]),
    ],
)
def test_what_a_year_lacks_is_topped_up_by_the_bill_that_reaches_its_end(
    version_of, usage_of, wh, fields, top_ups
):
    version = version_of(STANDING, ENERGY, YEARLY | fields, VAT)
    bills = rate_in_sequence(version, [usage_of(*month, import_=wh) for month in WINTER])
    topped_up = [
        next((str(line.amount) for line in bill.lines if line.item.kind == "minimum_top_up"), None)
        for bill in bills
    ]
    assert topped_up == top_ups


def test_what_bills_have_come_to_is_handed_on_until_the_year_ends(version_of, usage_of):
    version = version_of(STANDING, YEARLY)
    state = {}
    for month, left in zip(WINTER, ("10", "20", None), strict=True):
        (bill,) = rate(version, [usage_of(*month, import_=0)], states=[state])
        state = read_state(state_document(bill.state))
        total = RunningTotal(date(2025, 1, 1), Decimal(left)) if left else None
        assert state == ({"least": total} if total else {})


def test_a_year_that_is_billed_at_once_or_in_pieces_comes_to_the_same(version_of, usage_of):
    version = version_of(STANDING | {"per": "day", "rate": "0.1"}, YEARLY)
    (whole,) = rate(version, [usage_of("2025-01-01", "2025-04-01", import_=0)])
    pieces = rate_in_sequence(version, [usage_of(*month, import_=0) for month in WINTER])
    assert sum(bill.total for bill in pieces) == whole.total == 90


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"true_up_month": None}, "needs a true_up_month"),
        ({"true_up_month": 13}, "a month is 1 to 12"),
        ({"per": "month"}, "and no other, needs a true_up_month"),
        ({"proration": "none"}, "needs a proration"),
        ({"per": "month", "true_up_month": None, "proration": "twelfths"}, "for a rate per year"),
    ],
)
def test_a_yearly_minimum_that_contradicts_itself_is_refused(version_of, fields, fault):
    with pytest.raises(Rejected, match=fault):
        version_of(YEARLY | fields)
