"""The golden cases of net and gross metering as tariff documents and hourly readings.

`bills.json` was given; `arrears.json` is our own, in the same form.
"""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

from gridtally.kernel.periods import month_of

FOLDER = Path(__file__).parent
ZONE = "Europe/Berlin"
APRIL = month_of(date(2025, 4, 1))
HOUR_IMPORTED, HOUR_EXPORTED = 20, 12
"""The hours of the period in which all the energy flows."""


def cases_of(name):
    """The cases of a file by their ids."""
    return {case["id"]: case for case in json.loads((FOLDER / name).read_text())["cases"]}


def tariff_of(case):
    """The capacity charge, what the policy makes of import and export, and the tax on energy."""
    components = [
        {"kind": "capacity", "id": "capacity", "rate": case["fixed_per_kw"]},
        *(_gross(case) if case["policy"] == "gross" else _net(case)),
        {"kind": "tax", "id": "tax", "rate": case["tax_rate"], "component_ids": ["energy"]},
    ]
    if Decimal(case["fac_per_kwh"]):
        components.append({"kind": "adjustment", "id": "fac", "rate": case["fac_per_kwh"]})
    return {"currency": "EUR", "zone": ZONE, "components": components}


def readings_of(case):
    """Wh in each hour of April, by flow."""
    imported, exported = ([0] * APRIL.slots(ZONE, 60) for _ in range(2))
    imported[HOUR_IMPORTED] = int(Decimal(case["import_kwh"]) * 1000)
    exported[HOUR_EXPORTED] = int(Decimal(case["export_kwh"]) * 1000)
    return {"import": imported, "export": exported}


def _net(case):
    surplus = {"kind": "none"}
    if case["credit_policy"] == "offset":
        surplus = {"kind": "offset", "kinds": ["fixed"], "unused": "lost"}
    return [
        {"kind": "net_metering", "id": "energy", "rate": case["retail_rate"], "surplus": surplus}
    ]


def _gross(case):
    surplus = {"kind": "offset", "after_tax": True, "unused": "lost"}
    return [
        {
            "kind": "export_credit",
            "id": "export",
            "rate": case["feed_in_rate"],
            "surplus": surplus,
        },
        {"kind": "energy", "id": "energy", "rate": case["retail_rate"]},
    ]
