"""Peaks: what a batch's meters measured, and the peaks of months that bills carry forward.

Owns measuring once per plan step, and how the pieces of a month that several bills are for become
one peak. What is billed of them is `billed_demand` and `mean_of_months`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from gridtally.kernel.periods import Period, month_of
from gridtally.rating.engine.batch import Batch, Energy
from gridtally.rating.engine.demand_windows import DemandWindows, HighestDays
from gridtally.rating.engine.exact import ZERO
from gridtally.rating.reactive import KVA_DECIMALS, Squares, thousandths_of_kva
from gridtally.rating.state import Peak, Peaks, own_state


@dataclass(frozen=True, slots=True)
class MeasuredKw:
    """Each meter's measured kW, kVA or kvar: `kw` / `parts`; a mean may have no finite decimal."""

    kw: list[Decimal]
    parts: int

    def in_parts(self, batch: Batch) -> list[Decimal]:
        """The kW in parts of each meter's divisor."""
        return [
            kw * (divisor // self.parts)
            for kw, divisor in zip(self.kw, batch.divisors, strict=True)
        ]


@dataclass(frozen=True, slots=True, eq=False)
class MonthDemand:
    """What is stored of a band on some days of a month; `highest` None where it is not in force."""

    band: str | None
    days: Period
    highest: HighestDays | None


class MeasuredPeaks:
    """The peaks of a batch: measured once, also where a month's are those of the bill.

    Power (meters × windows), or its square where kVA are measured, is made when it is constructed;
    the peak of a `HighestDays` is kept for the next time that it is asked for, since the same
    object stands for the same days. Of squares the highest are found first, so that roots are taken
    of a few days' peaks alone.
    """

    def __init__(self, batch: Batch, windows: DemandWindows) -> None:
        self._batch = batch
        self._windows = windows
        self._power = _power(batch, windows)
        self._peaks: dict[HighestDays, MeasuredKw] = {}

    def __call__(self, highest: HighestDays | None) -> MeasuredKw:
        """Each meter's peak; 0 where there is nothing to measure."""
        if highest is None:
            return MeasuredKw([ZERO] * len(self._batch.usages), 1)
        if highest not in self._peaks:
            self._peaks[highest] = MeasuredKw(self._measured(highest), self._windows.parts(highest))
        return self._peaks[highest]

    def _measured(self, highest: HighestDays) -> list[Decimal]:
        match self._windows.unit:
            case "kW":
                return self._highest(highest, self._power)
            case "kVA":
                return self._kva(highest)
            case "kvar":
                return self._kvar(highest)

    def _highest(self, highest: HighestDays, power: Energy | Squares) -> list[Decimal]:
        unit = self._windows.kw_per_unit / highest.of_days
        return [
            Decimal(total * unit.numerator).scaleb(-usage.kwh_decimals)
            for total, usage in zip(highest.sums(power), self._batch.usages, strict=True)
        ]

    def _kvar(self, highest: HighestDays) -> list[Decimal]:
        """What is not free of the highest kvar, by the highest kW, whenever either was."""
        kvar = self._highest(highest, self._power)
        free = self._windows.free_share
        if not free:
            return kvar
        kw = self._highest(highest, self._windows.measure(self._batch))
        return [max(a - free * b, ZERO) for a, b in zip(kvar, kw, strict=True)]

    def _kva(self, highest: HighestDays) -> list[Decimal]:
        unit = self._windows.kw_per_unit
        squares_of_days = highest.peaks(self._power).tolist()
        return [
            Decimal(
                sum(thousandths_of_kva(square, unit / 10**usage.kwh_decimals) for square in squares)
            ).scaleb(-KVA_DECIMALS)
            for squares, usage in zip(squares_of_days, self._batch.usages, strict=True)
        ]


def _power(batch: Batch, windows: DemandWindows) -> Energy | Squares:
    """Meters × windows: power in the windows' unit, or its square where kVA are measured."""
    match windows.unit:
        case "kW":
            return windows.measure(batch)
        case "kVA":
            return windows.measure_squares(batch)
        case "kvar":
            return windows.measure_reactive(batch)


def earlier_peaks(batch: Batch, component_id: str) -> list[tuple[Peak, ...]]:
    """Each meter's earlier peaks; Rejected where its state is of another kind."""
    return [
        () if (state := own_state(states, component_id, Peaks)) is None else state.peaks
        for states in batch.states
    ]


def store_peaks(
    batch: Batch,
    component_id: str,
    pieces: Sequence[MonthDemand],
    measured: MeasuredPeaks,
) -> None:
    """Leaves the peaks of these pieces of months with the earlier ones of each meter.

    A peak is stored as `kw` / `parts`, so that the next bill gets it exactly.
    """
    kw_of = [measured(piece.highest) for piece in pieces]
    for meter, earlier in enumerate(earlier_peaks(batch, component_id)):
        peaks = list(earlier)
        for piece, kw in zip(pieces, kw_of, strict=True):
            days = piece.days
            peaks = _merged(
                peaks, Peak(piece.band, days.start_on, days.end_on, kw.kw[meter], kw.parts)
            )
        peaks.sort(key=lambda peak: (peak.start_on, peak.band or ""))
        batch.states[meter][component_id] = Peaks(tuple(peaks))


def drop_peaks_before(batch: Batch, component_id: str, retained_from_on: date) -> None:
    """Leaves of each meter's peaks those that the next bill may look at."""
    for states, peaks in zip(batch.states, earlier_peaks(batch, component_id), strict=True):
        retained = [peak for peak in peaks if peak.start_on >= retained_from_on]
        states[component_id] = Peaks(tuple(retained))


def _merged(peaks: Sequence[Peak], new: Peak) -> list[Peak]:
    """The peaks and a new one, which is merged with an earlier of the same month that it follows.

    Peaks of the same band that end after the new one begins give way to it.
    """
    others = [peak for peak in peaks if peak.band != new.band or peak.end_on <= new.start_on]
    for index, peak in enumerate(others):
        same_month = month_of(peak.start_on) == month_of(new.start_on)
        if peak.band == new.band and peak.end_on == new.start_on and same_month:
            higher = max(peak, new, key=lambda either: Fraction(either.kw) / either.parts)
            others[index] = Peak(new.band, peak.start_on, new.end_on, higher.kw, higher.parts)
            return others
    return [*others, new]
