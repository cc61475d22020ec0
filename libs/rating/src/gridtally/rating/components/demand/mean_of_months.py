"""Mean of months: the step that bills the mean of the last months' peaks, month by month.

Owns what the mean is of: the peaks that earlier bills left and those of this one, each of at least
the minimum. A month that no bill was for is not in it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from gridtally.kernel.periods import months_after
from gridtally.rating.components.demand.billed_demand import rounded_up
from gridtally.rating.components.demand.peaks import (
    MeasuredPeaks,
    MonthDemand,
    drop_peaks_before,
    earlier_peaks,
    store_peaks,
)
from gridtally.rating.engine.batch import Batch
from gridtally.rating.engine.demand_windows import DemandWindows
from gridtally.rating.engine.exact import ZERO
from gridtally.rating.engine.lines import Item
from gridtally.rating.engine.steps import Step, StepResult
from gridtally.rating.state import Peak
from gridtally.rating.tiers import Tier, graduated, upper_limits


@dataclass(frozen=True, slots=True, eq=False)
class MonthTerm:
    """A calendar month in which a band is in force, and how many `times` its mean is billed."""

    band: str | None
    start_on: date
    times: Fraction


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class MonthlyMeans(Step):
    """For each month the mean kW of up to `months` months, times what a rate is for; added up.

    One line for each tier of each band. The `pieces`, days of the version, are added to the peaks
    that are stored before any month is billed; each holds the peak of its month's days in all of
    the billed period.
    """

    component_id: str
    lines: tuple[Item, ...]
    windows: DemandWindows
    bands: tuple[tuple[str | None, tuple[Tier, ...]], ...]
    terms: tuple[MonthTerm, ...]
    pieces: tuple[MonthDemand, ...]
    months: int
    minimum_kw: Decimal
    kw_step: Decimal | None
    retained_from_on: date

    @property
    def items(self) -> tuple[Item, ...]:
        return self.lines

    @property
    def omits_zero_lines(self) -> bool:
        return any(len(tiers) > 1 for _, tiers in self.bands)

    @property
    def denominator(self) -> int:
        parts = (
            self.windows.parts(piece.highest) for piece in self.pieces if piece.highest is not None
        )
        return self._times_denominator * math.lcm(*parts)

    def divisors(self, batch: Batch) -> list[int]:
        """What each meter's stored peaks are counted in, what a mean divides by, and the times.

        The times are in it once more: a version that began earlier in the period may have stored a
        peak in the same parts that the times are counted in.
        """
        divided = math.lcm(*range(1, self.months + 1)) * self._times_denominator
        return [
            divided * math.lcm(*(peak.parts for peak in peaks))
            for peaks in earlier_peaks(batch, self.component_id)
        ]

    def charge(self, batch: Batch) -> list[StepResult]:
        store_peaks(batch, self.component_id, self.pieces, MeasuredPeaks(batch, self.windows))
        results: list[StepResult] = []
        for band, tiers in self.bands:
            kw_by_tier = [[ZERO] * len(batch.usages) for _ in tiers]
            for term in self.terms:
                if term.band == band:
                    self._add_term(batch, term, tiers, kw_by_tier)
            results.extend(StepResult(kw) for kw in kw_by_tier)
        drop_peaks_before(batch, self.component_id, self.retained_from_on)
        return results

    def _add_term(
        self,
        batch: Batch,
        term: MonthTerm,
        tiers: tuple[Tier, ...],
        kw_by_tier: list[list[Decimal]],
    ) -> None:
        billed = self._means(batch, term)
        if self.kw_step is not None:
            billed = rounded_up(batch, billed, self.kw_step)
        up, down = term.times.numerator, term.times.denominator
        for meter, (kw, divisor) in enumerate(zip(billed, batch.divisors, strict=True)):
            parts = graduated(ZERO, kw, upper_limits(tiers, Decimal(divisor)))
            for tier_kw, part in zip(kw_by_tier, parts, strict=True):
                tier_kw[meter] += part * up / down

    def _means(self, batch: Batch, term: MonthTerm) -> list[Decimal]:
        """Each meter's mean of the months up to the term's, in kW in parts of its divisor."""
        from_on = months_after(term.start_on, 1 - self.months)
        means = []
        for peaks, divisor in zip(
            earlier_peaks(batch, self.component_id), batch.divisors, strict=True
        ):
            kw_of = _highest_by_month(peaks, term.band, from_on, term.start_on, divisor)
            least = self.minimum_kw * divisor
            means.append(sum((max(kw, least) for kw in kw_of.values()), ZERO) / len(kw_of))
        return means

    @property
    def _times_denominator(self) -> int:
        return math.lcm(*(term.times.denominator for term in self.terms))


def _highest_by_month(
    peaks: Sequence[Peak], band: str | None, from_on: date, until_on: date, divisor: int
) -> dict[date, Decimal]:
    """A band's highest kW of each month that begins from `from_on` to `until_on`, both included."""
    kw_of: dict[date, Decimal] = {}
    for peak in peaks:
        start_on = peak.start_on.replace(day=1)
        if peak.band == band and from_on <= start_on <= until_on:
            kw = peak.kw * (divisor // peak.parts)
            kw_of[start_on] = max(kw, kw_of.get(start_on, kw))
    return kw_of
