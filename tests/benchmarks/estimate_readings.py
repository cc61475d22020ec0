"""Measures estimates against withheld shapes: how far each method is off, and what it costs.

Generated houses (those of validate_readings) live for ten weeks; in the last four, gaps of several
lengths are withheld and estimated, by each method alone. The table of docs/estimation.md is what
this prints. No server is needed.
"""

from dataclasses import replace
from time import process_time

import numpy as np
import script
import validate_readings as planted

from gridtally.metering.estimation import (
    MISSING,
    THOUSANDTHS,
    Channel,
    Estimate,
    Rules,
    estimate,
)

SEED = 15
SLOTS = planted.SLOTS
GAPS = {"an hour": 4, "three hours": 12, "a day": SLOTS, "a week": 7 * SLOTS}
WITHHELD_FROM = 6 * 7 * SLOTS
METHODS = {
    "straight_line": Rules(line_intervals_max=8 * SLOTS),
    "same_weekday": Rules(line_intervals_max=0),
    "group_profile": Rules(line_intervals_max=0),
}


def channels(values: planted.Values, gap: int, chance: np.random.Generator) -> list[Channel]:
    """Each house with a gap; its group is the mean of the others."""
    houses, days, _ = values.shape
    of_all = values.reshape(houses, -1)
    total = of_all.sum(axis=0)
    made = []
    for house in range(houses):
        wanted = np.zeros(of_all.shape[1], np.bool_)
        begin = int(chance.integers(WITHHELD_FROM, of_all.shape[1] - gap - 1))
        wanted[begin : begin + gap] = True
        group = (total - of_all[house]) * THOUSANDTHS // max(houses - 1, 1)
        made.append(
            Channel(
                np.where(wanted, MISSING, of_all[house]), ~wanted, wanted,
                np.repeat(np.arange(days), SLOTS), np.tile(np.arange(SLOTS), days),
                np.arange(days) % 7, group,
            )
        )  # fmt: skip
    return made


def alone(channel: Channel, method: str) -> Estimate:
    """What one method makes: the others find nothing to go by."""
    if method == "same_weekday":
        channel = replace(channel, group=np.full(channel.group.size, MISSING, np.int64))
    if method == "group_profile":
        channel = replace(channel, kinds=np.arange(channel.kinds.size))
    return estimate(channel, METHODS[method])


def error(values: planted.Values, gap: int, method: str) -> dict[str, float]:
    """Percent of the withheld energy that intervals are off by, and that sums of gaps are."""
    of_all = values.reshape(len(values), -1)
    off = off_sum = energy = intervals = 0
    start = process_time()
    estimates = [
        (channel, alone(channel, method))
        for channel in channels(values, gap, np.random.default_rng(SEED))
    ]
    seconds = process_time() - start
    for house, (channel, made) in enumerate(estimates):
        chosen = channel.is_wanted & (made.values != MISSING)
        difference = made.values[chosen] - of_all[house][chosen]
        off += int(np.abs(difference).sum())
        off_sum += int(abs(difference.sum()))
        energy += int(of_all[house][chosen].sum())
        intervals += int(chosen.sum())
    return {
        "intervals": intervals,
        "off_by_percent": round(100 * off / max(energy, 1), 1),
        "sums_off_by_percent": round(100 * off_sum / max(energy, 1), 1),
        "us_per_channel": round(seconds * 1e6 / len(estimates)),
    }


def main() -> None:
    """Prints the figures and writes them."""
    target = script.arguments(__doc__).parse_args().json
    load, sun, _ = planted.houses(np.random.default_rng(SEED))
    figures = {
        f"{flow}, {name}: {method}": error(shape.values, gap, method)
        for flow, shape in (("load", load), ("generation", sun))
        for name, gap in GAPS.items()
        for method in METHODS
    }
    script.tell(f"seed {SEED}, {planted.HOUSES} houses", figures, target)


if __name__ == "__main__":
    main()
