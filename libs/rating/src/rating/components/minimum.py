"""Minimum bill: what is missing to a least amount is topped up."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar, Literal

from rating.batch import Batch
from rating.exact import NOTHING
from rating.limits import check_component, check_rate
from rating.lines import Item, Kind, Placed, selected
from rating.proration import Proration, months_in
from rating.span import Span
from rating.steps import Charged, Step, subtotals


@dataclass(frozen=True, slots=True, kw_only=True)
class MinimumBill:
    """At least `amount` per day or month, prorated, for the components that it counts.

    It counts the unrounded amounts of those named by `component_ids` or `kinds`, of all before it
    where neither is named. With `after_tax` it comes after the taxes and may count them.
    """

    kind: ClassVar[str] = "minimum_bill"
    id: str
    amount: Decimal
    per: Literal["day", "month"] = "month"
    proration: Proration = "actual_days"
    component_ids: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
    after_tax: bool = False
    payee: str | None = None
    tax_class: str | None = None

    def __post_init__(self) -> None:
        check_component(self.id, self.payee, self.tax_class)
        check_rate(self.amount)
        if self.amount < 0:
            raise ValueError(f"a minimum bill of {self.amount} is below nothing")
        if self.after_tax and self.tax_class is not None:
            raise ValueError("what comes after the taxes has no tax class")


@dataclass(frozen=True, slots=True)
class TopUp(Step):
    """What the lines at `places` lack to `least`."""

    item: Item
    least: Fraction
    places: tuple[int, ...]

    @property
    def items(self) -> tuple[Item, ...]:
        return (self.item,)

    @property
    def hides_nothing(self) -> bool:
        return True

    @property
    def denominator(self) -> int:
        return self.least.denominator

    def charge(self, batch: Batch) -> list[Charged]:
        least = batch.in_parts([self.least] * len(batch.usages))
        counted = subtotals(batch, self.places)
        return [Charged([max(a - b, NOTHING) for a, b in zip(least, counted, strict=True)])]


def plan(minimum: MinimumBill, span: Span, lines: Sequence[Placed]) -> list[TopUp]:
    """One line, which stays off the bill where nothing is missing."""
    times = (
        Fraction(span.part.days)
        if minimum.per == "day"
        else months_in(span.part, span.within, minimum.proration)
    )
    item = span.item(
        minimum.id,
        "minimum_top_up",
        unit=span.currency,
        rate=Decimal(1),
        payee=minimum.payee,
        tax_class=minimum.tax_class,
    )
    return [
        TopUp(
            item,
            Fraction(minimum.amount) * times,
            selected(lines, minimum.component_ids, minimum.kinds),
        )
    ]
