"""The bills with known answers that concern this engine, from tests/golden/bills.json."""

from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from golden import bills
from gridtally.kernel.periods import Period
from gridtally.rating.engine.bill import rate
from gridtally.rating.usage import Usage, slots_in

CASES = bills.cases_of("bills.json")
APRIL = ("2025-04-01", "2025-05-01")


def test_time_of_use(version_of, usage_of):
    case = CASES["time-of-use"]
    hours = {"peak": ("17:00", "20:00"), "mid_peak": ("08:00", "17:00")}
    version = version_of(
        {"kind": "capacity", "id": "capacity", "rate": case["fixed_per_kw"]},
        {
            "kind": "time_of_use",
            "id": "energy",
            "bands": [{"name": b["label"], "rate": b["rate"]} for b in case["bands"]],
            "windows": [
                {"band": band, "from_time": start, "to_time": end}
                for band, (start, end) in hours.items()
            ],
            "default_band": "off_peak",
        },
        {"kind": "tax", "id": "tax", "rate": case["tax_rate"], "component_ids": ["energy"]},
    )
    usage = usage_of(*APRIL, kw=case["connected_kw"], import_=0)
    hour = {"peak": 18, "mid_peak": 10, "off_peak": 2}
    for band in case["bands"]:
        usage.series["import"][hour[band["label"]]] = int(Decimal(band["import_kwh"]) * 1000)
    bill = rate(version, [usage])[0]
    totals, expected = bill.totals(), {k: Decimal(v) for k, v in case["expect"].items()}
    assert totals["energy"] == expected["energy_charge"]
    assert totals["fixed"] == expected["fixed_charge"]
    assert totals["tax"] == expected["tax"]
    assert bill.total == expected["total"]


@pytest.mark.parametrize(
    "case_id",
    [
        "net-export-surplus-offset",
        "net-export-surplus-lost",
        "net-import",
        "gross-import-below-export",
        "gross-import-above-export",
    ],
)
def test_net_and_gross_metering(version_of, case_id):
    case = CASES[case_id]
    series = {flow: np.array(wh, np.int64) for flow, wh in bills.readings_of(case).items()}
    usage = Usage(bills.ZONE, bills.APRIL, 60, series, Decimal(case["connected_kw"]))
    bill = rate(version_of(**bills.tariff_of(case)), [usage])[0]
    totals, expected = bill.totals(), {k: Decimal(v) for k, v in case["expect"].items()}
    credit = expected.get("surplus_credit", expected.get("export_credit", Decimal(0)))
    assert totals["energy"] == expected.get("energy_charge", expected.get("import_charge"))
    assert totals["fixed"] == expected["fixed_charge"]
    assert totals["credit"] == -credit
    assert bill.tax == expected["tax"]
    assert bill.total == expected["total"]
    assert bill.state == {}


def test_fleet_default_rate(version_of):
    case = CASES["fleet-default-rate"]
    workday = {"name": "workday", "weekdays": ["mon", "tue", "wed", "thu", "fri"]}
    weekend = {"name": "weekend", "weekdays": ["sat", "sun"]}
    version = version_of(
        {
            "kind": "time_of_use",
            "id": "energy",
            "bands": [
                {"name": "peak", "rate": "4.00"},
                {"name": "off_peak", "rate": "1.50"},
                {"name": "default", "rate": case["rate"]},
            ],
            "windows": [
                {
                    "band": "peak",
                    "day_types": ["workday"],
                    "from_time": "17:00",
                    "to_time": "20:00",
                },
                {
                    "band": "off_peak",
                    "day_types": ["weekend"],
                    "from_time": "00:00",
                    "to_time": "24:00",
                },
            ],
            "default_band": "default",
        },
        {"kind": "tax", "id": "vat", "rate": case["vat_rate"], "component_ids": ["energy"]},
        currency="ZAR",
        zone="Africa/Johannesburg",
        calendar={"day_types": [workday, weekend]},
    )
    wednesday = Period(date(2025, 6, 4), date(2025, 6, 5))
    energy = np.zeros(24, np.int64)
    energy[12] = 50_000  # 10:00 UTC, where local noon is
    energy[9] = 6_000
    usage = Usage("Africa/Johannesburg", wednesday, 60, {"import": energy})
    bill = rate(version, [usage])[0]
    assert {"base": str(bill.net), "vat": str(bill.tax), "total": str(bill.total)} == case["expect"]


@pytest.mark.parametrize(
    ("day", "expected"),
    [("2025-03-30", "2025-03-30"), ("2025-10-26", "2025-10-26"), ("2025-06-04", "ordinary_day")],
)
def test_clock_change_window(version_of, day, expected):
    case = CASES["clock-change-window"]
    from_time, to_time = case["window"].split("-")
    version = version_of(
        {
            "kind": "time_of_use",
            "id": "energy",
            "bands": [{"name": "window", "rate": "1"}, {"name": "rest", "rate": "1"}],
            "windows": [{"band": "window", "from_time": from_time, "to_time": to_time}],
            "default_band": "rest",
        },
        zone=case["zone"],
    )
    start_on = date.fromisoformat(day)
    period = Period(start_on, date.fromordinal(start_on.toordinal() + 1))
    quarter_wh = int(Decimal(case["constant_kw"]) * 1000) // 4
    energy = np.full(slots_in(case["zone"], period, 15), quarter_wh)
    bill = rate(version, [Usage(case["zone"], period, 15, {"import": energy})])[0]
    (window,) = [line for line in bill.lines if line.item.band == "window"]
    assert window.quantity == Decimal(case["expect"][expected])


@pytest.mark.parametrize(
    ("proration", "expected"),
    [
        ("actual_days", "actual_days"),
        ("thirty_days", "thirty_day_month"),
        ("year_over_twelve", "year_over_twelve"),
    ],
)
def test_fixed_charge_proration(line_of, usage_of, proration, expected):
    case = CASES["fixed-charge-proration"]
    charge = {"kind": "fixed", "id": "f", "rate": case["monthly"], "per": "month"}
    usage = usage_of("2025-03-01", f"2025-03-{1 + case['days']}")
    assert line_of(charge | {"proration": proration}, usage)[3] == case["expect"][expected]


def test_tier_cap_per_day(version_of):
    case = CASES["tier-cap-per-day"]
    lower, upper = case["rates"]
    tiers = [{"limit": case["cap_kwh_per_day"], "rate": lower}, {"rate": upper}]
    version = version_of(
        {"kind": "tiered", "id": "energy", "tiers": tiers, "limits": {"per": "day"}}
    )
    period = Period(date(2025, 4, 1), date(2025, 4, 1 + case["days"]))
    energy = np.zeros(slots_in("Europe/Berlin", period, 60), np.int64)
    energy[7] = int(Decimal(case["kwh"]) * 1000)
    bill = rate(version, [Usage("Europe/Berlin", period, 60, {"import": energy})])[0]
    assert str(bill.total) == case["expect"]["amount"]


def test_vat_change_inside_period(version_of, usage_of):
    case = CASES["vat-change-inside-period"]
    before, after = case["vat"]
    change_on = f"2025-04-{1 + before['days']}"
    version = version_of(
        {"kind": "fixed", "id": "net", "rate": case["net"], "per": "month", "tax_class": "vat"},
        {
            "kind": "tax",
            "id": "old",
            "rate": before["rate"],
            "tax_class": "vat",
            "to_on": change_on,
        },
        {
            "kind": "tax",
            "id": "new",
            "rate": after["rate"],
            "tax_class": "vat",
            "from_on": change_on,
        },
    )
    bill = rate(version, [usage_of(*APRIL)])[0]
    assert {
        "net_parts": [str(line.amount) for line in bill.lines if line.item.kind == "fixed"],
        "vat_parts": [str(line.amount) for line in bill.lines if line.item.kind == "tax"],
        "gross": str(bill.total),
    } == case["expect"]
