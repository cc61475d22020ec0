"""Taxes: what they are levied on, from when to when."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from gridtally.kernel.errors import Rejected
from gridtally.rating.engine.bill import rate

FIXED = {"kind": "fixed", "id": "standing", "rate": "100", "per": "month", "tax_class": "full"}
ENERGY = {"kind": "energy", "id": "energy", "rate": "0.10", "tax_class": "reduced"}
ADJUSTMENT = {"kind": "adjustment", "id": "levy", "rate": "0.01"}


def tax(rate_, **fields):
    return {"kind": "tax", "id": f"vat-{rate_}", "rate": rate_} | fields


@pytest.mark.parametrize(
    ("taxes", "lines"),
    [
        # April: 720 kWh make 72.00 energy, 7.20 levy, beside the 100 fixed
        ([tax("0.2", tax_class="full")], [("vat-0.2", "100", "20.00")]),
        ([tax("0.2", component_ids=["energy", "levy"])], [("vat-0.2", "79.20000", "15.84")]),
        (
            [tax("0.2", tax_class="full"), tax("0.07", tax_class="reduced")],
            [("vat-0.2", "100", "20.00"), ("vat-0.07", "72.00000", "5.04")],
        ),
        (
            # ten days at 13 %, twenty at 20 %: the change cuts every line before tax
            [
                tax("0.13", tax_class="full", to_on="2025-04-11"),
                tax("0.20", tax_class="full", from_on="2025-04-11"),
            ],
            [
                ("vat-0.13", "33.33333333333333333333", "4.33"),
                ("vat-0.20", "66.66666666666666666667", "13.33"),
            ],
        ),
        ([tax("0.2", tax_class="full", from_on="2025-05-01")], []),
        ([tax("0.2", tax_class="full", to_on="2025-04-01")], []),
        ([tax("0", tax_class="full")], [("vat-0", "100", "0.00")]),
    ],
)
def test_tax(version_of, usage_of, taxes, lines):
    version = version_of(FIXED, ENERGY, ADJUSTMENT, *taxes)
    bill = rate(version, [usage_of("2025-04-01", "2025-05-01", import_=1000)])[0]
    levied = [line for line in bill.lines if line.item.kind == "tax"]
    assert [(x.item.component_id, str(x.quantity), str(x.amount)) for x in levied] == lines
    assert bill.tax == sum(line.amount for line in levied)
    assert str(bill.net) == "179.20"


def test_a_tie_is_a_tie_though_what_is_taxed_has_no_finite_decimal(version_of, usage_of):
    """2/30 of 12.50 is 0.8333…, and 21 % of it exactly 0.175."""
    version = version_of(
        FIXED | {"rate": "12.50"},
        tax("0.21", tax_class="full"),
        rounding={"mode": "half_up"},
    )
    bill = rate(version, [usage_of("2025-04-01", "2025-04-03")])[0]
    assert [(str(x.amount_exact), str(x.amount)) for x in bill.lines] == [
        ("0.83333333333333333333", "0.83"),
        ("0.1750", "0.18"),
    ]


def test_a_change_of_tax_does_not_charge_an_unprorated_month_twice(version_of, usage_of):
    changed = [
        tax("0.13", tax_class="full", to_on="2025-04-11"),
        tax("0.20", tax_class="full", from_on="2025-04-11"),
    ]
    version = version_of(FIXED | {"proration": "none"}, *changed)
    bill = rate(version, [usage_of("2025-04-01", "2025-05-01")])[0]
    assert (str(bill.net), str(bill.tax)) == ("100.00", "13.00")  # due on 1 April, at 13 %


@pytest.mark.parametrize(
    ("from_on", "levied"),
    [
        # 5 % of 100 is 5.00, and 20 % of 105.00 are 21.00
        (None, [("cess", "5.00"), ("vat", "21.00")]),
        # from the 11th on: 5 % of 66.67; the tax before it is 20 % of 33.33
        ("2025-04-11", [("vat", "6.67"), ("cess", "3.33"), ("vat", "14.00")]),
    ],
)
def test_a_tax_is_levied_on_one_before_it_that_it_names(version_of, usage_of, from_on, levied):
    version = version_of(
        {"kind": "tax", "id": "cess", "rate": "0.05", "tax_class": "full", "from_on": from_on},
        {"kind": "tax", "id": "vat", "rate": "0.20", "component_ids": ["standing", "cess"]},
        FIXED,
    )
    bill = rate(version, [usage_of("2025-04-01", "2025-05-01")])[0]
    taxes = [x for x in bill.lines if x.item.kind == "tax"]
    assert [(x.item.component_id, str(x.amount)) for x in taxes] == levied


def test_a_tax_on_one_that_comes_later_is_refused(version_of):
    early = {"kind": "tax", "id": "early", "rate": "0.1", "component_ids": ["late"]}
    late = {"kind": "tax", "id": "late", "rate": "0.1", "component_ids": ["standing"]}
    with pytest.raises(Rejected, match="'late' is nothing to tax"):
        version_of(FIXED, early, late)


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"rate": "19", "tax_class": "full"}, "between 0 and 1"),
        ({"rate": "0.1"}, "either component_ids or tax_class"),
        ({"rate": "0.1", "tax_class": "full", "component_ids": ["standing"]}, "either"),
        ({"rate": "0.1", "component_ids": ["sanding"]}, "'sanding' is nothing to tax"),
        ({"rate": "0.1", "component_ids": ["vat"]}, "'vat' is nothing to tax"),
        ({"rate": "0.1", "tax_class": "luxury"}, "no component is of tax class 'luxury'"),
        (
            {"rate": "0.1", "tax_class": "full", "from_on": "2025-01-02", "to_on": "2025-01-02"},
            "must begin",
        ),
    ],
)
def test_a_tax_that_cannot_be_is_refused(version_of, fields, fault):
    with pytest.raises(Rejected, match=fault):
        version_of(FIXED, {"kind": "tax", "id": "vat"} | fields)


APRIL = ("2025-04-01", "2025-05-01")
FEED_IN = {
    "kind": "energy", "id": "feed-in", "rate": "-0.08", "flow": "export", "tax_class": "full",
}  # fmt: skip
OTHER = tax("0.01", tax_class="reduced", from_on="2025-04-11")  # of 0 kWh: only cuts the bill


@pytest.mark.parametrize("never_negative", [False, True])
@pytest.mark.parametrize(
    ("charges", "taxes", "export_wh", "as_charged", "at_least_zero"),
    [
        # 720 kWh fed in are 57.60: 20 % of 42.40, either way
        ([FIXED], [tax("0.2")], 1000, [("42.40", "8.48")], [("42.40", "8.48")]),
        # 3600 kWh are 288.00: of -188.00 the customer gets 20 % back, or nothing
        ([FIXED], [tax("0.2")], 5000, [("-188", "-37.60")], [("0", "0.00")]),
        # 57.60 less 57.60: nothing is left to tax
        ([FIXED | {"rate": "57.60"}], [tax("0.2")], 1000, [("0", "0.00")], [("0", "0.00")]),
        # another tax cuts the bill. The month's 100 are due in the first ten days, in which 240 of
        # the 720 kWh come: 100 - 19.20 and -38.40, together the 42.40 of a bill that is not cut
        (
            [FIXED | {"proration": "none"}],
            [tax("0.2"), OTHER],
            1000,
            [("80.80", "16.16"), ("-38.40", "-7.68")],
            [("80.80", "16.16"), ("-38.40", "-7.68")],
        ),
        # 100 - 96.00 and -192.00: below zero together, so that no cut is taxed
        (
            [FIXED | {"proration": "none"}],
            [tax("0.2"), OTHER],
            5000,
            [("4", "0.80"), ("-192", "-38.40")],
            [("0", "0.00"), ("0", "0.00")],
        ),
        # a tax that another follows stands by itself: 13 % of 4.00, 20 % of -192.00
        (
            [FIXED | {"proration": "none"}],
            [tax("0.13", to_on="2025-04-11"), tax("0.2", from_on="2025-04-11")],
            5000,
            [("4", "0.52"), ("-192", "-38.40")],
            [("4", "0.52"), ("0", "0.00")],
        ),
    ],
)
def test_a_tax_of_less_than_nothing_is_a_credit_or_nothing(
    version_of, usage_of, charges, taxes, export_wh, as_charged, at_least_zero, never_negative
):
    declared = [
        tax_ if tax_ is OTHER else tax_ | {"tax_class": "full", "never_negative": never_negative}
        for tax_ in taxes
    ]
    version = version_of(*charges, ENERGY, FEED_IN, *declared)
    (bill,) = rate(version, [usage_of(*APRIL, import_=0, export=export_wh)])
    levied = [
        (line.quantity, str(line.amount))
        for line in bill.lines
        if line.item.kind == "tax" and line.item.component_id != OTHER["id"]
    ]
    worked = at_least_zero if never_negative else as_charged
    assert levied == [(Decimal(base), amount) for base, amount in worked]


def test_a_tax_on_one_that_is_never_negative_counts_it_as_it_is(version_of, usage_of):
    """The cess of -188.00 is nothing; VAT, which may be negative, is 20 % of -188.00 and it."""
    cess = {"kind": "tax", "id": "cess", "rate": "0.05", "tax_class": "full"}
    names = ["standing", "feed-in", "cess"]
    vat = {"kind": "tax", "id": "vat", "rate": "0.2", "component_ids": names}
    version = version_of(FIXED, FEED_IN, cess | {"never_negative": True}, vat)
    (bill,) = rate(version, [usage_of(*APRIL, export=5000)])
    assert [(x.item.component_id, str(x.amount)) for x in bill.lines[2:]] == [
        ("cess", "0.00"),
        ("vat", "-37.60"),
    ]


def test_a_base_of_nothing_is_decided_for_each_meter(version_of, usage_of):
    version = version_of(FIXED, FEED_IN, tax("0.2", tax_class="full", never_negative=True))
    bills = rate(version, [usage_of(*APRIL, export=wh) for wh in (0, 5000, 1000)])
    assert [str(bill.tax) for bill in bills] == ["20.00", "0.00", "8.48"]


@examples(60)
@given(
    export_wh=st.integers(0, 6000),
    standing=st.integers(0, 300),
    cut_on=st.integers(1, 30),
)
def test_a_change_of_another_tax_moves_no_tax(version_of, usage_of, export_wh, standing, cut_on):
    """What is levied is the tax of all days or zero, wherever the bill is cut."""
    charge = FIXED | {"rate": str(standing), "proration": "none"}
    other = OTHER | {"from_on": f"2025-04-{cut_on:02}"}
    usage = usage_of(*APRIL, import_=0, export=export_wh)

    def levied(never_negative, *others):
        own = tax("0.2", tax_class="full", never_negative=never_negative)
        (bill,) = rate(version_of(charge, ENERGY, FEED_IN, own, *others), [usage])
        return bill.totals_exact()["tax"]

    assert levied(True) == levied(True, other) == max(levied(False, other), Decimal(0))
