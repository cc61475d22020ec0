"""Measures the rating engine alone, on one core: usage arrays in, bills with their lines out.

Run as `python tests/benchmarks/rate_bills.py [--json FILE]`. The bar of DESIGN 7 is
20 000 monthly 15-minute time-of-use bills per second, lines and rounding included.
"""

import argparse
import json
import os
import platform
import resource
import sys
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from statistics import median
from time import perf_counter
from uuid import UUID

import numpy as np

from kernel.periods import Period
from rating.bill import NO_STATE, Bill, rate
from rating.components.net_metering import NetMetering
from rating.document import tariff_version
from rating.prices import PriceSeries
from rating.state import Bank, Lot
from rating.tariff import Crediting, TariffVersion, usage_charges
from rating.usage import Flow, Series, Usage, slots_in

METERS = 4096
ROUNDS = 5
SEED = 7
ZONE = "Europe/Berlin"
MONTH = Period(date(2025, 10, 1), date(2025, 11, 1))
DAY = Period(date(2025, 10, 26), date(2025, 10, 27))
VERSION_ID = UUID("00000000-0000-0000-0000-000000000001")
TIME_OF_USE: dict[str, object] = {
    "currency": "EUR",
    "zone": ZONE,
    "calendar": {
        "seasons": [{"name": "summer", "start": "04-01"}, {"name": "winter", "start": "10-01"}],
        "day_types": [
            {
                "name": "workday",
                "weekdays": ["mon", "tue", "wed", "thu", "fri"],
                "holidays": "excluded",
            }
        ],
        "holidays": {"country": "DE"},
    },
    "components": [
        {"kind": "fixed", "id": "standing", "rate": "12.50", "per": "month"},
        {"kind": "capacity", "id": "capacity", "rate": "2.10"},
        {
            "kind": "time_of_use",
            "id": "energy",
            "tax_class": "standard",
            "bands": [
                {"name": "peak", "rate": "0.4512"},
                {"name": "shoulder", "rate": "0.3127"},
                {"name": "night", "rate": "0.1893"},
            ],
            "windows": [
                {
                    "band": "peak",
                    "from_time": "17:00",
                    "to_time": "20:00",
                    "day_types": ["workday"],
                },
                {"band": "night", "from_time": "22:00", "to_time": "06:00"},
            ],
            "default_band": "shoulder",
        },
        {"kind": "adjustment", "id": "levy", "rate": "0.0205", "tax_class": "standard"},
        {"kind": "tax", "id": "vat", "rate": "0.19", "tax_class": "standard"},
    ],
}


LADDER = [{"limit": "500", "rate": "0.21"}, {"limit": "1500", "rate": "0.27"}, {"rate": "0.39"}]
FLAT: dict[str, object] = {"kind": "energy", "id": "energy", "rate": "0.31"}
TIERS: dict[str, object] = {"kind": "tiered", "id": "energy", "tiers": LADDER}
DEMAND: dict[str, object] = {
    "kind": "demand",
    "id": "demand",
    "bands": [{"name": "peak", "rate": "9.50"}, {"name": "rest", "rate": "4.25"}],
    "windows": [{"band": "peak", "from_time": "17:00", "to_time": "20:00"}],
    "default_band": "rest",
    "ratchet_months": 11,
    "ratchet_percent": "80",
}
SPOT: dict[str, object] = {
    "kind": "spot",
    "id": "energy",
    "series": "day-ahead",
    "floor": "0",
    "multiplier": "1.05",
}
PRICES = {
    "day-ahead": PriceSeries(
        "EUR",
        MONTH.bounds_utc(ZONE)[0],
        15,
        np.random.default_rng(SEED).integers(-2_000, 40_000, slots_in(ZONE, MONTH, 15)),
        decimals=5,
    )
}
NET: dict[str, object] = {
    "kind": "net_metering",
    "cross_band": "later",
    "surplus": {"kind": "carry_forward", "expires_after_months": 12},
}
CREDIT: dict[str, object] = {
    "kind": "export_credit",
    "id": "feed-in",
    "surplus": {"kind": "payout", "taxed": True},
}
BANKED_KWH = Decimal(40)
STATE = {"energy": Bank((Lot("night", BANKED_KWH, MONTH.start_on, date(2026, 10, 1)),))}
PLACES = Decimal("1e-15")
"""Shares of a total show 20 places, so that they add up to 15."""


def with_energy(*charges: dict[str, object]) -> TariffVersion:
    """The same tariff with these charges instead of the time of use."""
    components = TIME_OF_USE["components"]
    assert isinstance(components, list)
    others = [part for part in components if part["id"] != "energy"]
    taxed = [charge | {"tax_class": "standard"} for charge in charges]
    return tariff_version(VERSION_ID, TIME_OF_USE | {"components": [*taxed, *others]})


def in_tiers(split: str) -> dict[str, object]:
    """The time of use with the same ladder in each of its bands."""
    components = TIME_OF_USE["components"]
    assert isinstance(components, list)
    (energy,) = [part for part in components if part["id"] == "energy"]
    bands = [{"name": band["name"], "tiers": LADDER} for band in energy["bands"]]
    return energy | {"kind": "tiered_time_of_use", "split": split, "bands": bands}


def giving(charge: dict[str, object]) -> dict[str, object]:
    """What gives as well as takes, in the bands of the time of use."""
    components = TIME_OF_USE["components"]
    assert isinstance(components, list)
    (banded,) = (part for part in components if part["id"] == "energy")
    bands: dict[str, object] = {
        field: banded[field] for field in ("bands", "windows", "default_band")
    }
    return bands | {"id": "energy"} | charge


def measure(version: TariffVersion, period: Period, minutes: int) -> dict[str, object]:
    """Bills and readings per second: usage objects made, bills rated, every line rounded.

    Where the tariff credits what is given, meters export about as much as they import.
    """
    slots = slots_in(ZONE, period, minutes)
    random = np.random.default_rng(SEED)
    energy = random.integers(0, 2_000, (METERS, slots), dtype=np.int64)
    flows: list[dict[Flow, Series]] = [{"import": row} for row in energy]
    if any(isinstance(charge, Crediting) for charge in version.components):
        export = random.integers(0, 2_000, (METERS, slots), dtype=np.int64)
        flows = [flow | {"export": row} for flow, row in zip(flows, export, strict=True)]
    banks = any(isinstance(charge, NetMetering) for charge in version.components)
    states = [STATE if banks else NO_STATE] * METERS

    def run() -> list[Bill]:
        usages = [Usage(ZONE, period, minutes, series, Decimal(15)) for series in flows]
        return rate(version, usages, states=states, prices=PRICES)

    bills = run()
    check(bills, flows, BANKED_KWH if banks else Decimal(0))
    seconds = median(timed(run) for _ in range(ROUNDS))
    return {
        "bills_per_s": round(METERS / seconds),
        "readings_per_s": round(METERS * slots / seconds),
        "us_per_bill": round(seconds / METERS * 1e6, 1),
        "lines_per_bill": len(bills[0].lines),
    }


def check(bills: list[Bill], flows: list[dict[Flow, Series]], banked_kwh: Decimal) -> None:
    """AssertionError unless every kWh is billed, credited or banked once and lines add up."""
    for bill, series in zip(bills, flows, strict=True):
        wh = int(series["import"].sum()) - int(series["export"].sum() if "export" in series else 0)
        billed = sum((x.quantity for x in bill.lines if x.item.kind == "energy"), Decimal(0))
        billed -= sum(x.quantity for x in bill.lines if x.item.kind == "credit")
        bank = bill.state.get("energy")
        left = bank.lots if isinstance(bank, Bank) else ()
        billed += banked_kwh - sum(lot.kwh for lot in left)
        assert abs(billed * 1000 - wh) < PLACES, f"{wh} Wh, but {billed} kWh billed"
        assert sum(x.amount for x in bill.lines) == bill.total


def timed(run: Callable[[], object]) -> float:
    """Seconds that `run` takes."""
    start = perf_counter()
    run()
    return perf_counter() - start


def main() -> None:
    """Prints the table and writes the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, default=Path(".cache/bench/rating.json"))
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # one core, also for numpy's threads
    tou = tariff_version(VERSION_ID, TIME_OF_USE)
    per_day = usage_charges(tou)
    assert per_day is not None
    cases = {
        "time of use, month of 15 minutes": (tou, MONTH, 15),
        "time of use, month of hours": (tou, MONTH, 60),
        "flat, month of 15 minutes": (with_energy(FLAT), MONTH, 15),
        "tiers": (with_energy(TIERS), MONTH, 15),
        "tiers in time of use, demand": (with_energy(in_tiers("per_band"), DEMAND), MONTH, 15),
        "the same pro rata": (with_energy(in_tiers("pro_rata"), DEMAND), MONTH, 15),
        "the same in order of time": (with_energy(in_tiers("chronological"), DEMAND), MONTH, 15),
        "spot prices of 15 minutes": (with_energy(SPOT), MONTH, 15),
        "net metering with bank": (with_energy(giving(NET)), MONTH, 15),
        "export credit time of use": (with_energy(FLAT, giving(CREDIT)), MONTH, 15),
        "cost of one day of 15 minutes": (per_day, DAY, 15),
    }
    figures = {name: measure(*case) for name, case in cases.items()}
    sys.stdout.write(f"seed {SEED}, median of {ROUNDS} rounds of {METERS} bills\n")
    sys.stdout.write(f"{'rating, one core':36}{'bills/s':>10}{'readings/s':>14}{'lines':>7}\n")
    for name, row in figures.items():
        sys.stdout.write(
            f"{name:36}{row['bills_per_s']:>10}{row['readings_per_s']:>14}"
            f"{row['lines_per_bill']:>7}\n"
        )
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    document = {
        "machine": platform.machine(),
        "python": platform.python_version(),
        "peak_memory_mb": peak_mb,
        "figures": figures,
    }
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
