"""Minimum bill: what is missing to a least amount is topped up, on each bill or once a year."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar, Literal

from kernel.periods import Period
from rating.batch import Batch
from rating.exact import NOTHING, whole
from rating.limits import check_component, check_rate
from rating.lines import Kind, Placed, selected
from rating.proration import (
    YEAR_PARTS,
    YearProration,
    check_proration,
    months_in,
    years_in,
)
from rating.span import Span
from rating.state import Tally
from rating.steps import Charged, OneLine, Step, subtotals
from rating.surplus import check_month, reaches


@dataclass(frozen=True, slots=True, kw_only=True)
class MinimumBill:
    """At least `amount` per day, month or year, prorated, for the components that it counts.

    It counts the unrounded amounts of those named by `component_ids` or `kinds`, of all before it
    where neither is named. With `after_tax` it comes after the taxes and may count them.

    Per year it counts them on all bills since it was last settled, or since the first one; the bill
    that reaches the first day of `true_up_month` tops up what they lack for these days.
    """

    kind: ClassVar[str] = "minimum_bill"
    id: str
    amount: Decimal
    per: Literal["day", "month", "year"] = "month"
    proration: YearProration = "actual_days"
    true_up_month: int | None = None
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
        check_proration(self.per, self.proration)
        if (self.per == "year") != (self.true_up_month is not None):
            raise ValueError("a minimum bill per year, and no other, needs a true_up_month")
        if self.true_up_month is not None:
            check_month(self.true_up_month)

    @property
    def carries_state(self) -> bool:
        """Whether its bills hand on what they have come to."""
        return self.per == "year"


@dataclass(frozen=True, slots=True)
class TopUp(OneLine):
    """What the lines at `places` lack to `least`."""

    least: Fraction
    places: tuple[int, ...]

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


@dataclass(frozen=True, slots=True)
class YearlyTopUp(OneLine):
    """What the lines at `places`, with what earlier bills came to, lack to `amount` a year.

    Topped up on the `days` that it `trues_up` on; else the meter's `Tally` goes on.
    """

    component_id: str
    amount: Fraction
    proration: YearProration
    days: Period
    trues_up: bool
    places: tuple[int, ...]

    @property
    def hides_nothing(self) -> bool:
        return True

    @property
    def denominator(self) -> int:
        return self.amount.denominator * YEAR_PARTS[self.proration]

    def charge(self, batch: Batch) -> list[Charged]:
        sinces: list[date] = []
        totals: list[Decimal] = []
        for meter, counted in enumerate(subtotals(batch, self.places)):
            before = batch.take_state(meter, self.component_id, Tally)
            since_on, amount = (
                (self.days.start_on, NOTHING)
                if before is None
                else (before.since_on, before.amount)
            )
            sinces.append(since_on)
            totals.append(amount * batch.divisors[meter] + counted)
            if not self.trues_up:
                tally = Tally(since_on, whole(totals[-1], batch.divisors[meter]))
                batch.states[meter][self.component_id] = tally
        if not self.trues_up:
            return [Charged([NOTHING] * len(totals))]
        least = batch.in_parts([self._least(since_on) for since_on in sinces])
        return [Charged([max(a - b, NOTHING) for a, b in zip(least, totals, strict=True)])]

    def _least(self, since_on: date) -> Fraction:
        """What all days since then come to at least."""
        days = Period(since_on, self.days.end_on)
        return self.amount * years_in(days, days, self.proration)


def plan(minimum: MinimumBill, span: Span, lines: Sequence[Placed]) -> list[Step]:
    """One line, which stays off the bill where nothing is missing."""
    item = span.item(
        minimum.id,
        "minimum_top_up",
        unit=span.currency,
        rate=Decimal(1),
        payee=minimum.payee,
        tax_class=minimum.tax_class,
    )
    amount = Fraction(minimum.amount)
    places = selected(lines, minimum.component_ids, minimum.kinds)
    match minimum.per, minimum.proration:
        case "year", proration:
            trues_up = reaches(span.part, minimum.true_up_month)
            return [YearlyTopUp(item, minimum.id, amount, proration, span.part, trues_up, places)]
        case "month", ("actual_days" | "thirty_days" | "year_over_twelve" | "none") as proration:
            return [TopUp(item, amount * months_in(span.part, span.within, proration), places)]
    return [TopUp(item, amount * span.part.days, places)]
