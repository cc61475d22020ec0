"""Demand: so much per kW of the highest mean power, overall or by band."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from kernel.periods import Period, months_between
from rating.bands import Bands, Window, places_in
from rating.components.capacity import KW_UNITS
from rating.demanded import Demanded, Measured, MonthPiece, Ratchet, months_before
from rating.ladder import MONTHS_PER_YEAR, OnVersionChange, Tier, check_tiers, labels
from rating.limits import check_component, check_connected_kw, check_name, check_rate
from rating.lines import Item
from rating.peaks import (
    FromCoarser,
    Highest,
    WindowKind,
    WindowMinutes,
    Windows,
    bands_of_windows,
    highest_of,
    windows_of,
)
from rating.proration import Term, YearProration, check_proration
from rating.span import Span, chosen_slots
from rating.steps import Step
from rating.usage import Flow

DAYS_MAX = 31
RATCHET_MONTHS_MAX = 36
PERCENT_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandBand:
    """A name on the bill, and its `rate` per kW or the `tiers` of its kW."""

    name: str
    rate: Decimal | None = None
    tiers: tuple[Tier, ...] = ()

    def __post_init__(self) -> None:
        check_name("band", self.name)
        _check_rates(self.rate, self.tiers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """`rate` (or `tiers` by kW, or `bands` with either) per billed kW and month, day or year.

    The measured kW is the highest mean power over `minutes`, in blocks of the tariff's clock or in
    windows that begin with any interval; the mean of the `mean_of_highest_days` highest days'
    peaks, or of as many days as there are. The billed kW is it, but at least `ratchet_percent` of
    the highest complete calendar month among the `ratchet_months` before the billed period's
    first (of the band, or with `ratchet_across_bands` of any), at least `minimum_kw`, and then
    rounded up to whole `kw_step`. `ratchet_percent_by_month` (twelve, January's first) says the
    percentage for periods that begin in each month; of `ratchet_only_months` (1 to 12) alone the
    peaks count.

    `bands` are on in `windows` of local time; what none covers is of `default_band`, or of no
    band. Where a new version begins within the billed period, `keep` measures over the whole
    period and `reset` over the version's days; the charge is prorated either way.
    """

    kind: ClassVar[str] = "demand"
    id: str
    rate: Decimal | None = None
    tiers: tuple[Tier, ...] = ()
    bands: tuple[DemandBand, ...] = ()
    windows: tuple[Window, ...] = ()
    default_band: str | None = None
    minutes: WindowMinutes = 15
    window: WindowKind = "block"
    from_coarser: FromCoarser = "refused"
    mean_of_highest_days: int = 1
    ratchet_months: int = 0
    ratchet_percent: Decimal = Decimal(PERCENT_MAX)
    ratchet_percent_by_month: tuple[Decimal, ...] = ()
    ratchet_only_months: tuple[int, ...] = ()
    ratchet_across_bands: bool = False
    minimum_kw: Decimal = Decimal(0)
    kw_step: Decimal | None = None
    per: Literal["day", "month", "year"] = "month"
    proration: YearProration = "actual_days"
    on_version_change: OnVersionChange = "keep"
    flow: Flow = "import"
    payee: str | None = None
    tax_class: str | None = None

    def __post_init__(self) -> None:
        check_component(self.id, self.payee, self.tax_class)
        check_proration(self.per, self.proration)
        if self.bands:
            if self.rate is not None or self.tiers:
                raise ValueError("demand by bands has its rates in them")
            self._bands().check()
        else:
            _check_rates(self.rate, self.tiers)
            if self.windows or self.default_band is not None:
                raise ValueError("windows and default_band are for demand by bands")
        if not 1 <= self.mean_of_highest_days <= DAYS_MAX:
            raise ValueError(f"mean_of_highest_days must lie between 1 and {DAYS_MAX}")
        if not 0 <= self.ratchet_months <= RATCHET_MONTHS_MAX:
            raise ValueError(f"ratchet_months must lie between 0 and {RATCHET_MONTHS_MAX}")
        self._check_ratchet()
        check_connected_kw(self.minimum_kw)
        if self.kw_step is not None:
            check_connected_kw(self.kw_step)
            if not self.kw_step:
                raise ValueError("kW cannot be rounded up to steps of nothing")

    def _check_ratchet(self) -> None:
        check_rate(self.ratchet_percent)
        if not 0 < self.ratchet_percent <= PERCENT_MAX:
            raise ValueError(f"ratchet_percent {self.ratchet_percent}: 80 is 80 %, at most 100")
        if self.ratchet_across_bands and not (self.bands and self.ratchet_months):
            raise ValueError("ratchet_across_bands is for a ratchet of demand by bands")
        if not self.ratchet_months and (self.ratchet_percent_by_month or self.ratchet_only_months):
            raise ValueError("a ratchet by months needs ratchet_months")
        for percent in self.ratchet_percent_by_month:
            check_rate(percent)
            if not 0 <= percent <= PERCENT_MAX:
                raise ValueError(f"ratchet_percent_by_month {percent}: 80 is 80 %, at most 100")
        if len(self.ratchet_percent_by_month) not in (0, MONTHS_PER_YEAR):
            raise ValueError("ratchet_percent_by_month is twelve, one for each month from January")
        if self.ratchet_percent_by_month and self.ratchet_percent != PERCENT_MAX:
            raise ValueError("there is either a ratchet_percent or ratchet_percent_by_month")
        months = self.ratchet_only_months
        if not set(months) <= set(range(1, MONTHS_PER_YEAR + 1)) or len(set(months)) < len(months):
            raise ValueError("ratchet_only_months are different months from 1 to 12")

    def ratchet_percent_in(self, month: int) -> Decimal:
        """The percentage for a period that begins in this month of the year."""
        by_month = self.ratchet_percent_by_month
        return by_month[month - 1] if by_month else self.ratchet_percent

    @property
    def banded(self) -> Bands | None:
        """When each band is on; None where demand is measured all the time."""
        return self._bands() if self.bands else None

    def _bands(self) -> Bands:
        names = tuple(band.name for band in self.bands)
        return Bands(names, self.windows, self.default_band, gaps=True)

    @property
    def carries_state(self) -> bool:
        """Whether its bills hand on their peaks."""
        return self.ratchet_months > 0


def _check_rates(rate: Decimal | None, tiers: tuple[Tier, ...]) -> None:
    if (rate is None) == (not tiers):
        raise ValueError("demand has either a rate or tiers")
    if rate is not None:
        check_rate(rate)
    else:
        check_tiers(tiers)


def plan(charge: Demand, span: Span) -> list[Step]:
    """A line for each tier of each band that is on; no steps where none is."""
    measured_on = span.period if charge.on_version_change == "keep" else span.within
    windows = windows_of(
        charge.id, charge.flow, span, charge.minutes, charge.window, charge.from_coarser
    )
    slots = chosen_slots(span.zone, span.period, span.minutes, measured_on)
    names, bands = _windows_by_band(charge, span, windows, slots)
    of_days = _HighestOfDays(charge, span, windows, dict(zip(names, bands, strict=True)))
    measured = tuple(
        Measured(name, tiers, highest)
        for name, tiers in zip(names, _ladders(charge), strict=True)
        if (highest := of_days(name, measured_on)) is not None
    )
    if not measured:
        return []
    term = Term(charge.per, charge.proration, span.within, span.period)
    return [
        Demanded(
            lines=tuple(_lines(charge, measured, span)),
            windows=windows,
            bands=measured,
            times=term.times(span.within),
            minimum_kw=charge.minimum_kw,
            kw_step=charge.kw_step,
            ratchet=_ratchet(charge, span, names, of_days),
        )
    ]


def _ladders(charge: Demand) -> list[tuple[Tier, ...]]:
    """The tiers of each band, or of the demand that has none; one rate is a ladder of one."""
    return [
        one.tiers if one.rate is None else (Tier(rate=one.rate),)
        for one in (charge.bands or (charge,))
    ]


def _windows_by_band(
    charge: Demand, span: Span, windows: Windows, slots: NDArray[np.bool_]
) -> tuple[list[str | None], list[NDArray[np.bool_]]]:
    """The bands, and which windows are of each."""
    if charge.banded is None:
        return [None], [np.ones(len(windows.first), np.bool_)]
    places = places_in(charge.banded, charge.id, replace(span, chosen=slots))
    chosen = windows.within(slots)
    band_of = bands_of_windows(charge.id, windows, charge.window, places, chosen)
    return (
        [band.name for band in charge.bands],
        [band_of == number for number in range(len(charge.bands))],
    )


class _HighestOfDays:
    """The peaks of a band on some days, the same ones for the same days."""

    def __init__(
        self,
        charge: Demand,
        span: Span,
        windows: Windows,
        bands: Mapping[str | None, NDArray[np.bool_]],
    ) -> None:
        self._charge, self._span = charge, span
        self._windows, self._bands = windows, bands
        self._found: dict[tuple[str | None, Period], Highest | None] = {}

    def __call__(self, band: str | None, days: Period) -> Highest | None:
        """None where the band is not on."""
        if (band, days) not in self._found:
            span = self._span
            slots = chosen_slots(span.zone, span.period, span.minutes, days)
            chosen = self._windows.within(slots) & self._bands[band]
            days_max = self._charge.mean_of_highest_days
            self._found[band, days] = highest_of(self._windows, chosen, days_max)
        return self._found[band, days]


def _ratchet(
    charge: Demand, span: Span, names: Sequence[str | None], of_days: _HighestOfDays
) -> Ratchet | None:
    if not charge.ratchet_months:
        return None
    until_on = span.period.start_on.replace(day=1)
    months = months_between(span.within.start_on, span.within.end_on)
    pieces = [MonthPiece(name, month, of_days(name, month)) for month in months for name in names]
    looks_from_on = months_before(until_on, charge.ratchet_months)
    next_looks_from_on = months_before(span.period.end_on.replace(day=1), charge.ratchet_months)
    is_last = span.within.end_on == span.period.end_on
    return Ratchet(
        component_id=charge.id,
        share=charge.ratchet_percent_in(span.period.start_on.month) / PERCENT_MAX,
        only_months=frozenset(charge.ratchet_only_months),
        across_bands=charge.ratchet_across_bands,
        from_on=looks_from_on,
        until_on=until_on,
        kept_from_on=next_looks_from_on if is_last else looks_from_on,
        pieces=tuple(pieces),
    )


def _lines(charge: Demand, measured: Sequence[Measured], span: Span) -> Iterator[Item]:
    for band in measured:
        for name, tier in zip(labels(band.band, band.tiers), band.tiers, strict=True):
            yield span.item(
                charge.id,
                "demand",
                band=name,
                flow=charge.flow,
                unit=KW_UNITS[charge.per],
                rate=tier.rate,
                payee=charge.payee,
                tax_class=charge.tax_class,
            )
