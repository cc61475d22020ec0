"""Tiers within time of use: each band has a ladder of rates, and a declared rule fills them."""

from dataclasses import dataclass, field
from typing import ClassVar

from rating.bands import Bands, Window
from rating.climb import Ladder, Split
from rating.climbing import plan_climbs
from rating.ladder import Limits, Mode, Tier, check_limits, check_tiers
from rating.limits import check_component, check_name
from rating.span import Span
from rating.steps import Step
from rating.usage import Flow


@dataclass(frozen=True, slots=True, kw_only=True)
class TieredBand:
    """A name on the bill, and the ladder of its rates."""

    name: str
    tiers: tuple[Tier, ...]

    def __post_init__(self) -> None:
        check_name("band", self.name)
        check_tiers(self.tiers)


@dataclass(frozen=True, slots=True, kw_only=True)
class TieredTimeOfUse:
    """Energy of a flow by band and tier; what no window covers is of `default_band`.

    `split` says what climbs a band's ladder: `per_band` its own energy; `pro_rata` the total, of
    which each tier is shared over the bands in proportion to their energy; `chronological` the
    running total, interval by interval.
    """

    kind: ClassVar[str] = "tiered_time_of_use"
    id: str
    split: Split
    bands: tuple[TieredBand, ...]
    windows: tuple[Window, ...] = ()
    default_band: str | None = None
    mode: Mode = "graduated"
    limits: Limits = field(default_factory=Limits)
    flow: Flow = "import"
    payee: str | None = None
    tax_class: str | None = None

    def __post_init__(self) -> None:
        check_component(self.id, self.payee, self.tax_class)
        self.banded.check()
        check_limits(self.limits, self.mode)
        if self.mode == "volume" and self.split == "chronological":
            raise ValueError("with volume the total chooses the tier: no order of time is in it")

    @property
    def banded(self) -> Bands:
        """When each band is on."""
        return Bands(tuple(band.name for band in self.bands), self.windows, self.default_band)

    @property
    def carries_state(self) -> bool:
        """Whether its bills hand on how far the ladders were climbed."""
        return self.limits.reset_months is not None


def plan(charge: TieredTimeOfUse, span: Span) -> list[Step]:
    """A line for each tier of each band that is on; those that nothing lies in stay off."""
    ladders = tuple(Ladder(band.name, band.tiers) for band in charge.bands)
    return [plan_climbs(charge, ladders, charge.banded, span)]
