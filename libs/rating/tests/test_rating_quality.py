"""What the lines of a bill rest on: counts and energy of what is not actual (BIL-2, ING-6)."""

from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from gridtally.kernel.periods import Period
from gridtally.rating.engine.bill import rate
from gridtally.rating.engine.lines import DataQuality
from gridtally.rating.quality import ALL_ACTUAL, Doubtful, quality_of_all, with_quality
from gridtally.rating.tariff import Part

ZONE = "Europe/Berlin"
MARCH = Period(date(2025, 3, 1), date(2025, 4, 1))
"""743 hours: the 30th has 23."""
NIGHT = {
    "kind": "time_of_use", "id": "tou", "default_band": "day",
    "bands": [{"name": "day", "rate": "0.3"}, {"name": "night", "rate": "0.2"}],
    "windows": [{"band": "night", "from_time": "22:00", "to_time": "06:00"}],
}  # fmt: skip
FLAT = {"kind": "energy", "id": "flat", "rate": "0.2"}
FIXED = {"kind": "fixed", "id": "base", "rate": "10", "per": "month"}
TIERED = {
    "kind": "tiered", "id": "tiers", "tiers": [{"limit": "500", "rate": "0.2"}, {"rate": "0.3"}],
}  # fmt: skip
TIERED_NIGHT = {
    "kind": "tiered_time_of_use", "id": "both", "split": "per_band", "default_band": "day",
    "windows": NIGHT["windows"],
    "bands": [
        {"name": name, "tiers": [{"limit": "100", "rate": "0.2"}, {"rate": "0.3"}]}
        for name in ("day", "night")
    ],
}  # fmt: skip
DEMAND = {"kind": "demand", "id": "kw", "rate": "5", "minutes": 60}
NETTED = {
    "kind": "net_billing", "id": "net", "import_rate": "0.3", "export_rate": "0.1",
    "surplus": {"kind": "payout"},
}  # fmt: skip
VAT = {"kind": "tax", "id": "vat", "rate": "0.19", "component_ids": ["flat"]}


def letters(spans):
    """All hours actual, but for the letters at `spans`, {(first hour, last hour + 1): letter}."""
    quality = np.full(743, ord("A"), np.uint8)
    for (first, end), letter in spans.items():
        quality[first:end] = ord(letter)
    return quality


def doubtful(spans, wh=1000):
    return Doubtful(60, np.full(743, wh, np.int32), letters(spans))


def lines(version, usage, flows):
    [bill] = rate(version, [usage])
    return with_quality(bill.lines, [Part(MARCH, version)], ZONE, MARCH, flows)


def qualities(version, usage, flows):
    return {
        (line.item.component_id, line.item.band): line.quality
        for line in lines(version, usage, flows)
    }


def of(estimated=0, substituted=0, missing=0):
    """The quality of a line whose every interval has 1 kWh."""
    worst = "missing" if missing else "estimated" if estimated else "substituted"
    kwh = (Decimal(estimated), Decimal(substituted))
    return DataQuality(worst, estimated, substituted, missing, *kwh)


@pytest.fixture
def month(usage_of):
    return usage_of("2025-03-01", "2025-04-01", import_=1000, export=1000)


def test_lines_of_actual_values_say_so(version_of, month):
    found = qualities(version_of(FIXED, FLAT, VAT), month, {})
    assert found == {("base", None): None, ("flat", None): ALL_ACTUAL, ("vat", None): None}


@pytest.mark.parametrize(
    ("charge", "expected"),
    [
        (FLAT, {None: of(3, 2)}),
        # 22:00 to 24:00 of the first day lies in the night; 12:00 to 14:00 of the next in the day
        (NIGHT, {"day": of(1, 2), "night": of(2)}),
        (TIERED, {"tier-1": of(3, 2), "tier-2": of(3, 2)}),
        (TIERED_NIGHT, {"day:tier-1": of(1, 2), "day:tier-2": of(1, 2),
                        "night:tier-1": of(2), "night:tier-2": of(2)}),
        (DEMAND, {None: of(3, 2)}),
    ],
    ids=["flat", "time of use", "tiers", "tiers in bands", "demand"],
)  # fmt: skip
def test_a_line_counts_the_intervals_that_it_rests_on(version_of, month, charge, expected):
    """Estimated from 21:00 to 24:00 on the first, substituted from 12:00 to 14:00 on the second."""
    flows = {"import": doubtful({(21, 24): "E", (36, 38): "S"})}
    found = qualities(version_of(charge), month, flows)
    assert {band: quality for (_, band), quality in found.items()} == expected


def test_a_line_without_estimates_beside_one_with_them_is_actual(version_of, month):
    """Only the hours from 01:00 to 03:00 are estimated: the line of the day shows `actual`."""
    found = qualities(version_of(NIGHT), month, {"import": doubtful({(1, 3): "E"})})
    assert found == {("tou", "day"): ALL_ACTUAL, ("tou", "night"): of(2)}


SUMMER = [{"band": "s", "from_time": "00:00", "to_time": "24:00", "seasons": ["summer"]}]
TIERED_BANDS = [
    {"name": name, "tiers": [{"limit": "100", "rate": "0.2"}, {"rate": "0.3"}]}
    for name in ("w", "s")
]
DEMAND_BANDS = [{"name": name, "rate": "5"} for name in ("w", "s")]


@pytest.mark.parametrize(
    ("charge", "bands"),
    [
        ({"kind": "tiered_time_of_use", "split": "per_band"}, TIERED_BANDS),
        ({"kind": "net_metering", "split": "per_band", "surplus": {"kind": "none"}}, TIERED_BANDS),
        ({"kind": "export_credit", "split": "pro_rata", "surplus": {"kind": "payout"}},
         TIERED_BANDS),
        ({"kind": "demand", "minutes": 60}, DEMAND_BANDS),
    ],
    ids=["tiers", "netting", "credit", "demand"],
)  # fmt: skip
@pytest.mark.parametrize(
    ("rule", "counted"),
    [("by_days", {"s": of(2), "w": of(3)}), ("most_days", {"s": of(5)})],
)
def test_a_season_that_charges_all_days_rests_on_all_of_them(
    version_of, usage_of, charge, bands, rule, counted
):
    """March with summer from the 11th, 3 hours estimated on the 1st and 2 on the 20th."""
    usage = usage_of("2025-03-01", "2025-04-01", import_=2000, export=1000)
    own = {"on_season_change": rule}
    rules = own if charge["kind"] == "demand" else {"limits": own}
    component = charge | rules | {"id": "c", "bands": bands, "default_band": "w", "windows": SUMMER}
    seasons = [{"name": "winter", "start": "10-01"}, {"name": "summer", "start": "03-11"}]
    version = version_of(component, calendar={"seasons": seasons})
    flow = "export" if charge["kind"] == "export_credit" else "import"
    found = qualities(version, usage, {flow: doubtful({(0, 3): "E", (460, 462): "E"})})
    by_band = {label.partition(":")[0]: quality for (_, label), quality in found.items()}
    assert by_band == counted


def test_only_the_days_of_a_line_count(version_of, month):
    """A tax that changes on the 16th cuts the energy charge: estimates of the 1st are in one."""
    taxes = [
        {
            "kind": "tax",
            "id": "a",
            "component_ids": ["flat"],
            "rate": "0.19",
            "to_on": "2025-03-16",
        },
        {
            "kind": "tax",
            "id": "b",
            "component_ids": ["flat"],
            "rate": "0.07",
            "from_on": "2025-03-16",
        },
    ]
    found = [
        line.quality
        for line in lines(version_of(FLAT, *taxes), month, {"import": doubtful({(0, 24): "E"})})
        if line.item.kind == "energy"
    ]
    assert found == [of(24), ALL_ACTUAL]


def test_what_is_netted_rests_on_both_flows(version_of, usage_of):
    usage = usage_of("2025-03-01", "2025-04-01", import_=1000, export=3000)
    flows = {"export": doubtful({(0, 4): "E"})}
    found = qualities(version_of(NETTED), usage, flows)
    assert set(found.values()) == {of(4)}


def test_another_flow_does_not_count(version_of, month):
    assert qualities(version_of(FLAT), month, {"export": doubtful({(0, 4): "E"})}) == {
        ("flat", None): ALL_ACTUAL
    }


def test_the_whole_counts_all_flows_and_active_energy_alone():
    missing = doubtful({(0, 2): "-", (2, 3): "S"})
    reactive = doubtful({(0, 5): "E"})
    assert quality_of_all({}) == ALL_ACTUAL
    assert quality_of_all({"import": missing, "reactive_import": reactive}) == DataQuality(
        "missing", 5, 1, 2, Decimal(0), Decimal(1)
    )


def test_time_without_a_channel_is_not_missing():
    assert quality_of_all({"export": doubtful({(0, 500): "N"})}) == ALL_ACTUAL
