"""Measures the rating engine alone, on one core: usage arrays in, bills with their lines out.

Run as `python tests/benchmarks/rate_bills.py --json FILE`. The bar of DESIGN 7 is
20 000 monthly 15-minute time-of-use bills per second, lines and rounding included.
"""

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from decimal import Decimal
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from time import perf_counter
from uuid import UUID

import numpy as np
from script import arguments, peak_memory_mb, sized, tell

from gridtally.kernel.periods import Period
from gridtally.rating.components.net_metering import NetMetering
from gridtally.rating.document import tariff_version
from gridtally.rating.engine.bill import NO_STATE, Bill, rate
from gridtally.rating.prices import PriceSeries
from gridtally.rating.state import Bank, Lot
from gridtally.rating.tariff import Crediting, TariffVersion, usage_charges
from gridtally.rating.usage import Flow, Series, Usage, slots_in

METERS = sized(4096)
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


THREE_TIERS = [
    {"limit": "500", "rate": "0.21"},
    {"limit": "1500", "rate": "0.27"},
    {"rate": "0.39"},
]
FLAT: dict[str, object] = {"kind": "energy", "id": "energy", "rate": "0.31"}
TIERS: dict[str, object] = {"kind": "tiered", "id": "energy", "tiers": THREE_TIERS}
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
NET_BILLING: dict[str, object] = {
    "kind": "net_billing",
    "bands": [
        {"name": "peak", "import_rate": "0.4512", "export_rate": "0.1510"},
        {"name": "shoulder", "import_rate": "0.3127", "export_rate": "0.0920"},
        {"name": "night", "import_rate": "0.1893", "export_rate": "0.0480"},
    ],
    "surplus": {"kind": "payout"},
}
ON_TOP: tuple[dict[str, object], ...] = (
    {
        "kind": "percent",
        "id": "loyalty",
        "rate": "-0.02",
        "component_ids": ["energy"],
        "at_most": "3",
    },
    {"kind": "minimum_bill", "id": "least", "amount": "450"},
)
INTERVALS = {"15 minutes": 15, "hours": 60}
BANKED_KWH = Decimal(40)
STATE = {"energy": Bank((Lot("night", BANKED_KWH, MONTH.start_on, date(2026, 10, 1)),))}
PLACES = Decimal("1e-15")
"""Shares of a total show 20 places, so that they add up to 15."""


def day_ahead(minutes: int) -> PriceSeries:
    """The month's spot prices, one for each interval."""
    random = np.random.default_rng(SEED)
    prices = random.integers(-2_000, 40_000, slots_in(ZONE, MONTH, minutes))
    return PriceSeries("EUR", MONTH.bounds_utc(ZONE)[0], minutes, prices, decimals=5)


def with_energy(*charges: dict[str, object]) -> TariffVersion:
    """The same tariff with these charges instead of the time of use."""
    components = TIME_OF_USE["components"]
    assert isinstance(components, list)
    others = [part for part in components if part["id"] != "energy"]
    taxed = [charge | {"tax_class": "standard"} for charge in charges]
    return tariff_version(VERSION_ID, TIME_OF_USE | {"components": [*taxed, *others]})


def in_tiers(split: str) -> dict[str, object]:
    """The time of use with the same tiers in each of its bands."""
    components = TIME_OF_USE["components"]
    assert isinstance(components, list)
    (energy,) = [part for part in components if part["id"] == "energy"]
    bands = [{"name": band["name"], "tiers": THREE_TIERS} for band in energy["bands"]]
    return energy | {"kind": "tiered_time_of_use", "split": split, "bands": bands}


def in_bands(charge: dict[str, object]) -> dict[str, object]:
    """A charge for import and export, in the bands of the time of use."""
    components = TIME_OF_USE["components"]
    assert isinstance(components, list)
    (banded,) = (part for part in components if part["id"] == "energy")
    bands: dict[str, object] = {
        field: banded[field] for field in ("bands", "windows", "default_band")
    }
    return bands | {"id": "energy"} | charge


def kinds(minutes: int) -> dict[str, TariffVersion]:
    """A tariff for each kind of charge; demand is measured over intervals of `minutes`."""
    demand = DEMAND | {"minutes": minutes}
    return {
        "time of use": tariff_version(VERSION_ID, TIME_OF_USE),
        "flat": with_energy(FLAT),
        "flat with percentages and a minimum": with_energy(FLAT, *ON_TOP),
        "tiers": with_energy(TIERS),
        "tiers in time of use, demand": with_energy(in_tiers("per_band"), demand),
        "the same pro rata": with_energy(in_tiers("pro_rata"), demand),
        "the same in order of time": with_energy(in_tiers("chronological"), demand),
        "spot prices": with_energy(SPOT),
        "net metering with bank": with_energy(in_bands(NET)),
        "net billing": with_energy(in_bands(NET_BILLING)),
        "export credit time of use": with_energy(FLAT, in_bands(CREDIT)),
    }


def cases() -> dict[str, tuple[TariffVersion, Period, int]]:
    """What is measured: each kind by months of both intervals, and a day for daily costs."""
    found = {
        f"{name}, month of {intervals}": (version, MONTH, minutes)
        for intervals, minutes in INTERVALS.items()
        for name, version in kinds(minutes).items()
    }
    per_day = usage_charges(tariff_version(VERSION_ID, TIME_OF_USE))
    assert per_day is not None
    return found | {"cost of one day of 15 minutes": (per_day, DAY, 15)}


def measure(case: str) -> dict[str, float]:
    """Bills and readings per second: usage objects made, bills rated, every line rounded.

    Memory is that of this process, which must have measured nothing else: its peak, and what of
    it came on top of the meters' series while all bills were made once and held. Where the tariff
    credits export, meters export about as much as they import.
    """
    version, period, minutes = cases()[case]
    slots = slots_in(ZONE, period, minutes)
    random = np.random.default_rng(SEED)
    energy = random.integers(0, 2_000, (METERS, slots), dtype=np.int64)
    flows: list[dict[Flow, Series]] = [{"import": row} for row in energy]
    if any(isinstance(charge, Crediting) for charge in version.components):
        export = random.integers(0, 2_000, (METERS, slots), dtype=np.int64)
        flows = [flow | {"export": row} for flow, row in zip(flows, export, strict=True)]
    banks = any(isinstance(charge, NetMetering) for charge in version.components)
    states = [STATE if banks else NO_STATE] * METERS
    prices = {"day-ahead": day_ahead(minutes)}

    def run() -> list[Bill]:
        usages = [Usage(ZONE, period, minutes, series, Decimal(15)) for series in flows]
        return rate(version, usages, states=states, prices=prices)

    before_mb = peak_memory_mb()
    bills = run()
    peak_mb = peak_memory_mb()
    check(bills, flows, BANKED_KWH if banks else Decimal(0))
    seconds = median(timed(run) for _ in range(ROUNDS))
    return {
        "bills_per_s": round(METERS / seconds),
        "readings_per_s": round(METERS * slots / seconds),
        "us_per_bill": round(seconds / METERS * 1e6, 1),
        "lines_per_bill": len(bills[0].lines),
        "peak_memory_mb": peak_mb,
        "memory_for_rating_mb": peak_mb - before_mb,
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
    """Measures case by case, each in a process of its own, so that its memory is its own."""
    target: Path = arguments(__doc__).parse_args().json
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # one core, also for numpy's threads
    fresh = ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1)
    with fresh as processes:
        figures = {case: processes.submit(measure, case).result() for case in cases()}
    tell(f"one core, seed {SEED}, median of {ROUNDS} rounds of {METERS} bills", figures, target)


if __name__ == "__main__":
    main()
