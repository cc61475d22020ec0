"""Holds export against PySAM's `Utilityrate5`: each of its metering options, month by month.

Run as `python tests/benchmarks/compare_pysam_netting.py --json FILE`; `make bench` brings PySAM.
A year of hours without clock changes in which a sun above the load exports in summer, at two sizes:
a small one, and one that fills a bank which December's bill empties. No speed is measured.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from compare_pysam import AGREES_WITHIN, MONTHS, SEED, ZONE, monthly_total
from numpy.typing import NDArray
from script import arguments

from gridtally.rating.document import tariff_version
from gridtally.rating.quote import rate_in_sequence
from gridtally.rating.usage import Usage, slots_in

HOURS = 8760
PEAK_FROM, PEAK_TO = 16, 21
SUNS_WH = (3_500, 6_000)
NO_LIMIT = 1e38
Series = NDArray[np.int64]
Rows = Sequence[tuple[int, int, float, float, float]]
"""Period, tier, the tier's highest kWh of a month, and what a kWh costs and is sold for."""

ONE_RATE: Rows = [(1, 1, NO_LIMIT, 0.2, 0.05)]
BY_TIME: Rows = [(1, 1, NO_LIMIT, 0.2, 0.05), (2, 1, NO_LIMIT, 0.4, 0.05)]
IN_TIERS: Rows = [(1, 1, 300, 0.1, 0.05), (1, 2, NO_LIMIT, 0.3, 0.02)]
TIERS_BY_TIME: Rows = [*IN_TIERS, (2, 1, 300, 0.2, 0.09), (2, 2, NO_LIMIT, 0.45, 0.03)]
SOLD_AT_ONE_RATE: Rows = [(period, tier, top, buy, 0.05) for period, tier, top, buy, _ in IN_TIERS]
TIERS_SOLD_AT_ONE_RATE: Rows = [
    (period, tier, top, buy, 0.05) for period, tier, top, buy, _ in TIERS_BY_TIME
]
HOURS_OF_USE: Rows = [(1, 1, 100, 0.1, 0.05), (1, 2, NO_LIMIT, 0.3, 0.05)]
HOURS_OF_USE_BY_TIME: Rows = [*HOURS_OF_USE, (2, 1, 100, 0.2, 0.05), (2, 2, NO_LIMIT, 0.45, 0.05)]
PER_KW = {"limits": {"kw": "peak", "peak_minutes": 60}}
BANK = {"kind": "carry_forward", "true_up_month": 1}
DOLLARS = {
    "kind": "offset",
    "unused": "carry_forward",
    "true_up_month": 1,
    "true_up": "payout",
}
PAID = {"kind": "payout"}
FIXED = {"kind": "fixed", "id": "fixed", "rate": "25", "per": "month"}


@dataclass(frozen=True, slots=True)
class Case:
    """A metering option of PySAM with its rates, and the components that are to be the same."""

    option: int
    rows: Rows
    components: Sequence[Mapping[str, object]]


def rated(rows: Rows, *, sold: bool = False) -> dict[str, object]:
    """The rates of the rows as fields of a component: what is bought, or sold."""
    of_period: dict[int, list[dict[str, object]]] = {}
    for period, _, top, buy, sell in rows:
        limit = {} if top == NO_LIMIT else {"limit": f"{top:g}"}
        of_period.setdefault(period, []).append({"rate": f"{sell if sold else buy:g}"} | limit)
    fields = {
        period: {"tiers": tiers} if len(tiers) > 1 else tiers[0]
        for period, tiers in of_period.items()
    }
    if len(fields) == 1:
        return fields[1]
    window = {"band": "peak", "from_time": f"{PEAK_FROM}:00", "to_time": f"{PEAK_TO}:00"}
    bands = [{"name": "peak", **fields[2]}, {"name": "else", **fields[1]}]
    return {"bands": bands, "windows": [window], "default_band": "else"}


def metering(rows: Rows, surplus: Mapping[str, object], **fields: str) -> dict[str, object]:
    """Import less export over the month."""
    split = {"split": "pro_rata"} if in_tiers_by_time(rows) else {}
    limits = PER_KW if is_per_kw(rows) else {}
    component = {"kind": "net_metering", "id": "energy", "surplus": surplus}
    return component | rated(rows) | split | limits | fields


def in_tiers_by_time(rows: Rows) -> bool:
    """Whether periods have tiers."""
    return len(rows) > len({period for period, *_ in rows}) > 1


def is_per_kw(rows: Rows) -> bool:
    """Whether a tier reaches so many kWh for each kW of the month's peak."""
    return rows in (HOURS_OF_USE, HOURS_OF_USE_BY_TIME)


def buying(rows: Rows, flow: str) -> dict[str, object]:
    """Energy in tiers, as they are reached."""
    rates = rated(rows)
    split = {"split": "chronological"} if "bands" in rates else {}
    limits = PER_KW if is_per_kw(rows) else {}
    kind = "tiered_time_of_use" if "bands" in rates else "tiered"
    return {"kind": kind, "id": "energy", "flow": flow} | rates | split | limits


def selling(rows: Rows, flow: str, surplus: Mapping[str, object]) -> dict[str, object]:
    """Every kWh of a flow at its sell rate."""
    rates = {"rate": "0.05"} if is_per_kw(rows) else rated(rows, sold=True)
    split = {"split": "chronological"} if "bands" in rates else {}
    credit = {"kind": "export_credit", "id": "sold", "flow": flow, "surplus": surplus}
    return credit | rates | split


OF_ENERGY = DOLLARS | {"kinds": ["energy"]}
"""PySAM's dollars of net metering pay for energy alone, those of net billing for all."""
CASES = {
    "0, kWh: one rate": Case(0, ONE_RATE, [metering(ONE_RATE, BANK)]),
    "0, kWh: by time": Case(0, BY_TIME, [metering(BY_TIME, BANK)]),
    "0, kWh: tiers": Case(0, SOLD_AT_ONE_RATE, [metering(SOLD_AT_ONE_RATE, BANK)]),
    "0, kWh: tiers by time": Case(
        0, TIERS_SOLD_AT_ONE_RATE, [metering(TIERS_SOLD_AT_ONE_RATE, BANK)]
    ),
    "0, kWh: tiers per kW": Case(0, HOURS_OF_USE, [metering(HOURS_OF_USE, BANK)]),
    "0, kWh: tiers per kW by time": Case(
        0, HOURS_OF_USE_BY_TIME, [metering(HOURS_OF_USE_BY_TIME, BANK)]
    ),
    "1, dollars: by time": Case(1, BY_TIME, [metering(BY_TIME, OF_ENERGY, surplus_rate="0.05")]),
    "1, dollars: tiers by time": Case(
        1,
        TIERS_SOLD_AT_ONE_RATE,
        [metering(TIERS_SOLD_AT_ONE_RATE, OF_ENERGY, surplus_rate="0.05")],
    ),
    "2, net billing: tiers": Case(
        2, IN_TIERS, [buying(IN_TIERS, "net_import"), selling(IN_TIERS, "net_export", PAID)]
    ),
    "2, net billing: tiers by time": Case(
        2,
        TIERS_BY_TIME,
        [buying(TIERS_BY_TIME, "net_import"), selling(TIERS_BY_TIME, "net_export", PAID)],
    ),
    "2, net billing: tiers per kW by time": Case(
        2,
        HOURS_OF_USE_BY_TIME,
        [
            buying(HOURS_OF_USE_BY_TIME, "net_import"),
            selling(HOURS_OF_USE_BY_TIME, "net_export", PAID),
        ],
    ),
    "3, net billing, carried over": Case(
        3,
        TIERS_BY_TIME,
        [
            buying(TIERS_BY_TIME, "net_import"),
            selling(TIERS_BY_TIME, "net_export", DOLLARS | {"from_bill": "next"}),
        ],
    ),
    "4, buy all, sell all": Case(
        4,
        TIERS_BY_TIME,
        [buying(TIERS_BY_TIME, "load"), selling(TIERS_BY_TIME, "generation", PAID)],
    ),
}


def main() -> int:
    """Prints how far the bills of each case lie apart; exit status 1 where they differ."""
    target: Path = arguments(__doc__).parse_args().json
    figures: dict[str, dict[str, float]] = {}
    for title, case in CASES.items():
        apart = max(largest_difference(case, sun_wh) for sun_wh in SUNS_WH)
        figures[title] = {"largest_difference": apart}
        sys.stdout.write(f"{title:38}{apart:>10.1e}\n")
    target.write_text(json.dumps({"figures": figures}, indent=2) + "\n")
    worst = max(row["largest_difference"] for row in figures.values())
    return 1 if worst > AGREES_WITHIN else 0


def largest_difference(case: Case, sun_wh: int) -> float:
    """Of the year's monthly bills, in dollars."""
    load, generation = year_of(sun_wh)
    document = {"currency": "USD", "zone": ZONE, "components": [FIXED, *case.components]}
    version = tariff_version(UUID(int=1), document)
    ours = [monthly_total(bill) for bill in rate_in_sequence(version, usages(load, generation))]
    theirs = pysam_bills(case, load, generation)
    return max(abs(mine - other) for mine, other in zip(ours, theirs, strict=True))


def year_of(sun_wh: int) -> tuple[Series, Series]:
    """Load and generation in Wh, hour by hour."""
    load = np.random.default_rng(SEED).integers(0, 3_000, HOURS)
    hour, day = np.arange(HOURS) % 24, np.arange(HOURS) // 24
    height = np.maximum(np.sin((hour - 6) / 12 * np.pi), 0)
    season = 1 + 0.6 * np.cos((day - 170) / 365 * 2 * np.pi)
    return load, (height * season * sun_wh).astype(np.int64)


def usages(load: Series, generation: Series) -> list[Usage]:
    """The year cut into calendar months."""
    net = load - generation
    series = {
        "import": np.maximum(net, 0),
        "export": np.maximum(-net, 0),
        "load": load,
        "generation": generation,
    }
    edges = np.cumsum([0, *(slots_in(ZONE, month, 60) for month in MONTHS)])
    return [
        Usage(
            ZONE,
            month,
            60,
            {flow: values[edges[index] : edges[index + 1]] for flow, values in series.items()},
        )
        for index, month in enumerate(MONTHS)
    ]


def pysam_bills(case: Case, load: Series, generation: Series) -> list[float]:
    """The twelve bills of the year with generation."""
    from PySAM import Utilityrate5

    by_time = any(period == 2 for period, *_ in case.rows)
    day = [2 if by_time and PEAK_FROM <= hour < PEAK_TO else 1 for hour in range(24)]
    schedule, unit = [day] * 12, int(is_per_kw(case.rows))
    model: Any = Utilityrate5.new()
    model.ElectricityRates.assign(
        {"rate_escalation": [0], "ur_metering_option": case.option, "ur_dc_enable": 0}
        | {"ur_nm_yearend_sell_rate": 0, "ur_nm_credit_month": 11, "ur_nm_credit_rollover": 0}
        | {"ur_monthly_fixed_charge": 25, "ur_monthly_min_charge": 0, "ur_annual_min_charge": 0}
        | {"ur_en_ts_sell_rate": 0, "ur_ts_sell_rate": [0], "ur_sell_eq_buy": 0}
        | {"ur_en_ts_buy_rate": 0, "ur_ts_buy_rate": [0]}
        | {"ur_ec_sched_weekday": schedule, "ur_ec_sched_weekend": schedule}
        | {"ur_ec_tou_mat": [[p, t, top, unit, buy, sell] for p, t, top, buy, sell in case.rows]}
        | {"ur_dc_sched_weekday": schedule, "ur_dc_sched_weekend": schedule}
        | {"ur_dc_tou_mat": [[1, 1, NO_LIMIT, 0]]}
        | {"ur_dc_flat_mat": [[month, 1, NO_LIMIT, 0] for month in range(12)]}
    )
    model.Lifetime.assign(
        {"analysis_period": 1, "inflation_rate": 0, "system_use_lifetime_output": 0}
    )
    model.SystemOutput.assign({"degradation": [0], "gen": (generation / 1000).tolist()})
    model.Load.load = (load / 1000).tolist()
    model.execute(0)
    bills: Sequence[float] = model.Outputs.year1_monthly_utility_bill_w_sys
    return list(bills)


if __name__ == "__main__":
    sys.exit(main())
