"""URDB records into tariffs: what is read how, and what is reported."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from gridtally.urdb import import_record, looks_like_urdb

RECORDS = Path(__file__).parent / "records"
FLAT = [[0] * 24] * 12
EVENING = [[0] * 16 + [1] * 5 + [0] * 3] * 12
SUMMER = [*[[0] * 24] * 5, *[[1] * 24] * 4, *[[0] * 24] * 3]
ENERGY = {
    "energyratestructure": [[{"rate": Decimal("0.1"), "unit": "kWh"}]],
    "energyweekdayschedule": FLAT,
    "energyweekendschedule": FLAT,
}
RATCHETED = {"flatdemandstructure": [[{"rate": 3}]], "demandwindow": 30}
TWO = [[{"rate": Decimal("0.1")}], [{"rate": Decimal("0.2"), "adj": Decimal("0.05")}]]


def of_file(name):
    return json.loads((RECORDS / f"{name}.json").read_text(), parse_float=Decimal)


def imported(record, **options):
    return import_record(record, zone="America/New_York", incomplete="accepted", **options)


def components(record, **options):
    return imported(record, **options).document["components"]


def noted(record, **options):
    return [
        (note.kind, note.field)
        for note in imported(record, **options).notes
        if note.kind != "descriptive"
    ]


@pytest.mark.parametrize(
    ("name", "kinds", "warned"),
    [
        ("adams_interruptible", ["fixed", "energy", "demand"], ["demandattrs"]),
        (
            "california_vehicle_charging",
            ["fixed", "time_of_use", "demand"],
            ["demandreactivepowercharge"],
        ),
        ("colorado_residential_time_of_use", ["fixed", "time_of_use"], ["dgrules"]),
        ("florida_residential_tiers", ["fixed", "tiered"], []),
        (
            "louisiana_industrial",
            ["fixed", "energy", "demand"],
            ["dgrules", "demandreactivepowercharge"],
        ),
        ("nebraska_hours_of_use", ["tiered_time_of_use", "demand"], []),
        ("sacramento_five_periods", ["fixed", "time_of_use", "demand", "demand"], ["dgrules"]),
        (
            "sam_commercial_tiers_in_time_of_use",
            ["fixed", "tiered_time_of_use", *["demand"] * 2, *["minimum_bill"] * 2],
            ["dgrules"],
        ),
        (
            "san_diego_demand_time_of_use",
            ["fixed", "time_of_use", "demand", "demand"],
            ["dgrules", "demandreactivepowercharge"],
        ),
        ("san_diego_small_commercial", ["fixed", "time_of_use"], ["dgrules", "energyattrs"]),
        (
            "wallingford_ratchet",
            ["fixed", "time_of_use", "demand"],
            ["demandreactivepowercharge"],
        ),
    ],
)
def test_a_real_record_becomes_charges_and_warnings(name, kinds, warned):
    record = of_file(name)
    assert looks_like_urdb(record)
    result = imported(record)
    assert [component["kind"] for component in result.document["components"]] == kinds
    assert [note.field for note in result.warnings] == warned


def test_every_field_of_a_record_is_charged_or_reported():
    """Without a field the result is another, except for what belongs to a charge of nothing."""
    parts = ("structure", "schedule", "months", "unit", "units")
    for path in sorted(RECORDS.glob("*.json")):
        document = of_file(path.stem)
        record = document.get("items", [document])[0]
        for name in record:
            if name.lower().endswith(parts):
                continue
            without = {key: value for key, value in record.items() if key != name}
            assert imported(without) != imported(record), f"{path.stem}: {name} says nothing"


@pytest.mark.parametrize(
    ("schedule", "seasons", "windows"),
    [
        (EVENING, None, [("period-1", "16:00", "21:00", None)]),
        (SUMMER, ["06-01", "10-01"], [("period-1", "00:00", "24:00", ["jun-sep"])]),
        (
            [*[[1] * 24] * 2, *FLAT[2:]],
            ["01-01", "03-01"],
            [("period-1", "00:00", "24:00", ["jan-feb"])],
        ),
        (
            [[1] * 24, *FLAT[1:11], [1] * 24],  # winter goes on over the new year
            ["02-01", "12-01"],
            [("period-1", "00:00", "24:00", ["dec-jan"])],
        ),
    ],
)
def test_months_that_are_equal_become_a_season(schedule, seasons, windows):
    record = {
        "energyratestructure": TWO,
        "energyweekdayschedule": schedule,
        "energyweekendschedule": schedule,
    }
    document = imported(record).document
    named = document.get("calendar", {}).get("seasons")
    assert seasons == (None if named is None else [season["start"] for season in named])
    (energy,) = document["components"]
    assert windows == [
        (window["band"], window["from_time"], window["to_time"], window.get("seasons"))
        for window in energy["windows"]
    ]
    assert energy["bands"] == [
        {"name": "period-0", "rate": "0.1"},
        {"name": "period-1", "rate": "0.25"},
    ]


@pytest.mark.parametrize(
    ("holidays", "weekday", "weekend"),
    [("by_weekday", "by_weekday", "by_weekday"), ("weekend", "excluded", "included")],
)
def test_holidays_are_what_the_importer_says(holidays, weekday, weekend):
    record = {
        "energyratestructure": TWO,
        "energyweekdayschedule": EVENING,
        "energyweekendschedule": FLAT,
    }
    calendar = imported(record, holidays=holidays).document["calendar"]
    assert [day_type["holidays"] for day_type in calendar["day_types"]] == [weekday, weekend]


@pytest.mark.parametrize(
    ("fields", "component"),
    [
        ({"fixedchargefirstmeter": 5, "fixedchargeunits": "$/month"}, ("fixed", "5", "month")),
        ({"fixedchargefirstmeter": "0.4", "fixedchargeunits": "$/day"}, ("fixed", "0.4", "day")),
        ({"fixedchargefirstmeter": 90, "fixedchargeunits": "$/year"}, ("fixed", "90", "year")),
        ({"fixedmonthlycharge": 7}, ("fixed", "7", "month")),
        ({"mincharge": 3, "minchargeunits": "$/day"}, ("minimum", "3", "day")),
        ({"mincharge": 3, "minchargeunits": "$/year"}, ("minimum", "3", "year")),
        ({"minmonthlycharge": 12}, ("minimum-month", "12", "month")),
        ({"annualmincharge": 120}, ("minimum-year", "120", "year")),
    ],
)
def test_fixed_and_minimum_charges_are_in_their_units(fields, component):
    charges = [charge for charge in components(ENERGY | fields) if charge["id"] != "energy"]
    assert [
        (charge["id"], charge.get("rate", charge.get("amount")), charge["per"])
        for charge in charges
    ] == [component]


@pytest.mark.parametrize(
    ("fields", "notes"),
    [
        ({"fixedchargefirstmeter": 5}, [("convention", "fixedchargeunits")]),
        (
            {"fixedchargefirstmeter": 5, "fixedchargeunits": "$/lamp"},
            [("not_imported", "fixedchargeunits")],
        ),
        (
            {"fixedchargefirstmeter": 5, "fixedchargeunits": "$/month", "fixedmonthlycharge": 5},
            [("not_imported", "fixedmonthlycharge")],
        ),
        ({"fixedchargeeaaddl": 2}, [("not_imported", "fixedchargeeaaddl")]),
        ({"annualmincharge": 2}, [("convention", "annualmincharge"), ("convention", "mincharge")]),
        (
            {"coincidentratestructure": [[{"rate": 3}]], "coincidentschedule": FLAT},
            [("not_imported", "coincidentratestructure")],
        ),
        ({"dgrules": "Net Metering"}, [("not_imported", "dgrules")]),
        ({"fueladjustmentsmonthly": [1] * 12}, [("convention", "fueladjustmentsmonthly")]),
        ({"fueladjustmentsmonthly": [0] * 12}, []),
        ({"servicetype": "Delivery"}, [("not_imported", "servicetype")]),
        ({"servicetype": "Bundled"}, []),
        (
            {"flatdemandstructure": [[{"rate": 3, "unit": "kVA"}]], "demandwindow": 30},
            [("not_understood", "/flatdemandstructure/0/0/unit")],
        ),
        (
            {"energyratestructure": [[{"rate": 3, "unit": "kWh", "losses": 2}]]},
            [("not_understood", "/energyratestructure/0/0/losses")],
        ),
        (
            {
                "flatdemandstructure": [[{"rate": 3}]],
                "flatdemandunit": "kW daily",
                "demandwindow": 30,
            },
            [("convention", "flatdemandstructure")],
        ),
        ({"energyattrs": [{"fee": "2"}]}, [("not_understood", "energyattrs")]),
        (
            {"flatdemandstructure": [[{"rate": 3}]], "flatdemandunit": "hp"},
            [("not_imported", "flatdemandstructure"), ("convention", "demandwindow")],
        ),
        (
            {"flatdemandstructure": [[{"rate": 3}]], "flatdemandunit": "kVA"},
            [("convention", "demandwindow")],
        ),
        (
            {"flatdemandstructure": [[{"rate": 3}]], "demandwindow": 45},
            [("not_understood", "demandwindow")],
        ),
        (
            RATCHETED | {"demandratchetpercentage": [Decimal("0.5")] * 11 + [0]},
            [("convention", "demandratchetpercentage")] * 2,
        ),
        (
            RATCHETED | {"lookbackpercent": 50, "lookbackmonths": [1] * 6 + [0] * 6},
            [("convention", "demandratchetpercentage")],
        ),
        (
            RATCHETED | {"lookbackpercent": 50, "demandratchetpercentage": [80] * 12},
            [
                ("not_imported", "demandratchetpercentage"),
                ("convention", "demandratchetpercentage"),
            ],
        ),
        ({"energyweekendschedule": None}, [("convention", "energyweekendschedule")]),
    ],
)
def test_what_is_assumed_or_left_out_is_reported(fields, notes):
    assert noted(ENERGY | fields) == notes


@pytest.mark.parametrize(
    ("structure", "ratchet", "bands", "across"),
    [
        ("flatdemandstructure", {}, ["period-1"], None),
        (
            "flatdemandstructure",
            {"demandratchetpercentage": [50] * 12},
            ["period-0", "period-1"],
            1,
        ),
        ("flatdemandstructure", {"lookbackpercent": Decimal("0.5")}, ["period-0", "period-1"], 1),
        ("demandratestructure", {"lookbackpercent": Decimal("0.5")}, ["period-1"], None),
    ],
)
def test_a_ratchet_of_flat_demand_looks_back_on_all_seasons(structure, ratchet, bands, across):
    record = {
        structure: [[{"rate": 0}], [{"rate": 7}]],
        "flatdemandmonths": [0] * 6 + [1] * 6,
        "demandweekdayschedule": EVENING,
        "demandweekendschedule": EVENING,
    }
    (demand,) = components(record | ratchet)
    assert [band["name"] for band in demand["bands"]] == bands
    assert demand.get("ratchet_across_bands") == across
    if ratchet:
        assert (demand["ratchet_months"], demand["ratchet_percent"]) == (11, "50")


HALF_A_YEAR = [*["50"] * 6, *["0"] * 6]


@pytest.mark.parametrize(
    ("fields", "ratchet"),
    [
        ({"demandratchetpercentage": [0] * 12}, {}),
        ({"demandratchetpercentage": []}, {}),
        ({"demandratchetpercentage": 50}, {"ratchet_months": 11, "ratchet_percent": "50"}),
        (
            {"demandratchetpercentage": [Decimal("0.5")] * 6 + [0] * 6},
            {"ratchet_months": 11, "ratchet_percent_by_month": HALF_A_YEAR},
        ),
        (
            {"demandratchetpercentage": [50] * 6 + [None] * 6},
            {"ratchet_months": 11, "ratchet_percent_by_month": HALF_A_YEAR},
        ),
        (
            {"lookbackPercent": Decimal("0.8"), "lookbackMonths": [False] * 5 + [True] * 7},
            {
                "ratchet_months": 11,
                "ratchet_percent": "80",
                "ratchet_only_months": [6, 7, 8, 9, 10, 11, 12],
            },
        ),
        (  # a range, and months that are all 0 beside it
            {"lookbackPercent": 80, "lookbackMonths": [0] * 12, "lookbackRange": 6},
            {"ratchet_months": 6, "ratchet_percent": "80"},
        ),
        (
            {"lookbackPercent": 80, "lookbackMonths": [1] * 12, "lookbackRange": 0},
            {"ratchet_months": 11, "ratchet_percent": "80"},
        ),
    ],
)
def test_a_ratchet_is_of_the_months_that_the_record_names(fields, ratchet):
    (demand,) = components(RATCHETED | fields)
    assert {name: value for name, value in demand.items() if "ratchet" in name} == ratchet


def test_fuel_adjustments_are_charged_month_by_month():
    fuel = [Decimal("0.01")] * 2 + [Decimal("-0.002")] + [0] * 8 + [Decimal("0.01")]
    _, charge = components(ENERGY | {"fueladjustmentsmonthly": fuel})
    assert charge["bands"] == [
        {"name": "fuel-0", "rate": "0.01"},
        {"name": "fuel-1", "rate": "-0.002"},
        {"name": "fuel-2", "rate": "0"},
    ]
    assert [(window["band"], window["seasons"]) for window in charge["windows"]] == [
        ("fuel-1", ["mar"]),
        ("fuel-2", ["apr-nov"]),
        ("fuel-0", ["dec-feb"]),
    ]
    (_, charge) = components(ENERGY | {"fueladjustmentsmonthly": [Decimal("0.01")] * 12})
    assert (charge["kind"], charge["rate"]) == ("adjustment", "0.01")


@pytest.mark.parametrize(
    ("export", "flow", "sell"),
    [
        ("Net Billing Instantaneous", "import", "export"),
        ("Net Billing Hourly", "import", "export"),
        ("Buy All Sell All", "load", "generation"),
    ],
)
def test_exported_energy_is_credited_by_the_sell_rates(export, flow, sell):
    record = ENERGY | {
        "energyratestructure": [[{"rate": Decimal("0.1"), "sell": Decimal("0.04")}]],
        "dgrules": export,
    }
    charges = components(record, export="as_declared")
    assert [(charge["kind"], charge["flow"], charge["rate"]) for charge in charges] == [
        ("energy", flow, "0.1"),
        ("export_credit", sell, "0.04"),
    ]
    assert [charge["flow"] for charge in components(record)] == ["import"]


def test_net_metering_banks_what_is_left_over_in_each_period():
    record = of_file("colorado_residential_time_of_use")
    _, energy = components(record, export="as_declared")
    assert (energy["kind"], energy["surplus"]) == ("net_metering", {"kind": "carry_forward"})
    assert [band["name"] for band in energy["bands"]] == [f"period-{n}" for n in range(5)]


def test_net_metering_with_tiers_by_period_divides_them_as_sam_does():
    record = of_file("sam_commercial_tiers_in_time_of_use")
    energy = next(c for c in components(record, export="as_declared") if c["id"] == "energy")
    assert (energy["kind"], energy["split"]) == ("net_metering", "pro_rata")
    assert all(band["tiers"] for band in energy["bands"])


@pytest.mark.parametrize(
    ("units", "limits"),
    [
        ("kWh", {"per": "month"}),
        ("kWh daily", {"per": "day"}),
        ("kWh/kW", {"per": "month", "kw": "peak"}),
        ("kWh/kW daily", {"per": "day", "kw": "peak"}),
    ],
)
def test_tiers_are_limited_in_their_units(units, limits):
    tiers = [{"rate": 1, "max": Decimal("10.5"), "unit": units}, {"rate": 2, "unit": units}]
    (energy,) = components(ENERGY | {"energyratestructure": [tiers]})
    assert energy["kind"] == "tiered"
    assert energy["limits"] | limits == energy["limits"]
    assert energy["tiers"] == [{"rate": "1", "limit": "10.5"}, {"rate": "2"}]
