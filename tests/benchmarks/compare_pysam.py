"""Holds the rating engine against PySAM's `Utilityrate5`: same tariffs, same year, one core.

Run as `python tests/benchmarks/compare_pysam.py --json FILE`; `make bench` brings PySAM. Both
read the same URDB records. The year is 2018, which begins on a Monday as all of SAM's years do,
in a zone without clock changes. Every monthly bill must agree as far as PySAM's floats go.
"""

import json
import os
import sys
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from script import arguments, sized

from gridtally.kernel.periods import months_between
from gridtally.rating.document import tariff_version
from gridtally.rating.engine.bill import Bill, rate
from gridtally.rating.quote import rate_in_sequence
from gridtally.rating.tariff import TariffVersion
from gridtally.rating.usage import Usage, slots_in
from gridtally.urdb import import_record

RECORDS = Path(__file__).parents[2] / "libs" / "urdb" / "tests" / "records"
CASES = {
    "time of use": "colorado_residential_time_of_use",
    "tiers in time of use, with demand": "sam_commercial_tiers_in_time_of_use",
}
ZONE = "America/Phoenix"
MONTHS = months_between(date(2018, 1, 1), date(2019, 1, 1))
METERS = sized(128, least=16)
PYSAM_METERS = 16
ROUNDS = 3
SEED = 5
AGREES_WITHIN = 1e-6
"""Of a bill: PySAM's matrices and sums are floats."""


def main() -> int:
    """Prints the table and writes the figures; exit status 1 where bills differ."""
    target: Path = arguments(__doc__).parse_args().json
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    figures: dict[str, dict[str, float]] = {}
    for title, name in CASES.items():
        for minutes in (60, 15):
            figures[f"{title}, {minutes} minutes"] = compare(name, minutes)
    sys.stdout.write(f"seed {SEED}, median of {ROUNDS} rounds; bills of a month, per second\n")
    heading = ("many meters", "one meter", "PySAM", "times")
    sys.stdout.write(f"{'both, one core':48}" + "".join(f"{text:>13}" for text in heading) + "\n")
    for case, row in figures.items():
        sys.stdout.write(
            f"{case:48}{row['bills_per_s']:>13.0f}{row['one_meter_bills_per_s']:>13.0f}"
            f"{row['pysam_bills_per_s']:>13.0f}{row['times']:>13.1f}\n"
        )
    target.write_text(json.dumps({"figures": figures}, indent=2) + "\n")
    worst = max(row["largest_difference"] for row in figures.values())
    sys.stdout.write(f"largest difference of a monthly bill: {worst:.1e} of it\n")
    return 1 if worst > AGREES_WITHIN else 0


def compare(name: str, minutes: int) -> dict[str, float]:
    """Both engines' speed on one record, and how far their bills lie apart."""
    text = (RECORDS / f"{name}.json").read_text()
    record = json.loads(text, parse_float=Decimal)
    document = import_record(record, zone=ZONE, incomplete="accepted").document
    version = tariff_version(UUID(int=1), document)
    years = [year_of(number, minutes) for number in range(METERS)]
    seconds = timed(lambda: rate_all(version, years, minutes))
    few = years[:PYSAM_METERS]
    alone = timed(lambda: [rate_in_sequence(version, usages(year, minutes)) for year in few])
    model = pysam_model(json.loads(text))
    theirs = timed(lambda: [pysam_bills(model, year) for year in years[:PYSAM_METERS]])
    bills = len(MONTHS)
    difference = 0.0
    for year in years[:PYSAM_METERS]:
        ours = [monthly_total(bill) for bill in rate_in_sequence(version, usages(year, minutes))]
        for mine, other in zip(ours, pysam_bills(model, year), strict=True):
            difference = max(difference, abs(mine - other) / mine)
    speed = METERS * bills / seconds
    their_speed = PYSAM_METERS * bills / theirs
    return {
        "bills_per_s": round(speed),
        "one_meter_bills_per_s": round(PYSAM_METERS * bills / alone),
        "pysam_bills_per_s": round(their_speed),
        "times": round(speed / their_speed, 1),
        "largest_difference": difference,
    }


def year_of(number: int, minutes: int) -> NDArray[np.int64]:
    """Wh per interval of a meter's year, with a daily swing and single peaks."""
    generator = np.random.default_rng([SEED, number])
    slots = 365 * 24 * 60 // minutes
    swing = 1 + np.sin(np.arange(slots) * 2 * np.pi * minutes / 1440)
    wh = (swing * 40_000).astype(np.int64) + generator.integers(0, 60_000, slots)
    wh[generator.integers(0, slots, 60)] += 90_000
    return wh * minutes // 60


def usages(year: NDArray[np.int64], minutes: int) -> list[Usage]:
    """The year cut into calendar months."""
    edges = np.cumsum([0, *(slots_in(ZONE, month, minutes) for month in MONTHS)])
    return [
        Usage(ZONE, month, minutes, {"import": year[edges[index] : edges[index + 1]]})
        for index, month in enumerate(MONTHS)
    ]


def rate_all(version: TariffVersion, years: Sequence[NDArray[np.int64]], minutes: int) -> None:
    """Every meter's bill of each month, month after month, with the state carried forward."""
    months = [usages(year, minutes) for year in years]
    states = None
    for index in range(len(MONTHS)):
        bills = rate(version, [usages_of_meter[index] for usages_of_meter in months], states=states)
        states = [bill.state for bill in bills]


def monthly_total(bill: Bill) -> float:
    """Before rounding, which PySAM does not do."""
    return float(sum(bill.totals_exact().values()))


def pysam_model(record: dict[str, Any]) -> Any:
    """`Utilityrate5` with the record's rates, of a year without generation."""
    from PySAM import Utilityrate5, UtilityRateTools

    record = record.get("items", [record])[0]
    if "fixedmonthlycharge" in record:  # an older field than PySAM reads
        record["fixedchargefirstmeter"] = record["fixedmonthlycharge"]
        record["fixedchargeunits"] = "$/month"
    model = Utilityrate5.new()
    model.ElectricityRates.assign(
        UtilityRateTools.URDBv8_to_ElectricityRates(record)
        | {"rate_escalation": [0], "ur_nm_yearend_sell_rate": 0, "ur_nm_credit_month": 11}
        | {"ur_nm_credit_rollover": 0, "ur_sell_eq_buy": 0, "ur_en_ts_sell_rate": 0}
        | {"ur_ts_sell_rate": [0], "ur_en_ts_buy_rate": 0, "ur_ts_buy_rate": [0]}
    )
    model.Lifetime.assign(
        {"analysis_period": 1, "inflation_rate": 0, "system_use_lifetime_output": 0}
    )
    model.SystemOutput.assign({"degradation": [0]})
    return model


def pysam_bills(model: Any, year: NDArray[np.int64]) -> list[float]:
    """The twelve bills of a year's load."""
    per_hour = len(year) // 8760
    model.SystemOutput.gen = [0.0] * len(year)
    model.Load.load = (year / 1000 * per_hour).tolist()
    model.execute(0)
    bills: Sequence[float] = model.Outputs.year1_monthly_utility_bill_wo_sys
    return list(bills)


def timed(run: Callable[[], object]) -> float:
    """Median seconds that `run` takes, once warm."""
    run()
    seconds = []
    for _ in range(ROUNDS):
        start = perf_counter()
        run()
        seconds.append(perf_counter() - start)
    return median(seconds)


if __name__ == "__main__":
    sys.exit(main())
