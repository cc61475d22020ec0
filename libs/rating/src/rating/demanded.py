"""Billed demand: the step that charges kW, and the ratchet that remembers earlier months.

Owns what follows the measured peak: ratchet, minimum, rounding up, tiers and proration.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from kernel.periods import Period, month_of
from rating.batch import Batch
from rating.exact import NOTHING
from rating.ladder import MONTHS_PER_YEAR, Tier, graduated, tops
from rating.lines import Item
from rating.peaks import Highest, Windows, kw_in_parts
from rating.state import Peak, Peaks, own_state
from rating.steps import Charged, Step


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """The windows of a band that are billed, and the tiers of their kW."""

    band: str | None
    tiers: tuple[Tier, ...]
    highest: Highest


@dataclass(frozen=True, slots=True, eq=False)
class MonthPiece:
    """What is remembered of a band on some days of a calendar month; None where it is not on."""

    band: str | None
    days: Period
    highest: Highest | None


@dataclass(frozen=True, slots=True, eq=False)
class Ratchet:
    """A `share` of the highest complete month in [from_on, until_on) is billed at least.

    Of the band's own months, or `across_bands` of any's; of `only_months` of the year, if any.

    The `pieces` are added to the months that are remembered, from `kept_from_on` on.
    """

    component_id: str
    share: Decimal
    only_months: frozenset[int]
    across_bands: bool
    from_on: date
    until_on: date
    kept_from_on: date
    pieces: tuple[MonthPiece, ...]

    def remembered(self, batch: Batch) -> list[tuple[Peak, ...]]:
        """Each meter's earlier peaks; Rejected where its state is of another kind."""
        return [
            () if (state := own_state(states, self.component_id, Peaks)) is None else state.peaks
            for states in batch.states
        ]

    def least_in_parts(self, batch: Batch, band: str | None) -> list[Decimal]:
        """What each meter is billed at least, in kW in parts of its divisor."""
        return [
            self.share
            * max(
                (
                    peak.kw * (divisor // peak.parts)
                    for peak in peaks
                    if (self.across_bands or peak.band == band) and self._counts(peak)
                ),
                default=NOTHING,
            )
            for peaks, divisor in zip(self.remembered(batch), batch.divisors, strict=True)
        ]

    def remember(self, batch: Batch, peaks_of: "PeaksOf") -> None:
        """Leaves the peaks of these days with those of before."""
        measured, units = zip(*(peaks_of(piece.highest) for piece in self.pieces), strict=True)
        for meter, (usage, before) in enumerate(
            zip(batch.usages, self.remembered(batch), strict=True)
        ):
            peaks = list(before)
            for piece, sums, unit in zip(self.pieces, measured, units, strict=True):
                kw = Decimal(sums[meter] * unit.numerator).scaleb(-usage.kwh_decimals)
                days = piece.days
                peaks = _with(
                    peaks, Peak(piece.band, days.start_on, days.end_on, kw, unit.denominator)
                )
            kept = [peak for peak in peaks if peak.start_on >= self.kept_from_on]
            kept.sort(key=lambda peak: (peak.start_on, peak.band or ""))
            batch.states[meter][self.component_id] = Peaks(tuple(kept))

    def _counts(self, peak: Peak) -> bool:
        month = month_of(peak.start_on)
        return (
            (peak.start_on, peak.end_on) == (month.start_on, month.end_on)
            and (not self.only_months or peak.start_on.month in self.only_months)
            and self.from_on <= peak.start_on
            and peak.end_on <= self.until_on
        )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Demanded(Step):
    """Billed kW `times` months, days or years: one line for each tier of each band."""

    lines: tuple[Item, ...]
    windows: Windows
    bands: tuple[Measured, ...]
    times: Fraction
    minimum_kw: Decimal
    kw_step: Decimal | None
    ratchet: Ratchet | None

    @property
    def items(self) -> tuple[Item, ...]:
        return self.lines

    @property
    def hides_nothing(self) -> bool:
        return any(len(band.tiers) > 1 for band in self.bands)

    @property
    def denominator(self) -> int:
        units = (self.windows.kw_per_unit / band.highest.of_days for band in self.bands)
        return self.times.denominator * math.lcm(*(unit.denominator for unit in units))

    def divisors(self, batch: Batch) -> list[int] | None:
        """What the kW of earlier months are whole parts of."""
        if self.ratchet is None:
            return None
        return [
            math.lcm(*(peak.parts for peak in peaks)) for peaks in self.ratchet.remembered(batch)
        ]

    def charge(self, batch: Batch) -> list[Charged]:
        peaks_of = PeaksOf(batch, self.windows)
        up, down = self.times.numerator, self.times.denominator
        charged: list[Charged] = []
        for band in self.bands:
            rows = [
                graduated(NOTHING, kw, tops(band.tiers, Decimal(divisor)))
                for kw, divisor in zip(
                    self._billed(batch, band, peaks_of), batch.divisors, strict=True
                )
            ]
            charged.extend(
                Charged([kw * up / down for kw in tier]) for tier in zip(*rows, strict=True)
            )
        if self.ratchet is not None:
            self.ratchet.remember(batch, peaks_of)
        return charged

    def _billed(self, batch: Batch, band: Measured, peaks_of: "PeaksOf") -> list[Decimal]:
        """The billed kW of each meter, in parts of its divisor."""
        billed = kw_in_parts(batch, *peaks_of(band.highest))
        if self.ratchet is not None:
            least = self.ratchet.least_in_parts(batch, band.band)
            billed = [max(kw, floor) for kw, floor in zip(billed, least, strict=True)]
        if self.minimum_kw:
            billed = [
                max(kw, self.minimum_kw * divisor)
                for kw, divisor in zip(billed, batch.divisors, strict=True)
            ]
        if self.kw_step is not None:
            billed = [
                _rounded_up(kw, self.kw_step * divisor)
                for kw, divisor in zip(billed, batch.divisors, strict=True)
            ]
        return billed


class PeaksOf:
    """The peaks of a batch: measured once, also where a month's are those of the bill."""

    def __init__(self, batch: Batch, windows: Windows) -> None:
        self._meters = len(batch.usages)
        self._windows = windows
        self._power = windows.measure(batch)
        self._found: dict[Highest, tuple[list[int], Fraction]] = {}

    def __call__(self, highest: Highest | None) -> tuple[list[int], Fraction]:
        """For each meter its peak, in the unit in kW; nothing where there is nothing to measure."""
        if highest is None:
            return [0] * self._meters, self._windows.kw_per_unit
        if highest not in self._found:
            unit = self._windows.kw_per_unit / highest.of_days
            self._found[highest] = highest.sums(self._power), unit
        return self._found[highest]


def months_before(first_on: date, months: int) -> date:
    """The first of the month so many months before the one that begins on `first_on`."""
    number = first_on.year * MONTHS_PER_YEAR + first_on.month - 1 - months
    return date(number // MONTHS_PER_YEAR, number % MONTHS_PER_YEAR + 1, 1)


def _rounded_up(number: Decimal, step: Decimal) -> Decimal:
    whole = number // step * step
    return whole if whole == number else whole + step


def _with(peaks: Sequence[Peak], new: Peak) -> list[Peak]:
    """The peaks and a new one, one with an earlier of the same month that it follows."""
    kept = [peak for peak in peaks if peak.band != new.band or peak.end_on <= new.start_on]
    for place, peak in enumerate(kept):
        same_month = month_of(peak.start_on) == month_of(new.start_on)
        if peak.band == new.band and peak.end_on == new.start_on and same_month:
            higher = max(peak, new, key=lambda one: Fraction(one.kw) / one.parts)
            kept[place] = Peak(new.band, peak.start_on, new.end_on, higher.kw, higher.parts)
            return kept
    return [*kept, new]
