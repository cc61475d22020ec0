"""Window plan: the windows of a billed period over which power is measured, and their bands.

Refuses windows that the intervals cannot give, and blocks that a band's edge cuts.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from gridtally.kernel.errors import Rejected
from gridtally.rating.bands import UNCOVERED
from gridtally.rating.engine.demand_windows import (
    DemandWindows,
    FromCoarser,
    HighestDays,
    WindowKind,
)
from gridtally.rating.plan.span import Span, day_numbers
from gridtally.rating.usage import Flow, NettableFlow

MINUTES_PER_HOUR = 60


def windows_of(
    component_id: str,
    flow: Flow | NettableFlow,
    span: Span,
    minutes: int,
    kind: WindowKind = "block",
    from_coarser: FromCoarser = "refused",
) -> DemandWindows:
    """All windows of the billed period; Rejected where the intervals cannot give them.

    A block ends where the tariff's clock reaches a multiple of `minutes`, and where that clock
    jumps. A change by half an hour makes blocks shorter than the others; `weights` are what the
    energy of each is to be multiplied by to compare as power (their least common multiple, as a
    number of minutes, over their own).
    """
    slots = len(span.chosen)
    if span.minutes > minutes and from_coarser == "mean":
        minutes = span.minutes
    elif minutes % span.minutes:
        raise Rejected(
            "intervals_too_coarse",
            f"{component_id}: power over {minutes} minutes cannot be had from intervals of "
            f"{span.minutes} minutes",
        )
    if kind == "sliding":
        first = np.arange(slots - minutes // span.minutes + 1)
        last = first + minutes // span.minutes
    else:
        starts = span.local_minutes[:, 0]
        begins = np.diff(starts) != span.minutes
        begins |= np.diff(starts // minutes) != 0
        first = np.concatenate([[0], np.flatnonzero(begins) + 1])
        last = np.append(first[1:], slots)
    lengths = (last - first) * span.minutes
    unit = math.lcm(*np.unique(lengths).tolist())
    return DemandWindows(
        flow=flow,
        first=first,
        last=last,
        day=day_numbers(span.zone, span.period, span.minutes)[first],
        weights=None if (lengths == unit).all() else unit // lengths,
        kw_per_unit=Fraction(MINUTES_PER_HOUR, unit),
    )


def highest_of(
    windows: DemandWindows, chosen: NDArray[np.bool_], days_max: int = 1
) -> HighestDays | None:
    """The mean of the peaks of up to `days_max` days, of the windows that `chosen` marks.

    Where fewer days have such windows, it is the mean of theirs; None where there are none.
    """
    window_indexes = np.flatnonzero(chosen)
    if not len(window_indexes):
        return None
    days = windows.day[window_indexes]
    day_starts = np.concatenate([[0], np.flatnonzero(np.diff(days)) + 1])
    return HighestDays(window_indexes, day_starts, min(days_max, len(day_starts)))


def weighted_windows(
    windows: DemandWindows, masks: Sequence[NDArray[np.bool_]], weights: Sequence[Decimal]
) -> DemandWindows:
    """The windows, of which each mask marks those whose power is multiplied by its weight.

    Weights are whole multiples of a common fraction, which becomes part of the windows' unit, so
    that power stays a whole number.
    """
    fractions = [Fraction(weight) for weight in weights]
    common = math.lcm(*(fraction.denominator for fraction in fractions))
    weight_of = np.full(len(windows.first), common, np.int64)
    for mask, fraction in zip(masks, fractions, strict=True):
        weight_of[mask] = int(fraction * common)
    own = 1 if windows.weights is None else windows.weights
    return replace(windows, weights=weight_of * own, kw_per_unit=windows.kw_per_unit / common)


def bands_of_windows(
    component_id: str,
    windows: DemandWindows,
    kind: WindowKind,
    band_of: NDArray[np.int16],
    chosen: NDArray[np.bool_],
) -> NDArray[np.int16]:
    """The band's index for each window, from those of the intervals in `band_of`.

    A sliding window that is not wholly in one band is in none; a block that is not is Rejected,
    where it is one of the `chosen`. Counting the changes of band before each interval tells in two
    look-ups per window whether any lies inside it.
    """
    changes = np.concatenate([[0], np.cumsum(np.diff(band_of) != 0)])
    cut = changes[windows.first] != changes[windows.last - 1]
    if kind == "block" and (cut & chosen).any():
        raise Rejected(
            "edge_inside_window",
            f"{component_id}: a band changes inside a block that power is measured over",
        )
    return np.where(cut, UNCOVERED, band_of[windows.first]).astype(np.int16)
