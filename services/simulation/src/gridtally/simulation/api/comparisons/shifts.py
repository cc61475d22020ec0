"""The form of a shift in JSON: two kinds, told apart by their `kind`."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field

from gridtally.contracts.model import READ_EXACTLY, SHOWN_AS_DECIMAL, WRITTEN_PLAINLY, Text
from gridtally.http.resources import Body
from gridtally.kernel.errors import Rejected
from gridtally.simulation.api.policies.models import LocalTime, minute_of_day
from gridtally.simulation.domain import shifts as domain
from gridtally.simulation.domain.policies import clock_text
from gridtally.simulation.store.scenarios import shift_json, shift_of

BANDS_MAX = 48
_EXACT = (READ_EXACTLY, WRITTEN_PLAINLY, SHOWN_AS_DECIMAL)
MovedShare = Annotated[Decimal, Field(gt=0, le=1, decimal_places=6, examples=["0.1"]), *_EXACT]
"""A fraction: 0.1 is a tenth."""
PriceElasticity = Annotated[
    Decimal, Field(ge=-10, le=10, decimal_places=6, examples=["-0.2"]), *_EXACT
]
"""The change of use as a multiple of that of its price: −0.2 is 2 % less where it costs 10 %
more."""


class Times(Body):
    """A part of the local day, which may cross midnight; of each day its own intervals."""

    start_time: LocalTime
    """When it begins, on the house's clock."""
    end_time: LocalTime
    """When it ends; where that is when it begins, it is all day."""

    def to_domain(self) -> domain.LocalTimes:
        """The times."""
        return domain.LocalTimes(minute_of_day(self.start_time), minute_of_day(self.end_time))

    @classmethod
    def of(cls, times: domain.LocalTimes) -> "Times":
        """The times as the API shows them."""
        return cls(start_time=clock_text(times.start_minute), end_time=clock_text(times.end_minute))


class FixedShare(Body):
    """A share of what is imported at some times moves to others of the same local day."""

    kind: Literal["fixed_share"]
    """Which kind it is."""
    share: MovedShare
    """How much of it moves: 0.1 is a tenth."""
    from_times: Times
    """When it is taken."""
    to_times: Times
    """Where it goes, spread evenly; not at the same times."""

    def to_domain(self) -> domain.FixedShare:
        """The shift; Rejected where the times overlap."""
        return domain.FixedShare(self.share, self.from_times.to_domain(), self.to_times.to_domain())


class ElasticBand(Times):
    """How use at some times follows its price."""

    label: Text
    """What people call it."""
    elasticity: PriceElasticity
    """−0.2: where a kWh costs 10 % more than by the first scenario, 2 % less is used."""


class Elasticity(Body):
    """What is imported follows the price of its interval, against that of the first scenario."""

    kind: Literal["elasticity"]
    """Which kind it is."""
    bands: Annotated[list[ElasticBand], Field(min_length=1, max_length=BANDS_MAX)]
    """The elasticity of parts of the local day, which do not overlap; elsewhere use stays."""

    def to_domain(self) -> domain.Elasticity:
        """The shift; Rejected where bands overlap."""
        return domain.Elasticity(
            tuple(
                domain.ElasticBand(band.label, band.to_domain(), band.elasticity)
                for band in self.bands
            )
        )


AnyShift = Annotated[FixedShare | Elasticity, Field(discriminator="kind")]
"""How use moves."""


def stored_shift(shift: FixedShare | Elasticity | None) -> dict[str, Any] | None:
    """The shift as it is stored; Rejected where it makes no sense, with the path below `/shift`."""
    if shift is None:
        return None
    try:
        return shift_json(shift.to_domain())
    except Rejected as refused:
        raise refused.relocated("", "/shift") from None


def shown_shift(stored: dict[str, object] | None) -> FixedShare | Elasticity | None:
    """The shift as the API shows it."""
    match shift_of(stored):
        case None:
            return None
        case domain.FixedShare() as moved:
            return FixedShare(
                kind="fixed_share",
                share=moved.share,
                from_times=Times.of(moved.from_times),
                to_times=Times.of(moved.to_times),
            )
        case domain.Elasticity() as elastic:
            return Elasticity(
                kind="elasticity",
                bands=[
                    ElasticBand(
                        **Times.of(band.times).model_dump(),
                        label=band.label,
                        elasticity=band.elasticity,
                    )
                    for band in elastic.bands
                ],
            )
