"""Export credit: what is paid for all that is given, and which charges it may pay."""

import pytest

from gridtally.kernel.errors import Rejected
from gridtally.rating.engine.bill import rate

APRIL = ("2025-04-01", "2025-05-01")  # 720 hours
STANDING = {"kind": "fixed", "id": "standing", "rate": "20", "per": "month"}
ENERGY = {"kind": "energy", "id": "energy", "rate": "0.10"}  # 720 kWh: 72.00
VAT = {"kind": "tax", "id": "vat", "rate": "0.10", "component_ids": ["energy"]}  # 7.20
LOST = {"kind": "offset", "unused": "lost"}


def credit(surplus=LOST, **fields):
    rates = {} if "bands" in fields else {"rate": "0.05"}
    charge = {"kind": "export_credit", "id": "feed-in", "surplus": surplus}
    return charge | rates | fields


@pytest.mark.parametrize(
    ("charge", "export_wh", "amounts", "total"),
    [
        # 720 kWh × 0.05 = 36.00; there are 92.00 to pay, and 7.20 of tax
        (credit(), 1000, ["-36.00"], "63.20"),
        # 3600 kWh are 180.00: of 92.00, or with the tax of 99.20
        (credit(), 5000, ["-180.00", "88.00"], "7.20"),
        (credit(LOST | {"after_tax": True}), 5000, ["-180.00", "80.80"], "0.00"),
        (credit(LOST | {"component_ids": ["standing"]}), 5000, ["-180.00", "160.00"], "79.20"),
        (credit(LOST | {"kinds": ["energy"]}), 5000, ["-180.00", "108.00"], "27.20"),
        (
            credit(LOST | {"kinds": ["fixed", "tax"], "after_tax": True}),
            5000,
            ["-180.00", "152.80"],
            "72.00",
        ),
        (credit({"kind": "payout"}), 5000, ["-180.00"], "-80.80"),
        (credit({"kind": "payout"}, rate="-0.01"), 1000, ["7.20"], "106.40"),
        (credit(LOST, rate="-0.01"), 1000, ["7.20"], "106.40"),
        (
            credit(
                {"kind": "payout"},
                bands=[{"name": "noon", "rate": "0.02"}, {"name": "rest", "rate": "0.08"}],
                windows=[{"band": "noon", "from_time": "11:00", "to_time": "14:00"}],
                default_band="rest",
            ),
            1000,
            ["-1.80", "-50.40"],  # 90 × 0.02 and 630 × 0.08
            "47.00",
        ),
    ],
)
def test_exported_energy_is_credited(version_of, usage_of, charge, export_wh, amounts, total):
    bill = rate(
        version_of(STANDING, ENERGY, charge, VAT),
        [usage_of(*APRIL, import_=1000, export=export_wh)],
    )[0]
    own = [line for line in bill.lines if line.item.component_id == "feed-in"]
    assert {line.item.kind for line in own} == {"credit"}
    assert [str(line.amount) for line in own] == amounts
    assert str(bill.total) == total


def test_all_that_is_generated_may_be_sold(version_of, usage_of):
    version = version_of(credit({"kind": "payout"}, flow="generation"))
    bill = rate(version, [usage_of(*APRIL, generation=2000)])[0]
    assert str(bill.total) == "-72.00"


def test_a_second_credit_pays_only_what_the_first_has_left(version_of, usage_of):
    version = version_of(STANDING, credit(), credit() | {"id": "bonus"})
    bill = rate(version, [usage_of(*APRIL, export=400)])[0]  # 14.40 each, 20.00 to pay
    assert [(line.item.component_id, str(line.amount)) for line in bill.lines] == [
        ("standing", "20.00"),
        ("feed-in", "-14.40"),
        ("bonus", "-14.40"),
        ("bonus", "8.80"),
    ]


@pytest.mark.parametrize(
    ("minimum", "surplus", "top_up", "total"),
    [
        # charges 20.00, credit 36.00 of which 20.00 are used, then the minimum of 12, then tax
        ({}, {}, "12.00", "13.20"),  # 10 % tax on the minimum
        ({"kinds": ["fixed"]}, {}, None, "0.00"),  # it counts charges, not credits
        ({}, {"after_tax": True}, None, "0.00"),  # the credit comes after it
        ({"after_tax": True, "tax_class": None}, {"after_tax": True}, "12.00", "12.00"),
        ({"after_tax": True, "tax_class": None}, {}, "12.00", "12.00"),
    ],
)
def test_charges_then_credits_then_the_minimum_then_tax(
    version_of, usage_of, minimum, surplus, top_up, total
):
    least = {"kind": "minimum_bill", "id": "least", "amount": "12", "tax_class": "full"} | minimum
    taxes = [{"kind": "tax", "id": "vat", "rate": "0.10", "tax_class": "full"}]
    if least["tax_class"] is None:
        taxes = []
    version = version_of(STANDING, credit(LOST | surplus), least, *taxes)
    bill = rate(version, [usage_of(*APRIL, export=1000)])[0]
    amounts = [str(x.amount) for x in bill.lines if x.item.component_id == "least"]
    assert amounts == ([] if top_up is None else [top_up])
    assert str(bill.total) == total


@pytest.mark.parametrize(
    ("components", "detail"),
    [
        ([credit(rate=None)], "either a rate or bands"),
        ([credit(tax_class="full")], "a credit that is not taxed has no tax class"),
        ([credit({"kind": "none"})], "'none' is none of offset, payout"),
        ([credit(LOST | {"component_ids": ["feed-in"]})], "'feed-in' is nothing that is charged"),
        ([credit(LOST | {"component_ids": ["energy"]}), ENERGY], "'energy' is nothing that is ch"),
        ([ENERGY, credit(LOST | {"component_ids": ["vat"]}), VAT], "'vat' is nothing that is ch"),
        ([credit(), VAT | {"component_ids": ["feed-in"]}], "'feed-in' is nothing to tax"),
        (
            [credit(LOST | {"after_tax": True}), VAT | {"component_ids": ["feed-in"]}],
            "'feed-in' is nothing to tax",
        ),
        (
            [
                credit(LOST | {"after_tax": True}),
                {"kind": "percent", "id": "p", "rate": "0.1", "component_ids": ["feed-in"]},
            ],
            "'feed-in' is nothing that is charged before 'p'",
        ),
    ],
)
def test_what_contradicts_itself_is_refused(version_of, components, detail):
    with pytest.raises(Rejected, match=detail):
        version_of(*components)


def test_a_credit_may_pay_the_tax_it_names(version_of, usage_of):
    surplus = LOST | {"after_tax": True, "component_ids": ["vat"]}
    bill = rate(
        version_of(credit(surplus), ENERGY, VAT), [usage_of(*APRIL, import_=1000, export=1000)]
    )[0]
    assert str(bill.total) == "72.00"
