"""One rate for every kWh of a flow: what a flat energy charge and an adjustment are."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Literal

from rating.limits import check_component, check_rate
from rating.span import Span
from rating.steps import PerKwh
from rating.usage import Flow


@dataclass(frozen=True, slots=True, kw_only=True)
class PerKwhCharge:
    """`rate` per kWh; a negative one pays the customer. Its `kind` is that of its line."""

    kind: ClassVar[Literal["energy", "adjustment"]]
    id: str
    rate: Decimal
    flow: Flow = "import"
    payee: str | None = None
    tax_class: str | None = None

    def __post_init__(self) -> None:
        check_component(self.id, self.payee, self.tax_class)
        check_rate(self.rate)


def plan(charge: PerKwhCharge, span: Span) -> list[PerKwh]:
    """One line: the kWh of the span."""
    item = span.item(
        charge.id,
        charge.kind,
        flow=charge.flow,
        unit="kWh",
        rate=charge.rate,
        payee=charge.payee,
        tax_class=charge.tax_class,
    )
    return [PerKwh(item, charge.flow, span.columns.place(charge.flow, span.chosen))]
