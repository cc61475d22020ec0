"""Time of use: a rate per band, and windows of local time that say when each is in force."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from gridtally.rating.bands import Bands, Windows, intervals_by_band
from gridtally.rating.components.charge import Charge, check_charge
from gridtally.rating.engine.steps import PerKwh
from gridtally.rating.field_types import (
    BANDS_MAX,
    Length,
    Name,
    Rate,
    check_name,
    check_rate,
)
from gridtally.rating.plan.span import Span
from gridtally.rating.quantity_steps import QuantityRounding
from gridtally.rating.usage import ActiveFlow


@dataclass(frozen=True, slots=True)
class Band:
    """A name on the bill and a rate per kWh."""

    name: Name
    """What windows and bill lines call it."""
    rate: Rate
    """Money per kWh."""

    def __post_init__(self) -> None:
        check_name("band", self.name)
        check_rate(self.rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeOfUse(Charge):
    """Energy of a flow by band: each kWh costs the rate of the band in force when it is used."""

    kind: ClassVar[str] = "time_of_use"
    bands: Annotated[tuple[Band, ...], Length(1, BANDS_MAX)]
    """The bands with their rates, in the order of the bill's lines."""
    windows: Windows = ()
    """When each band is in force; they must not overlap."""
    default_band: Name | None = None
    """The band in force where no window is; null where windows cover all the time."""
    flow: ActiveFlow = "import"
    """Whose kWh are counted."""
    quantity_rounding: QuantityRounding | None = None
    """How each interval's kWh are rounded before they are priced; null for not at all."""

    def __post_init__(self) -> None:
        check_charge(self)
        self.banded.check()

    @property
    def banded(self) -> Bands:
        """When each band is in force."""
        return Bands(tuple(band.name for band in self.bands), self.windows, self.default_band)


def plan(charge: TimeOfUse, span: Span) -> list[PerKwh]:
    """One line for each band that is in force during the span."""
    counted = span.counted(charge.id, charge.flow, charge.quantity_rounding)
    steps = []
    for band_index, chosen in intervals_by_band(charge.banded, charge.id, span):
        band = charge.bands[band_index]
        item = span.item(
            charge.id,
            "energy",
            band=band.name,
            flow=charge.flow,
            unit="kWh",
            rate=band.rate,
            payee=charge.payee,
            tax_class=charge.tax_class,
            quantity_rounding=charge.quantity_rounding,
        )
        steps.append(PerKwh(item, counted, span.columns.column_of(counted, chosen)))
    return steps
