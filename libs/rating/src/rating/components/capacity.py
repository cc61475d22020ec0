"""Capacity charge: so much per kW of connected (sanctioned) load, per day or month."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar, Literal

from rating.limits import check_component, check_rate
from rating.proration import Proration, months_in
from rating.span import Span
from rating.steps import PerConnectedKw


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityCharge:
    """`rate` per connected kW and day, or per connected kW and month with its proration."""

    kind: ClassVar[str] = "capacity"
    id: str
    rate: Decimal
    per: Literal["day", "month"] = "month"
    proration: Proration = "actual_days"
    payee: str | None = None
    tax_class: str | None = None

    def __post_init__(self) -> None:
        check_component(self.id, self.payee, self.tax_class)
        check_rate(self.rate)


def plan(charge: CapacityCharge, span: Span) -> list[PerConnectedKw]:
    """One line: kW times days, or kW times prorated months (15 kW in a whole month)."""
    daily = charge.per == "day"
    item = span.item(
        charge.id,
        "fixed",
        unit="kW day" if daily else "kW",
        rate=charge.rate,
        payee=charge.payee,
        tax_class=charge.tax_class,
    )
    times = (
        Fraction(span.part.days) if daily else months_in(span.part, span.within, charge.proration)
    )
    return [PerConnectedKw(item, times)]
