"""Net metering: exported units pay for imported ones over the period; what is left has its rule."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

from gridtally.kernel.periods import Period
from gridtally.rating.bands import Bands, Windows, intervals_by_band
from gridtally.rating.carry_forward import CrossBand
from gridtally.rating.components.band_rates import (
    RatedBand,
    bands_of,
    check_rates,
    check_split,
    tiers_by_band,
)
from gridtally.rating.components.charge import Charge, check_charge
from gridtally.rating.engine.limit_unit import LimitUnit
from gridtally.rating.engine.lines import Item
from gridtally.rating.engine.net_tier_step import NetSplit, NetTiers
from gridtally.rating.engine.netting_step import BandNetting, CrossBandNetting, SurplusCredit
from gridtally.rating.engine.steps import Connected, Step
from gridtally.rating.field_types import BANDS_MAX, Length, Name, Rate, check_rate
from gridtally.rating.limits import NetTierLimits, check_kw
from gridtally.rating.plan.span import Span, chosen_slots
from gridtally.rating.plan.window_plan import highest_of, windows_of
from gridtally.rating.quantity_steps import QuantityRounding
from gridtally.rating.seasons import (
    bands_on,
    check_season_change,
    parts_by_band,
    parts_of_all,
)
from gridtally.rating.surplus import (
    EXCESS_BAND,
    CarryForward,
    Forfeit,
    Offset,
    Payout,
    reaches,
)
from gridtally.rating.tiers import TIERS_MAX, Tier, limited_per_kw, tier_labels
from gridtally.rating.usage import ActiveFlow

_FLOWS: tuple[ActiveFlow, ActiveFlow] = ("import", "export")


@dataclass(frozen=True, slots=True, kw_only=True)
class NetMetering(Charge):
    """Import less export over a version's days in the period, at a rate or by band.

    Each band nets for itself. A tax class covers the charges, and the credit where that is taxed.
    """

    kind: ClassVar[str] = "net_metering"
    surplus: Forfeit | Offset | CarryForward | Payout
    """What becomes of units that are left over."""
    surplus_rate: Rate | None = None
    """Money per kWh left over, where it offsets or is paid out; null for the band's own rate, of
    which there is none where there are tiers."""
    rate: Rate | None = None
    """Money per kWh of import less export, where all of it has one rate."""
    tiers: Annotated[tuple[Tier, ...], Length(most=TIERS_MAX)] = ()
    """In place of a rate, tiers that what is left of import fills; what is taken of a bank empties
    the highest first."""
    split: NetSplit | None = None
    """Of bands with tiers, what fills them: what is left of the band's own import (`per_band`), or
    that of all bands, of which each tier is divided over the bands in proportion (`pro_rata`)."""
    limits: NetTierLimits = field(default_factory=NetTierLimits)
    """What the tiers' limits refer to."""
    bands: Annotated[tuple[RatedBand, ...], Length(most=BANDS_MAX)] = ()
    """The bands with their rates or tiers, where these depend on the time; the dearest first for
    `later`."""
    windows: Windows = ()
    """When each band is in force; they must not overlap."""
    default_band: Name | None = None
    """The band in force where no window is; null where windows cover all the time."""
    cross_band: CrossBand = "none"
    """Whether units left over in a band also pay for those of no other band (`none`), of the bands
    after it in `bands` (`later`), or of every other (`any`)."""
    quantity_rounding: QuantityRounding | None = None
    """How each interval's kWh of import and of export are rounded before they are added up; null
    for not at all."""

    def __post_init__(self) -> None:
        check_charge(self)
        check_rates(self.rate, self.tiers, self.bands, self.windows, self.default_band)
        self._check_tiers()
        if self.surplus_rate is not None:
            check_rate(self.surplus_rate)
            if isinstance(self.surplus, Forfeit | CarryForward):
                raise ValueError("a surplus_rate is for a surplus that offsets or is paid out")
        if self.cross_band != "none" and len(self.bands) < 2:
            raise ValueError("units cross between two bands or more")
        if isinstance(self.surplus, CarryForward) and self.surplus.true_up_rates:
            worth = {of_band.band for of_band in self.surplus.true_up_rates}
            if worth != {band.name for band in self.bands}:
                raise ValueError(
                    "true_up_rates are for the component's bands, all of them: "
                    + (", ".join(band.name for band in self.bands) or "it has none")
                )

    def _check_tiers(self) -> None:
        check_split(self.split, self.bands)
        if not self.has_tiers:
            if self.limits != NetTierLimits():
                raise ValueError("limits are for tiers")
            return
        for _, tiers in self.tiers_by_band:
            check_kw(self.limits, tiers)
        check_season_change(self.limits.on_season_change, self.windows)
        if isinstance(self.surplus, Offset | Payout) and self.surplus_rate is None:
            raise ValueError("with tiers a surplus that offsets or is paid out needs surplus_rate")

    @property
    def has_tiers(self) -> bool:
        """Whether anything of it is in tiers."""
        return bool(self.tiers) or any(band.tiers for band in self.bands)

    @property
    def tiers_by_band(self) -> list[tuple[str | None, tuple[Tier, ...]]]:
        """The tiers of each band, or of everything (None); one rate is a single tier."""
        return tiers_by_band(self.rate, self.tiers, self.bands)

    @property
    def rates(self) -> list[tuple[str | None, Decimal]]:
        """The name and rate, or that of the first tier, of each band or of everything (None)."""
        return [(band, tiers[0].rate) for band, tiers in self.tiers_by_band]

    @property
    def banded(self) -> Bands | None:
        """When each band is in force; None where there is one rate."""
        return bands_of(self.bands, self.windows, self.default_band)

    @property
    def carries_state(self) -> bool:
        """Whether a bill carries units or credit forward to the next."""
        return self.surplus.carries_state


def plan(metering: NetMetering, span: Span) -> Sequence[Step]:
    """A line for each band in force or tier, and one for what it takes of other units."""
    return [step for netted in _netted_days(metering, span) for step in _plan(metering, netted)]


@dataclass(frozen=True, slots=True)
class _NettedDays:
    """Days that are netted, of all those on which the version applies."""

    days: Span
    of_version: Span


def _netted_days(metering: NetMetering, span: Span) -> Iterator[_NettedDays]:
    """The version's days; by days one after the other where bands that fill tiers together
    (`pro_rata`) come or go with a season, as on bills of their own."""
    banded = metering.banded
    if banded is None or metering.split != "pro_rata":
        yield _NettedDays(span, span)
        return
    rule = metering.limits.on_season_change
    for part in parts_of_all(banded, span.calendar, span.within, rule):
        chosen = chosen_slots(span.zone, span.period, span.minutes, part.days)
        days = replace(span, part=part.days, within=part.days, chosen=span.chosen & chosen)
        yield _NettedDays(days, span)


def _chosen_by_band(metering: NetMetering, days: Span) -> list[tuple[int, NDArray[np.bool_]]]:
    """The bands that the days are charged by, each with its intervals."""
    banded = metering.banded
    if banded is not None:
        banded = bands_on(banded, days.calendar, days.within, metering.limits.on_season_change)
    return intervals_by_band(banded, metering.id, days)


def _plan(metering: NetMetering, netted: _NettedDays) -> list[Step]:
    chosen_of = _chosen_by_band(metering, netted.days)
    netting = _plan_netting(metering, netted.days, chosen_of)
    if not metering.has_tiers:
        return [netting]
    of_bands = metering.tiers_by_band
    in_force = [of_bands[band_index] for band_index, _ in chosen_of]
    lines_of_net = len(in_force)
    lines = tuple(
        replace(item, band=label, rate=tier.rate)
        for first in range(0, len(netting.items), lines_of_net)
        for item, (band, tiers) in zip(netting.items[first:], in_force, strict=False)
        for label, tier in zip(tier_labels(band, tiers), tiers, strict=True)
    )
    days_of = _days_of(metering, netted.days)
    return [
        NetTiers(
            netting=netting,
            lines=lines,
            tiers=tuple(tiers for _, tiers in in_force),
            split=metering.split or "per_band",
            units=tuple(
                tuple(_limit_units(metering, netted.of_version, days_of[band_index]))
                for band_index, _ in chosen_of
            ),
        )
    ]


def _days_of(metering: NetMetering, days: Span) -> list[list[Period]]:
    """The netted days on which each band's limits are due: those of the seasons that have it."""
    banded = metering.banded
    if banded is None or metering.split == "pro_rata":
        return [[days.within]] * max(len(metering.bands), 1)
    rule = metering.limits.on_season_change
    parts_of = parts_by_band(banded, days.calendar, days.within, rule)
    return [[part.days for part in parts] for parts in parts_of]


def _limit_units(metering: NetMetering, span: Span, parts: Sequence[Period]) -> Iterator[LimitUnit]:
    """What 1 of a limit is on each stretch of the version's days."""
    limits = metering.limits
    term = limits.term(span)
    if list(parts) != [span.within]:
        term = term.divided()
    besides_kwh = any(limited_per_kw(tiers) for _, tiers in metering.tiers_by_band)
    for days in parts:
        unit = LimitUnit(term.times(days), besides_kwh=besides_kwh)
        if limits.kw == "connected":
            unit = replace(unit, connected=Connected(metering.id, term, days))
        elif limits.peak_minutes is not None:
            windows = windows_of(
                metering.id, "import", span, limits.peak_minutes, from_coarser=limits.from_coarser
            )
            chosen = windows.within(chosen_slots(span.zone, span.period, span.minutes, days))
            unit = replace(unit, windows=windows, highest=highest_of(windows, chosen))
        yield unit


def _plan_netting(
    metering: NetMetering, span: Span, chosen_of: Sequence[tuple[int, NDArray[np.bool_]]]
) -> BandNetting:
    rates = metering.rates
    in_force = tuple(band_index for band_index, _ in chosen_of)
    net, taken = (
        tuple(
            span.item(
                metering.id,
                "energy",
                band=rates[band_index][0],
                flow=flow,
                unit="kWh",
                rate=rates[band_index][1],
                payee=metering.payee,
                tax_class=metering.tax_class,
                quantity_rounding=metering.quantity_rounding,
            )
            for band_index in in_force
        )
        for flow in _FLOWS
    )
    column_of = span.columns.column_of
    imported, exported = (
        span.counted(metering.id, flow, metering.quantity_rounding) for flow in _FLOWS
    )
    counted = (imported, exported)
    columns = tuple(
        (column_of(imported, chosen), column_of(exported, chosen)) for _, chosen in chosen_of
    )
    bank = metering.surplus if isinstance(metering.surplus, CarryForward) else None
    if bank is None and metering.cross_band == "none":
        return BandNetting(net, counted, columns)
    bands = tuple(band for band, _ in rates)
    true_up_bands = () if bank is None else tuple(band for band, _ in _true_up_worth(bank, span))
    return CrossBandNetting(
        net,
        counted,
        columns,
        taken,
        bands,
        in_force,
        metering.cross_band,
        bank,
        true_up_bands,
    )


def plan_credit(metering: NetMetering, span: Span) -> list[SurplusCredit]:
    """What is left over where it is worth money: by band, or what a bank pays out."""
    return [
        SurplusCredit(lines)
        for netted in _netted_days(metering, span)
        if (lines := tuple(_credit_lines(metering, netted.days)))
    ]


def _credit_lines(metering: NetMetering, span: Span) -> Iterator[Item]:
    for band, rate in _worth(metering, span):
        yield span.item(
            metering.id,
            "credit",
            band=band,
            flow="export",
            unit="kWh",
            rate=-rate,
            payee=metering.payee,
            tax_class=metering.tax_class if metering.surplus.taxed else None,
            quantity_rounding=metering.quantity_rounding,
        )


def _worth(metering: NetMetering, span: Span) -> list[tuple[str | None, Decimal]]:
    """What a kWh that is left over is worth, by band."""
    surplus = metering.surplus
    if isinstance(surplus, Forfeit):
        return []
    if isinstance(surplus, CarryForward):
        worth = _true_up_worth(surplus, span)
        if surplus.excess_rate is not None:
            worth.append((EXCESS_BAND, surplus.excess_rate))
        return worth
    rates = metering.rates
    own = metering.surplus_rate
    return [
        (band, rate if own is None else own)
        for band, rate in (rates[band_index] for band_index, _ in _chosen_by_band(metering, span))
    ]


def _true_up_worth(bank: CarryForward, span: Span) -> list[tuple[str | None, Decimal]]:
    """What a kWh of each band, or of all, is worth to a bill that empties the bank."""
    if not reaches(span.part, bank.true_up_month):
        return []
    if bank.true_up_rate is not None:
        return [(None, bank.true_up_rate)]
    return [(worth.band, worth.rate) for worth in bank.true_up_rates]
