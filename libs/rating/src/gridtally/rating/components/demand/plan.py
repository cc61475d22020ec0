"""Demand plan: the windows of a demand charge in a period, and the step that bills their peaks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from gridtally.kernel.periods import Period, month_of, months_after, months_between
from gridtally.rating.bands import Bands, band_indexes
from gridtally.rating.components.capacity import KW_UNITS
from gridtally.rating.components.demand.billed_demand import BandDemand, BilledDemand, Ratchet
from gridtally.rating.components.demand.charge import PERCENT_MAX, Demand
from gridtally.rating.components.demand.mean_of_months import MonthlyMeans, MonthTerm
from gridtally.rating.components.demand.peaks import MonthDemand
from gridtally.rating.engine.demand_windows import DemandWindows, HighestDays
from gridtally.rating.engine.lines import Item
from gridtally.rating.engine.steps import Step
from gridtally.rating.plan.span import Span, chosen_slots
from gridtally.rating.plan.window_plan import (
    bands_of_windows,
    highest_of,
    weighted_windows,
    windows_of,
)
from gridtally.rating.proration import Term
from gridtally.rating.reactive import FLOWS_OF
from gridtally.rating.seasons import SeasonPart, bands_on, parts_by_band
from gridtally.rating.tiers import Tier, tier_labels


def plan(charge: Demand, span: Span) -> list[Step]:
    """A line for each tier of each band that is in force; no step where none is."""
    measured_on = span.period if charge.on_version_change == "keep" else span.within
    windows = windows_of(
        charge.id, charge.flow, span, charge.minutes, charge.window, charge.from_coarser
    )
    if charge.unit != "kW":
        windows = replace(
            windows, unit=charge.unit, reactive=charge.reactive, free_share=charge.free_share
        )
    banded = charge.banded
    if banded is not None:
        banded = bands_on(banded, span.calendar, measured_on, charge.on_season_change)
    slots = chosen_slots(span.zone, span.period, span.minutes, measured_on)
    names, windows_of_band = _windows_by_band(charge, banded, span, windows, slots)
    if charge.weights:
        weights = [weighted.weight for weighted in charge.weights]
        windows = weighted_windows(windows, windows_of_band, weights)
        names, windows_of_band = [None], [np.logical_or.reduce(windows_of_band)]
    highest_on = _HighestOnDays(
        charge, span, windows, dict(zip(names, windows_of_band, strict=True))
    )
    parts_of = [[SeasonPart(measured_on, measured_on)]]
    if banded is not None:
        measured = banded if charge.bands else _as_one(banded)
        parts_of = parts_by_band(measured, span.calendar, measured_on, charge.on_season_change)
    billed = [
        _BilledBand(name, tiers, measured_on, parts)
        for name, tiers, parts in zip(names, _tiers_by_band(charge), parts_of, strict=True)
    ]
    if charge.mean_of_months:
        return _monthly_means(charge, span, windows, billed, highest_on)
    bands = tuple(_bands(charge, span, billed, highest_on))
    if not bands:
        return []
    return [
        BilledDemand(
            lines=tuple(
                line
                for band in bands
                for line in _lines(charge, band.band, band.tiers, replace(span, part=band.days))
            ),
            windows=windows,
            bands=bands,
            minimum_kw=charge.minimum_kw,
            kw_step=charge.kw_step,
            ratchet=_ratchet(charge, span, names, highest_on),
        )
    ]


def _as_one(weights: Bands) -> Bands:
    """One band that is in force whenever a weight is: seasons that have none are not charged."""
    (name, *_) = weights.names
    windows = tuple(replace(window, band=name) for window in weights.windows)
    default = None if weights.default is None else name
    return replace(weights, names=(name,), windows=windows, default=default)


@dataclass(frozen=True, slots=True)
class _BilledBand:
    """A band, the tiers of its kW, and the parts of `measured_on` that are its seasons'."""

    name: str | None
    tiers: tuple[Tier, ...]
    measured_on: Period
    parts: list[SeasonPart]

    def times(self, charge: Demand, span: Span, days: Period) -> Fraction:
        """How often the charge is due on days of the version."""
        term = Term(charge.per, charge.proration, span.within, span.period)
        if any(part.days != self.measured_on for part in self.parts):
            term = term.divided()
        pieces = [piece for part in self.parts if (piece := part.days.overlap(days)) is not None]
        return sum((term.times(piece) for piece in pieces), Fraction(0))


def _bands(
    charge: Demand, span: Span, billed: Sequence[_BilledBand], highest_on: "_HighestOnDays"
) -> Iterator[BandDemand]:
    """What is billed of each band that is in force, for each part that the season cuts."""
    for band in billed:
        for part in band.parts:
            days = part.days.overlap(span.within)
            highest = highest_on(band.name, part.counted_on)
            if days is not None and highest is not None:
                times = band.times(charge, span, days)
                yield BandDemand(band.name, band.tiers, highest, days, times)


def _monthly_means(
    charge: Demand,
    span: Span,
    windows: DemandWindows,
    billed: Sequence[_BilledBand],
    highest_on: "_HighestOnDays",
) -> list[Step]:
    """One step for all months of the version's days; none where no band is in force."""
    bands: list[tuple[str | None, tuple[Tier, ...]]] = []
    lines: list[Item] = []
    terms: list[MonthTerm] = []
    pieces: list[MonthDemand] = []
    for band in billed:
        own = [days for part in band.parts if (days := part.days.overlap(span.within)) is not None]
        if not own:
            continue
        for days in months_between(span.within.start_on, span.within.end_on):
            of_period = month_of(days.start_on).overlap(span.period)
            assert of_period is not None  # noqa: S101 - it has these days
            in_season = any(days.overlap(part) for part in own)
            if in_season and (highest := highest_on(band.name, of_period)) is not None:
                times = band.times(charge, span, days)
                pieces.append(MonthDemand(band.name, days, highest))
                terms.append(MonthTerm(band.name, days.start_on.replace(day=1), times))
        if any(month.band == band.name for month in terms):
            bands.append((band.name, band.tiers))
            part = Period(own[0].start_on, own[-1].end_on)
            lines.extend(_lines(charge, band.name, band.tiers, replace(span, part=part)))
    if not bands:
        return []
    is_last = span.within.end_on == span.period.end_on
    next_on = span.period.end_on if is_last else span.period.start_on
    return [
        MonthlyMeans(
            component_id=charge.id,
            lines=tuple(lines),
            windows=windows,
            bands=tuple(bands),
            terms=tuple(terms),
            pieces=tuple(pieces),
            months=charge.mean_of_months,
            minimum_kw=charge.minimum_kw,
            kw_step=charge.kw_step,
            retained_from_on=months_after(next_on.replace(day=1), 1 - charge.mean_of_months),
        )
    ]


def _tiers_by_band(charge: Demand) -> list[tuple[Tier, ...]]:
    """The tiers of each band, or of the demand that has none; one rate is a single tier."""
    return [
        priced.tiers if priced.rate is None else (Tier(rate=priced.rate),)
        for priced in (charge.bands or (charge,))
    ]


def _windows_by_band(
    charge: Demand,
    banded: Bands | None,
    span: Span,
    windows: DemandWindows,
    slots: NDArray[np.bool_],
) -> tuple[list[str | None], list[NDArray[np.bool_]]]:
    """The bands or weights, and for each a mask of the windows that are its own."""
    if banded is None:
        return [None], [np.ones(len(windows.first), np.bool_)]
    band_of_slot = band_indexes(banded, charge.id, replace(span, chosen=slots))
    chosen = windows.within(slots)
    band_of = bands_of_windows(charge.id, windows, charge.window, band_of_slot, chosen)
    names = banded.names
    return list(names), [band_of == band_index for band_index in range(len(names))]


class _HighestOnDays:
    """The highest windows of a band on some days, the same object for the same days."""

    def __init__(
        self,
        charge: Demand,
        span: Span,
        windows: DemandWindows,
        bands: Mapping[str | None, NDArray[np.bool_]],
    ) -> None:
        self._charge, self._span = charge, span
        self._windows, self._bands = windows, bands
        self._made: dict[tuple[str | None, Period], HighestDays | None] = {}

    def __call__(self, band: str | None, days: Period) -> HighestDays | None:
        """None where the band is not in force."""
        if (band, days) not in self._made:
            span = self._span
            slots = chosen_slots(span.zone, span.period, span.minutes, days)
            chosen = self._windows.within(slots) & self._bands[band]
            days_max = self._charge.mean_of_highest_days
            self._made[band, days] = highest_of(self._windows, chosen, days_max)
        return self._made[band, days]


def _ratchet(
    charge: Demand, span: Span, names: Sequence[str | None], highest_on: _HighestOnDays
) -> Ratchet | None:
    if not charge.ratchet_months:
        return None
    until_on = span.period.start_on.replace(day=1)
    months = months_between(span.within.start_on, span.within.end_on)
    pieces = [
        MonthDemand(name, month, highest_on(name, month)) for month in months for name in names
    ]
    looks_from_on = months_after(until_on, -charge.ratchet_months)
    next_looks_from_on = months_after(span.period.end_on.replace(day=1), -charge.ratchet_months)
    is_last = span.within.end_on == span.period.end_on
    return Ratchet(
        component_id=charge.id,
        fraction=charge.ratchet_percent_in(span.period.start_on.month) / PERCENT_MAX,
        only_months=frozenset(charge.ratchet_only_months),
        across_bands=charge.ratchet_across_bands,
        from_on=looks_from_on,
        until_on=until_on,
        retained_from_on=next_looks_from_on if is_last else looks_from_on,
        pieces=tuple(pieces),
    )


def _lines(charge: Demand, band: str | None, tiers: tuple[Tier, ...], span: Span) -> Iterator[Item]:
    for label, tier in zip(tier_labels(band, tiers), tiers, strict=True):
        yield span.item(
            charge.id,
            "demand",
            band=label,
            flow=FLOWS_OF[charge.reactive][0] if charge.unit == "kvar" else charge.flow,
            unit=KW_UNITS[charge.per].replace("kW", charge.unit),
            rate=tier.rate,
            payee=charge.payee,
            tax_class=charge.tax_class,
        )
