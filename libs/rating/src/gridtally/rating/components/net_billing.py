"""Net billing: import and export are netted within each interval, and priced each its own way."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar

from gridtally.rating.bands import Bands, Windows, intervals_by_band
from gridtally.rating.components.charge import Charge, check_charge
from gridtally.rating.engine.lines import Kind
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
from gridtally.rating.surplus import Forfeit, Offset, Payout
from gridtally.rating.usage import ActiveFlow, NettableFlow


@dataclass(frozen=True, slots=True, kw_only=True)
class NetBand:
    """A name on the bill, and what a kWh imported and one exported are worth in the band."""

    name: Name
    """What windows and bill lines call it."""
    import_rate: Rate
    """Money per kWh imported."""
    export_rate: Rate | None = None
    """Money credited per kWh exported; null where the surplus is worth nothing."""

    def __post_init__(self) -> None:
        check_name("band", self.name)
        _check_prices(self.import_rate, self.export_rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetBilling(Charge):
    """Import and export netted within each interval: net import is charged, the rest credited.

    A tax class covers the charges, and the credit where that is taxed.
    """

    kind: ClassVar[str] = "net_billing"
    surplus: Forfeit | Offset | Payout
    """How the credit for net export pays; `none` credits nothing."""
    import_rate: Rate | None = None
    """Money per kWh of net import, where all of it has one rate."""
    export_rate: Rate | None = None
    """Money credited per kWh of net export; needed unless the surplus is `none`."""
    bands: Annotated[tuple[NetBand, ...], Length(most=BANDS_MAX)] = ()
    """The bands with their rates, where rates depend on the time."""
    windows: Windows = ()
    """When each band is in force; they must not overlap."""
    default_band: Name | None = None
    """The band in force where no window is; null where windows cover all the time."""
    quantity_rounding: QuantityRounding | None = None
    """How what is left of each interval's import or export is rounded before it is priced; null for
    not at all."""

    def __post_init__(self) -> None:
        check_charge(self)
        if (self.import_rate is not None) == bool(self.bands):
            raise ValueError("either an import_rate or bands are needed")
        if (banded := self.banded) is not None:
            banded.check()
            if self.export_rate is not None:
                raise ValueError("an export_rate beside bands: each band has its own")
        elif self.windows or self.default_band is not None:
            raise ValueError("windows and a default band need bands")
        _check_prices(self.import_rate, self.export_rate)
        unpaid = isinstance(self.surplus, Forfeit)
        if any((price is None) != unpaid for _, _, price in self.prices):
            raise ValueError("an export_rate is needed, except with the surplus 'none'")

    @property
    def banded(self) -> Bands | None:
        """When each band is in force; None where there is one rate."""
        if not self.bands:
            return None
        return Bands(tuple(band.name for band in self.bands), self.windows, self.default_band)

    @property
    def carries_state(self) -> bool:
        """Whether a bill carries credit forward to the next."""
        return self.surplus.carries_state

    @property
    def prices(self) -> list[tuple[str | None, Decimal, Decimal | None]]:
        """The name, import rate and export rate of each band, by its index."""
        if self.import_rate is not None:
            return [(None, self.import_rate, self.export_rate)]
        return [(band.name, band.import_rate, band.export_rate) for band in self.bands]


def plan(billing: NetBilling, span: Span) -> list[PerKwh]:
    """Net import: a line for each band that is in force during the span."""
    rates = [(band, import_rate) for band, import_rate, _ in billing.prices]
    return _lines(billing, span, rates, "energy", "import", "net_import", billing.tax_class)


def plan_credit(billing: NetBilling, span: Span) -> list[PerKwh]:
    """Net export that is credited: a line for each band; none where it is worth nothing."""
    rates = [(band, -price) for band, _, price in billing.prices if price is not None]
    tax_class = billing.tax_class if billing.surplus.taxed else None
    return _lines(billing, span, rates, "credit", "export", "net_export", tax_class)


def _lines(
    billing: NetBilling,
    span: Span,
    rates: Sequence[tuple[str | None, Decimal]],
    kind: Kind,
    flow: ActiveFlow,
    net: NettableFlow,
    tax_class: str | None,
) -> list[PerKwh]:
    """A line for each band in force; `net` is the flow netted within each interval."""
    counted = span.counted(billing.id, net, billing.quantity_rounding)
    steps = []
    for band_index, chosen in intervals_by_band(billing.banded, billing.id, span) if rates else ():
        band, rate = rates[band_index]
        item = span.item(
            billing.id,
            kind,
            band=band,
            flow=flow,
            unit="kWh",
            rate=rate,
            payee=billing.payee,
            tax_class=tax_class,
            quantity_rounding=billing.quantity_rounding,
        )
        steps.append(PerKwh(item, counted, span.columns.column_of(counted, chosen)))
    return steps


def _check_prices(import_rate: Decimal | None, export_rate: Decimal | None) -> None:
    for rate in (import_rate, export_rate):
        if rate is not None:
            check_rate(rate)
