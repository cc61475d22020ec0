"""Fixed charge: so much per local day or calendar month, whatever is used."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar, Literal

from rating.limits import check_component, check_rate
from rating.proration import Proration, months_in
from rating.span import Span
from rating.steps import Same


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedCharge:
    """`rate` per day, or per month with its proration."""

    kind: ClassVar[str] = "fixed"
    id: str
    rate: Decimal
    per: Literal["day", "month"]
    proration: Proration = "actual_days"
    payee: str | None = None
    tax_class: str | None = None

    def __post_init__(self) -> None:
        check_component(self.id, self.payee, self.tax_class)
        check_rate(self.rate)


def plan(charge: FixedCharge, span: Span) -> list[Same]:
    """One line: days, or months prorated."""
    item = span.item(
        charge.id,
        "fixed",
        unit=charge.per,
        rate=charge.rate,
        payee=charge.payee,
        tax_class=charge.tax_class,
    )
    if charge.per == "day":
        return [Same(item, Fraction(span.part.days))]
    return [Same(item, months_in(span.part, span.within, charge.proration))]
