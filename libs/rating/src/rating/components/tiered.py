"""Tiers: energy of a flow by a ladder of rates, whenever it is used."""

from dataclasses import dataclass, field
from typing import ClassVar

from rating.climb import Ladder, Split
from rating.climbing import plan_climbs
from rating.ladder import Limits, Mode, Tier, check_limits, check_tiers
from rating.limits import check_component
from rating.span import Span
from rating.steps import Step
from rating.usage import Flow


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiered:
    """Each kWh at the rate of the tier in which it lies, or with `volume` all at the total's."""

    kind: ClassVar[str] = "tiered"
    split: ClassVar[Split] = "per_band"
    id: str
    tiers: tuple[Tier, ...]
    mode: Mode = "graduated"
    limits: Limits = field(default_factory=Limits)
    flow: Flow = "import"
    payee: str | None = None
    tax_class: str | None = None

    def __post_init__(self) -> None:
        check_component(self.id, self.payee, self.tax_class)
        check_tiers(self.tiers)
        check_limits(self.limits, self.mode)

    @property
    def carries_state(self) -> bool:
        """Whether its bills hand on how far the ladder was climbed."""
        return self.limits.reset_months is not None


def plan(charge: Tiered, span: Span) -> list[Step]:
    """A line for each tier; those that nothing lies in stay off the bill."""
    return [plan_climbs(charge, (Ladder(None, charge.tiers),), None, span)]
