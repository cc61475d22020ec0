"""Time of use: a rate per band, and windows of local time that say when each band is on."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from rating.bands import Bands, Window, places_in
from rating.limits import check_component, check_name, check_rate
from rating.span import Span
from rating.steps import PerKwh
from rating.usage import Flow


@dataclass(frozen=True, slots=True)
class Band:
    """A name on the bill and its `rate` per kWh."""

    name: str
    rate: Decimal

    def __post_init__(self) -> None:
        check_name("band", self.name)
        check_rate(self.rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeOfUse:
    """Energy of a flow by band; what no window covers is of `default_band`."""

    kind: ClassVar[str] = "time_of_use"
    id: str
    bands: tuple[Band, ...]
    windows: tuple[Window, ...] = ()
    default_band: str | None = None
    flow: Flow = "import"
    payee: str | None = None
    tax_class: str | None = None

    def __post_init__(self) -> None:
        check_component(self.id, self.payee, self.tax_class)
        self.banded.check()

    @property
    def banded(self) -> Bands:
        """When each band is on."""
        return Bands(tuple(band.name for band in self.bands), self.windows, self.default_band)


def plan(charge: TimeOfUse, span: Span) -> list[PerKwh]:
    """One line for each band that is on during the span."""
    place = places_in(charge.banded, charge.id, span)
    steps = []
    for number, band in enumerate(charge.bands):
        chosen = span.chosen & (place == number)
        if not chosen.any():
            continue
        item = span.item(
            charge.id,
            "energy",
            band=band.name,
            flow=charge.flow,
            unit="kWh",
            rate=band.rate,
            payee=charge.payee,
            tax_class=charge.tax_class,
        )
        steps.append(PerKwh(item, charge.flow, span.columns.place(charge.flow, chosen)))
    return steps
