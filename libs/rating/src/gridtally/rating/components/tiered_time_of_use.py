"""Tiers within time of use: each band has tiers, and a declared rule says what fills them."""

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from gridtally.rating.bands import Bands, Windows
from gridtally.rating.components.charge import Charge, check_charge
from gridtally.rating.engine.lines import Kind
from gridtally.rating.engine.steps import Step
from gridtally.rating.engine.tier_step import BandTiers, Split
from gridtally.rating.field_types import BANDS_MAX, Length, Name, check_name
from gridtally.rating.limits import TierLimits, check_limits
from gridtally.rating.plan.span import Span
from gridtally.rating.plan.tier_plan import plan_tiers
from gridtally.rating.quantity_steps import QuantityRounding
from gridtally.rating.seasons import check_season_change
from gridtally.rating.tiers import Mode, Tiers, check_energy_tiers
from gridtally.rating.usage import NettableFlow


@dataclass(frozen=True, slots=True, kw_only=True)
class TieredBand:
    """A name on the bill, and the tiers of its rates."""

    name: Name
    """What windows and bill lines call it."""
    tiers: Tiers
    """Its tiers with rising limits, of which the last has none."""

    def __post_init__(self) -> None:
        check_name("band", self.name)
        check_energy_tiers(self.tiers)


@dataclass(frozen=True, slots=True, kw_only=True)
class TieredTimeOfUse(Charge):
    """Energy of a flow by band and tier."""

    kind: ClassVar[str] = "tiered_time_of_use"
    line_kind: ClassVar[Kind] = "energy"
    split: Split
    """What fills a band's tiers: its own energy (`per_band`); the total, of which each tier is
    divided over the bands in proportion to their energy (`pro_rata`); or the running total,
    interval by interval (`chronological`)."""
    bands: Annotated[tuple[TieredBand, ...], Length(1, BANDS_MAX)]
    """The bands with their tiers, in the order of the bill's lines."""
    windows: Windows = ()
    """When each band is in force; they must not overlap."""
    default_band: Name | None = None
    """The band in force where no window is; null where windows cover all the time."""
    mode: Mode = "graduated"
    """Each tier's part at its own rate, or all at the rate of the tier that the total lies in."""
    limits: TierLimits = field(default_factory=TierLimits)
    """What the tiers' limits refer to."""
    flow: NettableFlow = "import"
    """Whose kWh are counted; `net_import` is what is left of import after export is netted within
    each interval."""
    quantity_rounding: QuantityRounding | None = None
    """How each interval's kWh are rounded before they are counted; null for not at all."""

    def __post_init__(self) -> None:
        check_charge(self)
        self.banded.check()
        tiers = [tier for band in self.bands for tier in band.tiers]
        check_limits(self.limits, self.mode, tiers)
        check_season_change(self.limits.on_season_change, self.windows)
        if self.mode == "volume" and self.split == "chronological":
            raise ValueError("with volume the total chooses the tier: no order of time is in it")
        if self.split == "pro_rata" and self.limits.reset_daily:
            raise ValueError("with reset_daily tiers are filled per_band or chronological")

    @property
    def banded(self) -> Bands:
        """When each band is in force."""
        return Bands(tuple(band.name for band in self.bands), self.windows, self.default_band)

    @property
    def tiers_of(self) -> tuple[BandTiers, ...]:
        """The tiers of each band."""
        return tuple(BandTiers(band.name, band.tiers) for band in self.bands)

    @property
    def carries_state(self) -> bool:
        """Whether its bills carry forward how much of the tiers is used."""
        return self.limits.reset_months is not None


def plan(charge: TieredTimeOfUse, span: Span) -> list[Step]:
    """A line for each tier of each band in force; those that nothing lies in stay off the bill."""
    if charge.limits.reset_daily:
        return []  # adds up: see `plan_daily_tiers`
    return [plan_tiers(charge, span)]
