"""Demand: so much per kW of the highest mean power, overall or by band."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from gridtally.rating.bands import Bands, Windows
from gridtally.rating.components.charge import Charge, check_charge
from gridtally.rating.engine.demand_windows import (
    FromCoarser,
    PowerUnit,
    WindowKind,
    WindowMinutes,
)
from gridtally.rating.field_types import (
    BANDS_MAX,
    LIMIT_FORM,
    MONTHS_PER_YEAR,
    Between,
    DecimalForm,
    Kilowatts,
    Length,
    Month,
    Name,
    Percentage,
    Rate,
    UpperLimit,
    check_connected_kw,
    check_name,
    check_rate,
)
from gridtally.rating.limits import OnVersionChange
from gridtally.rating.proration import YearProration, check_proration
from gridtally.rating.reactive import Reactive
from gridtally.rating.seasons import OnSeasonChange, check_season_change
from gridtally.rating.tiers import TIERS_MAX, Tier, check_demand_rates
from gridtally.rating.usage import ActiveFlow

DAYS_MAX = 31
MEAN_MONTHS_MAX = 36
RATCHET_MONTHS_MAX = 36
WEIGHT_FORM = DecimalForm(digits_max=1, decimals_max=4)
PERCENT_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandBand:
    """A name on the bill, and a rate per kW or the tiers of its kW."""

    name: Name
    """What windows and bill lines call it."""
    rate: Rate | None = None
    """Money per kW and month, day or year; null for tiers."""
    tiers: Annotated[tuple[Tier, ...], Length(most=TIERS_MAX)] = ()
    """Tiers by kW, in place of the one rate."""

    def __post_init__(self) -> None:
        check_name("band", self.name)
        check_demand_rates(self.rate, self.tiers)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandWeight:
    """What power counts for in some windows, where all of it has one rate: at night half."""

    name: Name
    """What windows call it."""
    weight: Annotated[Decimal, WEIGHT_FORM]
    """What power is multiplied by before peaks are compared: 0.5 counts half; above 0."""

    def __post_init__(self) -> None:
        check_name("weight", self.name)
        if not (WEIGHT_FORM.fits(self.weight) and self.weight > 0):
            raise ValueError(
                f"a weight of {self.weight} must lie above 0 and below {WEIGHT_FORM.below}, with "
                f"at most {WEIGHT_FORM.decimals_max} decimals: leave out windows that do not count"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand(Charge):
    """So much per kW of the highest mean power over some minutes: a rate, tiers of kW, or bands.

    The billed kW is the measured one, or its mean with those of earlier months, but at least the
    ratchet's percentage of an earlier month, at least `minimum_kw`, and then rounded up to whole
    `kw_step`.
    """

    kind: ClassVar[str] = "demand"
    rate: Rate | None = None
    """Money per billed kW and month, day or year, where all the time has one rate."""
    tiers: Annotated[tuple[Tier, ...], Length(most=TIERS_MAX)] = ()
    """Tiers by billed kW, in place of the one rate."""
    bands: Annotated[tuple[DemandBand, ...], Length(most=BANDS_MAX)] = ()
    """Bands of time, each measured and billed for itself, in place of rate and tiers."""
    weights: Annotated[tuple[DemandWeight, ...], Length(most=BANDS_MAX)] = ()
    """Weights by time: windows and `default_band` name them in place of bands, and power at any
    time is measured together, times its weight."""
    windows: Windows = ()
    """When each band or weight is in force; they must not overlap."""
    default_band: Name | None = None
    """The band or weight in force where no window is; null where nothing is measured then."""
    minutes: WindowMinutes = 15
    """The length in minutes of the windows over which power is the mean."""
    window: WindowKind = "block"
    """Whether windows are blocks of the tariff's clock, or begin with any interval."""
    from_coarser: FromCoarser = "refused"
    """Whether intervals longer than `minutes` are refused, or give their own mean."""
    mean_of_highest_days: Annotated[int, Between(1, DAYS_MAX)] = 1
    """Of so many days with the highest peaks the mean is measured, or of as many as there are."""
    mean_of_months: Annotated[int, Between(0, MEAN_MONTHS_MAX)] = 0
    """Of so many calendar months up to each that is billed the mean of their peaks is billed, or of
    as many as were billed so far, each of at least `minimum_kw`; 0 where a bill is of its own peak.
    Several months on one bill are billed one by one."""
    ratchet_months: Annotated[int, Between(0, RATCHET_MONTHS_MAX)] = 0
    """So many calendar months before the billed period's first the ratchet looks back; 0 for no
    ratchet. Only months that were billed whole count."""
    ratchet_percent: Percentage = Decimal(PERCENT_MAX)
    """The percentage of the highest of these months that is billed at least; 80 is 80 %."""
    ratchet_percent_by_month: Annotated[tuple[Percentage, ...], Length(most=MONTHS_PER_YEAR)] = ()
    """Twelve percentages in place of the one, January's first, for periods that begin in each."""
    ratchet_only_months: Annotated[tuple[Month, ...], Length(most=MONTHS_PER_YEAR)] = ()
    """The months of the year (1 is January) whose peaks count; all where none is named."""
    ratchet_across_bands: bool = False
    """Whether a band's ratchet looks back on the peaks of all bands, not only its own."""
    minimum_kw: Kilowatts = Decimal(0)
    """The least billed kW; with `mean_of_months` the least that each month counts for."""
    kw_step: Kilowatts | None = None
    """The billed kW is rounded up to whole steps of so many kW; null for no rounding."""
    per: Literal["day", "month", "year"] = "month"
    """What rates are for, besides a kW."""
    proration: YearProration = "actual_days"
    """What a day costs of a rate per month or year; see the fixed charge."""
    on_version_change: OnVersionChange = "keep"
    """Where a new version begins within the billed period: measure over the whole period (`keep`)
    or over the version's own days (`reset`); the charge is prorated either way."""
    on_season_change: OnSeasonChange = "by_days"
    """Where seasons with other bands meet within the billed period: each is charged for its days
    (`by_days`); all is charged as in the season that most of the days lie in (`most_days`); or
    each band as if it were in force in all seasons (`each_in_full`)."""
    flow: ActiveFlow = "import"
    """Whose power is measured."""
    unit: PowerUnit = "kW"
    """Whether power is active, apparent (the root of kW² + kvar² of each window, to whole VA) or
    reactive. All that is said of kW is of kVA or kvar then."""
    reactive: Reactive = "import"
    """Which reactive energy makes kVA or kvar: what is drawn (`import`), what is fed in (`export`),
    their difference (`net`) or the `higher` of the two in each window."""
    free_share: UpperLimit = Decimal(0)
    """Of kvar so many are free for each kW of the highest over the same windows: 0.5 is a power
    factor of 0.89."""

    def __post_init__(self) -> None:
        check_charge(self)
        check_proration(self.per, self.proration)
        self._check_bands()
        check_season_change(self.on_season_change, self.windows)
        if not 1 <= self.mean_of_highest_days <= DAYS_MAX:
            raise ValueError(f"mean_of_highest_days must lie between 1 and {DAYS_MAX}")
        if not 0 <= self.ratchet_months <= RATCHET_MONTHS_MAX:
            raise ValueError(f"ratchet_months must lie between 0 and {RATCHET_MONTHS_MAX}")
        self._check_ratchet()
        self._check_mean_of_months()
        if self.unit == "kW" and self.reactive != "import":
            raise ValueError("reactive is for demand whose unit is kVA or kvar")
        if not LIMIT_FORM.fits(self.free_share):
            raise ValueError(f"a free share of {self.free_share} must be 0 or more: 0.33 is 33 %")
        if self.free_share and self.unit != "kvar":
            raise ValueError("a free_share is for demand whose unit is kvar")
        check_connected_kw(self.minimum_kw)
        if self.kw_step is not None:
            check_connected_kw(self.kw_step)
            if not self.kw_step:
                raise ValueError("kW cannot be rounded up to steps of zero")

    def _check_bands(self) -> None:
        if self.bands and (self.rate is not None or self.tiers):
            raise ValueError("demand by bands has its rates in them")
        if self.bands and self.weights:
            raise ValueError("bands are measured each for itself: weights are for demand without")
        if not self.bands:
            check_demand_rates(self.rate, self.tiers)
        if (banded := self.banded) is not None:
            banded.check()
        elif self.windows or self.default_band is not None:
            raise ValueError("windows and default_band are for demand by bands or with weights")

    def _check_mean_of_months(self) -> None:
        if not 0 <= self.mean_of_months <= MEAN_MONTHS_MAX:
            raise ValueError(f"mean_of_months must lie between 0 and {MEAN_MONTHS_MAX}")
        if self.mean_of_months and self.ratchet_months:
            raise ValueError("there is either a mean_of_months or a ratchet")
        if self.mean_of_months and self.on_version_change == "reset":
            raise ValueError("a mean_of_months is of whole months: on_version_change is 'keep'")

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
        """When each band or weight is in force; None where demand is measured all the time."""
        names = tuple(band.name for band in (self.bands or self.weights))
        return Bands(names, self.windows, self.default_band, gaps=True) if names else None

    @property
    def carries_state(self) -> bool:
        """Whether its bills carry their peaks forward."""
        return self.ratchet_months > 0 or self.mean_of_months > 0
