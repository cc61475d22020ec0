"""One rate for every kWh of a flow: what a flat energy charge and an adjustment are."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from gridtally.rating.components.dated import DatedCharge, check_dated_charge
from gridtally.rating.engine.steps import PerKwh
from gridtally.rating.field_types import Rate, check_rate
from gridtally.rating.plan.span import Span
from gridtally.rating.quantity_steps import QuantityRounding
from gridtally.rating.usage import ActiveFlow


@dataclass(frozen=True, slots=True, kw_only=True)
class PerKwhCharge(DatedCharge):
    """One rate per kWh of a flow; its `kind` is that of its line."""

    kind: ClassVar[Literal["energy", "adjustment"]]
    rate: Rate
    """Money per kWh; a negative rate pays the customer."""
    flow: ActiveFlow = "import"
    """Whose kWh are counted."""
    quantity_rounding: QuantityRounding | None = None
    """How each interval's kWh are rounded before they are priced; null for not at all."""

    def __post_init__(self) -> None:
        check_dated_charge(self)
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
        quantity_rounding=charge.quantity_rounding,
    )
    counted = span.counted(charge.id, charge.flow, charge.quantity_rounding)
    return [PerKwh(item, counted, span.columns.column_of(counted, span.chosen))]
