"""Policies as tariffs: the worked bills of tests/golden/bills.json, and what is refused."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden import bills
from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import month_of
from gridtally.rating.document import tariff_version
from gridtally.simulation.domain.house_bills import MeterSeries, rate_houses, usage_of
from gridtally.simulation.domain.houses import House
from gridtally.simulation.domain.policies import (
    GrossMetering,
    SimpleNet,
    TouPeriod,
    TouRate,
    tariff_document,
)

CASES = bills.cases_of("bills.json")
ZONE = bills.ZONE
APRIL = month_of(date(2025, 4, 1))
COMMON = {
    "fixed_charge_tariff_rate_per_kw": Decimal(210),
    "tax_rate_on_energy_charges": Decimal("0.09"),
}


def house(kw="15"):
    connected_kw = None if kw is None else Decimal(kw)
    return House(0, UUID(int=1), "Home", ZONE, connected_kw, (UUID(int=2),), None)


def series(flow, kwh_by_hour):
    values = np.zeros(APRIL.slots(ZONE, 60), np.int64)
    for hour, kwh in kwh_by_hour.items():
        values[hour] = int(Decimal(kwh) * 1000)
    return MeterSeries(flow, 60, values)


def bill_of(policy, imported, exported, *, kw="15", labels=()):
    """The bill of a house that imports and exports so many kWh in hours of April."""
    at = house(kw)
    usage = usage_of(at, APRIL, [[series("import", imported), series("export", exported)]])
    [bill] = rate_houses(tariff_document(policy), [at], [usage], missing="refused", labels=labels)
    return bill


@pytest.mark.parametrize(
    ("case_id", "credit_policy", "total"),
    [
        # 643 - 142 = 501 kWh over, worth 501 × 6 = 3006 against 15 × 210 = 3150: 144 are left
        ("net-export-surplus-offset", "offset_fixed", "144"),
        ("net-export-surplus-lost", "lost", "3150"),
        # 501 kWh × 6 = 3006, 9 % of it 270.54, 3150 fixed
        ("net-import", "offset_fixed", "6426.54"),
    ],
)
def test_simple_net(case_id, credit_policy, total):
    case = CASES[case_id]
    policy = SimpleNet(retail_price_per_kwh=Decimal(6), credit_policy=credit_policy, **COMMON)
    bill = bill_of(policy, {20: case["import_kwh"]}, {12: case["export_kwh"]})
    assert bill.calculated_bill_amount == Decimal(total) == Decimal(case["expect"]["total"])
    assert bill.net_energy_balance_kwh == Decimal(case["expect"]["net_kwh"])
    assert Decimal(bill.bill_details["fixed_charge"]) == 3150
    assert Decimal(bill.bill_details["energy_charge"]) == Decimal(case["expect"]["energy_charge"])
    assert Decimal(bill.bill_details["tax"]) == Decimal(case["expect"]["tax"])
    credit = Decimal(case["expect"].get("surplus_credit", 0))
    assert Decimal(bill.bill_details["surplus_credit"]) == credit


@pytest.mark.parametrize(
    ("case_id", "total"),
    [
        # 500 × 6 = 3000, less 600 × 3 = 1800, 9 % of 3000 = 270, 3150 fixed
        ("gross-import-below-export", "4620"),
        # 700 × 6 = 4200, less 400 × 3 = 1200, 9 % of 4200 = 378, 3150 fixed
        ("gross-import-above-export", "6528"),
    ],
)
@pytest.mark.parametrize("credit_policy", ["lost", "offset_fixed", "carry_forward", "payout"])
def test_gross_metering(case_id, total, credit_policy):
    """The credit is less than the energy costs, so that all policies agree."""
    case = CASES[case_id]
    policy = GrossMetering(
        import_retail_price_per_kwh=Decimal(6),
        export_wholesale_price_per_kwh=Decimal(3),
        credit_policy=credit_policy,
        **COMMON,
    )
    bill = bill_of(policy, {20: case["import_kwh"]}, {12: case["export_kwh"]})
    assert bill.calculated_bill_amount == Decimal(total) == Decimal(case["expect"]["total"])


HOURS = {"peak": (17, 22), "mid_peak": (8, 17), "off_peak": (22, 8)}
RATES = {
    band["label"]: (band["rate"], band["import_kwh"]) for band in CASES["time-of-use"]["bands"]
}
TIME_OF_USE = TouRate(
    tou_periods=tuple(
        TouPeriod(
            label=label,
            start_minute=start * 60,
            end_minute=end * 60,
            import_retail_rate_per_kwh=Decimal(RATES[label][0]),
            export_wholesale_rate_per_kwh=Decimal(2),
        )
        for label, (start, end) in HOURS.items()
    ),
    credit_policy="payout",
    **COMMON,
)


def test_time_of_use():
    """120 × 8 + 150 × 6 + 230 × 4 = 2780, 9 % of it 250.20, 15 × 210 = 3150: 6180.20."""
    at = {"peak": 18, "mid_peak": 10, "off_peak": 2}
    policy, rates, hours = TIME_OF_USE, RATES, HOURS
    imported = {at[label]: kwh for label, (_, kwh) in rates.items()}
    bill = bill_of(policy, imported, {}, labels=list(hours))
    assert bill.calculated_bill_amount == Decimal("6180.20")
    assert [
        (period["label"], Decimal(period["imported_kwh"]), Decimal(period["import_charge"]))
        for period in bill.bill_details["tou_periods"]
    ] == [("peak", 120, 960), ("mid_peak", 150, 900), ("off_peak", 230, 920)]
    exported = bill_of(policy, imported, {12: "10"}, labels=list(hours))
    assert exported.calculated_bill_amount == Decimal("6160.20")
    assert exported.bill_details["tou_periods"][1]["export_credit"] == "20.00"


@pytest.mark.parametrize(
    ("credit_policy", "total", "carries"),
    [
        # 100 kWh at 6 are imported, 400 at 3 exported: 1200 of credit. It pays the 600 of energy;
        # of the 600 that are left, fixed charges of 150 take 150, a payout gives all.
        ("lost", "150", False),
        ("offset_fixed", "0", False),
        ("carry_forward", "150", True),
        ("payout", "-450", False),
    ],
)
def test_what_becomes_of_a_credit_that_is_left(credit_policy, total, carries):
    policy = GrossMetering(
        import_retail_price_per_kwh=Decimal(6),
        export_wholesale_price_per_kwh=Decimal(3),
        fixed_charge_tariff_rate_per_kw=Decimal(10),
        credit_policy=credit_policy,
    )
    bill = bill_of(policy, {20: "100"}, {12: "400"})
    assert bill.calculated_bill_amount == Decimal(total)
    assert bool(bill.bill_details["state"]) == carries


def test_fuel_and_arrears():
    """100 × 6 = 600, 100 × 0.5 = 50 of fuel, 9 % of 600 = 54, 33.10 of arrears: 737.10."""
    policy = SimpleNet(
        retail_price_per_kwh=Decimal(6),
        fac_charge_per_kwh_imported=Decimal("0.5"),
        tax_rate_on_energy_charges=Decimal("0.09"),
        arrears=Decimal("33.10"),
    )
    bill = bill_of(policy, {20: "100"}, {}, kw=None)
    assert bill.calculated_bill_amount == Decimal("737.10")
    assert (bill.bill_details["fac_charge"], bill.bill_details["arrears"]) == ("50.00", "33.10")


def periods_of(*spans):
    return tuple(
        TouPeriod(
            label=f"p{start}",
            start_minute=start,
            end_minute=end,
            import_retail_rate_per_kwh=Decimal(1),
            export_wholesale_rate_per_kwh=Decimal(1),
        )
        for start, end in spans
    )


@pytest.mark.parametrize(
    ("spans", "path", "says"),
    [
        ([(0, 600), (599, 0)], "/tou_periods/1/start_time", "overlaps with period 0 (p0) at 09:59"),
        ([(0, 600), (660, 0)], "/tou_periods", "no period covers 10:00 to 11:00"),
        ([(1320, 360), (360, 1200)], "/tou_periods", "no period covers 20:00 to 22:00"),
        ([(0, 0), (60, 120)], "/tou_periods/1/start_time", "overlaps with period 0 (p0) at 01:00"),
        ([], "/tou_periods", "no period covers 00:00 to 00:00"),
    ],
)
def test_periods_that_overlap_or_leave_a_gap(spans, path, says):
    with pytest.raises(Rejected) as refused:
        TouRate(tou_periods=periods_of(*spans))
    [fault] = refused.value.faults
    assert (fault.path, fault.detail) == (path, says)


@pytest.mark.parametrize("spans", [[(0, 0)], [(300, 300)], [(1320, 360), (360, 1320)]])
def test_periods_that_fill_the_day(spans):
    document = tariff_document(TouRate(tou_periods=periods_of(*spans)))
    assert tariff_version(UUID(int=1), {**document, "zone": ZONE}).components


ENERGY_WH = st.dictionaries(st.integers(0, 719), st.integers(0, 10**6), max_size=5)


@given(energy=st.lists(st.tuples(ENERGY_WH, ENERGY_WH), min_size=2, max_size=4))
def test_a_house_pays_by_itself_what_it_pays_among_others(energy):
    """However many are rated in one pass, to the last digit of every line and sum; four bytes or
    eight for a value."""
    document = tariff_document(TIME_OF_USE)
    houses = [replace(house(), number=number) for number in range(len(energy))]
    for dtype in (np.int32, np.int64):
        usages = [
            usage_of(
                houses[number], APRIL, [[wh("import", taken, dtype), wh("export", fed, dtype)]]
            )
            for number, (taken, fed) in enumerate(energy)
        ]
        together = rate_houses(document, houses, usages, missing="refused", labels=list(HOURS))
        for at, usage, bill in zip(houses, usages, together, strict=True):
            [alone] = rate_houses(document, [at], [usage], missing="refused", labels=list(HOURS))
            assert alone == bill
            assert alone.bill_details == bill.bill_details


def wh(flow, by_hour, dtype):
    values = np.zeros(APRIL.slots(ZONE, 60), dtype)
    for hour, energy_wh in by_hour.items():
        values[hour] = energy_wh
    return MeterSeries(flow, 60, values)
