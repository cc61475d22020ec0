"""Capacity charge: so much per kW of connected (sanctioned) load, per day, month or year."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from gridtally.rating.components.charge import Charge, check_charge
from gridtally.rating.engine.steps import Connected, PerConnectedKw
from gridtally.rating.field_types import Rate, check_rate
from gridtally.rating.plan.span import Span
from gridtally.rating.proration import Term, YearProration, check_proration

KW_UNITS = {"day": "kW day", "month": "kW", "year": "kW year"}
"""What a line counts: kW times days, months or years."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityCharge(Charge):
    """So much per kW of connected (sanctioned) load.

    A load that changes within the billed period counts on each day as it is on that day.
    """

    kind: ClassVar[str] = "capacity"
    rate: Rate
    """Money per kW and day, month or year."""
    per: Literal["day", "month", "year"] = "month"
    """What the rate is for, besides a kW."""
    proration: YearProration = "actual_days"
    """What a day costs of a rate per month or year; see the fixed charge."""

    def __post_init__(self) -> None:
        check_charge(self)
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
