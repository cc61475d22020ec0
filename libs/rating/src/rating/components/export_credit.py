"""Export credit: every kWh of a flow is credited, at one price or by time of use."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from rating.bands import Bands, Window, chosen_by_band
from rating.components.time_of_use import Band
from rating.limits import check_component
from rating.rates import bands_of, check_rates, named_rates
from rating.span import Span
from rating.steps import PerKwh
from rating.surplus import Offset, Payout, check_credit
from rating.usage import Flow


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportCredit:
    """Gross metering: a `rate` for each kWh given, or one per band; `surplus` says how it pays.

    Import is charged by components of its own. A negative price makes giving cost.
    """

    kind: ClassVar[str] = "export_credit"
    id: str
    surplus: Offset | Payout
    rate: Decimal | None = None
    bands: tuple[Band, ...] = ()
    windows: tuple[Window, ...] = ()
    default_band: str | None = None
    flow: Flow = "export"
    payee: str | None = None
    tax_class: str | None = None

    def __post_init__(self) -> None:
        check_component(self.id, self.payee, self.tax_class)
        check_rates(self.rate, self.bands, self.windows, self.default_band)
        check_credit(self.surplus, self.tax_class)

    @property
    def carries_state(self) -> bool:
        """Whether a bill hands units or credit to the next."""
        return self.surplus.carries_state

    @property
    def banded(self) -> Bands | None:
        """When each band is on."""
        return bands_of(self.bands, self.windows, self.default_band)

    @property
    def after_tax(self) -> bool:
        """Whether it comes after the taxes, as a whole."""
        return self.surplus.after_tax


def plan_credit(credit: ExportCredit, span: Span) -> list[PerKwh]:
    """One line, or one for each band that is on during the span."""
    rates = named_rates(credit.rate, credit.bands)
    steps = []
    for place, chosen in chosen_by_band(credit.banded, credit.id, span):
        band, rate = rates[place]
        item = span.item(
            credit.id,
            "credit",
            band=band,
            flow=credit.flow,
            unit="kWh",
            rate=-rate,
            payee=credit.payee,
            tax_class=credit.tax_class,
        )
        steps.append(PerKwh(item, credit.flow, span.columns.place(credit.flow, chosen)))
    return steps
