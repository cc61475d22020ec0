"""The sum of a channel's intervals against what its register counted in the same time.

Between two readings the register counted their difference, cut down to its last decimal at both
ends. The intervals of that time have the same energy, or one of the two is wrong. Only measured
intervals say something: where one is missing, or estimated, the time is not judged.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import numpy as np

from gridtally.metering.intervals import MISSING, Edges, Energy
from gridtally.metering.readings import (
    RegisterReading,
    difference_between,
    in_order,
    microseconds,
    mismatch,
)

WH_PER_KWH = 1_000


@dataclass(frozen=True, slots=True)
class RegisterSpan:
    """What a register counted from one reading to the next, in Wh, and by how much that may be off
    since it shows no more than its last decimal."""

    start_at: datetime
    end_at: datetime
    counted_wh: float
    step_wh: float


@dataclass(frozen=True, slots=True)
class SumCheck:
    """A span and its intervals: their sum, how many are missing, and how far the two are apart.

    `intervals_wh` has of an interval that a reading divides its part by time; `tolerance_wh` is
    what this and the register's last decimal leave open. `percent` is what lies beyond that, of the
    greater of the two; None where an interval is missing, so that nothing is judged.
    """

    span: RegisterSpan
    intervals_wh: float
    missing: int
    tolerance_wh: float
    percent: float | None


def register_spans(readings: Sequence[RegisterReading], oldest_at: datetime) -> list[RegisterSpan]:
    """The spans between measured readings of one register, in any order; two readings that cannot
    be subtracted, and a decrease, have none between them.

    A span goes on over a reading that was estimated; what was estimated when a meter was exchanged
    ends it, and there is none.
    """
    spans = []
    own = [read for read in readings if read.quality == "actual" or read.kind != "reading"]
    for before, after in pairwise(in_order(own)):
        if before.read_at == after.read_at or mismatch(before, after, oldest_at) is not None:
            continue
        if before.quality != "actual" or after.quality != "actual":
            continue
        kwh, kind = difference_between(before, after)
        if kind != "decrease":
            step = float(before.multiplier) * 10.0 ** -min(before.decimals, after.decimals)
            spans.append(
                RegisterSpan(
                    before.read_at, after.read_at, float(kwh) * WH_PER_KWH, step * WH_PER_KWH
                )
            )
    return spans


def compare(spans: Sequence[RegisterSpan], edges: Edges, values: Energy) -> list[SumCheck]:
    """Hold spans against intervals: `edges` rise without a gap and reach around all spans, `values`
    has MISSING where there is nothing to judge by.

    All spans at once, by running totals: a register that is read each hour has thousands.
    """
    is_there = values != MISSING
    energy = np.where(is_there, values, 0).astype(np.int64)
    totals = np.concatenate(([0], np.cumsum(energy)))
    counts = np.concatenate(([0], np.cumsum(is_there)))
    starts = np.array([microseconds(span.start_at) for span in spans], np.int64)
    ends = np.array([microseconds(span.end_at) for span in spans], np.int64)
    first = np.clip(np.searchsorted(edges, starts, "right") - 1, 0, values.size - 1)
    last = np.clip(np.searchsorted(edges, ends, "left") - 1, 0, values.size - 1)
    missing = last + 1 - first - (counts[last + 1] - counts[first])
    lengths = np.diff(edges)
    before = (starts - edges[first]) / lengths[first]
    after = (edges[last + 1] - ends) / lengths[last]
    sums = totals[last + 1] - totals[first] - before * energy[first] - after * energy[last]
    is_one = first == last
    open_first = np.where(before > 0, np.maximum(before, 1 - before), 0) * energy[first]
    open_last = np.where(after > 0, np.maximum(after, 1 - after), 0) * energy[last]
    # Of a span within one interval nothing is known but that it has no more than that.
    open_wh = np.where(is_one & (before + after > 0), energy[first], open_first + open_last)
    tolerance = open_wh + np.array([span.step_wh for span in spans])
    counted = np.array([span.counted_wh for span in spans])
    beyond = np.maximum(np.abs(sums - counted) - tolerance, 0)
    percent = 100 * beyond / np.maximum(np.maximum(sums, counted), 1)
    return [
        SumCheck(
            span,
            round(float(sums[index]), 3),
            int(missing[index]),
            round(float(tolerance[index]), 3),
            None if missing[index] else round(float(percent[index]), 3),
        )
        for index, span in enumerate(spans)
    ]
