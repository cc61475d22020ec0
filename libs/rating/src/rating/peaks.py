"""Peaks: the highest mean power of a meter, from its energy per interval.

Owns measuring windows: blocks of the local clock, or windows that slide by an interval. Refuses
windows that the intervals cannot give, and blocks that a band's edge cuts.
"""

import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kernel.errors import Rejected
from rating.bands import UNCOVERED
from rating.batch import FLOAT_EXACT_BELOW, Batch, Energy
from rating.span import Span, day_numbers
from rating.usage import Flow

WindowMinutes = Literal[5, 10, 15, 30, 60]
WindowKind = Literal["block", "sliding"]
"""Aligned to the tariff's local clock, or from the start of any interval on."""
FromCoarser = Literal["refused", "mean"]
"""What intervals longer than the window give: nothing, or their own mean."""
MINUTES_PER_HOUR = 60
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Windows of a flow over [first, last) intervals of the period, and the `day` they begin on.

    `weights` bring those of unlike length to one unit; one of it is `kw_per_unit` × 10^-decimals
    of the meter's energy.
    """

    flow: Flow
    first: Integers
    last: Integers
    day: Integers
    weights: Integers | None
    kw_per_unit: Fraction

    def within(self, days: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which of them lie wholly in the intervals of these days."""
        return days[self.first] & days[self.last - 1]

    def measure(self, batch: Batch) -> Energy:
        """Meters × windows: mean power in the windows' unit; not to be written to."""
        energy = batch.summable(self.flow)
        if len(self.first) == energy.shape[1]:  # each interval is a window
            power = energy
        else:
            sums = np.zeros((energy.shape[0], energy.shape[1] + 1), dtype=energy.dtype)
            np.cumsum(energy, axis=1, out=sums[:, 1:])
            power = sums[:, self.last] - sums[:, self.first]
        if self.weights is None:
            return power
        if int(np.abs(power).max()) * int(self.weights.max()) >= FLOAT_EXACT_BELOW:
            raise Rejected("energy_out_of_range", "the energy of one interval is too much")
        return power * self.weights.astype(power.dtype)


@dataclass(frozen=True, slots=True, eq=False)
class Highest:
    """The mean of the highest days' peaks, of some windows."""

    chosen: Integers
    """The windows, in order of time."""
    day_starts: Integers
    """Where among them another day begins."""
    of_days: int

    def sums(self, power: Energy) -> list[int]:
        """For each meter the highest `of_days` days' peaks added up; nothing is below nothing."""
        whole = len(self.chosen) == power.shape[1]
        chosen = power if whole else power[:, self.chosen]
        daily = np.maximum.reduceat(chosen, self.day_starts, axis=1).astype(np.int64)
        if self.of_days == 1:
            highest = daily.max(axis=1)
        else:
            place = daily.shape[1] - self.of_days
            highest = np.partition(daily, place, axis=1)[:, place:].sum(axis=1)
        return [max(peak, 0) for peak in highest.tolist()]


def windows_of(
    component_id: str,
    flow: Flow,
    span: Span,
    minutes: int,
    kind: WindowKind = "block",
    from_coarser: FromCoarser = "refused",
) -> Windows:
    """All windows of the billed period; Rejected where the intervals cannot give them."""
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
    return Windows(
        flow=flow,
        first=first,
        last=last,
        day=day_numbers(span.zone, span.period, span.minutes)[first],
        weights=None if (lengths == unit).all() else unit // lengths,
        kw_per_unit=Fraction(MINUTES_PER_HOUR, unit),
    )


def highest_of(windows: Windows, chosen: NDArray[np.bool_], days_max: int = 1) -> Highest | None:
    """The mean of the peaks of up to `days_max` days, of those windows; None where there are none.

    Where fewer days have such windows, it is the mean of theirs.
    """
    places = np.flatnonzero(chosen)
    if not len(places):
        return None
    days = windows.day[places]
    day_starts = np.concatenate([[0], np.flatnonzero(np.diff(days)) + 1])
    return Highest(places, day_starts, min(days_max, len(day_starts)))


def bands_of_windows(
    component_id: str,
    windows: Windows,
    kind: WindowKind,
    places: NDArray[np.int16],
    chosen: NDArray[np.bool_],
) -> NDArray[np.int16]:
    """The band's place for each window, from those of the intervals.

    A sliding window that is not wholly in one band is in none; a block that is not is Rejected,
    where it is one of the `chosen`.
    """
    changes = np.concatenate([[0], np.cumsum(np.diff(places) != 0)])
    cut = changes[windows.first] != changes[windows.last - 1]
    if kind == "block" and (cut & chosen).any():
        raise Rejected(
            "edge_inside_window",
            f"{component_id}: a band changes inside a block that power is measured over",
        )
    return np.where(cut, UNCOVERED, places[windows.first]).astype(np.int16)


def kw_in_parts(batch: Batch, sums: list[int], kw_per_unit: Fraction) -> list[Decimal]:
    """Sums of power in the windows' unit as kW in parts of each meter's divisor."""
    return [
        Decimal(power * kw_per_unit.numerator * (divisor // kw_per_unit.denominator)).scaleb(
            -usage.kwh_decimals
        )
        for power, divisor, usage in zip(sums, batch.divisors, batch.usages, strict=True)
    ]
