"""Tier plan: a period's cycles, in each of which tiers are counted from one start.

A cycle is the days that limits are for, or a season's part of them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gridtally.kernel.periods import Period
from gridtally.rating.bands import Bands, band_indexes, intervals_by_band
from gridtally.rating.engine.daily_tier_step import CarriedDays, DailyTierAllocation
from gridtally.rating.engine.limit_unit import LimitUnit
from gridtally.rating.engine.lines import Item, Kind
from gridtally.rating.engine.steps import Connected, Step
from gridtally.rating.engine.tier_step import (
    BandTiers,
    Split,
    TierAllocation,
    TierCycle,
)
from gridtally.rating.limits import TierLimits
from gridtally.rating.plan.span import MINUTES_PER_DAY, Span, chosen_slots, day_numbers
from gridtally.rating.plan.window_plan import highest_of, windows_of
from gridtally.rating.proration import Term
from gridtally.rating.quantity_steps import QuantityRounding
from gridtally.rating.seasons import SeasonPart, bands_on, parts_by_band, parts_of_all
from gridtally.rating.tiers import Mode, limited_per_kw, tier_labels
from gridtally.rating.usage import NettableFlow, billed_flow


class TieredCharge(Protocol):
    """What the tiered kinds have in common."""

    @property
    def line_kind(self) -> Kind: ...
    @property
    def id(self) -> str: ...
    @property
    def split(self) -> Split: ...
    @property
    def mode(self) -> Mode: ...
    @property
    def limits(self) -> TierLimits: ...
    @property
    def flow(self) -> NettableFlow: ...
    @property
    def tiers_of(self) -> tuple[BandTiers, ...]: ...
    @property
    def banded(self) -> Bands | None: ...
    @property
    def quantity_rounding(self) -> QuantityRounding | None: ...
    @property
    def payee(self) -> str | None: ...
    @property
    def tax_class(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class _Count:
    """Bands, by their indexes, that are counted from one start: over a cycle, or its season's part.

    The cycle may reach beyond the version's days.
    """

    cycle: Period
    part: SeasonPart
    bands: tuple[int, ...]

    @property
    def is_cut(self) -> bool:
        """Whether the season cuts the cycle for these bands."""
        return self.part.days != self.cycle


@dataclass(slots=True, eq=False)
class _Lines:
    """The lines so far: one for each tier of a band, and each part that the season cuts."""

    charge: TieredCharge
    tiers_of: Sequence[BandTiers]
    span: Span
    items: list[Item] = field(default_factory=list)
    _first: dict[tuple[int, Period], int] = field(default_factory=dict)

    def indexes_of(self, band_index: int, days: Period) -> range:
        """The lines of a band's tiers on these days."""
        charge, band = self.charge, self.tiers_of[band_index]
        if (band_index, days) not in self._first:
            self._first[band_index, days] = len(self.items)
            self.items.extend(_tier_items(charge, band, replace(self.span, part=days)))
        first = self._first[band_index, days]
        return range(first, first + len(band.tiers))


def _tier_items(charge: TieredCharge, band: BandTiers, span: Span) -> Iterator[Item]:
    """What the lines of a band's tiers are for."""
    for label, tier in zip(tier_labels(band.band, band.tiers), band.tiers, strict=True):
        yield span.item(
            charge.id,
            charge.line_kind,
            band=label,
            flow=billed_flow(charge.flow),
            unit="kWh",
            rate=tier.rate,
            payee=charge.payee,
            tax_class=charge.tax_class,
            quantity_rounding=charge.quantity_rounding,
        )


def plan_daily_tiers(charge: TieredCharge, span: Span) -> list[Step]:
    """The step for the span's days, of tiers that start again with each of them; none of others."""
    if not charge.limits.reset_daily:
        return []
    in_force = intervals_by_band(charge.banded, charge.id, span)
    slots = np.flatnonzero(span.chosen)
    begins_later = bool(span.calendar.first_minute)
    days = _tariff_days(span)[slots] if begins_later else _meter_days(span)[slots]
    step = DailyTierAllocation(
        lines=tuple(
            item
            for band_index, _ in in_force
            for item in _tier_items(charge, charge.tiers_of[band_index], span)
        ),
        component_id=charge.id,
        flow=span.counted(charge.id, charge.flow, charge.quantity_rounding),
        mode=charge.mode,
        split=charge.split,
        bands=tuple(charge.tiers_of[band_index] for band_index, _ in in_force),
        slots=slice(int(slots[0]), int(slots[-1]) + 1),
        first_slots=np.flatnonzero(np.diff(days, prepend=days[0] - 1)),
        carried=_carried(int(days[0]), int(days[-1])) if begins_later else None,
        of_band=np.stack([chosen[slots] for _, chosen in in_force], axis=1),
    )
    return [step]


def _meter_days(span: Span) -> NDArray[np.int64]:
    """The meter's local day of each interval of the period, counted from 0."""
    return day_numbers(span.zone, span.period, span.minutes)


def _tariff_days(span: Span) -> NDArray[np.int64]:
    """The day of each interval on the tariff's clock, where days begin later, since 1970."""
    days: NDArray[np.int64] = span.local_minutes[:, 0] - span.calendar.first_minute
    return days // MINUTES_PER_DAY


def _carried(first_day: int, last_day: int) -> CarriedDays:
    epoch = date(1970, 1, 1)
    return CarriedDays(epoch + timedelta(days=first_day), epoch + timedelta(days=last_day))


def plan_tiers(charge: TieredCharge, span: Span) -> TierAllocation:
    """The step for all of a version's days, with the tiers of the bands that are in force then."""
    limits, tiers_of, bands = charge.limits, charge.tiers_of, charge.banded
    limited = chosen_slots(span.zone, span.period, span.minutes, limits.days(span))
    if bands is None:
        band_of = np.zeros(len(span.chosen), np.int16)
    else:
        bands = bands_on(bands, span.calendar, limits.days(span), limits.on_season_change)
        needed = limited if charge.mode == "volume" else span.chosen
        band_of = band_indexes(bands, charge.id, replace(span, chosen=needed))
    lasting = limits.reset_months is not None
    counted = charge.mode == "graduated" and limits.on_version_change == "keep"
    carries_forward = lasting or (counted and span.within.end_on < span.period.end_on)
    counts = list(_counts(charge, bands, range(len(tiers_of)), span))
    lines = _Lines(charge, tiers_of, span)
    cycles = tuple(
        replace(cycle, carries_forward=carries_forward and cycle.carries_forward)
        for cycle in _cycles(counts, limited, band_of, lines)
    )
    return TierAllocation(
        lines=tuple(lines.items),
        component_id=charge.id,
        flow=span.counted(charge.id, charge.flow, charge.quantity_rounding),
        mode=charge.mode,
        split=charge.split,
        cycles=cycles,
        continues=lasting or (counted and span.within.start_on > span.period.start_on),
        carries_forward=carries_forward,
        began_on=counts[0].cycle.start_on,
        left_on=counts[-1].cycle.start_on,
        retained=frozenset(_retained(charge, counts, band_of, tiers_of, span)),
    )


def _counts(
    charge: TieredCharge, bands: Bands | None, all_bands: Sequence[int], span: Span
) -> Iterator[_Count]:
    """What is counted from one start, cycle after cycle; of bands that may have no energy."""
    rule = charge.limits.on_season_change
    for cycle in charge.limits.cycles(span):
        whole = SeasonPart(cycle, cycle)
        bands_of: dict[SeasonPart, list[int]] = {}
        if bands is None:
            bands_of[whole] = [*all_bands]
        elif charge.split == "per_band":
            parts_of = parts_by_band(bands, span.calendar, cycle, rule)
            for band_index, parts in enumerate(parts_of):
                for part in parts or [whole]:
                    bands_of.setdefault(part, []).append(band_index)
        else:
            for part in parts_of_all(bands, span.calendar, cycle, rule):
                bands_of[part] = [*all_bands]
        for part, band_indexes_of in bands_of.items():
            yield _Count(cycle, part, tuple(band_indexes_of))


def _in_force(count: _Count, band_of: NDArray[np.int16], span: Span) -> list[int]:
    """The bands of a count that the version's days have intervals of."""
    chosen = span.chosen
    if count.is_cut:
        days = count.part.counted_on
        chosen = chosen & chosen_slots(span.zone, span.period, span.minutes, days)
    return [band for band in count.bands if (band_of[chosen] == band).any()]


def _retained(
    charge: TieredCharge,
    counts: Sequence[_Count],
    band_of: NDArray[np.int16],
    tiers_of: Sequence[BandTiers],
    span: Span,
) -> Iterator[str | None]:
    """The bands without intervals on the version's days that are counted before and after them."""
    for count in counts if charge.split == "per_band" else ():
        days = count.part.counted_on
        if days.start_on < span.within.start_on and span.within.end_on <= days.end_on:
            in_force = _in_force(count, band_of, span)
            yield from (tiers_of[band].band for band in count.bands if band not in in_force)


def _cycles(
    counts: Sequence[_Count], limited: NDArray[np.bool_], band_of: NDArray[np.int16], lines: _Lines
) -> Iterator[TierCycle]:
    """The cycles of the version's days; `limited` marks all intervals that limits are for."""
    span, charge = lines.span, lines.charge
    within, column_of = span.within, span.columns.column_of
    flow = span.counted(charge.id, charge.flow, charge.quantity_rounding)
    besides_kwh = any(limited_per_kw(band.tiers) for band in lines.tiers_of)
    cut = {band for count in counts if count.is_cut for band in count.bands}
    for count in counts:
        days = count.part.counted_on.overlap(within)
        in_force = _in_force(count, band_of, span)
        if days is None or not in_force:
            continue
        own = count.part.days.overlap(within) or days
        chosen = chosen_slots(span.zone, span.period, span.minutes, days)
        counted = limited
        if count.is_cut:
            reach = count.part.counted_on
            counted = limited & chosen_slots(span.zone, span.period, span.minutes, reach)
        slots = np.flatnonzero(chosen)
        is_of_band = band_of[chosen][:, None] == np.array(in_force)
        yield TierCycle(
            bands=tuple(lines.tiers_of[band] for band in in_force),
            lines=tuple(
                line
                for band in in_force
                for line in lines.indexes_of(band, own if band in cut else span.part)
            ),
            unit=replace(_limit_unit(charge, span, count), besides_kwh=besides_kwh),
            continues=count.part.counted_on.start_on < within.start_on,
            carries_forward=within.end_on <= count.part.counted_on.end_on,
            columns=tuple(column_of(flow, chosen & (band_of == band)) for band in in_force),
            total=column_of(flow, chosen),
            columns_of_all=tuple(column_of(flow, counted & (band_of == band)) for band in in_force),
            total_of_all=column_of(flow, counted),
            slots=slice(int(slots[0]), int(slots[-1]) + 1),
            of_band=is_of_band.astype(np.float64),
        )


def _limit_unit(charge: TieredCharge, span: Span, count: _Count) -> LimitUnit:
    limits = charge.limits
    term, days = limits.term(span, count.cycle), count.part.days
    if count.is_cut:
        term = term.divided()
    times = term.times(days)
    if limits.kw is None:
        return LimitUnit(times)
    if limits.kw == "connected":
        return _per_connected_kw(charge, span, count, term)
    assert limits.peak_minutes is not None  # noqa: S101 - TierLimits holds it
    windows = windows_of(
        charge.id, charge.flow, span, limits.peak_minutes, from_coarser=limits.from_coarser
    )
    chosen = windows.within(chosen_slots(span.zone, span.period, span.minutes, days))
    return LimitUnit(times, windows=windows, highest=highest_of(windows, chosen))


def _per_connected_kw(charge: TieredCharge, span: Span, count: _Count, term: Term) -> LimitUnit:
    """The load on the days of the count; over several bills its mean on the days of this one."""
    if charge.limits.reset_months is None:
        days, share = count.part.days, Fraction(1)
    else:
        share = term.times(count.part.days)
        days = charge.limits.days(span)
        if count.is_cut:
            days = count.part.days.overlap(days) or days
        term = replace(term, within=days, period=days)
    times = term.times(days)
    return LimitUnit(times, share, connected=Connected(charge.id, term, days))
