"""Capacity charge: so much per kW of connected (sanctioned) load, per day, month or year."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Literal

from rating.limits import check_component, check_rate
from rating.proration import Term, YearProration, check_proration
from rating.span import Span
from rating.steps import Connected, PerConnectedKw

KW_UNITS = {"day": "kW day", "month": "kW", "year": "kW year"}
"""What a line counts: kW times days, months or years."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityCharge:
    """`rate` per connected kW and day, or per month or year with its proration.

    A load that changes within the billed period counts on each day as it is on that day.
    """

    kind: ClassVar[str] = "capacity"
    id: str
    rate: Decimal
    per: Literal["day", "month", "year"] = "month"
    proration: YearProration = "actual_days"
    payee: str | None = None
    tax_class: str | None = None

    def __post_init__(self) -> None:
        check_component(self.id, self.payee, self.tax_class)
        check_rate(self.rate)
        check_proration(self.per, self.proration)


def plan(charge: CapacityCharge, span: Span) -> list[PerConnectedKw]:
    """One line: kW times days, or kW times prorated months (15 kW in a whole month) or years."""
    item = span.item(
        charge.id,
        "fixed",
        unit=KW_UNITS[charge.per],
        rate=charge.rate,
        payee=charge.payee,
        tax_class=charge.tax_class,
    )
    term = Term(charge.per, charge.proration, span.within, span.period)
    return [PerConnectedKw(item, Connected(charge.id, term, span.part))]
