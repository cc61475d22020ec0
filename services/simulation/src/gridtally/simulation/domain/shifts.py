"""Shifts: how imported energy moves when prices do, by a rule that a comparison declares.

Owns what becomes of each interval's import. A share of the use at some local times moves to others
of the same day, which loses no Wh; or the use at some local times follows the price by a declared
elasticity. Exported energy stays as it is. Whole numbers throughout: shares and factors are
millionths.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from gridtally.kernel.errors import Fault, Rejected
from gridtally.kernel.periods import Period
from gridtally.rating.components.adjustment import Adjustment
from gridtally.rating.components.energy import EnergyCharge
from gridtally.rating.components.export_credit import ExportCredit
from gridtally.rating.components.net_metering import NetMetering
from gridtally.rating.components.percent import Percent
from gridtally.rating.components.spot import SpotPrice
from gridtally.rating.components.tax import Tax
from gridtally.rating.components.time_of_use import TimeOfUse
from gridtally.rating.engine.bill import NO_PRICES
from gridtally.rating.engine.exact import quotient
from gridtally.rating.interval_prices import interval_prices
from gridtally.rating.plan.span import day_numbers, local_minutes
from gridtally.rating.prices import Prices
from gridtally.rating.tariff import Component, TariffVersion, usage_charges
from gridtally.rating.usage import Series, Usage

MINUTES_PER_DAY = 1440
MILLION = 1_000_000
FACTOR_MAX = 1_000
"""So many times its use at the most is what a price makes of an interval."""
Indexes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LocalTimes:
    """From a minute of the local day to another, also across midnight; all day where both are the
    same. Of each day those intervals that begin within."""

    start_minute: int
    end_minute: int

    def holds(self, minutes_of_day: Indexes) -> NDArray[np.bool_]:
        """Whether each minute of the day lies within."""
        since = (minutes_of_day - self.start_minute) % MINUTES_PER_DAY
        inside: NDArray[np.bool_] = since < self.length
        return inside

    @property
    def length(self) -> int:
        """How many minutes a day of 24 hours has of them."""
        return (self.end_minute - self.start_minute) % MINUTES_PER_DAY or MINUTES_PER_DAY

    def overlaps(self, other: "LocalTimes") -> bool:
        """Whether the two have a minute in common."""
        after = (other.start_minute - self.start_minute) % MINUTES_PER_DAY
        before = (self.start_minute - other.start_minute) % MINUTES_PER_DAY
        return after < self.length or before < other.length


@dataclass(frozen=True, slots=True)
class FixedShare:
    """A share of what is imported at `from_times` moves to `to_times` of the same local day, where
    it is spread evenly."""

    kind: ClassVar[str] = "fixed_share"
    share: Decimal
    from_times: LocalTimes
    to_times: LocalTimes

    def __post_init__(self) -> None:
        """Rejected where the two overlap, with the path of the fault."""
        if self.from_times.overlaps(self.to_times):
            raise _refused("/to_times", "must not overlap with from_times")


@dataclass(frozen=True, slots=True)
class ElasticBand:
    """How use at some local times follows its price: −0.2 is 2 % less where it costs 10 % more."""

    label: str
    times: LocalTimes
    elasticity: Decimal


@dataclass(frozen=True, slots=True)
class Elasticity:
    """What is imported follows the price of its interval, each band by its own elasticity; times
    in no band stay as they are."""

    kind: ClassVar[str] = "elasticity"
    bands: tuple[ElasticBand, ...]

    def __post_init__(self) -> None:
        """Rejected where bands overlap, with the path of the fault."""
        for index, band in enumerate(self.bands):
            for other in self.bands[:index]:
                if band.times.overlaps(other.times):
                    raise _refused(f"/bands/{index}", f"overlaps with {other.label}")


Shift = FixedShare | Elasticity


def _refused(path: str, detail: str) -> Rejected:
    return Rejected("invalid_shift", f"{path}: {detail}", (Fault(path, detail),))


def check_prices(version: TariffVersion) -> None:
    """Rejected where the price of an interval depends on what else is used: use cannot follow it.

    Charges that are owed for time or for a peak do not matter.
    """
    charges = usage_charges(version)
    for component in charges.components if charges is not None else ():
        if not _is_priced_by_time(component):
            raise Rejected(
                "shift_unpriced",
                f"{component.id}: a {component.kind} charge has no price of an interval that use "
                "could follow by an elasticity; move a fixed share instead",
            )


def _is_priced_by_time(component: Component) -> bool:
    if isinstance(component, NetMetering):
        return not component.has_tiers
    if isinstance(component, SpotPrice):
        return component.settlement == "interval" and component.quantity_rounding is None
    return isinstance(
        component, EnergyCharge | TimeOfUse | Adjustment | ExportCredit | Percent | Tax
    )


def price_factors(
    shift: Elasticity,
    before: TariffVersion,
    after: TariffVersion,
    grid: tuple[str, Period, int],
    prices: Prices = NO_PRICES,
) -> Indexes:
    """What each interval's import is multiplied by, in millionths, when prices of `before` become
    those of `after`; `grid` are the zone, the period and the minutes of an interval, `prices` the
    series that the tariffs name. A month of spot prices by quarters of an hour takes 0.2 s.

    Prices are with taxes, without what is owed for time or for a peak. The change is by the price
    before; where that is nothing, nothing follows it. Never below zero.
    """
    zone, period, minutes = grid
    factors = np.full(period.slots(zone, minutes), MILLION, np.int64)
    minutes_of_day = _minutes_of_day(grid)
    old, new = _prices(before, grid, prices), _prices(after, grid, prices)
    for band in shift.bands:
        slots = np.flatnonzero(band.times.holds(minutes_of_day))
        pairs = {(old[slot], new[slot]) for slot in slots.tolist()}
        factor_of = {pair: _factor(*pair, band.elasticity) for pair in pairs}
        factors[slots] = [factor_of[old[slot], new[slot]] for slot in slots.tolist()]
    return factors


def _factor(before: Decimal, after: Decimal, elasticity: Decimal) -> int:
    if before <= 0:
        return MILLION
    factor = 1 + elasticity * quotient(after - before, before)
    return round(min(max(factor, Decimal(0)), Decimal(FACTOR_MAX)) * MILLION)


def _prices(version: TariffVersion, grid: tuple[str, Period, int], prices: Prices) -> list[Decimal]:
    charges = usage_charges(version)
    by_flow = {} if charges is None else interval_prices(charges, *grid, prices=prices)
    zone, period, minutes = grid
    if "import" not in by_flow:
        return [Decimal(0)] * period.slots(zone, minutes)
    imported = by_flow["import"]
    each = [net + tax for net, tax in zip(imported.net, imported.tax, strict=True)]
    return [each[index] for index in imported.price_of.tolist()]


def scaled(usage: Usage, factors: Indexes) -> Usage:
    """The usage with its import multiplied by so many millionths, to whole Wh, half up."""
    imported = _imported(usage)
    return _with_import(usage, (imported * factors + MILLION // 2) // MILLION)


def moved(usage: Usage, shift: FixedShare) -> Usage:
    """The usage after a share of import has moved; not a Wh is lost.

    Of each interval a whole number of Wh moves, rounded down; where a day's do not divide evenly,
    the first of the intervals that they go to have one more. On a day without such intervals
    nothing moves.
    """
    slots = _slots(shift, usage.zone, usage.period, usage.minutes)
    imported = _imported(usage)
    taken = imported[slots.of] * int(shift.share * MILLION) // MILLION
    imported[slots.of] -= taken
    by_day = np.zeros(usage.period.days, np.int64)
    np.add.at(by_day, slots.day_of, taken)
    evenly, rest = np.divmod(by_day, np.maximum(slots.to_per_day, 1))
    imported[slots.to] += evenly[slots.day_to] + (slots.rank_to < rest[slots.day_to])
    return _with_import(usage, imported)


@dataclass(frozen=True, slots=True, eq=False)
class _Slots:
    """Intervals that energy moves of and to, by index; the local day of each; the rank of those
    that it goes to within their day, and how many these are in each day."""

    of: Indexes
    to: Indexes
    day_of: Indexes
    day_to: Indexes
    rank_to: Indexes
    to_per_day: Indexes


@lru_cache(maxsize=256)
def _slots(shift: FixedShare, zone: str, period: Period, minutes: int) -> _Slots:
    minutes_of_day = _minutes_of_day((zone, period, minutes))
    days = day_numbers(zone, period, minutes)
    to = np.flatnonzero(shift.to_times.holds(minutes_of_day))
    per_day = np.bincount(days[to], minlength=period.days).astype(np.int64)
    of = np.flatnonzero(shift.from_times.holds(minutes_of_day) & (per_day[days] > 0))
    firsts = np.cumsum(per_day) - per_day
    rank = np.arange(to.size) - firsts[days[to]]
    return _Slots(of, to, days[of], days[to], rank, per_day)


@lru_cache(maxsize=256)
def _minutes_of_day(grid: tuple[str, Period, int]) -> Indexes:
    zone, period, minutes = grid
    begins: Indexes = local_minutes(zone, period, minutes, zone)[:, 0] % MINUTES_PER_DAY
    return begins


def _imported(usage: Usage) -> Indexes:
    """A copy of what is imported; an interval without a value counts as none."""
    return np.maximum(usage.series["import"].astype(np.int64), 0)


def _with_import(usage: Usage, imported: Series) -> Usage:
    return replace(usage, series={**usage.series, "import": imported})


def shifted(
    shift: Shift, usages: Sequence[Usage], factors: Mapping[tuple[str, Period, int], Indexes]
) -> list[Usage]:
    """Each usage after the shift; `factors` of every grid among them where it is by elasticity."""
    match shift:
        case FixedShare():
            return [moved(usage, shift) for usage in usages]
        case Elasticity():
            return [
                scaled(usage, factors[usage.zone, usage.period, usage.minutes]) for usage in usages
            ]
