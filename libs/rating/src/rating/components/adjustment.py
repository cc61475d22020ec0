"""Adjustment: a fuel, levy or rebate amount on every kWh of a flow."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from rating.limits import check_component, check_rate
from rating.span import Span
from rating.steps import PerKwh
from rating.usage import Flow


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """`rate` per kWh, on top of what energy costs; a negative one is a rebate."""

    kind: ClassVar[str] = "adjustment"
    id: str
    rate: Decimal
    flow: Flow = "import"
    payee: str | None = None
    tax_class: str | None = None

    def __post_init__(self) -> None:
        check_component(self.id, self.payee, self.tax_class)
        check_rate(self.rate)


def plan(adjustment: Adjustment, span: Span) -> list[PerKwh]:
    """One line: the kWh of the span."""
    item = span.item(
        adjustment.id,
        "adjustment",
        flow=adjustment.flow,
        unit="kWh",
        rate=adjustment.rate,
        payee=adjustment.payee,
        tax_class=adjustment.tax_class,
    )
    return [PerKwh(item, adjustment.flow, span.columns.place(adjustment.flow, span.chosen))]
