"""Net metering: what nets with what, and what becomes of the rest."""

from decimal import Decimal
from uuid import UUID

import pytest

from gridtally.kernel.errors import Rejected
from gridtally.rating.engine.bill import rate
from gridtally.rating.state import Credit
from gridtally.rating.tariff import Part

APRIL = ("2025-04-01", "2025-05-01")
STANDING = {"kind": "fixed", "id": "standing", "rate": "20", "per": "month"}
DAY_AND_NIGHT = {
    "bands": [{"name": "day", "rate": "0.40"}, {"name": "night", "rate": "0.25"}],
    "windows": [{"band": "day", "from_time": "06:00", "to_time": "22:00"}],
    "default_band": "night",
}


def net(surplus, **fields):
    rates = {} if "bands" in fields else {"rate": "0.30"}
    return {"kind": "net_metering", "id": "net", "surplus": surplus} | rates | fields


def offset(**fields):
    return {"kind": "offset", "unused": "lost"} | fields


def meter(usage_of, imported, exported, **bands):
    """April with so many kWh of import and export at noon; of `night` at midnight."""
    usage = usage_of(*APRIL, import_=0, export=0)
    usage.series["import"][12], usage.series["export"][12] = imported * 1000, exported * 1000
    for band, (imported, exported) in bands.items():
        slot = {"night": 0}[band]
        usage.series["import"][slot], usage.series["export"][slot] = (
            imported * 1000,
            exported * 1000,
        )
    return usage


def lines_of(bill):
    return [
        (line.item.kind, line.item.band, str(line.quantity), str(line.amount))
        for line in bill.lines
        if line.item.component_id == "net"
    ]


@pytest.mark.parametrize(
    ("surplus", "fields", "imported", "exported", "lines"),
    [
        # 100 taken, 40 given: 60 kWh at 0.30
        ({"kind": "none"}, {}, 100, 40, [("energy", None, "60.000", "18.00")]),
        ({"kind": "none"}, {}, 40, 100, [("energy", None, "0.000", "0.00")]),
        # 60 kWh over: at their own rate 18.00, at 0.10 6.00
        (
            {"kind": "payout"},
            {},
            40,
            100,
            [("energy", None, "0.000", "0.00"), ("credit", None, "60.000", "-18.00")],
        ),
        (
            {"kind": "payout"},
            {"surplus_rate": "0.10"},
            40,
            100,
            [("energy", None, "0.000", "0.00"), ("credit", None, "60.000", "-6.00")],
        ),
        # 100 over are 30.00, of which the standing 20.00 can be paid
        (
            offset(),
            {},
            40,
            140,
            [
                ("energy", None, "0.000", "0.00"),
                ("credit", None, "100.000", "-30.00"),
                ("credit", "unused", "10.00000", "10.00"),
            ],
        ),
        # what costs money to give is charged, whatever may be paid
        (
            offset(),
            {"surplus_rate": "-0.10"},
            40,
            140,
            [("energy", None, "0.000", "0.00"), ("credit", None, "100.000", "10.00")],
        ),
    ],
)
def test_what_is_left_over(version_of, usage_of, surplus, fields, imported, exported, lines):
    version = version_of(STANDING, net(surplus, **fields))
    bill = rate(version, [meter(usage_of, imported, exported)])[0]
    assert lines_of(bill) == lines
    assert bill.state == {}


@pytest.mark.parametrize(
    ("cross_band", "day", "night", "energy", "credit"),
    [
        # by day 50 over, by night 30 lacking
        ("none", (10, 60), (30, 0), ["0.00", "7.50"], "-20.00"),  # 50 × 0.40
        ("later", (10, 60), (30, 0), ["0.00", "7.50", "-7.50"], "-8.00"),  # 20 × 0.40
        ("any", (10, 60), (30, 0), ["0.00", "7.50", "-7.50"], "-8.00"),
        # by night 50 over, by day 30 lacking: only `any` lets cheap units pay dear ones
        ("none", (30, 0), (10, 60), ["12.00", "0.00"], "-12.50"),  # 50 × 0.25
        ("later", (30, 0), (10, 60), ["12.00", "0.00"], "-12.50"),
        ("any", (30, 0), (10, 60), ["12.00", "0.00", "-12.00"], "-5.00"),  # 20 × 0.25
    ],
)
def test_units_of_a_band_pay_for_others_as_declared(
    version_of, usage_of, cross_band, day, night, energy, credit
):
    charge = net({"kind": "payout"}, cross_band=cross_band, **DAY_AND_NIGHT)
    bill = rate(version_of(charge), [meter(usage_of, *day, night=night)])[0]
    amounts = {
        kind: [str(line.amount) for line in bill.lines if line.item.kind == kind and line.amount]
        for kind in ("energy", "credit")
    }
    assert amounts == {"energy": [x for x in energy if x != "0.00"], "credit": [credit]}


def test_credit_pays_no_more_than_the_bill_has_come_to(version_of, usage_of):
    """A rebate of 15.00 leaves 5.00 of the standing charge to be paid."""
    rebate = {"kind": "fixed", "id": "rebate", "rate": "-15", "per": "month"}
    charge = net(offset(component_ids=["standing"]))
    bill = rate(version_of(STANDING, rebate, charge), [meter(usage_of, 0, 100)])[0]
    assert (bill.totals()["credit"], bill.total) == (Decimal("-5.00"), Decimal("0.00"))


@pytest.mark.parametrize(
    ("surplus", "tax", "total"),
    [
        # the tax is 10 % of the standing 20.00; the credit 15.00 comes before or after it
        (offset(), "2.00", "7.00"),
        (offset(after_tax=True), "2.00", "7.00"),
        (offset(taxed=True), "0.50", "5.50"),  # 10 % of 20.00 - 15.00
        ({"kind": "payout", "taxed": True}, "0.50", "5.50"),
        (offset(kinds=["tax"], after_tax=True), "2.00", "20.00"),
    ],
)
def test_a_credit_lessens_a_tax_only_where_it_is_taxed(version_of, usage_of, surplus, tax, total):
    vat = {"kind": "tax", "id": "vat", "rate": "0.10", "component_ids": ["standing", "net"]}
    version = version_of(STANDING, net(surplus), vat)
    bill = rate(version, [meter(usage_of, 0, 50)])[0]
    assert (str(bill.tax), str(bill.total)) == (tax, total)


def test_a_tax_class_finds_the_charge_and_not_its_credit(version_of, usage_of):
    vat = {"kind": "tax", "id": "vat", "rate": "0.10", "tax_class": "full"}
    for taxed, tax in ((False, "0.00"), (True, "-1.50")):
        charge = net({"kind": "payout", "taxed": taxed}, tax_class="full")
        bill = rate(version_of(charge, vat), [meter(usage_of, 0, 50)])[0]
        assert str(bill.tax) == tax


@pytest.mark.parametrize(
    ("fields", "bills"),
    [
        # 30.00 of credit; each month has 20.00 to pay
        ({}, ["0.00", "10.00", "20.00"]),
        ({"from_bill": "next"}, ["20.00", "0.00", "10.00"]),
        ({"true_up_month": 6}, ["0.00", "10.00", "20.00"]),
        ({"true_up_month": 5}, ["0.00", "20.00", "20.00"]),  # April's bill reaches 1 May
        ({"true_up_month": 5, "true_up": "payout"}, ["-10.00", "20.00", "20.00"]),
        ({"true_up_month": 5, "from_bill": "next", "true_up": "payout"}, ["-10.00", "20.00", "20"]),
    ],
)
def test_credit_is_carried_from_bill_to_bill(version_of, usage_of, fields, bills):
    version = version_of(STANDING, net(offset(unused="carry_forward", **fields)))
    state, totals = {}, []
    for start, end, export in (("04", "05", 100), ("05", "06", 0), ("06", "07", 0)):
        usage = usage_of(f"2025-{start}-01", f"2025-{end}-01", import_=0, export=0)
        usage.series["export"][0] = export * 1000
        (bill,) = rate(version, [usage], states=[state])
        again = rate(version, [usage], states=[state])[0]
        assert again == bill  # a bill can be made again
        state = bill.state
        totals.append(bill.total)
    assert totals == [Decimal(total) for total in bills]
    assert state == {}


def test_credit_without_a_finite_decimal_is_carried_to_twenty_places(version_of, usage_of):
    """A third of a month at 10.00 is 3.333…; 5.00 of credit leave 1.666…"""
    third = STANDING | {"rate": "10"}
    version = version_of(third, net(offset(unused="carry_forward"), rate="1"))
    usage = usage_of("2025-04-01", "2025-04-11", import_=0, export=0)
    usage.series["export"][0] = 5000
    bill = rate(version, [usage])[0]
    assert bill.state == {"net": Credit(Decimal("1.66666666666666666667"))}
    assert bill.total == 0


def test_a_change_of_taxes_cuts_the_lines_and_not_the_netting(version_of, usage_of):
    """30 kWh over early in April pay for 60 late: 30 × 0.30 = 9.00, 10 and 20 days of 30."""
    old = {"kind": "tax", "id": "old", "rate": "0.10", "component_ids": ["net"]}
    version = version_of(
        net({"kind": "none"}),
        old | {"to_on": "2025-04-11"},
        old | {"id": "new", "rate": "0.20", "from_on": "2025-04-11"},
    )
    usage = usage_of(*APRIL, import_=0, export=0)
    usage.series["export"][12], usage.series["import"][-12] = 30_000, 60_000
    bill = rate(version, [usage])[0]
    assert [str(line.amount) for line in bill.lines] == ["3.00", "0.30", "6.00", "1.20"]


def test_each_version_of_a_period_nets_its_own_days_and_hands_its_credit_on(version_of, usage_of):
    charge = net(offset(unused="carry_forward"))
    tenth, period = "2025-04-11", usage_of(*APRIL, import_=0, export=0)
    period.series["export"][12], period.series["import"][-12] = 30_000, 60_000
    parts = [
        Part(part, version_of(charge, version_id=UUID(int=number)))
        for number, part in enumerate(
            usage_of(*days, import_=0).period for days in ((APRIL[0], tenth), (tenth, APRIL[1]))
        )
    ]
    bill = rate(parts, [period])[0]
    # 30 kWh are worth 9.00, which pays half of the 18.00 that 60 kWh cost
    assert str(bill.total) == "9.00"
    assert bill.state == {}


@pytest.mark.parametrize(
    ("charge", "detail"),
    [
        (net({"kind": "none"}, surplus_rate="0.1"), "a surplus_rate is for a surplus that"),
        (net({"kind": "carry_forward"}, surplus_rate="0.1"), "a surplus_rate is for a surplus"),
        (net({"kind": "none"}, cross_band="any"), "between two bands or more"),
        (net({"kind": "none"}, windows=DAY_AND_NIGHT["windows"]), "need bands"),
        (net({"kind": "none"}, rate=None), "either a rate or bands"),
        (net({"kind": "none"}, **DAY_AND_NIGHT, rate="1"), "either a rate or bands"),
        (net({"kind": "gift"}), "'gift' is none of none, offset, carry_forward, payout"),
        (net({"kind": "offset"}), "/components/1/surplus/unused: is required"),
        (net(offset(from_bill="next")), "must be carried forward"),
        (net(offset(true_up="payout")), "needs its true_up_month"),
        (net(offset(true_up_month=4)), "for a credit that is carried forward"),
        (net(offset(unused="carry_forward", true_up_month=13)), "a month is 1 to 12"),
        (net(offset(kinds=["tax"])), "pays taxes only after_tax"),
        (net(offset(after_tax=True, taxed=True)), "after the taxes is not taxed"),
        (net({"kind": "payout", "after_tax": True, "taxed": True}), "is not taxed"),
        (
            net(offset(component_ids=["levy"])),
            "/components/1/surplus/component_ids: 'levy' is nothing that is charged before",
        ),
        (net({"kind": "carry_forward", "expires_after_months": 0}), "expire after 1 to 120"),
        (net({"kind": "carry_forward", "true_up_rate": "0.1"}), "needs its true_up_month"),
        (net({"kind": "carry_forward", "true_up_month": 0}), "a month is 1 to 12"),
    ],
)
def test_what_contradicts_itself_is_refused(version_of, charge, detail):
    with pytest.raises(Rejected, match=detail):
        version_of(STANDING, charge, {"kind": "energy", "id": "levy", "rate": "1"})
