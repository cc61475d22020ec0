"""Bills: rounding, missing values, parts of a period, and what does not fit."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import numpy as np
import pytest

from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import Period
from gridtally.rating.engine.bill import rate
from gridtally.rating.engine.exact import add_up
from gridtally.rating.tariff import Part, usage_charges
from gridtally.rating.usage import MISSING, Usage

MARCH = ("2025-03-01", "2025-04-01")
ENERGY = {"kind": "energy", "id": "energy", "rate": "0.333", "tax_class": "full"}
LEVY = {"kind": "adjustment", "id": "levy", "rate": "0.015", "tax_class": "full"}
VAT = {"kind": "tax", "id": "vat", "rate": "0.19", "tax_class": "full"}


def days(first, last):
    return Period(date(2025, 3, first), date(2025, 3, last))


@pytest.mark.parametrize(
    ("rounding", "amounts", "total"),
    [
        # 1 kWh: 0.333 + 0.015 + 0.19 × 0.348 = 0.06612, together 0.41412
        ({"mode": "half_even", "per": "line"}, ["0.33", "0.02", "0.07"], "0.42"),
        ({"mode": "half_even", "per": "invoice"}, ["0.33", "0.02", "0.07", "-0.01"], "0.41"),
        ({"mode": "down", "per": "line"}, ["0.33", "0.01", "0.06"], "0.40"),
        ({"mode": "down", "per": "invoice"}, ["0.33", "0.01", "0.06", "0.01"], "0.41"),
        ({"mode": "up", "per": "invoice"}, ["0.34", "0.02", "0.07", "-0.01"], "0.42"),
        ({"decimals": 5, "per": "invoice"}, ["0.33300", "0.01500", "0.06612"], "0.41412"),
        ({"decimals": 0, "per": "line"}, ["0", "0", "0"], "0"),
    ],
)
def test_rounding(version_of, usage_of, rounding, amounts, total):
    usage = usage_of(*MARCH, import_=0)
    usage.series["import"][0] = 1000
    bill = rate(version_of(ENERGY, LEVY, VAT, rounding=rounding), [usage])[0]
    assert [str(line.amount) for line in bill.lines] == amounts
    assert str(bill.total) == total
    assert bill.net + bill.tax == bill.total == sum(line.amount for line in bill.lines)
    assert sum(bill.totals_exact().values()) == Decimal("0.41412")


def test_a_missing_value_is_refused_unless_it_counts_as_zero(version_of, usage_of):
    whole, holey = (usage_of(*MARCH, import_=1000) for _ in range(2))
    holey.series["import"][5:8] = MISSING
    version = version_of(ENERGY)
    with pytest.raises(Rejected, match="usage 1 of the batch has no import value in 3 intervals"):
        rate(version, [whole, holey])
    bills = rate(version, [whole, holey], missing="counts_as_zero")
    assert [str(bill.lines[0].quantity) for bill in bills] == ["743.000", "740.000"]
    assert holey.series["import"][5] == MISSING  # the caller's series stays as it is


def test_a_missing_value_of_a_flow_that_nothing_is_charged_on_does_not_matter(version_of, usage_of):
    usage = usage_of(*MARCH, import_=1000, export=MISSING)
    assert rate(version_of(ENERGY), [usage])[0].total > 0


def test_bills_come_in_the_order_of_their_usages(version_of, usage_of):
    usages = [
        usage_of(*MARCH, import_=wh, minutes=minutes)
        for wh in range(1, 100)
        for minutes in (15, 60)
    ]
    bills = rate(version_of(ENERGY), usages)
    assert len(bills) == 198
    for usage, bill in zip(usages, bills, strict=True):
        assert bill.lines[0].quantity * 1000 == int(usage.series["import"].sum())


@pytest.mark.parametrize("wh", [2**31 - 1, 2**45 + 1, 2**53 + 1])
def test_sums_are_exact_beyond_what_floats_hold(version_of, usage_of, wh):
    usage = usage_of("2025-03-01", "2025-03-02", import_=wh)
    line = rate(version_of(ENERGY), [usage])[0].lines[0]
    assert line.quantity == Decimal(wh * 24).scaleb(-3)


def test_energy_beyond_all_integers_is_refused(version_of, usage_of):
    usage = usage_of("2025-03-01", "2025-03-02", import_=2**62)
    with pytest.raises(Rejected, match="too much to add up"):
        rate(version_of(ENERGY), [usage])


@pytest.mark.parametrize("per", ["line", "invoice"])
def test_a_bill_of_forty_digits_adds_up_and_one_of_sixty_is_refused(version_of, usage_of, per):
    usage = usage_of(*MARCH, import_=1000)
    rounding = {"mode": "half_even", "decimals": 2, "per": per}

    def on_all_before(count):
        fixed = {"kind": "fixed", "id": "fixed", "rate": "999999999.99", "per": "month"}
        more = [{"kind": "percent", "id": f"p{n}", "rate": "9.99"} for n in range(count)]
        return version_of(fixed, *more, rounding=rounding)

    (bill,) = rate(on_all_before(30), [usage])
    # 999 999 999.99 × 10.99³⁰ has 41 digits before the point
    assert bill.total == bill.net == add_up(line.amount for line in bill.lines)
    assert len(str(bill.total)) == len("." + "9" * 43)
    exact = Fraction("999999999.99") * Fraction("10.99") ** 30
    assert abs(Fraction(bill.total) - exact) <= Fraction(31, 200)
    with pytest.raises(Rejected, match="more digits than an exact bill can carry"):
        rate(on_all_before(60), [usage])


@pytest.mark.parametrize("per", ["line", "invoice"])
@pytest.mark.parametrize(
    ("mode", "sign", "amount"),
    [("up", "", "0.01"), ("down", "", "0.00"), ("down", "-", "-0.01"), ("half_even", "", "0.00")],
)
def test_what_is_too_small_to_show_is_rounded_as_it_is(
    version_of, usage_of, per, mode, sign, amount
):
    """10⁻²⁴ more than nothing, or than -0.02, on a bill of shares of a month."""
    tiny = {"kind": "percent", "rate": "0.00000001"}
    version = version_of(
        {"kind": "fixed", "id": "one", "rate": "31", "per": "month"},
        tiny | {"id": "a", "component_ids": ["one"]},
        tiny | {"id": "b", "component_ids": ["a"]},
        tiny | {"id": "c", "component_ids": ["b"]},
        {"kind": "energy", "id": "cents", "rate": f"{sign}0.02"},
        {"kind": "percent", "id": "share", "rate": "1", "component_ids": ["c", "cents"]},
        rounding={"mode": mode, "per": per},
    )
    usage = usage_of("2025-03-01", "2025-03-02", import_=0)
    usage.series["import"][0] = 1000 if sign else 0
    lines = {line.item.component_id: line for line in rate(version, [usage])[0].lines}
    assert lines["share"].amount == Decimal(amount)


def test_a_finer_unit_than_wh_may_be_declared(version_of, usage_of):
    usage = replace(usage_of("2025-03-01", "2025-03-02", import_=1), kwh_decimals=6)
    assert str(rate(version_of(ENERGY), [usage])[0].lines[0].quantity) == "0.000024"


def test_parts_of_a_period_are_billed_each_by_its_version(version_of, usage_of):
    old = version_of(ENERGY, VAT)
    new = version_of(ENERGY | {"rate": "0.5"}, VAT, version_id=UUID(int=2))
    parts = [Part(days(1, 11), old), Part(Period(date(2025, 3, 11), date(2025, 4, 1)), new)]
    bill = rate(parts, [usage_of(*MARCH, import_=1000)])[0]
    assert [
        (line.item.tariff_version_id, line.item.part.days, str(line.quantity))
        for line in bill.lines
        if line.item.kind == "energy"
    ] == [(old.id, 10, "240.000"), (new.id, 21, "503.000")]
    assert bill.totals_exact()["tax"] == Decimal("0.19") * (
        240 * Decimal("0.333") + 503 * Decimal("0.5")
    )


def test_an_edge_inside_an_interval_does_not_matter_on_days_of_another_version(
    version_of, usage_of
):
    """Kolkata's hours begin at half past in Berlin, so an edge on the hour cuts them."""
    band = {"name": "all", "rate": "1"}, {"name": "rest", "rate": "1"}
    window = {"band": "all", "from_time": "03:00", "to_time": "03:30", "day_types": ["sunday"]}
    cut = version_of(
        {
            "kind": "time_of_use",
            "id": "tou",
            "bands": band,
            "windows": [window],
            "default_band": "rest",
        },
        calendar={"day_types": [{"name": "sunday", "weekdays": ["sun"]}]},
    )
    usage = usage_of("2025-03-03", "2025-03-11", zone="Asia/Kolkata", import_=1)
    parts = [Part(days(3, 8), cut), Part(days(8, 11), version_of(ENERGY))]
    assert len(rate(parts, [usage])[0].lines) == 2
    with pytest.raises(Rejected, match="2025-03-09 03:00"):
        rate(cut, [usage])


@pytest.mark.parametrize(
    ("periods", "detail"),
    [
        ([days(1, 11), days(12, 31)], "one begins on 2025-03-12 where 2025-03-11 comes next"),
        ([days(1, 11), days(10, 31)], "one begins on 2025-03-10"),
        ([days(1, 30)], "end on 2025-03-30, not 2025-03-31"),
        ([], "end on 2025-03-01"),
    ],
)
def test_parts_that_do_not_fill_the_period_are_refused(version_of, usage_of, periods, detail):
    version = version_of(ENERGY)
    usage = usage_of("2025-03-01", "2025-03-31", import_=1)
    with pytest.raises(Rejected, match=detail):
        rate([Part(period, version) for period in periods], [usage])


def test_one_bill_has_one_currency(version_of, usage_of):
    parts = [
        Part(days(1, 11), version_of(ENERGY)),
        Part(days(11, 31), version_of(ENERGY, currency="CHF")),
    ]
    with pytest.raises(Rejected, match="several currencies"):
        rate(parts, [usage_of("2025-03-01", "2025-03-31", import_=1)])


def test_what_a_day_costs_leaves_out_standing_charges(version_of, usage_of):
    standing = {"kind": "fixed", "id": "standing", "rate": "10", "per": "month", "tax_class": "low"}
    capacity = {"kind": "capacity", "id": "capacity", "rate": "2"}
    both = {"kind": "tax", "id": "both", "rate": "0.1", "component_ids": ["standing", "energy"]}
    low = {"kind": "tax", "id": "low", "rate": "0.1", "tax_class": "low"}
    per_day = usage_charges(version_of(standing, capacity, ENERGY, both, low))
    bill = rate(per_day, [usage_of("2025-03-01", "2025-03-02", import_=1000)])[0]
    assert [line.item.component_id for line in bill.lines] == ["energy", "both"]
    assert usage_charges(version_of(standing, capacity)) is None


def test_days_of_import_and_export_add_up_to_the_month(version_of, usage_of):
    """Odd hours give 0.5 kWh, even ones take 1: days count both, whatever the bill does later."""
    month = usage_of("2025-04-01", "2025-05-01", import_=0, export=0)
    month.series["import"][::2], month.series["export"][1::2] = 1000, 500
    offset = {"kind": "offset", "unused": "carry_forward", "kinds": ["fixed"]}
    net = {"kind": "net_metering", "id": "net", "rate": "0.3", "tax_class": "full"}
    version = version_of(
        {"kind": "fixed", "id": "standing", "rate": "10", "per": "month"},
        net | {"surplus": {"kind": "carry_forward", "true_up_month": 4}},
        {"kind": "net_billing", "id": "hourly", "import_rate": "0.1", "export_rate": "0.2"}
        | {"surplus": offset},
        {"kind": "export_credit", "id": "feed-in", "rate": "0.05", "surplus": offset},
        {"kind": "percent", "id": "off", "rate": "-0.1", "component_ids": ["net"], "at_most": "1"},
        {"kind": "tax", "id": "gone", "rate": "0.1", "component_ids": ["standing"]},
        {"kind": "tax", "id": "vat", "rate": "0.2", "tax_class": "full"},
        {"kind": "tax", "id": "cess", "rate": "0.1", "component_ids": ["gone", "vat"]},
    )
    per_day = usage_charges(version)
    whole, states = rate(per_day, [month])[0], []
    assert {line.item.component_id for line in whole.lines} == {
        *("net", "hourly", "feed-in", "off", "vat", "cess")
    }
    # (360 - 180) × 0.3 = 54.00, less 5.40; 36.00 - 36.00 by the hour; 9.00 given;
    # 20 % of 54.00 are 10.80, and 10 % of it 1.08
    total = Decimal("54.00") - Decimal("5.40") - 9 + Decimal("10.80") + Decimal("1.08")
    assert whole.total == total
    days_total = Decimal(0)
    for number in range(30):
        series = {flow: row[24 * number : 24 * number + 24] for flow, row in month.series.items()}
        day = date(2025, 4, 1 + number)
        usage = Usage("Europe/Berlin", Period(day, day + timedelta(days=1)), 60, series)
        bill = rate(per_day, [usage])[0]
        states.append(bill.state)
        days_total += sum(line.amount_exact for line in bill.lines)
    assert days_total == total
    assert not any(states)


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        ({"minutes": 7}, "must be one of"),
        ({"series": {"import": np.zeros(24)}}, "must be integers"),
        ({"series": {"import": np.zeros(23, np.int64)}}, "has 24 intervals"),
        ({"zone": "Mars/Base"}, "is not an IANA time zone"),
        ({"period": Period(date(2020, 1, 1), date(2025, 1, 1))}, "at most 1100 days"),
        ({"kwh_decimals": 10}, "between 0 and 9"),
    ],
)
def test_a_usage_that_cannot_be_is_refused(fields, detail):
    good = {
        "zone": "Europe/Berlin",
        "period": days(1, 2),
        "minutes": 60,
        "series": {"import": np.zeros(24, np.int64)},
    }
    Usage(**good)
    with pytest.raises(ValueError, match=detail):
        Usage(**(good | fields))
