"""Billed demand: the step that charges kW, and the ratchet that looks back on earlier months.

Owns what follows the measured peak: ratchet, minimum, rounding up, tiers and proration.
"""

import math
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from gridtally.kernel.periods import Period, month_of
from gridtally.rating.components.demand.peaks import (
    MeasuredPeaks,
    MonthDemand,
    drop_peaks_before,
    earlier_peaks,
    store_peaks,
)
from gridtally.rating.engine.batch import Batch
from gridtally.rating.engine.demand_windows import DemandWindows, HighestDays
from gridtally.rating.engine.exact import ZERO
from gridtally.rating.engine.lines import Item
from gridtally.rating.engine.steps import Step, StepResult
from gridtally.rating.state import Peak
from gridtally.rating.tiers import Tier, graduated, upper_limits


@dataclass(frozen=True, slots=True, eq=False)
class BandDemand:
    """The windows of a band that are billed, the tiers of their kW, and how often it is due.

    `days` are those of the bill that it is for, and their months, days or years its `times`.
    """

    band: str | None
    tiers: tuple[Tier, ...]
    highest: HighestDays
    days: Period
    times: Fraction


@dataclass(frozen=True, slots=True, eq=False)
class Ratchet:
    """At least a `fraction` of the highest complete month in [from_on, until_on) is billed.

    Of the band's own months, or `across_bands` of any's; of `only_months` of the year, if any. The
    `pieces` of this bill are added to the months that are stored, from `retained_from_on` on.
    """

    component_id: str
    fraction: Decimal
    only_months: frozenset[int]
    across_bands: bool
    from_on: date
    until_on: date
    retained_from_on: date
    pieces: tuple[MonthDemand, ...]

    def least_in_parts(self, batch: Batch, band: str | None) -> list[Decimal]:
        """What each meter is billed at least, in kW in parts of its divisor."""
        return [
            self.fraction
            * max(
                (
                    peak.kw * (divisor // peak.parts)
                    for peak in peaks
                    if (self.across_bands or peak.band == band) and self._counts(peak)
                ),
                default=ZERO,
            )
            for peaks, divisor in zip(
                earlier_peaks(batch, self.component_id), batch.divisors, strict=True
            )
        ]

    def _counts(self, peak: Peak) -> bool:
        """Whether a peak is one of a complete month that the ratchet looks back on."""
        month = month_of(peak.start_on)
        return (
            (peak.start_on, peak.end_on) == (month.start_on, month.end_on)
            and (not self.only_months or peak.start_on.month in self.only_months)
            and self.from_on <= peak.start_on
            and peak.end_on <= self.until_on
        )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class BilledDemand(Step):
    """Billed kW times months, days or years: one line for each tier of each band."""

    lines: tuple[Item, ...]
    windows: DemandWindows
    bands: tuple[BandDemand, ...]
    minimum_kw: Decimal
    kw_step: Decimal | None
    ratchet: Ratchet | None

    @property
    def items(self) -> tuple[Item, ...]:
        return self.lines

    @property
    def omits_zero_lines(self) -> bool:
        return any(len(band.tiers) > 1 for band in self.bands)

    @property
    def denominator(self) -> int:
        times = math.lcm(*(band.times.denominator for band in self.bands))
        return times * math.lcm(*(self.windows.parts(band.highest) for band in self.bands))

    def divisors(self, batch: Batch) -> list[int] | None:
        """The `parts` that the kW of each meter's earlier months are counted in."""
        if self.ratchet is None:
            return None
        return [
            math.lcm(*(peak.parts for peak in peaks))
            for peaks in earlier_peaks(batch, self.ratchet.component_id)
        ]

    def charge(self, batch: Batch) -> list[StepResult]:
        measured = MeasuredPeaks(batch, self.windows)
        results: list[StepResult] = []
        for band in self.bands:
            billed = self._billed_kw(batch, band, measured)
            up, down = band.times.numerator, band.times.denominator
            tiers_by_meter = [
                graduated(ZERO, kw, upper_limits(band.tiers, Decimal(divisor)))
                for kw, divisor in zip(billed, batch.divisors, strict=True)
            ]
            results.extend(
                StepResult([kw * up / down for kw in tier])
                for tier in zip(*tiers_by_meter, strict=True)
            )
        if self.ratchet is not None:
            component_id = self.ratchet.component_id
            store_peaks(batch, component_id, self.ratchet.pieces, measured)
            drop_peaks_before(batch, component_id, self.ratchet.retained_from_on)
        return results

    def _billed_kw(self, batch: Batch, band: BandDemand, measured: MeasuredPeaks) -> list[Decimal]:
        """The billed kW of each meter, in parts of its divisor."""
        billed = measured(band.highest).in_parts(batch)
        if self.ratchet is not None:
            least = self.ratchet.least_in_parts(batch, band.band)
            billed = [max(kw, least_kw) for kw, least_kw in zip(billed, least, strict=True)]
        if self.minimum_kw:
            billed = [
                max(kw, self.minimum_kw * divisor)
                for kw, divisor in zip(billed, batch.divisors, strict=True)
            ]
        if self.kw_step is not None:
            billed = rounded_up(batch, billed, self.kw_step)
        return billed


def rounded_up(batch: Batch, billed: list[Decimal], kw_step: Decimal) -> list[Decimal]:
    """The kW of each meter, in parts of its divisor, rounded up to whole steps."""
    rounded = []
    for kw, divisor in zip(billed, batch.divisors, strict=True):
        step = kw_step * divisor
        floor = kw // step * step
        rounded.append(floor if floor == kw else floor + step)
    return rounded
