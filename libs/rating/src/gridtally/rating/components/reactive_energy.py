"""Reactive energy: so much per kvarh beyond a share of the kWh, overall or by band.

Owns what share is free, and over which days a share is taken. Refuses tiers that begin below it.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from gridtally.kernel.periods import ONE_DAY, Period, months_between
from gridtally.rating.bands import Bands, Windows, intervals_by_band
from gridtally.rating.components.charge import Charge, check_charge
from gridtally.rating.engine.batch import Batch
from gridtally.rating.engine.exact import ZERO
from gridtally.rating.engine.lines import Item
from gridtally.rating.engine.steps import Step, StepResult
from gridtally.rating.field_types import (
    BANDS_MAX,
    LIMIT_FORM,
    Length,
    Name,
    Rate,
    UpperLimit,
    check_name,
    check_rate,
)
from gridtally.rating.plan.span import Span, chosen_slots
from gridtally.rating.tiers import (
    TIERS_MAX,
    Mode,
    Tier,
    check_tiers,
    graduated,
    tier_labels,
    upper_limits,
    volume,
)
from gridtally.rating.usage import ActiveFlow, ReactiveFlow


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactiveBand:
    """A name on the bill, and a rate per kvarh or the tiers of the share of its own kWh."""

    name: Name
    """What windows and bill lines call it."""
    rate: Rate | None = None
    """Money per kvarh that is not free; null for tiers."""
    tiers: Annotated[tuple[Tier, ...], Length(most=TIERS_MAX)] = ()
    """Tiers by kvarh per kWh, in place of the one rate."""

    def __post_init__(self) -> None:
        check_name("band", self.name)
        _check_rates(self.rate, self.tiers)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactiveEnergy(Charge):
    """So much per kvarh beyond a free share of the kWh: a rate, tiers by share, or bands with them.

    kvarh per kWh is the tangent of the phase angle: 0.33 is a power factor of 0.95, 0.5 one of 0.89
    and 0.75 one of 0.8. Where there are no kWh all kvarh are beyond every share.
    """

    kind: ClassVar[str] = "reactive_energy"
    rate: Rate | None = None
    """Money per kvarh that is not free, where there are neither tiers nor bands."""
    tiers: Annotated[tuple[Tier, ...], Length(most=TIERS_MAX)] = ()
    """Tiers by kvarh per kWh, in place of the one rate: limits are shares such as 0.75."""
    bands: Annotated[tuple[ReactiveBand, ...], Length(most=BANDS_MAX)] = ()
    """Bands of time in place of rate and tiers, each with a share of its own kWh."""
    windows: Windows = ()
    """When each band is in force; they must not overlap."""
    default_band: Name | None = None
    """The band in force where no window is; null where nothing is charged then."""
    free_share: UpperLimit = Decimal(0)
    """So many kvarh per kWh are free."""
    mode: Mode = "graduated"
    """Each tier's kvarh at its rate, or all that are not free at the rate of the tier in which the
    whole share lies (`volume`)."""
    measured_over: Literal["day", "month", "period"] = "month"
    """Of which days the share is taken: each local day, each calendar month or all of the billed
    period, of the days of the version."""
    flow: ReactiveFlow = "reactive_import"
    """Whose kvarh are charged."""
    active_flow: ActiveFlow = "import"
    """Whose kWh the share is of."""

    def __post_init__(self) -> None:
        check_charge(self)
        if self.bands:
            if self.rate is not None or self.tiers:
                raise ValueError("reactive energy by bands has its rates in them")
        else:
            _check_rates(self.rate, self.tiers)
        if (banded := self.banded) is not None:
            banded.check()
        elif self.windows or self.default_band is not None:
            raise ValueError("windows and default_band are for reactive energy by bands")
        if not LIMIT_FORM.fits(self.free_share):
            raise ValueError(f"a free share of {self.free_share} must be 0 or more: 0.33 is 33 %")
        limits = [tiers[0].limit for _, tiers in self.tiers_by_band]
        for limit in [limit for limit in limits if limit is not None and limit <= self.free_share]:
            raise ValueError(f"the first tier ends at {limit}, within the free {self.free_share}")
        if self.mode == "volume" and all(len(tiers) == 1 for _, tiers in self.tiers_by_band):
            raise ValueError("the mode 'volume' is for tiers")

    @property
    def banded(self) -> Bands | None:
        """When each band is in force; None where there are none."""
        if not self.bands:
            return None
        names = tuple(band.name for band in self.bands)
        return Bands(names, self.windows, self.default_band, gaps=True)

    @property
    def tiers_by_band(self) -> list[tuple[str | None, tuple[Tier, ...]]]:
        """The tiers of each band, or of the charge that has none; one rate is a single tier."""
        if self.bands:
            return [(band.name, _tiers_of(band.rate, band.tiers)) for band in self.bands]
        return [(None, _tiers_of(self.rate, self.tiers))]


def _tiers_of(rate: Decimal | None, tiers: tuple[Tier, ...]) -> tuple[Tier, ...]:
    return tiers if rate is None else (Tier(rate=rate),)


def _check_rates(rate: Decimal | None, tiers: tuple[Tier, ...]) -> None:
    if (rate is None) == (not tiers):
        raise ValueError("reactive energy has either a rate or tiers")
    if rate is not None:
        check_rate(rate)
    else:
        check_tiers(tiers)


@dataclass(frozen=True, slots=True)
class BandColumns:
    """A band's tiers, and the columns of its kvarh and kWh for each cycle of days."""

    tiers: tuple[Tier, ...]
    columns: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcessReactive(Step):
    """The kvarh of each band and tier beyond the free share, cycle by cycle added up."""

    lines: tuple[Item, ...]
    bands: tuple[BandColumns, ...]
    flow: ReactiveFlow
    active_flow: ActiveFlow
    free_share: Decimal
    mode: Mode

    @property
    def items(self) -> tuple[Item, ...]:
        return self.lines

    @property
    def omits_zero_lines(self) -> bool:
        return True

    def charge(self, batch: Batch) -> list[StepResult]:
        results: list[StepResult] = []
        for band in self.bands:
            by_tier = [[ZERO] * len(batch.usages) for _ in band.tiers]
            for column, active_column in band.columns:
                kvarh = batch.kwh_in_parts(batch.sums[self.flow][column])
                kwh = batch.kwh_in_parts(batch.sums[self.active_flow][active_column])
                for meter, (reactive, active) in enumerate(zip(kvarh, kwh, strict=True)):
                    parts = self._by_tier(band.tiers, reactive, active)
                    for tier_kvarh, part in zip(by_tier, parts, strict=True):
                        tier_kvarh[meter] += part
            results.extend(StepResult(tier_kvarh) for tier_kvarh in by_tier)
        return results

    def _by_tier(
        self, tiers: tuple[Tier, ...], reactive: Decimal, active: Decimal
    ) -> list[Decimal]:
        free = self.free_share * active
        excess = max(reactive - free, ZERO)
        limits = upper_limits(tiers, active)
        if self.mode == "volume":
            return volume(reactive, excess, limits)
        return graduated(free, excess, limits)


def plan(charge: ReactiveEnergy, span: Span) -> list[Step]:
    """A line for each tier of each band that is in force; no step where none is."""
    cycles = [
        chosen_slots(span.zone, span.period, span.minutes, days)
        for days in _cycles(charge, span.within)
    ]
    tiers_by_band = charge.tiers_by_band
    bands, lines = [], []
    for band_index, chosen in intervals_by_band(charge.banded, charge.id, span):
        name, tiers = tiers_by_band[band_index]
        masks = [mask for cycle in cycles if (mask := chosen & cycle).any()]
        columns = tuple(
            (
                span.columns.column_of(charge.flow, mask),
                span.columns.column_of(charge.active_flow, mask),
            )
            for mask in masks
        )
        bands.append(BandColumns(tiers, columns))
        lines += [
            span.item(
                charge.id,
                "energy",
                band=label,
                flow=charge.flow,
                unit="kvarh",
                rate=tier.rate,
                payee=charge.payee,
                tax_class=charge.tax_class,
            )
            for label, tier in zip(tier_labels(name, tiers), tiers, strict=True)
        ]
    if not bands:
        return []
    return [
        ExcessReactive(
            lines=tuple(lines),
            bands=tuple(bands),
            flow=charge.flow,
            active_flow=charge.active_flow,
            free_share=charge.free_share,
            mode=charge.mode,
        )
    ]


def _cycles(charge: ReactiveEnergy, within: Period) -> list[Period]:
    match charge.measured_over:
        case "period":
            return [within]
        case "month":
            return months_between(within.start_on, within.end_on)
        case "day":
            return [Period(day, day + ONE_DAY) for day in within.dates()]
