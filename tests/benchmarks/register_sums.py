"""What the rule `register_sum` finds of errors planted in intervals and in readings of registers.

Called by `validate_readings`, whose houses these are. Registers are read twice a week at any minute
and show what the houses have used up to then, cut down to their last decimal.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from gridtally.metering.intervals import edges_around
from gridtally.metering.readings import RegisterReading
from gridtally.metering.validation.register_sums import compare, register_spans
from gridtally.metering.validation.rules import RULES

Values = npt.NDArray[np.int64]
BEGIN_AT = datetime(2025, 7, 2, 22, tzinfo=UTC)
"""Midnight in Berlin."""
LONG_AGO = datetime(2000, 1, 2, tzinfo=UTC)
READINGS = 5
MINUTES = 15
PLANTED_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Planted:
    """Where an error is planted: in the intervals from one index up to another, or in the reading
    at their end."""

    values: Values
    shown: list[Decimal]
    begin: int
    end: int


Plant = Callable[[Planted, np.random.Generator], None]


def _lost(planted: Planted, chance: np.random.Generator) -> None:
    """Six hours are zero: what was lost was filled."""
    first = int(chance.integers(planted.begin + 1, planted.end - 25))
    planted.values[first : first + 24] = 0


def _twice(planted: Planted, chance: np.random.Generator) -> None:
    """Half a day is counted twice."""
    first = int(chance.integers(planted.begin + 1, planted.end - 49))
    planted.values[first : first + 48] *= 2


def _scaled(planted: Planted, _: np.random.Generator) -> None:
    """A factor that is off by five percent."""
    inside = slice(planted.begin + 1, planted.end - 1)
    planted.values[inside] = np.rint(planted.values[inside] * 1.05)


def _misread(planted: Planted, chance: np.random.Generator) -> None:
    """The last reading has a wrong digit of whole tens of kWh."""
    planted.shown[-1] += 10 * int(chance.integers(1, 5))


PLANTS: dict[str, Plant] = {
    "six hours are zero": _lost,
    "half a day counts twice": _twice,
    "a factor is off by five percent": _scaled,
    "a digit of the register is misread": _misread,
}


def _readings(
    values: Values, decimals: int, chance: np.random.Generator
) -> tuple[list[datetime], list[Decimal], list[int]]:
    """When a register is read, what it shows, and the interval of each reading."""
    minutes = np.sort(chance.choice(values.size * MINUTES, READINGS, replace=False))
    minutes += np.arange(READINGS)
    minutes = np.minimum(minutes, values.size * MINUTES - 1)
    slots = minutes // MINUTES
    totals = np.concatenate(([0], np.cumsum(values)))
    # What an interval had by then is anything, but for one that has just begun.
    part = np.sort(chance.random(READINGS)) * (minutes % MINUTES > 0)
    shown = np.floor((totals[slots] + values[slots] * part) * 10**decimals / 1000).astype(int)
    return (
        [BEGIN_AT + timedelta(minutes=int(minute)) for minute in minutes],
        [1000 + Decimal(int(value)).scaleb(-decimals) for value in shown],
        slots.tolist(),
    )


def found(load: Values, seed: int) -> dict[str, dict[str, float]]:
    """For each error, and registers of three decimals or none: precision and recall of spans."""
    rows = {}
    for decimals in (3, 0):
        for name, plant in PLANTS.items():
            chance = np.random.default_rng(seed)
            rows[f"register_sum: {name}, {decimals} decimals"] = _row(load, decimals, plant, chance)
    return rows


def _row(
    load: Values, decimals: int, plant: Plant, chance: np.random.Generator
) -> dict[str, float]:
    planted = said = right = spans_count = 0
    limit, least = RULES["register_sum"].limit, RULES["register_sum"].least
    edges = edges_around(
        "Europe/Berlin", MINUTES, BEGIN_AT, BEGIN_AT + timedelta(minutes=MINUTES * load[0].size)
    )
    for house in load:
        values = house.reshape(-1).copy()
        moments, shown, slots = _readings(values, decimals, chance)
        is_wrong = chance.random() < PLANTED_SHARE and slots[-1] - slots[-2] > 60
        if is_wrong:
            plant(Planted(values, shown, slots[-2], slots[-1]), chance)
        readings = [
            RegisterReading(at, at, "reading", value, 6, Decimal(1), decimals=decimals)
            for at, value in zip(moments, shown, strict=True)
        ]
        checks = compare(register_spans(readings, LONG_AGO), edges, values)
        for index, check in enumerate(checks):
            spans_count += 1
            speaks = check.percent is not None and check.percent >= limit
            speaks &= max(check.intervals_wh, check.span.counted_wh) >= least
            said += speaks
            right += speaks and is_wrong and index == len(checks) - 1
        planted += is_wrong
    return {
        "planted_spans": planted,
        "said_spans": said,
        "precision": round(right / said, 3) if said else 1.0,
        "recall_spans": round(right / planted, 3),
        "false_alarms_per_1000_spans": round(1000 * (said - right) / (spans_count - planted), 2),
    }
