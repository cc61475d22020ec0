"""Fixed charge: so much per local day, month, year or billed period, whatever is used."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from rating.limits import check_component, check_rate
from rating.proration import Per, Term, YearProration, check_proration
from rating.span import Span
from rating.steps import Same


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedCharge:
    """`rate` per day or billed period, or per month or year with its proration."""

    kind: ClassVar[str] = "fixed"
    id: str
    rate: Decimal
    per: Per
    proration: YearProration = "actual_days"
    payee: str | None = None
    tax_class: str | None = None

    def __post_init__(self) -> None:
        check_component(self.id, self.payee, self.tax_class)
        check_rate(self.rate)
        check_proration(self.per, self.proration)


def plan(charge: FixedCharge, span: Span) -> list[Same]:
    """One line: days, or months, years or periods prorated."""
    item = span.item(
        charge.id,
        "fixed",
        unit=charge.per,
        rate=charge.rate,
        payee=charge.payee,
        tax_class=charge.tax_class,
    )
    term = Term(charge.per, charge.proration, span.within, span.period)
    return [Same(item, term.times(span.part))]
