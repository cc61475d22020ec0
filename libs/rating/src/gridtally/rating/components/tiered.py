"""Tiers: energy of a flow by consecutive ranges with a rate each, whenever it is used."""

from dataclasses import dataclass, field
from typing import ClassVar

from gridtally.rating.components.charge import Charge, check_charge
from gridtally.rating.engine.lines import Kind
from gridtally.rating.engine.steps import Step
from gridtally.rating.engine.tier_step import BandTiers, Split
from gridtally.rating.limits import TierLimits, check_limits
from gridtally.rating.plan.span import Span
from gridtally.rating.plan.tier_plan import plan_tiers
from gridtally.rating.quantity_steps import QuantityRounding
from gridtally.rating.seasons import check_season_change
from gridtally.rating.tiers import Mode, Tiers, check_energy_tiers
from gridtally.rating.usage import NettableFlow


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiered(Charge):
    """Each kWh at the rate of the tier in which it lies, or with `volume` all at the total's."""

    kind: ClassVar[str] = "tiered"
    line_kind: ClassVar[Kind] = "energy"
    split: ClassVar[Split] = "per_band"
    tiers: Tiers
    """The tiers with rising limits, of which the last has none."""
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
        check_energy_tiers(self.tiers)
        check_limits(self.limits, self.mode, self.tiers)
        check_season_change(self.limits.on_season_change, ())

    @property
    def tiers_of(self) -> tuple[BandTiers, ...]:
        """The tiers of all energy."""
        return (BandTiers(None, self.tiers),)

    @property
    def banded(self) -> None:
        """There is one price at all times."""

    @property
    def carries_state(self) -> bool:
        """Whether its bills carry forward how much of the tiers is used."""
        return self.limits.reset_months is not None


def plan(charge: Tiered, span: Span) -> list[Step]:
    """A line for each tier; those that nothing lies in stay off the bill."""
    if charge.limits.reset_daily:
        return []  # adds up: see `plan_daily_tiers`
    return [plan_tiers(charge, span)]
