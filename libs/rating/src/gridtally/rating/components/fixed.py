"""Fixed charge: so much per local day, month, year or billed period, whatever is used."""

from dataclasses import dataclass
from typing import ClassVar

from gridtally.rating.components.dated import DatedCharge, check_dated_charge
from gridtally.rating.engine.steps import FixedQuantity
from gridtally.rating.field_types import Rate, check_rate
from gridtally.rating.plan.span import Span
from gridtally.rating.proration import Per, Term, YearProration, check_proration


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedCharge(DatedCharge):
    """So much per local day, calendar month or year, or billed period, whatever is used."""

    kind: ClassVar[str] = "fixed"
    rate: Rate
    """Money per day, month, year or period."""
    per: Per
    """What the rate is for."""
    proration: YearProration = "actual_days"
    """What a day costs of a rate per month or year. `actual_days`: one of the month's or year's own
    days; `thirty_days`: 1/30 of a month, 1/360 of a year; `year_over_twelve`: 12/365 of a month,
    1/365 of a year; `twelfths`: of a year, a day of a month that costs a twelfth; `none`: a month
    costs all on its first billed day."""

    def __post_init__(self) -> None:
        check_dated_charge(self)
        check_rate(self.rate)
        check_proration(self.per, self.proration)


def plan(charge: FixedCharge, span: Span) -> list[FixedQuantity]:
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
    return [FixedQuantity(item, term.times(span.part))]
