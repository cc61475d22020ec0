"""Demand windows: the mean power of a meter over windows of minutes, and its highest.

Owns measuring: blocks of the local clock, or windows that slide by an interval, as arrays over
all meters of a batch. Which windows there are is `plan.window_plan`.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gridtally.kernel.errors import Rejected
from gridtally.rating.engine.batch import FLOAT_EXACT_BELOW, Batch, Energy
from gridtally.rating.engine.exact import ZERO
from gridtally.rating.reactive import FLOWS_OF, Reactive, Squares, combined, squares_of
from gridtally.rating.usage import Flow, NettableFlow

WindowMinutes = Literal[5, 10, 15, 30, 60]
WindowKind = Literal["block", "sliding"]
"""Aligned to the tariff's local clock, or from the start of any interval on."""
PowerUnit = Literal["kW", "kVA", "kvar"]
"""Active, apparent or reactive power."""
FromCoarser = Literal["refused", "mean"]
"""What intervals longer than the window give: no power, or their own mean."""
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class DemandWindows:
    """Windows of a flow over [first, last) intervals of the period, and the `day` they begin on.

    `first`, `last` and `day` have one entry per window. `weights` bring windows of unlike length
    to one unit, None where all are alike; 1 of that unit is `kw_per_unit` × 10^-decimals of the
    meter's energy.
    """

    flow: Flow | NettableFlow
    first: Integers
    last: Integers
    day: Integers
    weights: Integers | None
    kw_per_unit: Fraction
    unit: PowerUnit = "kW"
    reactive: Reactive = "import"
    """Which reactive energy is measured as kvar, or makes kVA of the kW."""
    free_share: Decimal = ZERO
    """So many kvar for each kW do not count."""

    def parts(self, highest: "HighestDays") -> int:
        """What the measured kW, kVA or kvar of some days may be divided by."""
        if self.unit == "kVA":
            return highest.of_days
        return (self.kw_per_unit / highest.of_days).denominator

    def within(self, days: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which windows lie wholly in the intervals of these days, of which `days` is a mask."""
        return days[self.first] & days[self.last - 1]

    def measure(self, batch: Batch) -> Energy:
        """Meters × windows: mean power in the windows' unit; not to be written to.

        Power is never divided: energies of windows of equal length compare as they are, and
        others are weighted to a common length, so that the highest is found in whole numbers. A
        window's energy is the difference of two running sums, one pass over the intervals; adding
        up each sliding window by itself would be as many passes as a window has intervals.
        """
        return self._power(batch, self.flow)

    def measure_squares(self, batch: Batch) -> Squares:
        """Meters × windows: the square of apparent power, in that of the windows' unit."""
        return squares_of(self.measure(batch).astype(np.int64), self.measure_reactive(batch))

    def measure_reactive(self, batch: Batch) -> Integers:
        """Meters × windows: mean reactive power in the windows' unit.

        The reactive energy of a window is added up before what is drawn and fed in are compared.
        """
        energies = [self._power(batch, flow) for flow in FLOWS_OF[self.reactive]]
        return combined(self.reactive, [energy.astype(np.int64) for energy in energies])

    def _power(self, batch: Batch, flow: Flow | NettableFlow) -> Energy:
        energy = batch.summable(flow)
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
class HighestDays:
    """The mean of the highest days' peaks, of some windows."""

    chosen: Integers
    """The indexes of the windows, in order of time."""
    day_starts: Integers
    """Where among them another day begins."""
    of_days: int

    def sums(self, power: Energy | Squares) -> list[int]:
        """For each meter the highest `of_days` days' peaks added up; 0 for power below zero."""
        return [max(int(peak), 0) for peak in self.peaks(power).sum(axis=1).tolist()]

    def peaks(self, power: Energy | Squares) -> Integers:
        """Meters × `of_days`: the highest days' peaks, in no order.

        `power` is meters × windows, or whatever grows with it. One `reduceat` makes meters × days
        of it, and `partition` finds the highest days without sorting them all.
        """
        all_windows = len(self.chosen) == power.shape[1]
        chosen = power if all_windows else power[:, self.chosen]
        daily = np.maximum.reduceat(chosen, self.day_starts, axis=1)
        if daily.dtype != object:
            daily = daily.astype(np.int64)
        others = daily.shape[1] - self.of_days
        highest: Integers = (
            daily.max(axis=1, keepdims=True)
            if self.of_days == 1
            else np.partition(daily, others, axis=1)[:, others:]
        )
        return highest


def kw_in_parts(batch: Batch, sums: list[int], kw_per_unit: Fraction) -> list[Decimal]:
    """Each meter's sum of power in the windows' unit, as kW in parts of the meter's divisor."""
    return [
        Decimal(power * kw_per_unit.numerator * (divisor // kw_per_unit.denominator)).scaleb(
            -usage.kwh_decimals
        )
        for power, divisor, usage in zip(sums, batch.divisors, batch.usages, strict=True)
    ]
