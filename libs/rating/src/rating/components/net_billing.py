"""Net billing: import and export are netted within each interval, and priced each its own way."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from rating.bands import Bands, Window, chosen_by_band
from rating.limits import check_component, check_name, check_rate
from rating.lines import Kind
from rating.span import Span
from rating.steps import PerKwh
from rating.surplus import Lost, Offset, Payout
from rating.usage import Flow, Summed


@dataclass(frozen=True, slots=True, kw_only=True)
class NetBand:
    """A name on the bill, and what a kWh taken and one given are worth while it is on."""

    name: str
    import_rate: Decimal
    export_rate: Decimal | None = None

    def __post_init__(self) -> None:
        check_name("band", self.name)
        _check_prices(self.import_rate, self.export_rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetBilling:
    """What is taken on balance in an interval costs `import_rate`, what is given is credited.

    `surplus` says how the credit pays; where it is `none`, there is no `export_rate`. Prices for
    all of it or per band. A tax class covers the charges, and the credit where that is taxed.
    """

    kind: ClassVar[str] = "net_billing"
    id: str
    surplus: Lost | Offset | Payout
    import_rate: Decimal | None = None
    export_rate: Decimal | None = None
    bands: tuple[NetBand, ...] = ()
    windows: tuple[Window, ...] = ()
    default_band: str | None = None
    payee: str | None = None
    tax_class: str | None = None

    def __post_init__(self) -> None:
        check_component(self.id, self.payee, self.tax_class)
        if (self.import_rate is not None) == bool(self.bands):
            raise ValueError("either an import_rate or bands are needed")
        if (banded := self.banded) is not None:
            banded.check()
            if self.export_rate is not None:
                raise ValueError("an export_rate beside bands: each band has its own")
        elif self.windows or self.default_band is not None:
            raise ValueError("windows and a default band need bands")
        _check_prices(self.import_rate, self.export_rate)
        unpaid = isinstance(self.surplus, Lost)
        if any((price is None) != unpaid for _, _, price in self.prices):
            raise ValueError("an export_rate is needed, except with the surplus 'none'")

    @property
    def carries_state(self) -> bool:
        """Whether a bill hands units or credit to the next."""
        return self.surplus.carries_state

    @property
    def banded(self) -> Bands | None:
        """When each band is on."""
        if not self.bands:
            return None
        return Bands(tuple(band.name for band in self.bands), self.windows, self.default_band)

    @property
    def prices(self) -> list[tuple[str | None, Decimal, Decimal | None]]:
        """Name, import and export rate of each band by its place."""
        if self.import_rate is not None:
            return [(None, self.import_rate, self.export_rate)]
        return [(band.name, band.import_rate, band.export_rate) for band in self.bands]


def plan(billing: NetBilling, span: Span) -> list[PerKwh]:
    """What is taken on balance, a line for each band that is on during the span."""
    rates = [(band, import_rate) for band, import_rate, _ in billing.prices]
    return _lines(billing, span, rates, "energy", "import", "net_import", billing.tax_class)


def plan_credit(billing: NetBilling, span: Span) -> list[PerKwh]:
    """What is given on balance and credited, likewise; nothing where it is lost."""
    rates = [(band, -price) for band, _, price in billing.prices if price is not None]
    tax_class = billing.tax_class if billing.surplus.taxed else None
    return _lines(billing, span, rates, "credit", "export", "net_export", tax_class)


def _lines(
    billing: NetBilling,
    span: Span,
    rates: Sequence[tuple[str | None, Decimal]],
    kind: Kind,
    flow: Flow,
    net: Summed,
    tax_class: str | None,
) -> list[PerKwh]:
    steps = []
    for place, chosen in chosen_by_band(billing.banded, billing.id, span) if rates else ():
        band, rate = rates[place]
        item = span.item(
            billing.id,
            kind,
            band=band,
            flow=flow,
            unit="kWh",
            rate=rate,
            payee=billing.payee,
            tax_class=tax_class,
        )
        steps.append(PerKwh(item, net, span.columns.place(net, chosen)))
    return steps


def _check_prices(import_rate: Decimal | None, export_rate: Decimal | None) -> None:
    for rate in (import_rate, export_rate):
        if rate is not None:
            check_rate(rate)
