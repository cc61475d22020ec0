"""Coincident demand: so much per kW that a meter took when the system had its peaks.

Owns which kW count: those of the bill's own intervals, or those that earlier bills left. Refuses to
charge for a peak at which nothing was measured, unless the tariff says what it counts for, and to
bill days of which nothing says when the system had its peaks.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Annotated, ClassVar, Literal

import numpy as np

from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import Period
from gridtally.rating.components.capacity import KW_UNITS
from gridtally.rating.components.charge import Charge, check_charge
from gridtally.rating.engine.batch import Batch
from gridtally.rating.engine.demand_windows import DemandWindows, FromCoarser, WindowMinutes
from gridtally.rating.engine.exact import ZERO
from gridtally.rating.engine.lines import Item
from gridtally.rating.engine.steps import Step, StepResult
from gridtally.rating.field_types import (
    Instant,
    Kilowatts,
    Length,
    Name,
    Rate,
    check_connected_kw,
    check_days,
    check_name,
)
from gridtally.rating.plan.span import Span
from gridtally.rating.plan.window_plan import windows_of
from gridtally.rating.proration import Term, YearProration, check_proration
from gridtally.rating.state import CoincidentKw, CoincidentPeaks, own_state
from gridtally.rating.tiers import (
    TIERS_MAX,
    Tier,
    check_demand_rates,
    graduated,
    tier_labels,
    upper_limits,
)
from gridtally.rating.usage import ActiveFlow

PEAKS_MAX = 100
SETS_MAX = 50
RETAINED = timedelta(days=1100)
"""Three years: last year's peaks are charged for all of the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakSet:
    """The system's peaks whose mean kW is charged on some days: last summer's five, all of next
    year; or a month's only peak, on the days of that month. Without peaks the days are free."""

    name: Name
    """What the bill's line calls it: a year, a month."""
    at: Annotated[tuple[Instant, ...], Length(most=PEAKS_MAX)]
    """The peaks; each counts with the window of `minutes` that it lies in, or that it begins. None
    where nothing is charged on the days."""
    from_on: date
    """The first local day on which they are charged."""
    to_on: date
    """The local day from which they are no longer charged."""

    def __post_init__(self) -> None:
        check_name("peak set", self.name)
        check_days(self.from_on, self.to_on)
        if self.from_on >= self.to_on:
            raise ValueError("a peak set must begin (from_on) before it ends (to_on)")
        if len(self.at) > PEAKS_MAX:
            raise ValueError(f"a peak set has at most {PEAKS_MAX} peaks")
        for at in self.at:
            check_days(at.date(), at.date())
        if len(set(self.at)) < len(self.at):
            raise ValueError("a peak is in the set twice")

    @property
    def days(self) -> Period:
        """The local days on which it is charged."""
        return Period(self.from_on, self.to_on)


@dataclass(frozen=True, slots=True, kw_only=True)
class CoincidentDemand(Charge):
    """So much per kW, at a rate or in tiers, of the mean power when the system had its peaks.

    Peaks within the billed period are measured. The kW at those before are what the bills of their
    days left, by a version that named them: they stand for a capacity tag. Bills carry them forward
    for three years. Days of no set make no bill: nobody has said what they
    cost.
    """

    kind: ClassVar[str] = "coincident_demand"
    peak_sets: Annotated[tuple[PeakSet, ...], Length(1, SETS_MAX)]
    """The peaks and the days on which each set is charged, in order of time. Days that cost nothing
    have a set without peaks."""
    rate: Rate | None = None
    """Money per kW and month, day or year; null for tiers."""
    tiers: Annotated[tuple[Tier, ...], Length(most=TIERS_MAX)] = ()
    """Tiers by kW, in place of the one rate: of the mean of a set's peaks, or `minimum_kw`."""
    default_kw: Kilowatts | None = None
    """What a peak counts for at which no bill measured the meter; null to refuse the bill then."""
    minimum_kw: Kilowatts = Decimal(0)
    """The least billed kW."""
    minutes: WindowMinutes = 60
    """The length in minutes of the blocks of the tariff's clock over which power is the mean."""
    from_coarser: FromCoarser = "refused"
    """Whether intervals longer than `minutes` are refused, or give their own mean."""
    per: Literal["day", "month", "year"] = "month"
    """What the rate is for, besides a kW."""
    proration: YearProration = "actual_days"
    """What a day costs of a rate per month or year; see the fixed charge."""
    flow: ActiveFlow = "import"
    """Whose power is measured."""

    def __post_init__(self) -> None:
        check_charge(self)
        check_demand_rates(self.rate, self.tiers)
        check_proration(self.per, self.proration)
        if self.proration == "none":
            raise ValueError("the proration 'none' charges months: sets are charged by days")
        check_connected_kw(self.minimum_kw)
        if self.default_kw is not None:
            check_connected_kw(self.default_kw)
        if not 1 <= len(self.peak_sets) <= SETS_MAX:
            raise ValueError(f"there are 1 to {SETS_MAX} peak sets")
        names = [peak_set.name for peak_set in self.peak_sets]
        if len(set(names)) < len(names):
            raise ValueError("two peak sets have the same name")
        for before, after in pairwise(self.peak_sets):
            if after.from_on < before.to_on:
                raise ValueError(f"peak set {after.name!r} begins before {before.name!r} ends")

    @property
    def all_tiers(self) -> tuple[Tier, ...]:
        """The tiers; one rate is a single tier."""
        return self.tiers if self.rate is None else (Tier(rate=self.rate),)

    @property
    def carries_state(self) -> bool:
        """Its bills carry the kW at peaks forward."""
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class BilledSet:
    """The peaks of a set, and how many months, days or years of it are billed."""

    at: tuple[datetime, ...]
    times: Fraction


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CoincidentStep(Step):
    """The mean kW of each set times what a rate is for: a line for each tier of each set in force.

    `measured` are the peaks within the billed period, with the indexes of their windows. What is
    known of peaks from `retained_from_at` on goes to the next bill, also where this version names
    them no more: another may.
    """

    component_id: str
    lines: tuple[Item, ...]
    sets: tuple[BilledSet, ...]
    tiers: tuple[Tier, ...]
    windows: DemandWindows
    measured: tuple[tuple[datetime, int], ...]
    retained_from_at: datetime
    default_kw: Decimal | None
    minimum_kw: Decimal

    @property
    def items(self) -> tuple[Item, ...]:
        return self.lines

    @property
    def omits_zero_lines(self) -> bool:
        return len(self.tiers) > 1

    @property
    def denominator(self) -> int:
        return self._divided * self.windows.kw_per_unit.denominator

    def divisors(self, batch: Batch) -> list[int]:
        """What each meter's stored kW are counted in, and once more what sets divide by: a version
        that began earlier in the period may have stored kW in the same parts."""
        return [
            self._divided * math.lcm(*(peak.parts for peak in peaks))
            for peaks in self._stored(batch)
        ]

    def charge(self, batch: Batch) -> list[StepResult]:
        kw_at = self._kw_at(batch)
        results: list[StepResult] = []
        for billed in self.sets:
            up, down = billed.times.numerator, billed.times.denominator * len(billed.at)
            by_meter = []
            for own, divisor in zip(kw_at, batch.divisors, strict=True):
                total = sum((self._kw(own, at, divisor) for at in billed.at), ZERO)
                kw = Decimal(divisor * len(billed.at))  # what one kW is in the sum of the peaks
                limits = upper_limits(self.tiers, kw)
                by_meter.append(graduated(ZERO, max(total, self.minimum_kw * kw), limits))
            results.extend(
                StepResult([total * up / down for total in of_tier])
                for of_tier in zip(*by_meter, strict=True)
            )
        for states, own in zip(batch.states, kw_at, strict=True):
            peaks = tuple(own[at] for at in sorted(own) if at >= self.retained_from_at)
            states[self.component_id] = CoincidentPeaks(peaks)
        return results

    def _kw_at(self, batch: Batch) -> list[dict[datetime, CoincidentKw]]:
        """What is known of each meter: what earlier bills left, and what this one measures."""
        kw_at = [{peak.at: peak for peak in peaks} for peaks in self._stored(batch)]
        if not self.measured:
            return kw_at
        unit = self.windows.kw_per_unit
        columns = np.array([window for _, window in self.measured])
        power = self.windows.measure(batch)[:, columns].astype(np.int64).tolist()
        for own, usage, row in zip(kw_at, batch.usages, power, strict=True):
            for (at, _), energy in zip(self.measured, row, strict=True):
                kw = Decimal(energy * unit.numerator).scaleb(-usage.kwh_decimals)
                own[at] = CoincidentKw(at, kw, unit.denominator)
        return kw_at

    def _kw(self, own: dict[datetime, CoincidentKw], at: datetime, divisor: int) -> Decimal:
        """The kW at a peak, in parts of the meter's divisor; Rejected where nobody knows them."""
        if (peak := own.get(at)) is not None:
            return peak.kw * (divisor // peak.parts)
        if self.default_kw is None:
            raise Rejected(
                "coincident_peak_missing",
                f"{self.component_id}: the kW at the system's peak of {at:%Y-%m-%dT%H:%MZ} are not "
                "known, since no bill of that time measured them for this charge; a default_kw "
                "would say what it counts for",
            )
        return self.default_kw * divisor

    def _stored(self, batch: Batch) -> list[tuple[CoincidentKw, ...]]:
        return [
            () if (state := own_state(states, self.component_id, CoincidentPeaks)) is None
            else state.peaks
            for states in batch.states
        ]  # fmt: skip

    @property
    def _divided(self) -> int:
        times = math.lcm(*(billed.times.denominator for billed in self.sets))
        return times * math.lcm(*(len(billed.at) for billed in self.sets))


def plan(charge: CoincidentDemand, span: Span) -> list[Step]:
    """One step, also where all days are free: their peaks may be charged later.

    Rejected for days of no set.
    """
    _check_days(charge, span.within)
    windows = windows_of(
        charge.id, charge.flow, span, charge.minutes, from_coarser=charge.from_coarser
    )
    in_force = [
        (peak_set, days)
        for peak_set in charge.peak_sets
        if peak_set.at and (days := peak_set.days.overlap(span.within)) is not None
    ]
    tiers = charge.all_tiers
    term = Term(charge.per, charge.proration, span.within, span.period)
    return [
        CoincidentStep(
            component_id=charge.id,
            lines=tuple(
                replace(span, part=days).item(
                    charge.id,
                    "demand",
                    band=label,
                    flow=charge.flow,
                    unit=KW_UNITS[charge.per],
                    rate=tier.rate,
                    payee=charge.payee,
                    tax_class=charge.tax_class,
                )
                for peak_set, days in in_force
                for label, tier in zip(tier_labels(peak_set.name, tiers), tiers, strict=True)
            ),
            tiers=tiers,
            sets=tuple(
                BilledSet(
                    at=tuple(at.astimezone(UTC) for at in peak_set.at), times=term.times(days)
                )
                for peak_set, days in in_force
            ),
            windows=windows,
            measured=tuple(_measured(charge, span, windows)),
            retained_from_at=span.period.bounds_utc(span.zone)[0] - RETAINED,
            default_kw=charge.default_kw,
            minimum_kw=charge.minimum_kw,
        )
    ]


def _check_days(charge: CoincidentDemand, days: Period) -> None:
    """Rejected where some of the days are of no set."""
    day = days.start_on
    for peak_set in charge.peak_sets:
        if peak_set.from_on <= day < peak_set.to_on:
            day = peak_set.to_on
    if day < days.end_on:
        later = [peak_set.from_on for peak_set in charge.peak_sets if peak_set.from_on > day]
        until = min([*later, days.end_on])
        raise Rejected(
            "peak_set_missing",
            f"{charge.id}: no peak set says when the system had the peaks that are charged from "
            f"{day} to {until}: add one to peak_sets once they are known; days that cost nothing "
            "have a set without peaks",
        )


def _measured(
    charge: CoincidentDemand, span: Span, windows: DemandWindows
) -> Iterator[tuple[datetime, int]]:
    """The peaks within the billed period, with the indexes of the windows that they lie in."""
    start_at, end_at = span.period.bounds_utc(span.zone)
    for at in sorted({at.astimezone(UTC) for peaks in charge.peak_sets for at in peaks.at}):
        if start_at <= at < end_at:
            slot = int((at - start_at).total_seconds()) // (span.minutes * 60)
            yield at, int(np.searchsorted(windows.first, slot, side="right")) - 1
